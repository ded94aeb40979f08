#include "routing/controller/issuer/material.h"

#include <optional>
#include <utility>

#include "proxy/base/log.h"

namespace kg::issuer {

Material::Material(event::EventLoop& loop, const Options& options)
    : certificate_file_(options.certificate_file),
      certificate_key_file_(options.certificate_key_file),
      signing_key_file_(options.signing_key_file),
      timer_(loop, [this] { look(); }) {}

std::string Material::open() {
  std::string problem = read_certificate();
  if (problem.empty()) problem = read_keys();
  if (problem.empty()) timer_.arm_ms(kFilesLookMs);
  return problem;
}

void Material::look() {
  timer_.arm_ms(kFilesLookMs);
  std::string problem = read_certificate();
  if (std::string other = read_keys(); problem.empty()) problem = std::move(other);
  if (problem != problem_ && !problem.empty()) {
    log::error("credentials", "{}; what was read before goes on", problem);
  }
  problem_ = std::move(problem);
}

std::string Material::read_certificate() {
  std::string problem;
  std::optional<tls::CertificateText> text =
      tls::CertificateText::read(certificate_file_, certificate_key_file_, problem);
  if (!text) return problem;
  if (tls_ != nullptr && text->same_bytes(certificate_)) return "";
  tls::ListenerTls wish;
  wish.certificates.push_back(*text);
  wish.tickets = tickets_;
  std::shared_ptr<const tls::TlsContext> made = tls::TlsContext::make(wish, problem);
  if (made == nullptr) return problem;
  if (tls_ != nullptr) log::info("credentials", "certificate {} is read again", certificate_file_);
  tls_ = std::move(made);
  certificate_ = std::move(*text);
  return "";
}

std::string Material::read_keys() {
  auth::SessionSigner::Loaded loaded = auth::SessionSigner::from_file(signing_key_file_);
  if (loaded.signer == nullptr) return loaded.error;
  // The kid is first in it, so that another order of keys is another text.
  if (signer_ != nullptr && loaded.signer->public_jwks() == signer_->public_jwks()) return "";
  log::info("credentials", "signing key kid={} alg={}", loaded.signer->kid(),
            auth::algorithm_name(loaded.signer->algorithm()));
  signer_ = std::move(loaded.signer);
  return "";
}

}  // namespace kg::issuer
