#include "routing/controller/ingress/judgements.h"

#include <algorithm>

#include "auth/key_set.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/signing_key.h"
#include "proxy/tls/tls_client_context.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress {
namespace {

std::string judge_keys(std::string_view text) {
  const auth::KeySet::Loaded loaded = auth::KeySet::from_text(text);
  return loaded.keys == nullptr ? loaded.error : "";
}

std::string judge_token(std::string_view token) {
  while (token.ends_with('\n') || token.ends_with('\r')) token.remove_suffix(1);
  const bool printable =
      !token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable)
    return "the Secret does not hold one printable token: write the gateway's EG_AUTH_TOKEN";
  if (token.size() > kTokenBytesMax)
    return "the token is longer than 8 KiB, which no header takes: give the gateway a shorter one";
  return "";
}

std::string judge_authorities(std::string_view text) {
  std::string problem;
  const tls::ClientTlsFiles files{"the text", "", "", {{"the text", std::string(text)}}};
  if (tls::TlsClientContext::make(files, problem) != nullptr) return "";
  return problem + ": give the CAs' certificates in PEM";
}

std::string judge(std::string_view annotation, std::string_view text) {
  if (annotation == "session-keys-secret") return judge_keys(text);
  if (annotation == "gateway-token-secret") return judge_token(text);
  return judge_authorities(text);
}

}  // namespace

const std::string& Judgements::of(std::string_view annotation, const Secret& text) {
  const crypto::Sha256 digest = crypto::sha256(std::string(annotation) + "\n", text.reveal());
  const auto found = known_.find(digest);
  if (found != known_.end()) return found->second;
  if (known_.size() == kJudgementsMax) known_.clear();
  return known_.emplace(digest, judge(annotation, text.reveal())).first->second;
}

std::string Judgements::of_pair(const Secret& chain, const Secret& key) {
  tls::CertificateText text;
  text.file = "tls.crt";
  text.key_file = "tls.key";
  text.chain = chain.reveal();
  text.key = key;
  std::string error;
  if (tls::Certificate::parse(text, error) != nullptr) return tls::signing_fault(key);
  return error + ": give a chain, leaf first, and its own key";
}

}  // namespace kg::ingress
