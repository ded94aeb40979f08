// What one Ingress becomes: its endpoints, the hosts of its certificates, and what is wrong with
// it.
//
// Pure but for `Memory`, in which the last good configuration of each endpoint lives on: what is
// wrong in an annotation disables nothing that served before. Pods and routes are always those of
// now. What another process needs of it are the annotations: Secrets are read anew.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "routing/controller/ingress/certificates.h"
#include "routing/controller/ingress/classes.h"
#include "routing/controller/ingress/holdings.h"
#include "routing/controller/ingress/ids.h"
#include "routing/controller/ingress/payload.h"
#include "routing/controller/ingress/recollection.h"
#include "routing/controller/ingress/secret_texts.h"
#include "routing/controller/ingress/store.h"
#include "routing/feed/item.h"

namespace kg::ingress {

struct EndpointView {
  std::string id;
  Target target;
  std::vector<Route> routes;
  std::vector<PodEntry> pods;
  bool is_published = false;
  bool is_last_good = false;  // its annotations are wrong, and older ones serve
};

struct IngressView {
  std::string class_name;
  bool is_observed = false;  // read only: its status is another controller's
  std::vector<EndpointView> endpoints;
  std::vector<CertificateHosts> certificates;
  std::vector<Finding> findings;
};

struct Good {
  std::string keys;  // JSON; "": recalled, and to be made of the annotations
  config::Texts texts;
  std::vector<Finding> findings;  // warnings of its validation
  TextMap annotations;            // of which it was made, and within which bounds
  std::shared_ptr<const Parameters> parameters;
};

struct Memory {
  std::string uid;  // of the Ingress: another one remembers nothing
  std::string id_base;
  std::map<std::string, Good> good;  // by id
};

// nullopt: it would be made as it is without any memory.
std::optional<IngressMemory> exceptions_of(const Memory& memory, const Ids& ids,
                                           const IngressView& view);
// Fills in what `memory` does not know, if it is of the same object.
void recall(const IngressMemory& known, Memory& memory);

struct Evaluated {
  IngressView view;
  std::vector<feed::Item> items;
  std::set<ObjectRef> needs;  // a change of these asks for another evaluation
};

struct Surroundings {
  const Store& store;
  const Holdings& holdings;
  bool assumes_secrets;  // Settings
  Judgements& judgements;
  std::function<const CertificateView&(const ObjectName& secret)> certificate;
  // The Secret that another Ingress names for a host, "" for none.
  std::function<std::string(const ObjectName& ingress, const std::string& host)> secret_for;
};

Evaluated evaluate(const IngressSource& ingress, const ResolvedClass& resolved, const Ids& ids,
                   const Surroundings& around, Memory& memory);

}  // namespace kg::ingress
