#include "proxy/exchange/credentials.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kg::exchange::credentials_test {

using auth::Proof;

const std::string kToken = "aaa.bbb.ccc";
const std::string kProtocol = "v1.token.websocket.jupyter.org." + kToken;
constexpr std::string_view kCookie = "session";

using Fields = std::vector<http::Header>;

struct Request {
  Request(Fields fields, std::string_view query = "", bool upgrade = false) {
    head.headers = std::move(fields);
    head.query = query;
    head.has_query = !query.empty();
    head.upgrade_websocket = upgrade;
  }
  http::RequestHead head;
};

// "place token", or the error's label.
std::string shown(const Request& request, const Sender& sender = {kCookie}) {
  constexpr const char* kPlaces[] = {"none",   "authorization", "query",      "subprotocol",
                                     "cookie", "loadbalancer",  "certificate"};
  const Result<Credentials> found = Credentials::of(request.head, sender);
  if (!found) return std::string(found.error().row().label);
  const auto place = static_cast<size_t>(found->place_of(Proof::kToken));
  return std::string(kPlaces[place]) + " " + std::string(found->evidence().token);
}

TEST(Credentials, EachPlaceGivesItsToken) {
  const std::string cookie = "session=" + kToken;
  const std::string query = "a=1&token=" + kToken;
  const std::string field = "token " + kToken;
  EXPECT_EQ(shown({{{"authorization", field}}}), "authorization " + kToken);
  EXPECT_EQ(shown({{}, query}), "query " + kToken);
  EXPECT_EQ(shown({{{"sec-websocket-protocol", kProtocol}}, "", true}), "subprotocol " + kToken);
  EXPECT_EQ(shown({{{"cookie", cookie}}}), "cookie " + kToken);
  EXPECT_EQ(shown({{}}), "none ");
}

TEST(Credentials, APlaceThatIsNotOneGivesNone) {
  const std::string cookie = "session=" + kToken;
  EXPECT_EQ(shown({{{"sec-websocket-protocol", kProtocol}}}), "none ");  // no upgrade
  EXPECT_EQ(shown({{{"cookie", cookie}}}, Sender{}), "none ");           // no cookie is named
}

TEST(Credentials, WhatIsBroughtOnPurposeMustAgree) {
  const std::string query = "token=" + kToken;
  const std::string field = "Bearer " + kToken;
  const Request all(Fields{{"authorization", field}, {"sec-websocket-protocol", kProtocol}}, query,
                    true);
  EXPECT_EQ(shown(all), "authorization " + kToken);
  EXPECT_EQ(shown({{{"authorization", "token x"}}, query}), "bad_request");
  EXPECT_EQ(
      shown({{{"authorization", "token x"}, {"sec-websocket-protocol", kProtocol}}, "", true}),
      "bad_request");
  EXPECT_EQ(shown({{{"sec-websocket-protocol", kProtocol}}, "token=x", true}), "bad_request");
  EXPECT_EQ(shown({{}, "token=x&token=y"}), "bad_request");
  EXPECT_EQ(shown({{{"authorization", field}, {"authorization", field}}}), "bad_request");
}

TEST(Credentials, TheCookieCountsWhereNothingElseIs) {
  const std::string query = "token=" + kToken;
  EXPECT_EQ(shown({{{"cookie", "session=other"}}, query}), "query " + kToken);
  EXPECT_EQ(shown({{{"cookie", "session=other"}}, "token="}), "cookie other");
  EXPECT_EQ(shown({{{"cookie", "session=a; session=a"}}, query}), "bad_request");
}

TEST(Credentials, AnotherSchemeIsNoCredentialWhateverElseIsThere) {
  for (const char* other : {"Basic eDp5", "token", "", "tokenx y", "Digest a"}) {
    EXPECT_EQ(shown({{{"authorization", other}, {"cookie", "session=x"}}}), "unauthorized")
        << other;
  }
}

TEST(Credentials, WhatALoadBalancerSaysCountsFromTrustedPeers) {
  const Request request(Fields{{"X-Amzn-Oidc-Data", "eyJ"}});
  Sender sender;
  EXPECT_FALSE(Credentials::of(request.head, sender)->evidence().has(Proof::kLoadBalancer));
  sender.peer_trusted = true;
  const Result<Credentials> trusted = Credentials::of(request.head, sender);
  EXPECT_EQ(trusted->evidence().oidc_data, "eyJ");
  EXPECT_TRUE(is_ambient(trusted->place_of(Proof::kLoadBalancer)));
  const Request twice(Fields{{"X-Amzn-Oidc-Data", "eyJ"}, {"x-amzn-oidc-data", "eyK"}});
  EXPECT_FALSE(Credentials::of(twice.head, sender));
}

TEST(Credentials, ACertificateIsOneMoreProof) {
  const PeerCertificate certificate;
  Sender sender;
  sender.certificate = &certificate;
  const Result<Credentials> found = Credentials::of(Request(Fields{}).head, sender);
  EXPECT_EQ(found->evidence().certificate, &certificate);
  EXPECT_TRUE(is_ambient(found->place_of(Proof::kCertificate)));
}

TEST(Credentials, OnlyWhatBrowsersAddThemselvesIsAmbient) {
  EXPECT_TRUE(is_ambient(CredentialPlace::kCookie));
  for (const CredentialPlace place : {CredentialPlace::kNone, CredentialPlace::kAuthorization,
                                      CredentialPlace::kQuery, CredentialPlace::kSubprotocol}) {
    EXPECT_FALSE(is_ambient(place));
  }
}

}  // namespace kg::exchange::credentials_test
