#include "routing/controller/issuer/session_terms.h"

#include "tests/unit/issuer/issuer_fixture.h"

namespace kg::issuer::session_terms_test {

using testing::HasSubstr;

class TermsTest : public IssuerTest {
 protected:
  TermsTest() { make_payload(); }

  Terms terms(const Wish& wish = {}, const std::string& issuer = kIssuerName) {
    const routing::ReadAnnounced read = routing::read_announced(endpoint.dump());
    EXPECT_TRUE(read.endpoint) << read.problem;
    return terms_of(*read.endpoint, wish, "alice", issuer, *signer, 1'800'000'000);
  }
  Json& jwt() { return endpoint["config"]["sessions"]["jwt"]; }
};

TEST_F(TermsTest, AreTheEndpointsOwn) {
  jwt()["audience"] = "hubs";
  endpoint["config"]["execution_role_arn"] = "arn:aws:iam::111122223333:role/a";
  Wish wish;
  wish.role = "arn:aws:iam::111122223333:role/a";
  wish.groups = {"g"};
  const Terms made = terms(wish);
  ASSERT_EQ(made.status, 200) << made.message;
  EXPECT_EQ(made.claims.audience, "hubs");
  EXPECT_EQ(made.claims.endpoint, "abc123");
  EXPECT_EQ(made.claims.role, wish.role);
  const auth::Minted minted = signer->sign(made.claims);
  const std::string_view token = minted.token.reveal();
  const size_t begin = token.find('.') + 1;
  const Json claims =
      Json::parse(*ascii::base64url_decode(token.substr(begin, token.find('.', begin) - begin)));
  EXPECT_EQ(claims["sub"], "alice");
  EXPECT_EQ(claims["endpoint"], "abc123");
  EXPECT_EQ(claims["virtual_cluster"], "analytics");
  EXPECT_EQ(claims["groups"], Json({"g"}));
}

// Its id would be somebody's name at another endpoint, and its subject that endpoint's id.
TEST_F(TermsTest, NoEndpointHasSessionsSignedThatMeanAnotherOne) {
  jwt()["subject_claim"] = "endpoint";
  jwt()["endpoint_claim"] = "sub";
  EXPECT_EQ(terms().status, 409);
  EXPECT_THAT(terms().message, HasSubstr("kernelgate.io/subject-claim"));
  jwt().erase("subject_claim");
  jwt().erase("endpoint_claim");
  jwt()["groups_claim"] = "role";
  EXPECT_EQ(terms().status, 409);
  jwt().erase("groups_claim");
  jwt()["virtual_cluster_claim"] = "sub";
  EXPECT_EQ(terms().status, 409);
  jwt()["virtual_cluster_claim"] = "virtual_cluster";
  EXPECT_EQ(terms().status, 200);
}

TEST_F(TermsTest, RefuseWhatProxiesWouldNotTake) {
  EXPECT_EQ(terms({}, "https://another.test").status, 409);
  EXPECT_THAT(terms({}, "https://another.test").message, HasSubstr("kernelgate.io/issuer"));
  jwt()["algorithms"] = {"RS256"};
  EXPECT_THAT(terms().message, HasSubstr("ES256"));
  jwt()["algorithms"] = {"RS256", "ES256"};
  EXPECT_EQ(terms().status, 200);
  endpoint["files"]["keys"] = new_signer()->public_jwks();
  EXPECT_EQ(terms().status, 409);
  EXPECT_THAT(terms().message, HasSubstr("jwks.json"));
  jwt().erase("keys_file");
  jwt()["keys_url"] = "https://issuer.test/.well-known/jwks.json";
  EXPECT_EQ(terms().status, 200);
}

TEST_F(TermsTest, TheRoleIsTheEndpointsOrNone) {
  Wish wish;
  wish.role = "arn:aws:iam::111122223333:role/admin";
  EXPECT_EQ(terms(wish).status, 400);  // a gateway may believe what it is told
  endpoint["config"]["execution_role_arn"] = "arn:aws:iam::111122223333:role/a";
  EXPECT_EQ(terms(wish).status, 400);
  EXPECT_EQ(terms().status, 400);
  EXPECT_THAT(terms().message, testing::Not(HasSubstr("role/a")));
}

TEST_F(TermsTest, NoSessionOutlivesTheEndpointsBound) {
  Wish wish;
  wish.seconds = 43'200;
  EXPECT_EQ(terms(wish).claims.lifetime_seconds, 43'200U);
  endpoint["config"]["sessions"]["max_lifetime"] = "1h";
  EXPECT_EQ(terms(wish).claims.lifetime_seconds, 3'600U);
  endpoint["config"]["sessions"]["max_lifetime"] = "720h";
  EXPECT_EQ(terms().claims.lifetime_seconds, 900U);
}

}  // namespace kg::issuer::session_terms_test
