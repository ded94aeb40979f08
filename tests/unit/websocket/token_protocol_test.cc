#include "proxy/websocket/token_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proxy/websocket/handshake.h"

namespace kg::websocket::token_protocol_test {

constexpr const char* kV1 = "v1.kernel.websocket.jupyter.org";
const std::string kBare = "v1.token.websocket.jupyter.org";

struct Offers {
  explicit Offers(const std::vector<std::string>& fields) : texts(fields) {
    for (const std::string& text : texts) head.headers.push_back({"sec-websocket-protocol", text});
  }
  std::vector<std::string> texts;
  http::RequestHead head;
};

std::string token_of(const std::vector<std::string>& fields) {
  const Offers offers(fields);
  const Result<Secret> token = offered_token(offers.head);
  return token ? std::string(token->reveal()) : std::string(token.error().row().label);
}

TEST(OfferedToken, IsDecodedStrictly) {
  EXPECT_EQ(token_of({kBare + ".a.b-c_d"}), "a.b-c_d");
  EXPECT_EQ(token_of({kBare + ".a%2Fb%3d+%20"}), "a/b=+ ");
  for (const char* bad : {"%", "%4", "%4g", "a%zz", ""}) {
    EXPECT_EQ(token_of({kBare + "." + bad}), "unauthorized") << bad;
  }
}

TEST(OfferedToken, IsFoundAmongOtherOffers) {
  EXPECT_EQ(token_of({std::string(kV1) + ", " + kBare + ", " + kBare + ".t"}), "t");
  EXPECT_EQ(token_of({kV1, kBare + ".t"}), "t");
  EXPECT_EQ(token_of({kBare + ".t, " + kBare + ".t"}), "t");
  EXPECT_EQ(token_of({kBare + ".t", kBare + ".u"}), "bad_request");
}

TEST(OfferedToken, OtherNamesAreNone) {
  for (const std::string& other :
       {std::string(kV1), kBare, kBare + "x.t", std::string("V1.token.websocket.jupyter.org.t"),
        "x" + kBare + ".t"}) {
    EXPECT_EQ(token_of({other}), "") << other;
  }
  EXPECT_EQ(token_of({}), "");
}

TEST(OfferedToken, NeverGoesUpInAnyCaseOfLetters) {
  const Offers offers({"V1.TOKEN.websocket.jupyter.org.t, " + kBare + ", " + kBare + ".t, " + kV1});
  EXPECT_EQ(offered_protocols(offers.head), kBare + ", " + kV1);
}

std::string_view selected(const std::vector<std::string>& offered, std::string_view by_gateway) {
  const Offers offers(offered);
  http::ResponseHead response;
  if (!by_gateway.empty()) response.headers.push_back({"Sec-WebSocket-Protocol", by_gateway});
  return selected_for_token(response, offers.head);
}

TEST(SelectedForToken, TheBareNameAnswersATokenThatNothingElseAnswers) {
  EXPECT_EQ(selected({kBare + ", " + kBare + ".t"}, ""), kBare);
  EXPECT_EQ(selected({kV1, kBare, kBare + ".t"}, ""), kBare);
}

TEST(SelectedForToken, NothingIsAddedOtherwise) {
  EXPECT_EQ(selected({kV1, kBare, kBare + ".t"}, kV1), "");  // the gateway chose
  EXPECT_EQ(selected({kBare + ", " + kBare + ".t"}, kBare), "");
  EXPECT_EQ(selected({kBare + ".t"}, ""), "");  // not offered
  EXPECT_EQ(selected({kBare}, ""), "");         // no token
  EXPECT_EQ(selected({kV1}, ""), "");
  EXPECT_EQ(selected({}, ""), "");
}

}  // namespace kg::websocket::token_protocol_test
