// Finding: something that the owner of an object should hear. The controller makes an Event of
// each, `kernelgate-controller check` a line.
//
// Messages name the annotation or field, the problem and the remedy; they hold no secret.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/controller/ingress/object.h"

namespace kg::ingress {

enum class Severity : uint8_t {
  kError,    // what the object asks for is not served, or its last good version is
  kWarning,  // a part of it is left out
  kNote,     // it is served; this is worth knowing
};

struct Finding {
  Severity severity = Severity::kError;
  std::string reason;  // CamelCase, as in Events
  std::string message;

  bool operator==(const Finding&) const = default;
};

// The findings of one object, at most kFindingsMax: of more the worst, in the order they came.
class Findings {
 public:
  void error(const char* reason, std::string message) {
    add({Severity::kError, reason, std::move(message)});
  }
  void warn(const char* reason, std::string message) {
    add({Severity::kWarning, reason, std::move(message)});
  }
  void note(const char* reason, std::string message) {
    add({Severity::kNote, reason, std::move(message)});
  }
  void add(Finding finding);  // once, if it is given several times
  const std::vector<Finding>& all() const noexcept { return all_; }
  bool has_errors() const noexcept { return has_errors_; }

 private:
  void make_room(Finding finding);

  std::vector<Finding> all_;
  bool has_errors_ = false;
};

}  // namespace kg::ingress
