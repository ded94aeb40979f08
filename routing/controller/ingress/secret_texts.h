// SecretTexts: what annotations and class parameters take of Secrets: each text under a name by
// which the configuration calls it.
//
// Borrows all that it is given. Pure but for the judgements that it remembers. Secrets are those of
// the Ingress's own namespace, and of harmless types.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "config/files.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/findings.h"
#include "routing/controller/ingress/judgements.h"
#include "routing/controller/ingress/source.h"
#include "routing/controller/ingress/values.h"

namespace kg::ingress {

struct Secrets {
  // By name in the Ingress's namespace; null: there is none.
  std::function<const SecretSource*(const std::string& name)> find;
  bool are_assumed = false;  // those that are not there
  Judgements& judgements;
};

class SecretTexts {
 public:
  SecretTexts(const Values& values, const Secrets& secrets, config::Texts& texts,
              Findings& findings)
      : values_(values), secrets_(secrets), texts_(texts), findings_(findings) {}

  // The name of the text that `info` asks for; nullopt for none, or with an error.
  std::optional<std::string> read(const AnnotationInfo& info);
  // What the proxy shows to a gateway, and perhaps who may sign the gateway's certificate.
  struct Pair {
    std::string chain;
    std::string key;
    std::string authorities;  // "" none
  };
  std::optional<Pair> read_pair();

 private:
  const Secret* find(const SecretName& wanted, const std::string& subject);
  std::string put(std::string_view name, const Secret& text);
  void judge(std::string_view name, const std::string& subject, const Secret& text);

  const Values& values_;
  const Secrets& secrets_;
  config::Texts& texts_;
  Findings& findings_;
};

// Names of Secrets that the annotations ask for, whether they are there or not.
std::set<std::string> secrets_of(const Metadata& ingress, const Parameters& parameters);

}  // namespace kg::ingress
