#include "routing/controller/ingress/secret_texts.h"

#include <utility>

namespace kg::ingress {
namespace {

constexpr const char* kPair = "gateway-client-secret";
constexpr const char* kAuthorities = "gateway-ca-secret";

}  // namespace

std::string SecretTexts::put(std::string_view name, const Secret& text) {
  texts_.insert_or_assign(std::string(name), std::string(text.reveal()));
  return std::string(config::kTextPrefix) + std::string(name);
}

void SecretTexts::judge(std::string_view name, const std::string& subject, const Secret& text) {
  const std::string& problem = secrets_.judgements.of(name, text);
  if (problem.empty()) return;
  const char* reason = "InvalidAuthorities";
  if (name == "session-keys-secret") reason = "InvalidKeys";
  if (name == "gateway-token-secret") reason = "InvalidToken";
  findings_.error(reason, subject + ": " + problem);
}

std::optional<std::string> SecretTexts::read(const AnnotationInfo& info) {
  if (const auto value = values_.find(info.name)) {
    const SecretName wanted = split_secret(value->text, info.secret_key);
    const Secret* secret = find(wanted, value->subject);
    if (secret == nullptr) return std::nullopt;
    if (secrets_.find(wanted.name) != nullptr) judge(info.name, value->subject, *secret);
    return put(info.name, *secret);
  }
  auto text = values_.inline_text(info.name);
  if (!text) return std::nullopt;
  const Secret inlined(std::move(*text));
  judge(info.name, "class parameter " + std::string(info.inline_name), inlined);
  return put(info.name, inlined);
}

std::optional<SecretTexts::Pair> SecretTexts::read_pair() {
  const auto value = values_.find(kPair);
  if (!value) return std::nullopt;
  const Secret* chain = find({value->text, "tls.crt"}, value->subject);
  const Secret* key = chain == nullptr ? nullptr : find({value->text, "tls.key"}, value->subject);
  if (key == nullptr) return std::nullopt;
  Pair out{put("gateway-client-chain", *chain), put("gateway-client-key", *key), ""};
  const SecretSource* secret = secrets_.find(value->text);
  if (secret == nullptr) return out;  // assumed
  if (const std::string problem = Judgements::of_pair(*chain, *key); !problem.empty())
    findings_.error("InvalidCertificate", value->subject + ": " + problem);
  const Secret* authorities = secret->find("ca.crt");
  if (authorities == nullptr || texts_.contains(kAuthorities)) return out;
  judge(kAuthorities, value->subject + ": ca.crt", *authorities);
  out.authorities = put(kAuthorities, *authorities);
  return out;
}

const Secret* SecretTexts::find(const SecretName& wanted, const std::string& subject) {
  static const Secret kAssumed("assumed");
  const SecretSource* secret = secrets_.find(wanted.name);
  const std::string named = "Secret " + quote(wanted.name);
  const auto refuse = [&](const char* reason, const std::string& problem) {
    findings_.error(reason, subject + ": " + named + " " + problem);
  };
  if (secret == nullptr && secrets_.are_assumed) {
    findings_.note("SecretAssumed", subject + ": " + named + " is not among the files");
    return &kAssumed;
  }
  if (secret == nullptr) {
    refuse("SecretNotFound", "is not in this namespace: make it there");
  } else if (!secret->may_be_used) {
    refuse("SecretRefused", "is of type " + quote(secret->type) + ": use one of type Opaque");
  } else if (secret->is_too_large) {
    refuse("SecretRefused", "is larger than 256 KiB: keep what is used here in one of its own");
  } else if (const Secret* value = secret->find(wanted.key); value == nullptr || value->empty()) {
    refuse("SecretNotFound", "has no key " + quote(wanted.key) + ": add it");
  } else {
    return value;
  }
  return nullptr;
}

std::set<std::string> secrets_of(const Metadata& ingress, const Parameters& parameters) {
  std::set<std::string> out;
  const Values values(ingress, parameters);
  for (const AnnotationInfo& info : annotations()) {
    const bool names_one = info.kind == ValueKind::kSecret || info.name == kPair;
    const auto value = names_one ? values.find(info.name) : std::nullopt;
    if (value) out.insert(split_secret(value->text, "").name);
  }
  return out;
}

}  // namespace kg::ingress
