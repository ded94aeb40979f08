// From annotations, class parameters and Secrets to the configuration of endpoints: one entry of
// `endpoints[]` as JSON, and the texts of the files that it names.
//
// Pure but for its inputs; any thread. Errors are findings that name the annotation or parameter.
#pragma once

#include <optional>
#include <string>

#include "config/files.h"
#include "routing/controller/ingress/findings.h"
#include "routing/controller/ingress/parameters.h"
#include "routing/controller/ingress/secret_texts.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {

struct EndpointConfig {
  Json keys = Json::object();
  config::Texts texts;  // may hold secrets
};

// What all endpoints of the Ingress have in common; nullopt if it cannot be had. Nobody is let in
// without a session, so an Ingress whose class and annotations name none is refused.
std::optional<EndpointConfig> common_config(const Metadata& ingress, const Parameters& parameters,
                                            const Secrets& secrets, Findings& findings);

// The whole of one endpoint.
struct Identity {
  std::string id;
  std::string space;  // its virtual cluster
  std::string service;
  bool is_tls = false;  // the Service's port says so; an annotation comes before it
};
EndpointConfig endpoint_config(const EndpointConfig& common, const Identity& identity);
// Judges it by the schema of the configuration file. `text` is its keys as JSON.
bool is_valid(const std::string& text, const config::Texts& texts, const Metadata& ingress,
              const Parameters& parameters, Findings& findings);

// Unknown annotations, and those of ingress-nginx that mean nothing here.
void judge_names(const Metadata& ingress, Findings& findings);

}  // namespace kg::ingress
