#include "routing/tls_context_book.h"

#include <algorithm>
#include <utility>

namespace kg::routing {
namespace {

constexpr size_t kGoodMax = 1'024;  // verdicts, of 32 bytes; then they are found anew

}  // namespace

TlsContextBook::Identity TlsContextBook::identity_of(const tls::ClientTlsFiles& files) {
  std::string all;
  for (const std::string& name : {files.ca_file, files.certificate, files.private_key}) {
    const auto text = files.texts.find(name);
    const crypto::Sha256 one = text != files.texts.end() ? crypto::sha256("text", text->second)
                                                         : crypto::sha256("file", name);
    all.append(one.begin(), one.end());
  }
  return crypto::sha256("client tls", all);
}

std::shared_ptr<const TlsContextBook::Contexts> TlsContextBook::contexts(
    const tls::ClientTlsFiles& files, std::string& problem) {
  if (threads_ == 0) {
    problem = fault_of(files);
    return problem.empty() ? std::make_shared<const Contexts>() : nullptr;
  }
  const Identity identity = identity_of(files);
  const auto known = contexts_.find(identity);
  if (known != contexts_.end()) {
    if (auto found = known->second.lock()) return found;
  }
  auto made = std::make_shared<Contexts>();
  while (made->size() < threads_) {
    made->push_back(tls::TlsClientContext::make(files, problem));
    if (made->back() == nullptr) return nullptr;
  }
  if (contexts_.size() >= sweep_at_) {
    std::erase_if(contexts_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<size_t>(64, contexts_.size() * 2);
  }
  contexts_.insert_or_assign(identity, made);
  return made;
}

std::string TlsContextBook::fault_of(const tls::ClientTlsFiles& files) {
  const Identity identity = identity_of(files);
  if (good_.contains(identity)) return "";
  std::string problem;
  if (tls::TlsClientContext::make(files, problem) == nullptr) return problem;
  if (good_.size() >= kGoodMax) good_.clear();
  good_.insert(identity);
  return "";
}

}  // namespace kg::routing
