#include "metrics/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "readme_table.h"

namespace kg::metrics::access_log_test {

using nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::Not;

AccessRecord full_record() {
  AccessRecord record;
  record.time_us = 1'767'225'599'000'042;  // 2025-12-31T23:59:59.000042Z
  for (std::string_view AccessRecord::*text : {&AccessRecord::request_id,
                                               &AccessRecord::trace_id,
                                               &AccessRecord::client,
                                               &AccessRecord::forwarded_for,
                                               &AccessRecord::endpoint,
                                               &AccessRecord::virtual_cluster,
                                               &AccessRecord::operation,
                                               &AccessRecord::method,
                                               &AccessRecord::host,
                                               &AccessRecord::path,
                                               &AccessRecord::kernel,
                                               &AccessRecord::spec,
                                               &AccessRecord::pod,
                                               &AccessRecord::subject,
                                               &AccessRecord::realm,
                                               &AccessRecord::role,
                                               &AccessRecord::log_context,
                                               &AccessRecord::error,
                                               &AccessRecord::detail,
                                               &AccessRecord::dropped_env,
                                               &AccessRecord::user_agent,
                                               &AccessRecord::closed_by,
                                               &AccessRecord::client_certificate}) {
    record.*text = "text";
  }
  record.status = 101;
  record.close_code = 1011;
  record.bytes_in = 1;
  record.bytes_out = UINT64_MAX;
  record.messages_in = 3;
  record.messages_out = 4;
  record.first_byte_us = 5;
  record.total_us = 61'000'007;
  record.upstream_connect_us = 300;
  record.launch_wait_us = 4'000;
  record.reconnects = 2;
  record.websocket = record.tls_resumed = record.upstream_reused = true;
  return record;
}

std::string line_of(const AccessRecord& record) {
  AccessLogBuffer buffer;
  buffer.append(record);
  return buffer.take();
}

ordered_json parse(const std::string& line) {
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  return ordered_json::parse(line);
}

TEST(AccessLog, FullRecord) {
  const std::string line = line_of(full_record());
  const auto json = parse(line);
  EXPECT_EQ(json["time"], "2025-12-31T23:59:59.000042Z");
  EXPECT_EQ(json["status"], 101);
  EXPECT_EQ(json["close_code"], 1011);
  EXPECT_EQ(json["bytes_out"], UINT64_MAX);
  EXPECT_EQ(json["websocket"], true);
  EXPECT_THAT(line, HasSubstr("\"total_seconds\":61.000007,"));
  EXPECT_THAT(line, HasSubstr("\"first_byte_seconds\":0.000005,"));
  EXPECT_THAT(line, HasSubstr("\"upstream_connect_seconds\":0.000300,"));
  EXPECT_THAT(line, HasSubstr("\"launch_wait_seconds\":0.004000,"));
}

TEST(AccessLog, ReadmeListsEveryFieldInItsOrder) {
  const auto json = parse(line_of(full_record()));
  std::vector<std::string> written;
  for (const auto& [key, value] : json.items()) written.push_back(key);
  std::vector<std::string> documented;
  for (const auto& row : readme_table("## Access log")) {
    ASSERT_EQ(row.size(), 3u);
    documented.push_back(row[0]);
  }
  EXPECT_EQ(written, documented);
}

TEST(AccessLog, EmptyAndZeroAreLeftOut) {
  EXPECT_EQ(line_of(AccessRecord{}),
            "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"bytes_in\":0,\"bytes_out\":0,"
            "\"total_seconds\":0.000000}\n");
}

TEST(AccessLog, HasNoFieldForQueriesOrSecrets) {
  const auto json = parse(line_of(full_record()));
  for (const auto& [key, value] : json.items()) {
    for (const char* word : {"query", "token", "cookie", "authorization", "credential", "body"}) {
      EXPECT_THAT(key, Not(HasSubstr(word)));
    }
  }
}

TEST(AccessLog, TextIsEscapedAtEveryPlace) {
  for (const std::string special :
       {"\"", "\\", "\n", "\x01", "\x1f", "\x80", "\xff", "é", "\x7f"}) {
    for (size_t at = 0; at < 20; ++at) {
      std::string text(19, 'a');
      text.insert(at, special);
      AccessRecord record;
      record.user_agent = text;
      const bool valid = special[0] > 0 || special == "é";
      const std::string expected =
          valid ? text : std::string(at, 'a') + "\xef\xbf\xbd" + std::string(19 - at, 'a');
      EXPECT_EQ(parse(line_of(record))["user_agent"], expected);
    }
  }
}

TEST(AccessLog, LongTextIsCutBetweenCharacters) {
  const std::string head(kLogFieldBytesMax - 1, 'a');
  const std::string path = head + "é" + std::string(100'000, 'b');
  AccessRecord record;
  record.path = path;
  EXPECT_EQ(parse(line_of(record))["path"], head);
  const std::string junk(100'000, '\x80');
  record.path = junk;
  EXPECT_LT(line_of(record).size(), 8 * kLogFieldBytesMax);
}

TEST(AccessLog, TheSecondIsReusedAndRenewed) {
  AccessLogBuffer buffer;
  AccessRecord record;
  for (const uint64_t time :
       {1'709'164'799'999'999u, 1'709'164'799'000'001u, 1'709'164'800'000'000u}) {
    record.time_us = time;
    buffer.append(record);
  }
  EXPECT_EQ(buffer.lines(), 3u);
  const std::string text = buffer.take();
  EXPECT_THAT(text, HasSubstr("\"2024-02-28T23:59:59.999999Z\""));
  EXPECT_THAT(text, HasSubstr("\"2024-02-28T23:59:59.000001Z\""));
  EXPECT_THAT(text, HasSubstr("\"2024-02-29T00:00:00.000000Z\""));
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.lines(), 0u);
}

TEST(AccessLog, WantsToBeTakenAtTheFlushSize) {
  AccessLogBuffer buffer;
  const AccessRecord record = full_record();
  while (!buffer.append(record)) ASSERT_LT(buffer.lines(), 10'000u);
  const uint32_t lines = buffer.lines();
  const std::string text = buffer.take();
  EXPECT_GE(text.size(), limits::kLogFlushBytes);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), lines);
}

}  // namespace kg::metrics::access_log_test
