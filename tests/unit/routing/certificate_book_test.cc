#include "routing/certificate_book.h"

#include <gmock/gmock.h>

#include "tests/unit/routing/announced_items.h"

namespace kg::routing::certificate_book_test {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class CertificateBookTest : public testing::Test {
 protected:
  feed::Item item(const std::string& name, const std::vector<std::string>& hosts) {
    return certificate_item(name, certificate_payload(files_, hosts));
  }
  std::string update(std::vector<feed::Item> upserts, std::vector<std::string> deletes = {},
                     bool whole = false) {
    CertificateBook::Edit edit;
    std::string problem = book_.look(upserts, deletes, whole, edit);
    if (problem.empty()) book_.take(std::move(edit));
    return problem;
  }
  const tls::AnnouncedCertificate* at(const std::string& host) const {
    const tls::AnnouncedCertificateRef* found = book_.table()->find(host);
    return found == nullptr ? nullptr : found->get();
  }

  tls::CertificateFolder folder_;
  tls::CertificateFiles files_ = folder_.make("one", "DNS:a.test,DNS:*.b.test");
  CertificateBook book_;
};

TEST_F(CertificateBookTest, AnUpdateAddsChangesAndRemoves) {
  EXPECT_EQ(update({item("x", {"a.test", "*.b.test"}), item("y", {"c.test"})}), "");
  EXPECT_EQ(at("a.test"), at("*.b.test"));
  EXPECT_NE(at("c.test"), nullptr);
  const auto before = book_.table();
  const auto* untouched = at("c.test");
  EXPECT_EQ(update({item("x", {"a.test"})}), "");
  EXPECT_EQ(at("*.b.test"), nullptr);
  EXPECT_EQ(at("c.test"), untouched);
  EXPECT_NE(before->find("*.b.test"), nullptr) << "who has the table of before keeps it";
  EXPECT_EQ(update({}, {"certificate/analytics/x", "certificate/analytics/never"}), "");
  EXPECT_EQ(at("a.test"), nullptr);
  EXPECT_EQ(book_.size(), 1U);
}

TEST_F(CertificateBookTest, TheSamePayloadChangesNothing) {
  EXPECT_EQ(update({item("x", {"a.test"}), item("y", {"c.test"})}), "");
  const auto table = book_.table();
  EXPECT_EQ(update({item("x", {"a.test"}), item("y", {"c.test"})}, {}, true), "");
  EXPECT_EQ(book_.table(), table);
  EXPECT_EQ(update({item("y", {"c.test"})}, {}, true), "");
  EXPECT_EQ(at("a.test"), nullptr);
}

TEST_F(CertificateBookTest, AHostThatGoesToAnotherItemIsNeverNobodys) {
  EXPECT_EQ(update({item("x", {"a.test"})}), "");
  EXPECT_EQ(update({item("y", {"a.test"})}, {"certificate/analytics/x"}), "");
  const auto* mine = at("a.test");
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(update({item("z", {"a.test"})}), "") << "two that name one host: the first by key";
  EXPECT_EQ(at("a.test"), mine);
  EXPECT_EQ(update({}, {"certificate/analytics/y"}), "");
  EXPECT_NE(at("a.test"), nullptr);
}

TEST_F(CertificateBookTest, WhatCannotBeUsedIsNamedAndTakesNothingWithIt) {
  EXPECT_EQ(update({item("x", {"a.test"})}), "");
  const auto table = book_.table();
  const auto refused = [&](const char* member, const json& value) {
    json payload = certificate_payload(files_, {"b.test"});
    payload[member] = value;
    return update({item("x", {"moved.test"}), certificate_item("bad", payload)});
  };
  EXPECT_THAT(refused("chain", "no PEM"), HasSubstr("certificate/analytics/bad: tls.crt holds no"));
  const auto other = folder_.make("other", "DNS:b.test");
  const std::string key = text_of(other.private_key);
  EXPECT_THAT(refused("key", key), HasSubstr("tls.key holds no usable key for tls.crt"));
  EXPECT_THAT(refused("key", key), Not(HasSubstr(key.substr(40, 20))));
  EXPECT_THAT(refused("key", nullptr), HasSubstr("lacks its chain or key"));
  EXPECT_THAT(refused("hosts", json::array()), HasSubstr("\"hosts\" is empty"));
  EXPECT_THAT(refused("hosts", {"a b"}), HasSubstr("a host is none"));
  EXPECT_THAT(refused("schema", 2), HasSubstr("is of another schema"));
  const auto weak = folder_.make("weak", "DNS:b.test", "RSA-1024");
  EXPECT_THAT(update({certificate_item("bad", certificate_payload(weak, {"b.test"}))}),
              HasSubstr("certificate/analytics/bad: cannot be served: "));
  EXPECT_EQ(book_.table(), table);
}

}  // namespace kg::routing::certificate_book_test
