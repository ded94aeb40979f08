// TlsContextBook: TLS towards gateways, made once for equal CAs and certificates, however many
// endpoints use them: a bundle of CAs takes a megabyte and 10 ms.
//
// What is used is held by the pods that use it and goes with the last of them. Texts are compared
// by content, files by name: what one book read of a file counts as long as somebody uses it.
// Owner:  whoever compiles; of announced endpoints the RouteBook, for as long as it lives.
// Thread: control. Errors: a sentence that names the file or text, never a byte of a key.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "proxy/base/crypto.h"
#include "proxy/tls/tls_client_context.h"

namespace kg::routing {

class TlsContextBook {
 public:
  // One for each thread that connects, because OpenSSL counts references in shared cache lines.
  using Contexts = std::vector<std::shared_ptr<const tls::TlsClientContext>>;

  // Without threads there is nothing to be had but problems: to try a configuration.
  explicit TlsContextBook(size_t threads) : threads_(threads) {}
  TlsContextBook(const TlsContextBook&) = delete;
  TlsContextBook& operator=(const TlsContextBook&) = delete;

  // Null with a problem.
  std::shared_ptr<const Contexts> contexts(const tls::ClientTlsFiles& files, std::string& problem);
  // Whether contexts could be made: "" or what is wrong.
  std::string fault_of(const tls::ClientTlsFiles& files);
  size_t size() const noexcept { return contexts_.size(); }  // those without users included

 private:
  using Identity = crypto::Sha256;
  static Identity identity_of(const tls::ClientTlsFiles& files);

  const size_t threads_;
  std::map<Identity, std::weak_ptr<const Contexts>> contexts_;
  size_t sweep_at_ = 64;     // entries, from which on those without users are looked for
  std::set<Identity> good_;  // at most kGoodMax
};

}  // namespace kg::routing
