// The values of an Ingress's annotations, with its class's defaults behind them.
//
// Borrows both; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "routing/controller/ingress/object.h"
#include "routing/controller/ingress/parameters.h"

namespace kg::ingress {

struct Value {
  std::string text;
  std::string subject;  // "annotation kernelgate.io/issuer", for messages
  bool is_own = false;  // of the Ingress, and not of its class
};

class Values {
 public:
  Values(const Metadata& ingress, const Parameters& parameters)
      : ingress_(ingress), parameters_(parameters) {}

  // By name without the prefix. Of ingress-nginx's twins too, behind our own annotation.
  std::optional<Value> find(std::string_view name) const;
  // The text that a class gives in place of a Secret.
  std::optional<std::string> inline_text(std::string_view name) const;
  bool has_own(std::string_view name) const { return own(name).has_value(); }
  std::string subject(std::string_view name) const;  // of a value that may not be there
  // Whether the Ingress names an issuer of its own, or keys that are not the class's.
  bool has_own_issuer() const;

 private:
  std::optional<Value> own(std::string_view name) const;
  bool is_replaced(std::string_view name) const;

  const Metadata& ingress_;
  const Parameters& parameters_;
};

// NAME or NAME/KEY.
struct SecretName {
  std::string name;
  std::string key;
};
SecretName split_secret(std::string_view value, std::string_view default_key);

}  // namespace kg::ingress
