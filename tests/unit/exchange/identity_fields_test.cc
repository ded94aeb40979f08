#include "proxy/exchange/identity_fields.h"

#include <gtest/gtest.h>

namespace kg::exchange::identity_fields_test {

const routing::IdentityHeaders kAll{"X-User", "X-Realm", "X-Groups", "X-Role"};

TEST(IdentityFields, TellWhatIsConfigured) {
  auth::Principal who;
  who.realm = "studio";
  who.subject = "alice@example.com";
  who.groups = {"a", "b"};
  const auto fields = identity_fields(kAll, who);
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].name, "X-User");
  EXPECT_EQ(fields[0].value, "alice@example.com");
  EXPECT_EQ(fields[1].value, "studio");
  EXPECT_EQ(fields[2].value, "a,b");
  EXPECT_EQ(fields[3].value, "") << "nothing to tell, but a client's own is to be removed";
  EXPECT_TRUE(identity_fields({}, who).empty());
}

TEST(IdentityFields, CannotBeAnotherFieldOrAnotherGroup) {
  auth::Principal who;
  who.subject = "a%b\r\nX-Evil: 1 \xc3\xa9,";
  who.groups = {"x,y", "z"};
  const auto fields = identity_fields(kAll, who);
  EXPECT_EQ(fields[0].value, "a%25b%0D%0AX-Evil:%201%20%C3%A9,");
  EXPECT_EQ(fields[2].value, "x%2Cy,z");
  for (int byte = 0; byte < 256; ++byte) {
    who.subject = std::string(1, static_cast<char>(byte));
    const std::string value = identity_fields(kAll, who)[0].value;
    EXPECT_TRUE(value.size() == 3 ? value[0] == '%' : value == who.subject && byte != '%') << byte;
  }
}

}  // namespace kg::exchange::identity_fields_test
