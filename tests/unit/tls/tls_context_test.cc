#include "proxy/tls/tls_context.h"

#include <gmock/gmock.h>

#include "tls_peers.h"

namespace kg::tls::tls_context_test {

using testing::HasSubstr;

const std::string kHttp11("\x08http/1.1", 9);
const std::string kHttp2("\x02h2", 3);

class TlsContextTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<CertificateFolder>();
    files_ = {folder_->make("first", "DNS:a.test,DNS:Mixed.Test"),
              folder_->make("second", "DNS:b.test,DNS:*.wild.test"), folder_->make("third", "")};
  }
  static void TearDownTestSuite() { folder_.reset(); }
  using Tickets = std::shared_ptr<const TicketKeys>;
  static std::shared_ptr<const TlsContext> make(Tickets tickets = TicketKeys::random()) {
    return make(listener_of(files_, std::move(tickets)));
  }
  static std::shared_ptr<const TlsContext> make(const ListenerTls& listener) {
    std::string error;
    auto context = TlsContext::make(listener, error);
    EXPECT_NE(context, nullptr) << error;
    EXPECT_EQ(error, "");
    return context;
  }
  static std::string certificate_for(const std::string& server_name, int version) {
    Connection connection(make(), {server_name, "", nullptr, version});
    EXPECT_TRUE(connection.shake_hands());
    return connection.client->certificate_name();
  }

  static inline std::unique_ptr<CertificateFolder> folder_;
  static inline std::vector<CertificateFiles> files_;
};

TEST_F(TlsContextTest, TheServerNameChoosesTheCertificate) {
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    EXPECT_EQ(certificate_for("a.test", version), "first");
    EXPECT_EQ(certificate_for("b.test", version), "second");
  }
  EXPECT_EQ(certificate_for("B.TEST", TLS1_3_VERSION), "second");
  EXPECT_EQ(certificate_for("mixed.test", TLS1_3_VERSION), "first");
}

TEST_F(TlsContextTest, AWildcardStandsForOneLabel) {
  EXPECT_EQ(certificate_for("any.wild.test", TLS1_3_VERSION), "second");
  EXPECT_EQ(certificate_for("two.labels.wild.test", TLS1_3_VERSION), "first");
  EXPECT_EQ(certificate_for("wild.test", TLS1_3_VERSION), "first");
}

TEST_F(TlsContextTest, TheFirstCertificateServesAllOtherNames) {
  EXPECT_EQ(certificate_for("", TLS1_3_VERSION), "first");
  EXPECT_EQ(certificate_for("", TLS1_2_VERSION), "first");
  EXPECT_EQ(certificate_for("unknown.test", TLS1_3_VERSION), "first");
  EXPECT_EQ(certificate_for("third", TLS1_3_VERSION), "first") << "common names do not count";
}

TEST_F(TlsContextTest, AlpnIsHttp11OrNothing) {
  const auto chosen = [&](const std::string& offered) {
    Connection connection(make(), {"b.test", offered, nullptr, TLS1_3_VERSION});
    EXPECT_TRUE(connection.shake_hands());
    return connection.client->alpn();
  };
  EXPECT_EQ(chosen(kHttp11), "http/1.1");
  EXPECT_EQ(chosen(kHttp2 + kHttp11), "http/1.1");
  EXPECT_EQ(chosen(""), "");
}

TEST_F(TlsContextTest, AnotherAlpnIsRefusedWithItsAlert) {
  for (const char* name : {"a.test", "b.test", ""}) {
    Connection connection(make(), {name, kHttp2, nullptr, TLS1_3_VERSION});
    EXPECT_TRUE(connection.fails());
    EXPECT_EQ(connection.server.error->code, ErrorCode::kClientTls);
    EXPECT_TRUE(connection.run_until([&] { return connection.client->failed_reason != 0; }));
    EXPECT_EQ(connection.client->failed_reason, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
  }
}

TEST_F(TlsContextTest, OldProtocolsAreRefused) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    Connection connection(make(), {"", "", nullptr, version});
    EXPECT_TRUE(connection.fails());
    EXPECT_EQ(connection.server.error->code, ErrorCode::kClientTls);
    EXPECT_FALSE(connection.client->shaken);
  }
}

class Resumption : public TlsContextTest, public testing::WithParamInterface<int> {
 protected:
  // A session made by `context`, once its ticket is there.
  static Session session_of(const std::shared_ptr<const TlsContext>& context,
                            const std::string& name) {
    Connection connection(context, {name, kHttp11, nullptr, GetParam()});
    EXPECT_TRUE(connection.shake_hands());
    EXPECT_FALSE(connection.server.stream.resumed());
    connection.server.stream.write("x");  // after the ticket
    EXPECT_TRUE(connection.run_until([&] { return connection.client->data == "x"; }));
    Session session = connection.client->session();
    EXPECT_EQ(SSL_SESSION_is_resumable(session.get()), 1);
    connection.client->say_goodbye();
    return session;
  }
  static bool resumes(const std::shared_ptr<const TlsContext>& context, const std::string& name,
                      const Session& session) {
    Connection connection(context, {name, kHttp11, session, GetParam()});
    EXPECT_TRUE(connection.shake_hands());
    EXPECT_EQ(connection.client->resumed(), connection.server.stream.resumed());
    connection.client->say_goodbye();  // a cut would spoil the session for the next one
    return connection.server.stream.resumed();
  }
};

TEST_P(Resumption, WorksOnEveryWorkerThatSharesTheKeys) {
  const Tickets keys = TicketKeys::random();
  const auto one = make(keys);
  const auto other = make(keys);
  for (const char* name : {"a.test", "b.test", ""}) {
    EXPECT_TRUE(resumes(other, name, session_of(one, name))) << name;
    EXPECT_TRUE(resumes(one, name, session_of(one, name))) << name;
  }
}

TEST_P(Resumption, OtherKeysMeanAFullHandshake) {
  const Session session = session_of(make(), "b.test");
  EXPECT_FALSE(resumes(make(), "b.test", session));
}

TEST_P(Resumption, BringsATicketForTheNextOneWhereTicketsAreUsedOnce) {
  const auto context = make();
  const auto ticket_of = [](const Session& session) {
    const unsigned char* bytes = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(session.get(), &bytes, &size);
    return std::string(reinterpret_cast<const char*>(bytes), size);
  };
  const Session first = session_of(context, "b.test");
  Connection connection(context, {"b.test", kHttp11, first, GetParam()});
  EXPECT_TRUE(connection.shake_hands());
  EXPECT_TRUE(connection.server.stream.resumed());
  connection.server.stream.write("x");  // after the ticket
  EXPECT_TRUE(connection.run_until([&] { return connection.client->data == "x"; }));
  const bool renewed = ticket_of(connection.client->session()) != ticket_of(first);
  EXPECT_EQ(renewed, GetParam() == TLS1_3_VERSION);
  connection.client->say_goodbye();
}

TEST_P(Resumption, AnOlderKeyStillOpens) {
  const Tickets old_keys = TicketKeys::random();
  const Tickets keys = old_keys->rotated();
  EXPECT_TRUE(resumes(make(keys), "b.test", session_of(make(old_keys), "b.test")));
  EXPECT_FALSE(resumes(make(old_keys), "b.test", session_of(make(keys), "b.test")));
  EXPECT_FALSE(resumes(make(keys->rotated()), "b.test", session_of(make(old_keys), "b.test")));
}

TEST_P(Resumption, EndsAtTheListener) {
  ListenerTls one = listener_of(files_);
  ListenerTls other = one;
  other.listener = 1;
  EXPECT_TRUE(resumes(make(one), "b.test", session_of(make(one), "b.test")));
  EXPECT_FALSE(resumes(make(other), "b.test", session_of(make(one), "b.test")));
}

INSTANTIATE_TEST_SUITE_P(Versions, Resumption, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_F(TlsContextTest, KeyTypesOfOtherNamesAreNotOffered) {
  const std::vector<CertificateFiles> mixed{files_[0], folder_->make("rsa", "DNS:rsa.test", "RSA")};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto context = make(listener_of(mixed));
    for (const auto& [server_name, expected] :
         std::vector<std::pair<std::string, std::string>>{{"rsa.test", "rsa"}, {"", "first"}}) {
      Connection connection(context, {server_name, "", nullptr, version});
      EXPECT_TRUE(connection.shake_hands());
      EXPECT_EQ(connection.client->certificate_name(), expected);
    }
  }
}

TEST_F(TlsContextTest, AConnectionSpeaksForTheHostsOfItsCertificate) {
  const auto speaks = [&](const std::string& server_name, const char* host) {
    Connection connection(make(), {server_name, "", nullptr, TLS1_3_VERSION});
    EXPECT_TRUE(connection.shake_hands());
    return connection.server.stream.speaks_for(host);
  };
  EXPECT_TRUE(speaks("b.test", "b.test"));
  EXPECT_TRUE(speaks("b.test", "any.wild.test"));
  EXPECT_FALSE(speaks("b.test", "two.labels.wild.test"));
  EXPECT_FALSE(speaks("b.test", "a.test"));
  EXPECT_FALSE(speaks("unknown.test", "b.test"));
  EXPECT_TRUE(speaks("unknown.test", "unknown.test")) << "another connection would be no better";
  EXPECT_TRUE(speaks("", "b.test")) << "who names no server is not misdirected";
}

TEST_F(TlsContextTest, WhatCannotBeServedIsNamed) {
  const auto error_of = [](const CertificateFiles& files) {
    std::string error;
    EXPECT_EQ(TlsContext::make(listener_of({files}), error), nullptr);
    return error;
  };
  const std::string junk = folder_->write("junk.pem", "not a certificate\n");
  EXPECT_THAT(error_of({junk, files_[0].private_key}), HasSubstr(junk));
  EXPECT_THAT(error_of({files_[0].certificate, junk}), HasSubstr(junk));
  EXPECT_THAT(error_of({files_[0].certificate, files_[1].private_key}),
              HasSubstr(files_[1].private_key));
  ListenerTls listener = listener_of({files_[0]});
  listener.clients.mode = config::ClientCertificateMode::kRequired;
  listener.clients.file = "clients.crt";
  std::string error;
  EXPECT_EQ(TlsContext::make(listener, error), nullptr);
  EXPECT_THAT(error, HasSubstr("clients.crt holds no usable CA"));
}

// Names that were announced, beside the listener's own: a.test, mixed.test, b.test, *.wild.test.
class Announced : public Resumption {
 protected:
  AnnouncedCertificateRef certificate(const std::string& common_name,
                                      std::vector<std::string> hosts, const std::string& names,
                                      const std::string& item = "") const {
    const CertificateFiles files = folder_->make(common_name, names);
    std::string error;
    const auto text = CertificateText::read(files.certificate, files.private_key, error);
    auto out = std::make_shared<AnnouncedCertificate>();
    out->hosts = std::move(hosts);
    out->certificate = Certificate::parse(*text, error);
    out->identity = crypto::sha256("item", item.empty() ? common_name : item);
    EXPECT_NE(out->certificate, nullptr) << error;
    return out;
  }
  void announce(const std::vector<CertificateTable::Change>& changes) {
    seat_->table = seat_->table->edited(changes);
  }
  std::shared_ptr<const TlsContext> context() const {
    std::string error;
    return TlsContext::make(listener_of(files_), error, seat_);
  }
  static std::string shown(const std::shared_ptr<const TlsContext>& context,
                           const std::string& name) {
    Connection connection(context, {name, kHttp11, nullptr, GetParam()});
    EXPECT_TRUE(connection.shake_hands());
    return connection.client->certificate_name();
  }

  const std::shared_ptr<CertificateSeat> seat_ = std::make_shared<CertificateSeat>();
};

TEST_P(Announced, StandBehindTheListenersOwnOfTheSameKind) {
  const auto one = certificate("announced", {"new.test", "a.test", "x.wild.test", "*.more.test"},
                               "DNS:new.test");
  const auto wild = certificate("wild", {"*.wild.test"}, "DNS:*.wild.test");
  const auto context = this->context();
  EXPECT_EQ(shown(context, "new.test"), "first");
  for (const std::string& host : one->hosts) announce({{host, one}});
  announce({{"*.wild.test", wild}});
  EXPECT_EQ(shown(context, "new.test"), "announced") << "at once, in the same context";
  EXPECT_EQ(shown(context, "NEW.test"), "announced");
  EXPECT_EQ(shown(context, "a.test"), "first") << "the file's exact name";
  EXPECT_EQ(shown(context, "x.wild.test"), "announced") << "exact before a wildcard of a file";
  EXPECT_EQ(shown(context, "y.wild.test"), "second") << "the file's wildcard";
  EXPECT_EQ(shown(context, "y.more.test"), "announced");
  EXPECT_EQ(shown(context, "two.labels.more.test"), "first");
  EXPECT_EQ(shown(context, ""), "first");
  announce({{"new.test", nullptr}});
  EXPECT_EQ(shown(context, "new.test"), "first");
}

TEST_P(Announced, ATicketDoesNotCrossToAnotherCertificate) {
  announce({{"one.test", certificate("one", {"one.test"}, "DNS:one.test")},
            {"two.test", certificate("two", {"two.test"}, "DNS:two.test")}});
  const auto context = this->context();
  EXPECT_TRUE(resumes(context, "one.test", session_of(context, "one.test")));
  EXPECT_FALSE(resumes(context, "two.test", session_of(context, "one.test")));
  EXPECT_FALSE(resumes(context, "b.test", session_of(context, "one.test"))) << "a file's";
  EXPECT_FALSE(resumes(context, "one.test", session_of(context, "b.test")));
  EXPECT_TRUE(resumes(context, "b.test", session_of(context, "b.test")));
}

TEST_P(Announced, ATicketOutlivesARenewalAndNoRemoval) {
  announce({{"one.test", certificate("one", {"one.test"}, "DNS:one.test", "item")}});
  const auto context = this->context();
  const Session session = session_of(context, "one.test");
  announce({{"one.test", certificate("renewed", {"one.test"}, "DNS:one.test", "item")}});
  EXPECT_EQ(shown(context, "one.test"), "renewed");
  EXPECT_TRUE(resumes(context, "one.test", session));
  const Session later = session_of(context, "one.test");
  announce({{"one.test", certificate("theirs", {"one.test"}, "DNS:one.test", "another")}});
  EXPECT_FALSE(resumes(context, "one.test", later));
  const Session theirs = session_of(context, "one.test");
  announce({{"one.test", nullptr}});
  EXPECT_FALSE(resumes(context, "one.test", theirs));
}

TEST_P(Announced, AConnectionSpeaksForItsHostsAloneAndForThemToTheEnd) {
  announce({{"one.test", certificate("one", {"one.test", "*.one.test"},
                                     "DNS:one.test,DNS:*.one.test,DNS:b.test")}});
  const auto context = this->context();
  Connection connection(context, {"one.test", "", nullptr, GetParam()});
  EXPECT_TRUE(connection.shake_hands());
  announce({{"one.test", nullptr}});
  const auto speaks = [&](const char* host) { return connection.server.stream.speaks_for(host); };
  EXPECT_TRUE(speaks("one.test"));
  EXPECT_TRUE(speaks("x.one.test"));
  EXPECT_FALSE(speaks("x.y.one.test"));
  EXPECT_FALSE(speaks("b.test")) << "its certificate says so, and the host is not its own";
  EXPECT_FALSE(speaks("a.test"));
}

INSTANTIATE_TEST_SUITE_P(Versions, Announced, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_F(TlsContextTest, AKeyThatIsTooWeakIsFoundOutBeforeAHandshake) {
  std::string error;
  const CertificateFiles weak = folder_->make("weak", "DNS:weak.test", "RSA-1024");
  const auto parse = [&](const CertificateFiles& files) {
    return Certificate::parse(*CertificateText::read(files.certificate, files.private_key, error),
                              error);
  };
  EXPECT_THAT(TlsContext::fault_of(*parse(weak)), HasSubstr("cannot be served: "));
  EXPECT_EQ(TlsContext::fault_of(*parse(files_[0])), "");
}

}  // namespace kg::tls::tls_context_test
