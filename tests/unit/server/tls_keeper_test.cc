#include "proxy/server/tls_keeper.h"

#include <gtest/gtest.h>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"
#include "tests/unit/server/temporary_folder.h"

namespace kg::server::tls_keeper_test {

constexpr uint64_t kStartUs = 1'000'000;
constexpr uint64_t kRotateUs = limits::kTicketKeyRotateMs * 1'000;

class TlsKeeperTest : public testing::Test {
 protected:
  TlsKeeperTest() {
    config_.listeners.resize(1);
    config_.listeners[0].address = {"127.0.0.1", 8443};
  }
  void adopt() {
    std::vector<config::ConfigError> errors;
    auto listeners = read_tls(config_, keeper_.own(), errors);
    ASSERT_TRUE(errors.empty()) << errors.front().problem;
    keeper_.adopt(config_, std::move(listeners));
  }
  std::shared_ptr<const tls::TicketKeys> tickets() { return keeper_.listeners().at(0).tickets; }
  metrics::ProcessFacts facts() {
    metrics::ProcessFacts facts;
    keeper_.add_facts(facts);
    return facts;
  }
  void put(const tls::CertificateText& text) {
    folder_.write("tls.crt", text.chain);
    folder_.write("tls.key", text.key.reveal());
  }
  bool look_until_settled() {
    const bool first = keeper_.look(kStartUs);
    return keeper_.look(kStartUs) || first;
  }

  TemporaryFolder folder_;
  config::Config config_;
  TlsKeeper keeper_;
};

TEST_F(TlsKeeperTest, RandomTicketKeysChangeAfterTwelveHours) {
  adopt();
  const auto first = tickets();
  EXPECT_FALSE(keeper_.look(kStartUs));
  EXPECT_FALSE(keeper_.look(kStartUs + kRotateUs - 1));
  EXPECT_TRUE(tickets()->same_keys(*first));
  EXPECT_TRUE(keeper_.look(kStartUs + kRotateUs));
  const auto second = tickets();
  EXPECT_FALSE(second->same_keys(*first));
  EXPECT_FALSE(keeper_.look(kStartUs + kRotateUs + 1));
  adopt();
  EXPECT_TRUE(tickets()->same_keys(*second)) << "a reload keeps them";
  EXPECT_TRUE(keeper_.look(kStartUs + 2 * kRotateUs));
}

TEST_F(TlsKeeperTest, TicketKeysOfAFileStayAsTheyAre) {
  config_.ticket_keys_file =
      folder_.write("keys", ascii::base64_encode(std::string(80, 'k')) + "\n");
  adopt();
  const auto first = tickets();
  EXPECT_FALSE(keeper_.look(kStartUs));
  EXPECT_FALSE(keeper_.look(kStartUs + kRotateUs));
  EXPECT_TRUE(tickets()->same_keys(*first));
}

TEST_F(TlsKeeperTest, ACertificateWithTheBytesOfBeforeIsNoReload) {
  const tls::CertificateText text = tls::CertificateText::self_signed();
  put(text);
  config_.listeners[0].certificates = {{folder_.path("tls.crt"), folder_.path("tls.key"), {}}};
  adopt();
  EXPECT_FALSE(look_until_settled());
  put(text);
  EXPECT_FALSE(look_until_settled());
  EXPECT_EQ(facts().certificate_reloads.ok, 0U);
  put(tls::CertificateText::self_signed());
  EXPECT_TRUE(look_until_settled());
  EXPECT_EQ(facts().certificate_reloads.ok, 1U);
  EXPECT_EQ(facts().certificate_reloads.failed, 0U);
}

TEST_F(TlsKeeperTest, ABadCertificateIsCountedOnceAndChangesNothing) {
  const tls::CertificateText text = tls::CertificateText::self_signed();
  put(text);
  config_.listeners[0].certificates = {{folder_.path("tls.crt"), folder_.path("tls.key"), {}}};
  adopt();
  look_until_settled();
  folder_.write("tls.key", tls::CertificateText::self_signed().key.reveal());
  EXPECT_FALSE(look_until_settled());
  EXPECT_FALSE(look_until_settled());
  EXPECT_EQ(facts().certificate_reloads.failed, 1U);
  EXPECT_TRUE(keeper_.listeners().at(0).certificates.at(0).same_bytes(text));
}

TEST_F(TlsKeeperTest, ServedCertificatesHaveAnEnd) {
  adopt();
  const metrics::ProcessFacts known = facts();
  ASSERT_EQ(known.certificates.size(), 1U);
  EXPECT_EQ(known.certificates[0].listener, "127.0.0.1:8443");
  EXPECT_EQ(known.certificates[0].certificate, "self-signed");
  EXPECT_GT(known.certificates[0].not_after_s, 0);
}

}  // namespace kg::server::tls_keeper_test
