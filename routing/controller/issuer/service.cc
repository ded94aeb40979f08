#include "routing/controller/issuer/service.h"

#include <system_error>
#include <utility>

#include "config/names.h"
#include "routing/controller/issuer/request.h"

namespace kg::issuer {
namespace {

std::string judge(const Options& options) {
  const std::pair<const char*, const std::string*> needed[] = {
      {"--credentials-certificate", &options.certificate_file},
      {"--credentials-certificate-key", &options.certificate_key_file},
      {"--credentials-signing-key", &options.signing_key_file},
      {"--credentials-issuer", &options.issuer}};
  for (const auto& [name, value] : needed) {
    if (value->empty()) return std::string(name) + " is needed with --credentials-listen";
  }
  if (!is_claim_text(options.issuer)) {
    return "--credentials-issuer has more than 256 bytes, or control characters";
  }
  if (options.calls_per_minute == 0 || options.calls_per_minute > kCallsPerMinuteAll) {
    return "--credentials-calls is not 1 to " + std::to_string(kCallsPerMinuteAll);
  }
  return "";
}

}  // namespace

Service::Service(event::EventLoop& loop, kube::Client& client, Options options,
                 std::function<const std::string*(const Target& target)> find,
                 std::function<bool()> is_ready)
    : options_(std::move(options)),
      material_(loop, options_),
      desk_(loop, client, options_,
            {std::move(find), std::move(is_ready),
             [this](std::string line) { return audit_->submit(std::move(line)); },
             [this] { return material_.signer(); }}),
      listener_(loop, desk_, material_) {}

void Service::reopen_audit() {
  if (audit_ != nullptr) audit_->reopen();
}

std::string Service::start() {
  std::string problem = judge(options_);
  if (problem.empty()) problem = material_.open();
  if (!problem.empty()) return problem;
  audit_ = metrics::LogWriter::open("audit log of credentials", options_.audit, problem);
  if (audit_ == nullptr) return problem;
  const config::Parsed<config::Address> wanted =
      config::parse_address(options_.listen, config::KeyInfo{});
  if (!wanted.value) return "--credentials-listen: " + wanted.problem;
  const auto address = event::SocketAddress::parse(wanted.value->host, wanted.value->port);
  if (!address) return "--credentials-listen: the address is not numeric";
  const Result<uint16_t> port = listener_.listen(*address);
  if (!port) {
    return "cannot listen on " + options_.listen + " (" +
           std::generic_category().message(port.error().sys) +
           "): free the address or change --credentials-listen";
  }
  address_ = wanted.value->host + ':' + std::to_string(*port);
  return "";
}

}  // namespace kg::issuer
