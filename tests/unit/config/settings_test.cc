// Timeouts and limits: their defaults are those of base/settings.h, and keep_alive derives.
#include <gmock/gmock.h>

#include "config/loader.h"
#include "config_folder.h"

namespace kg::config::settings_test {

using testing::ElementsAre;
using testing::HasSubstr;

class SettingsOf : public testing::Test {
 protected:
  Settings load(const std::string& more) {
    const Loaded loaded = folder_.load(more + minimal());
    EXPECT_TRUE(loaded.config.has_value());
    return loaded.config ? loaded.config->settings : Settings{};
  }
  ConfigFolder folder_;
};

void expect_equal(const Settings& a, const Settings& b) {
  EXPECT_EQ(a.timeouts.handshake_ms, b.timeouts.handshake_ms);
  EXPECT_EQ(a.timeouts.request_head_ms, b.timeouts.request_head_ms);
  EXPECT_EQ(a.timeouts.request_body_idle_ms, b.timeouts.request_body_idle_ms);
  EXPECT_EQ(a.timeouts.keep_alive_ms, b.timeouts.keep_alive_ms);
  EXPECT_EQ(a.timeouts.write_stall_ms, b.timeouts.write_stall_ms);
  EXPECT_EQ(a.timeouts.response_idle_ms, b.timeouts.response_idle_ms);
  EXPECT_EQ(a.timeouts.first_byte_ms.list, b.timeouts.first_byte_ms.list);
  EXPECT_EQ(a.timeouts.first_byte_ms.restart, b.timeouts.first_byte_ms.restart);
  EXPECT_EQ(a.timeouts.first_byte_ms.del, b.timeouts.first_byte_ms.del);
  EXPECT_EQ(a.timeouts.first_byte_ms.launch_margin, b.timeouts.first_byte_ms.launch_margin);
  EXPECT_EQ(a.timeouts.first_byte_ms.upgrade, b.timeouts.first_byte_ms.upgrade);
  EXPECT_EQ(a.timeouts.first_byte_ms.other, b.timeouts.first_byte_ms.other);
  EXPECT_EQ(a.limits.uri_bytes, b.limits.uri_bytes);
  EXPECT_EQ(a.limits.header_bytes, b.limits.header_bytes);
  EXPECT_EQ(a.limits.header_count, b.limits.header_count);
  EXPECT_EQ(a.limits.body_min_rate, b.limits.body_min_rate);
  EXPECT_EQ(a.limits.connections, b.limits.connections);
  EXPECT_EQ(a.limits.connections_per_worker, b.limits.connections_per_worker);
  EXPECT_EQ(a.limits.connections_per_address, b.limits.connections_per_address);
  EXPECT_EQ(a.limits.requests_per_client, b.limits.requests_per_client);
  EXPECT_EQ(a.limits.requests_per_connection, b.limits.requests_per_connection);
  EXPECT_EQ(a.limits.memory_bytes, b.limits.memory_bytes);
}

TEST_F(SettingsOf, DefaultsOfTheSchemaAreThoseOfTheCode) {
  expect_equal(load("timeouts: {}\nlimits: {}\n"), Settings{});
  expect_equal(load(""), Settings{});
  expect_equal(load("timeouts: {first_byte: {}}\n"), Settings{});
}

TEST_F(SettingsOf, KeepAliveOutlastsTheLoadBalancer) {
  EXPECT_EQ(load("alb: {idle_timeout: 10s}\n").timeouts.keep_alive_ms, 25'000U);
  EXPECT_EQ(load("alb: {idle_timeout: 400s}\n").timeouts.keep_alive_ms, 500'000U);
  EXPECT_EQ(load("alb: {idle_timeout: 400s}\ntimeouts: {}\n").timeouts.keep_alive_ms, 500'000U);
  EXPECT_EQ(load("timeouts: {keep_alive: 90s}\n").timeouts.keep_alive_ms, 90'000U);
}

TEST_F(SettingsOf, AKeepAliveThatTheLoadBalancerOutlastsIsWarnedAbout) {
  const auto warnings = folder_.problems("timeouts: {keep_alive: 60s}\n" + minimal());
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("~1 timeouts.keep_alive: not above")));
}

TEST_F(SettingsOf, SizesAreReadInTheirUnit) {
  EXPECT_EQ(load("limits: {memory_bytes: 2GiB}\n").limits.memory_bytes, uint64_t{2} << 30);
  EXPECT_EQ(load("limits: {body_min_rate: 0B}\n").limits.body_min_rate, 0U);
  EXPECT_EQ(load("limits: {uri_bytes: 2048B}\n").limits.uri_bytes, 2'048U);
}

TEST_F(SettingsOf, WrongSizesNameTheirRemedy) {
  const auto said = [this](const std::string& value) {
    const auto errors = folder_.load("limits: {uri_bytes: " + value + "}\n" + minimal()).errors;
    return errors.empty() ? std::string() : errors[0].problem + ": " + errors[0].remedy;
  };
  EXPECT_THAT(said("16384"), HasSubstr("is not a size: add the unit: 16384B or 16384KiB"));
  EXPECT_THAT(said("16kb"), HasSubstr("is not a size: write 16KiB"));
  EXPECT_THAT(said("16 KiB"), HasSubstr("is not a size: write 16KiB"));
  EXPECT_THAT(said("1.5MiB"), HasSubstr("is not a size: write a whole number and one of"));
  EXPECT_THAT(said("large"), HasSubstr("is not a size: write a number and a unit"));
  EXPECT_THAT(said("1GiB"), HasSubstr("is out of range: write a value from 1KiB to 64KiB"));
  EXPECT_THAT(said("99999999999999999999GiB"), HasSubstr("is out of range"));
}

}  // namespace kg::config::settings_test
