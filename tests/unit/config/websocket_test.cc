#include <gmock/gmock.h>

#include "config_folder.h"

namespace kg::config::websocket_test {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class WebSocketSection : public testing::Test {
 protected:
  WebSocketSettings read(const std::string& keys) {
    const Loaded loaded = folder_.load(minimal() + keys);
    EXPECT_TRUE(loaded.config.has_value());
    return loaded.config ? loaded.config->settings.websocket : WebSocketSettings{};
  }
  // Without their lines: the keys stand behind the smallest file.
  std::vector<std::string> problems(const std::string& keys) {
    std::vector<std::string> out = folder_.problems(minimal() + keys);
    for (std::string& problem : out) problem.erase(0, problem.find(' ') + 1);
    return out;
  }
  ConfigFolder folder_;
};

TEST_F(WebSocketSection, DefaultsAreThoseOfTheStruct) {
  for (const char* keys : {"", "websocket: {}\n"}) {
    const WebSocketSettings got = read(keys), plain;
    EXPECT_EQ(got.ping_after_ms, plain.ping_after_ms);
    EXPECT_EQ(got.client_dead_after_ms, plain.client_dead_after_ms);
    EXPECT_EQ(got.gateway_dead_after_ms, plain.gateway_dead_after_ms);
    EXPECT_EQ(got.message_bytes_max, plain.message_bytes_max);
  }
}

TEST_F(WebSocketSection, ReadsEveryKey) {
  const WebSocketSettings got = read(
      "websocket: {ping_after: 100ms, client_dead_after: 200ms, gateway_dead_after: 2h, "
      "message_bytes_max: 16MiB}\n");
  EXPECT_EQ(got.ping_after_ms, 100U);
  EXPECT_EQ(got.client_dead_after_ms, 200U);
  EXPECT_EQ(got.gateway_dead_after_ms, 7'200'000U);
  EXPECT_EQ(got.message_bytes_max, uint64_t{16} << 20);
}

TEST_F(WebSocketSection, ALoadBalancerBoundsPings) {
  EXPECT_EQ(read("alb: {idle_timeout: 30s}\n").ping_after_ms, 15'000U);
  EXPECT_EQ(read("alb: {idle_timeout: 4000s}\n").ping_after_ms, 25'000U);
  const std::string keys = "alb: {idle_timeout: 30s}\nwebsocket: {ping_after: 16s}\n";
  EXPECT_EQ(read(keys).ping_after_ms, 15'000U);
  EXPECT_THAT(problems(keys), Contains("websocket.ping_after: above half of alb.idle_timeout, so "
                                       "half of it is used"));
}

TEST_F(WebSocketSection, NobodyIsDeadBeforeTheQuestion) {
  EXPECT_THAT(
      problems("websocket: {ping_after: 10s, client_dead_after: 10s, gateway_dead_after: 9s}\n"),
      ElementsAre("websocket.client_dead_after: not above ping_after, so nobody could answer in "
                  "time",
                  "websocket.gateway_dead_after: not above ping_after, so nobody could answer in "
                  "time"));
}

TEST_F(WebSocketSection, SizesAreBoundedAndNoneIsNoLimit) {
  EXPECT_THAT(problems("websocket: {message_bytes_max: none}\n"), IsEmpty());
  EXPECT_THAT(problems("websocket: {message_bytes_max: 1023B}\n"),
              ElementsAre("websocket.message_bytes_max: \"1023B\" is out of range"));
  EXPECT_THAT(problems("websocket: {message_bytes_max: off}\n"),
              ElementsAre("websocket.message_bytes_max: \"off\" is not a size"));
}

}  // namespace kg::config::websocket_test
