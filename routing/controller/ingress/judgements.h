// Judgements: whether a text of a Secret is what it is used for. What proxies could not use is said
// to its owner here, and never reaches them.
//
// Owner: the compiler; it remembers verdicts by the text's digest, since many endpoints share a CA
// or a set of keys. Thread: one. Problems are ends of sentences, with a remedy and without any of
// the text.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "proxy/base/crypto.h"
#include "proxy/base/secret.h"

namespace kg::ingress {

class Judgements {
 public:
  // "" for what is well. `annotation`: without the prefix, one whose kind is a Secret.
  const std::string& of(std::string_view annotation, const Secret& text);
  // Of a certificate chain and its key, which the proxy shows to a gateway.
  static std::string of_pair(const Secret& chain, const Secret& key);

 private:
  std::map<crypto::Sha256, std::string> known_;  // at most kJudgementsMax
};

}  // namespace kg::ingress
