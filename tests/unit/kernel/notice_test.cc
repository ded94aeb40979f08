// The bytes of a notice. That Jupyter's own programs read them is proved in
// tests/integration/notice_test.py and tests/e2e.
#include "proxy/kernel/notice.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kg::kernel::notice_test {

using nlohmann::json;

constexpr uint64_t kWallUs = 1'700'000'000'000'042;  // 2023-11-14 22:13:20.000042
constexpr std::string_view kParent = R"({"msg_id": "cell-1"})";
constexpr std::string_view kText = "The \"session\" ends.\n\xe2\x8f\xb0";

void expect_header(const json& header) {
  EXPECT_EQ(header.size(), 6U);
  EXPECT_EQ(header["msg_id"].get<std::string>().size(), 36U);
  EXPECT_EQ(header["msg_type"], "stream");
  EXPECT_EQ(header["username"], "kernelgate");
  EXPECT_EQ(header["session"], "request-7");
  EXPECT_EQ(header["date"], "2023-11-14T22:13:20.000042Z") << "six digits and Z (G30)";
  EXPECT_EQ(header["version"], "5.3");
}

void expect_content(const json& content) {
  EXPECT_EQ(content, (json{{"name", "stderr"}, {"text", kText}}));
}

TEST(Notice, LegacyIsOneJsonObjectWithItsChannel) {
  const json message =
      json::parse(stderr_notice(Framing::kLegacy, kText, "", "request-7", kWallUs));
  expect_header(message["header"]);
  expect_content(message["content"]);
  EXPECT_EQ(message["channel"], "iopub");
  EXPECT_EQ(message["msg_id"], message["header"]["msg_id"]);
  EXPECT_EQ(message["msg_type"], "stream");
  EXPECT_EQ(message["parent_header"], json::object());
  EXPECT_EQ(message["metadata"], json::object());
  EXPECT_EQ(message["buffers"], json::array());
}

uint64_t number_at(const std::string& bytes, size_t index) {
  uint64_t value = 0;
  for (size_t i = 8; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[index * 8 + i]);
  return value;
}

TEST(Notice, V1HasOffsetsAndParts) {
  const std::string message = stderr_notice(Framing::kV1, kText, kParent, "request-7", kWallUs);
  ASSERT_EQ(number_at(message, 0), 6U);
  std::vector<std::string> parts;
  for (size_t i = 1; i < 6; ++i) {
    const uint64_t begin = number_at(message, i);
    ASSERT_LE(begin, number_at(message, i + 1));
    parts.push_back(message.substr(begin, number_at(message, i + 1) - begin));
  }
  EXPECT_EQ(number_at(message, 1), 56U) << "behind the count and six offsets";
  EXPECT_EQ(number_at(message, 6), message.size()) << "the last one is the end";
  EXPECT_EQ(parts[0], "iopub");
  expect_header(json::parse(parts[1]));
  EXPECT_EQ(parts[2], kParent);
  EXPECT_EQ(parts[3], "{}");
  expect_content(json::parse(parts[4]));
}

TEST(Notice, StandsInTheOutputOfItsParent) {
  const json message =
      json::parse(stderr_notice(Framing::kLegacy, kText, kParent, "request-7", kWallUs));
  EXPECT_EQ(message["parent_header"], json::parse(kParent));
}

TEST(Notice, EachHasAnIdOfItsOwn) {
  const auto id = [] {
    return json::parse(stderr_notice(Framing::kLegacy, "", "", "s", kWallUs))["msg_id"];
  };
  EXPECT_NE(id(), id());
}

TEST(Notice, OnlyTheV1SubprotocolIsBinary) {
  EXPECT_EQ(framing_of("v1.kernel.websocket.jupyter.org"), Framing::kV1);
  EXPECT_EQ(framing_of(""), Framing::kLegacy);
  EXPECT_EQ(framing_of("v1.token.websocket.jupyter.org"), Framing::kLegacy);
}

TEST(DeadNotice, IsAStatusOfNoRequestInBothFramings) {
  const json content{{"execution_state", "dead"}};
  const json legacy = json::parse(dead_notice(Framing::kLegacy, "request-7", kWallUs));
  EXPECT_EQ(legacy["header"]["msg_type"], "status");
  EXPECT_EQ(legacy["msg_type"], "status");
  EXPECT_EQ(legacy["channel"], "iopub");
  EXPECT_EQ(legacy["parent_header"], json::object());
  EXPECT_EQ(legacy["content"], content);
  const std::string v1 = dead_notice(Framing::kV1, "request-7", kWallUs);
  ASSERT_EQ(number_at(v1, 0), 6U);
  const auto part = [&](size_t i) {
    return v1.substr(number_at(v1, i), number_at(v1, i + 1) - number_at(v1, i));
  };
  EXPECT_EQ(part(1), "iopub");
  EXPECT_EQ(json::parse(part(2))["msg_type"], "status");
  EXPECT_EQ(part(3), "{}");
  EXPECT_EQ(json::parse(part(5)), content);
}

}  // namespace kg::kernel::notice_test
