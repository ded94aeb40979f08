// Which Ingresses are ours: by spec.ingressClassName, the older annotation, or the default class
// (domain K11); and which of others we only read (K13).
//
// Owner: the compiler. A class whose parameters cannot be had keeps its last good ones, and without
// any serves nobody: its bounds are not known.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/parameters.h"
#include "routing/controller/ingress/recollection.h"
#include "routing/controller/ingress/shares.h"
#include "routing/controller/ingress/store.h"

namespace kg::ingress {

// Ingresses of another controller that are read all the same and never written to: those of a
// class, or with a label. EMR's own objects are found so.
struct Observed {
  std::string class_name;  // "" none
  std::string label;       // "" none
  std::string label_value;
  std::optional<ObjectName> parameters;  // a ConfigMap
};

struct Settings {
  std::string controller = "kernelgate.io/ingress";
  Observed observed;
  // For files without a cluster: a Secret that is not there is thought to be, and right.
  bool assumes_secrets = false;
  ShareBounds feed{{kNamespaceItemsMax, kNamespaceBytesMax}, {kAllItemsMax, kAllBytesMax}};
  size_t namespace_hosts_max = kNamespaceHostsMax;
  size_t namespace_kept_bytes_max = kNamespaceKeptBytesMax;
};

struct ResolvedClass {
  std::string name;
  bool is_observed = false;
  std::shared_ptr<const Parameters> parameters;  // null: unusable
};

class Classes {
 public:
  using Memories = std::map<std::string, ClassMemory>;  // by class; "" is that of the observed

  Classes(const Settings& settings, const Store& store);

  // What another one remembered: for classes of which no parameters were ever good here, with the
  // next refresh(). False: there are none.
  bool recall(const Memories& memories);
  // The last good parameters that count in the place of present ones.
  Memories exceptions() const;

  // After a change of IngressClasses or ConfigMaps. Findings are of IngressClasses and ConfigMaps,
  // an empty list for what is well again.
  using Report = std::vector<std::pair<ObjectRef, std::vector<Finding>>>;
  Report refresh();
  // Whether a class reads its parameters there.
  bool uses(const ObjectName& map) const;
  // nullopt: not ours.
  std::optional<ResolvedClass> resolve(const IngressSource& ingress) const;

 private:
  struct State {
    std::shared_ptr<const Parameters> good;
    std::optional<ObjectName> map;
    TextMap data;  // of the good ones: what did not change is not made anew
    std::string uid;
    bool is_last_good = false;
  };
  void refresh(State& state, const ClassSource* source, const ObjectRef& ref, Report& report);
  void recall(State& state, const std::string& name) const;
  bool is_observed(const IngressSource& ingress, const std::string& class_name) const;
  std::string default_class() const;

  const Settings& settings_;
  const Store& store_;
  std::map<std::string, State> states_;  // of our classes
  State observed_;
  std::string default_;
  Memories recalled_;
};

}  // namespace kg::ingress
