// `kernelgate-controller check`: what manifests become, by the compiler that the controller runs.
//
// Prints to standard output; never a secret. Nothing is asked of a cluster, so what only a cluster
// knows (pods, mostly) is missing where no manifest says it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "routing/controller/check/manifests.h"
#include "routing/controller/ingress/compiler.h"

namespace kg::check {

struct Options {
  std::vector<std::string> paths;
  std::string name_space = "default";  // of objects that name none
  std::string class_name;              // counts as ours without an IngressClass among the manifests
  ingress::Settings settings;
};

// "NAME=VALUE" and "NAMESPACE/NAME" as flags have them; false for what is neither.
bool set_observed_label(const std::string& text, ingress::Observed& out);
bool set_observed_parameters(const std::string& text, ingress::Observed& out);

// 0, or 1 if anything is wrong. Warnings are not.
int check(const Manifests& manifests, const Options& options, std::ostream& out);
int check_command(const Options& options);

}  // namespace kg::check
