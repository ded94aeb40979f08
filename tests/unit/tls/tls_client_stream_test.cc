#include "proxy/tls/tls_client_stream.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tls_peers.h"

namespace kg::tls::tls_client_stream_test {

using testing::ElementsAre;
using testing::IsEmpty;

// The gateway's side is our own TlsStream; its certificate is self-signed, so it is its own CA.
class TlsClientStreamTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<CertificateFolder>();
    server_files_ = folder_->make("gateway", "DNS:jeg.test,DNS:*.wild.test,IP:10.1.2.3");
    other_files_ = folder_->make("stranger", "DNS:jeg.test");
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static std::shared_ptr<const TlsContext> server_context() {
    std::string error;
    auto context = TlsContext::make(listener_of({server_files_}), error);
    EXPECT_NE(context, nullptr) << error;
    return context;
  }
  static TlsPeer peer(const std::string& name, bool is_address = false,
                      const std::string& ca_file = server_files_.certificate) {
    std::string error;
    TlsPeer made{TlsClientContext::make({ca_file, "", ""}, error), {name, is_address}, nullptr};
    EXPECT_NE(made.context, nullptr) << error;
    return made;
  }

  static inline std::unique_ptr<CertificateFolder> folder_;
  static inline CertificateFiles server_files_;
  static inline CertificateFiles other_files_;
};

// One connection: our client stream over its transport, and a server.
class Link final : private event::TransportHandler {
 public:
  Link(const std::shared_ptr<const TlsContext>& context, TlsPeer& peer)
      : server(loop_, context),
        stream(transport_, *this, peer),
        transport_(loop_, stream, ErrorCode::kUpstreamReset) {
    event::Socket listener = event::listen_anywhere();
    Result<event::Socket> ours = event::Socket::connect(listener.local_address());
    EXPECT_TRUE(ours);
    transport_.connect(std::move(*ours));
    EXPECT_TRUE(event::run_until(loop_, [&] {
      Result<event::Accepted> accepted = event::accept_from(listener.fd());
      if (accepted) server.stream.open(std::move(accepted->socket));
      return accepted.has_value();
    }));
  }
  ~Link() { stream.close(); }
  bool run_until(const std::function<bool()>& done) { return event::run_until(loop_, done); }
  // Both sides: in TLS 1.3 ours is done first.
  bool shake_hands() {
    return outcome() == "connected" && run_until([&] { return server.stream.handshake_done(); });
  }
  // How the attempt ends: "connected", or why not.
  std::string outcome() {
    EXPECT_TRUE(run_until([&] { return !happened.empty(); }));
    return error ? error->detail : happened.front();
  }

 private:
  void on_connected() override { happened.emplace_back("connected"); }
  void on_data(std::string_view bytes) override { data.append(bytes); }
  void on_end(bool clean) override { happened.emplace_back(clean ? "end" : "cut"); }
  void on_drained() override { happened.emplace_back("drained"); }
  void on_error(const Error& what) override {
    happened.emplace_back("error");
    error = what;
    stream.close();
  }
  event::EventLoop loop_;

 public:
  std::string data;
  std::vector<std::string> happened;
  std::optional<Error> error;
  TestServer server;
  TlsClientStream stream;

 private:
  event::Transport transport_;
};

TEST_F(TlsClientStreamTest, WhatIsWrittenBeforeTheHandshakeArrivesAfterIt) {
  TlsPeer known = peer("jeg.test");
  Link link(server_context(), known);
  link.stream.write("early ");
  EXPECT_EQ(link.stream.unsent(), 6U);
  link.server.echo = true;
  EXPECT_TRUE(link.run_until([&] { return link.data == "early "; }));
  link.stream.write("late");
  EXPECT_TRUE(link.run_until([&] { return link.data == "early late"; }));
  EXPECT_THAT(link.happened, ElementsAre("connected"));
  EXPECT_EQ(link.stream.unsent(), 0U);
  EXPECT_FALSE(link.stream.resumed());
}

TEST_F(TlsClientStreamTest, ThePeersNameOrAddressMustBeInItsCertificate) {
  struct Case {
    const char* name;
    bool is_address;
    const char* outcome;
  };
  for (const Case& c : {Case{"jeg.test", false, "connected"},
                        {"a.wild.test", false, "connected"},
                        {"a.b.wild.test", false, "hostname mismatch"},
                        {"gateway", false, "hostname mismatch"},  // the common name is no name
                        {"jeg.test.evil", false, "hostname mismatch"},
                        {"10.1.2.3", true, "connected"},
                        {"10.1.2.4", true, "IP address mismatch"}}) {
    TlsPeer known = peer(c.name, c.is_address);
    Link link(server_context(), known);
    link.stream.write("secret");
    EXPECT_THAT(link.outcome(), testing::StrCaseEq(c.outcome)) << c.name;
    if (!link.error) continue;
    EXPECT_EQ(link.error->code, ErrorCode::kUpstreamTls);
    EXPECT_TRUE(link.run_until([&] { return link.server.error.has_value(); }));
    EXPECT_EQ(link.server.data, "") << "nothing reaches a stranger";
  }
}

TEST_F(TlsClientStreamTest, AnUnknownIssuerIsNotTrusted) {
  TlsPeer known = peer("jeg.test", false, other_files_.certificate);
  Link link(server_context(), known);
  EXPECT_THAT(link.outcome(), testing::HasSubstr("self-signed certificate"));
  EXPECT_EQ(link.error->code, ErrorCode::kUpstreamTls);
  TlsPeer system = peer("jeg.test", false, "");
  Link other(server_context(), system);
  EXPECT_THAT(other.outcome(), testing::HasSubstr("self-signed certificate"));
}

TEST_F(TlsClientStreamTest, TheNextConnectionResumes) {
  TlsPeer known = peer("jeg.test");
  const auto context = server_context();
  for (const bool resumed : {false, true, true}) {
    Link link(context, known);
    link.stream.write("x");
    link.server.echo = true;
    EXPECT_TRUE(link.run_until([&] { return link.data == "x"; }));
    EXPECT_EQ(link.stream.resumed(), resumed);
    EXPECT_EQ(link.server.stream.resumed(), resumed);
  }
}

TEST_F(TlsClientStreamTest, AnEndIsToldFromATruncation) {
  TlsPeer known = peer("jeg.test");
  Link clean(server_context(), known);
  ASSERT_TRUE(clean.shake_hands());
  clean.server.stream.write("all");
  clean.server.stream.finish();
  EXPECT_TRUE(clean.run_until([&] { return clean.happened.size() == 2; }));
  EXPECT_EQ(clean.data, "all");
  EXPECT_EQ(clean.happened.back(), "end");
  Link cut(server_context(), known);
  ASSERT_TRUE(cut.shake_hands());
  cut.server.stream.write("half");
  cut.server.stream.close();  // without close_notify
  EXPECT_TRUE(cut.run_until([&] { return cut.happened.size() == 2; }));
  EXPECT_EQ(cut.data, "half");
  EXPECT_EQ(cut.happened.back(), "cut");
}

TEST_F(TlsClientStreamTest, ItsOwnEndIsSaid) {
  TlsPeer known = peer("jeg.test");
  Link finishing(server_context(), known);
  ASSERT_TRUE(finishing.shake_hands());
  finishing.stream.finish();
  finishing.stream.write("too late");
  EXPECT_TRUE(finishing.run_until([&] { return finishing.server.happened.size() == 2; }));
  EXPECT_EQ(finishing.server.happened.back(), "end");
  Link closing(server_context(), known);
  ASSERT_TRUE(closing.shake_hands());
  closing.stream.close();
  EXPECT_TRUE(closing.run_until([&] { return closing.server.happened.size() == 2; }));
  EXPECT_EQ(closing.server.happened.back(), "end");
}

TEST_F(TlsClientStreamTest, AMegabyteGoesUpAndComesBack) {
  TlsPeer known = peer("jeg.test");
  Link link(server_context(), known);
  link.server.echo = true;
  const std::string sent = event::pattern(1024 * 1024);
  size_t at = 0;
  EXPECT_TRUE(link.run_until([&] {
    while (at < sent.size() && link.stream.unsent() <= limits::kPendingBytesHigh) {
      const std::string_view piece = std::string_view(sent).substr(at, 16 * 1024);
      link.stream.write(piece);
      at += piece.size();
    }
    return link.data.size() >= sent.size();
  }));
  EXPECT_TRUE(link.data == sent);
  EXPECT_FALSE(link.error);
}

TEST_F(TlsClientStreamTest, UnusableFilesAreNamed) {
  std::string error;
  const std::string junk = folder_->write("junk.pem", "no certificate");
  EXPECT_EQ(TlsClientContext::make({junk, "", ""}, error), nullptr);
  EXPECT_THAT(error, testing::HasSubstr(junk + " holds no usable certificates"));
  const std::string& ca = server_files_.certificate;
  EXPECT_EQ(TlsClientContext::make({ca, junk, server_files_.private_key}, error), nullptr);
  EXPECT_THAT(error, testing::HasSubstr(junk + " holds no usable certificate chain"));
  EXPECT_EQ(TlsClientContext::make({ca, ca, other_files_.private_key}, error), nullptr);
  EXPECT_THAT(error, testing::HasSubstr(other_files_.private_key + " holds no usable key"));
  error.clear();
  EXPECT_NE(TlsClientContext::make({ca, ca, server_files_.private_key}, error), nullptr);
  EXPECT_THAT(error, IsEmpty());
}

TEST_F(TlsClientStreamTest, TextsStandForFiles) {
  std::string error;
  const std::string& ca = server_files_.certificate;
  const auto text = [](const std::string& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  ClientTlsFiles texts{"ca", "chain", "key"};
  texts.texts = {{"ca", text(ca)}, {"chain", text(ca)}, {"key", text(server_files_.private_key)}};
  EXPECT_NE(TlsClientContext::make(texts, error), nullptr) << error;
  texts.texts["key"] = text(other_files_.private_key);
  EXPECT_EQ(TlsClientContext::make(texts, error), nullptr);
  texts.texts["ca"] = "junk";
  EXPECT_EQ(TlsClientContext::make(texts, error), nullptr);
  EXPECT_THAT(error, testing::HasSubstr("ca holds no usable certificates"));
}

}  // namespace kg::tls::tls_client_stream_test
