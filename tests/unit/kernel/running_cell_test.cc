#include "proxy/kernel/running_cell.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kg::kernel::running_cell_test {

using nlohmann::json;

json output() {
  return {{"channel", "iopub"},
          {"header", {{"msg_id", "m-1"}, {"msg_type", "stream"}}},
          {"parent_header", {{"msg_id", "cell-1"}, {"msg_type", "execute_request"}}},
          {"metadata", json::object()},
          {"content", {{"name", "stdout"}, {"text", "hello"}}},
          {"buffers", json::array()}};
}

json status(const char* state) {
  json message = output();
  message["header"]["msg_type"] = "status";
  message["content"] = {{"execution_state", state}};
  return message;
}

std::string v1(const json& message, std::string_view buffers = "") {
  const std::vector<std::string> parts{message["channel"].get<std::string>(),
                                       message["header"].dump(),
                                       message["parent_header"].dump(),
                                       message["metadata"].dump(),
                                       message["content"].dump(),
                                       std::string(buffers)};
  std::string out;
  const auto append = [&out](uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xff);
  };
  append(parts.size() + 1);
  uint64_t at = 8 * (parts.size() + 2);
  append(at);
  for (const std::string& part : parts) append(at += part.size());
  for (const std::string& part : parts) out += part;
  return out;
}

// Both framings have to agree.
std::string cell_of(const json& message) {
  const std::string legacy = running_cell(Framing::kLegacy, message.dump());
  EXPECT_EQ(running_cell(Framing::kV1, v1(message, "\x01\x02")), legacy);
  return legacy;
}

TEST(RunningCell, IsTheParentOfWhatACellSays) {
  EXPECT_EQ(json::parse(cell_of(output())), output()["parent_header"]);
  EXPECT_NE(cell_of(status("busy")), "");
}

TEST(RunningCell, IsNoneWhereANotebookWouldShowNothing) {
  EXPECT_EQ(cell_of(status("idle")), "") << "the cell takes nothing after it";
  json message = output();
  message["channel"] = "shell";
  EXPECT_EQ(cell_of(message), "");
  message = output();
  message["parent_header"]["msg_type"] = "complete_request";
  EXPECT_EQ(cell_of(message), "");
  message["parent_header"] = json::object();
  EXPECT_EQ(cell_of(message), "");
}

TEST(RunningCell, IsNoneForWhatIsNoKernelMessage) {
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string("[]"), std::string("{}"),
        std::string(R"({"channel": 1, "header": 2, "parent_header": 3, "content": 4})"),
        std::string(100, '\xff'), std::string(100, '\0')}) {
    EXPECT_EQ(running_cell(Framing::kLegacy, text), "") << text;
    EXPECT_EQ(running_cell(Framing::kV1, text), "") << text;
  }
  const std::string good = v1(output());
  for (size_t size = 0; size < good.size() - 1; ++size) {
    EXPECT_EQ(running_cell(Framing::kV1, good.substr(0, size)), "") << "cut at " << size;
  }
}

TEST(RunningCell, IsNoneIfItsHeaderIsAbsurdlyLarge) {
  json message = output();
  message["parent_header"]["session"] = std::string(9'000, 'x');
  EXPECT_EQ(cell_of(message), "");
}

}  // namespace kg::kernel::running_cell_test
