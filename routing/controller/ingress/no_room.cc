#include "routing/controller/ingress/no_room.h"

#include <string>

namespace kg::ingress {
namespace {

constexpr size_t kMiB = size_t{1024} * 1024;

std::string words_of(const Amount& amount) {
  return std::to_string(amount.items) + " endpoints and certificates, or " +
         std::to_string(amount.bytes / kMiB) + " MiB of them";
}

}  // namespace

Finding no_room(Shares::Verdict verdict, const ShareBounds& bounds) {
  if (verdict == Shares::Verdict::kNamespaceFull) {
    return {Severity::kError, "NamespaceFull",
            "its namespace has more than " + words_of(bounds.of_namespace) +
                ": the older objects are served, and this one is not: remove or shorten some"};
  }
  return {Severity::kError, "FeedFull",
          "all namespaces together have more than " + words_of(bounds.of_all) +
              ", and this one has more than its share: the older objects are served, and this one "
              "is not: remove or shorten some"};
}

Finding no_room_for_hosts(size_t most) {
  return {Severity::kError, "NamespaceFull",
          "its namespace names more than " + std::to_string(most) +
              " hosts: those of older objects count, and those of this one do not: remove some"};
}

}  // namespace kg::ingress
