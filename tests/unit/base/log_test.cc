#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "proxy/base/log_fields.h"

namespace kg::log::log_test {

std::string line_of(std::string_view message, std::initializer_list<Field> fields) {
  testing::internal::CaptureStderr();
  write(Level::kWarn, "ingress", message, fields);
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, FieldsStandBehindTheMessageAndInJsonEachIsOne) {
  EXPECT_THAT(line_of("is taken", {{"object", "Ingress a/b"}, {"reason", "HostTaken"}}),
              testing::MatchesRegex("20[-0-9]+T[:.0-9]+Z warning ingress is taken "
                                    "object=Ingress a/b reason=HostTaken\n"));
  use_json();
  EXPECT_THAT(line_of("says \"{}\"\n%v", {{"object", "Ingress a/b\\"}}),
              testing::MatchesRegex(
                  R"re(\{"time":"20[-0-9]+T[:.0-9]+Z","level":"warning","area":"ingress",)re"
                  R"re("message":"says \\"\{\}\\"\\n%v","object":"Ingress a/b\\\\"\})re"
                  "\n"));
}

}  // namespace kg::log::log_test
