#include "routing/controller/ingress/narrowing.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>

#include "config/schema.h"
#include "config/values.h"
#include "proxy/base/ascii.h"
#include "routing/controller/ingress/annotations.h"

namespace kg::ingress {
namespace {

using enum Narrower;

constexpr auto kNarrowings = std::to_array<NarrowingInfo>({
    {"audience", kEqual},
    {"realm", kEqual},
    {"subject-claim", kEqual},
    {"endpoint-claim", kEqual},
    {"groups-claim", kEqual},
    {"virtual-cluster-claim", kEqual},
    {"algorithms", kPart},
    {"allow-realms", kPart},
    {"support-realms", kPart},
    {"sharing", kEarlier, "owner group: endpoint"},
    {"on-expiry", kEarlier, "close keep"},
    {"expiry-grace", kAtMost},
    {"max-lifetime", kAtMost},
    {"other-paths", kEarlier, "deny forward"},
    {"foreign-ids", kEarlier, "deny endpoint"},
    {"allowed-origins", kPart},
    {"allow-sources", kPart},
    {"kernel-specs", kPart},
    {"kernel-env-pass", kPart},
    {"kernel-env-deny", kWhole},
    {"spark-conf", kPart},
});

// Each is a share of what one proxy has for all: questions that it asks by itself, over and over,
// and requests that it holds.
constexpr auto kReaches = std::to_array<ReachInfo>({
    {"jwks-refresh", false, "60s"},
    {"health-check-interval", false, "1s"},
    {"census", false, "1s"},
    {"connections-max", true, "1024"},
    {"queue-max", true, "4096"},
    {"launch-queue-max", true, "4096"},
});

using Words = std::set<std::string, std::less<>>;

Words words_of(std::string_view list) {
  Words out;
  ascii::for_each_element(list, [&](std::string_view word) { out.emplace(word); });
  return out;
}

// The place of `value` among words with spaces between; one that ends with a colon begins it.
std::optional<size_t> rank(std::string_view value, std::string_view words) {
  for (size_t at = 0; !words.empty(); ++at) {
    const std::string_view word = words.substr(0, words.find(' '));
    if (value == word || (word.ends_with(':') && value.starts_with(word))) return at;
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  return std::nullopt;
}

// A number or milliseconds; the most for `none` and `off`; nullopt for what the schema refuses.
std::optional<uint64_t> quantity(std::string_view annotation, std::string_view value) {
  if (value == "none" || value == "off") return UINT64_MAX;
  const AnnotationInfo* info = find_annotation(annotation);
  std::string path = "endpoints[]." + std::string(info->path);
  constexpr std::string_view kJwt = "endpoints[].sessions.";
  if (path.starts_with("endpoints[].sessions.jwt.")) path.insert(kJwt.size(), "authenticators[].");
  const config::KeyInfo* key = config::find_key(path);
  if (key == nullptr) return std::nullopt;
  if (key->type.starts_with("duration")) {
    const auto parsed = config::parse_duration(value, *key);
    return parsed.value ? std::optional<uint64_t>(parsed.value->count()) : std::nullopt;
  }
  const auto parsed = config::parse_integer(value, *key);
  return parsed.value ? std::optional<uint64_t>(*parsed.value) : std::nullopt;
}

class Narrowing {
 public:
  Narrowing(const Values& values, const Parameters& parameters, Findings& findings)
      : values_(values), parameters_(parameters), findings_(findings) {}

  void check(const NarrowingInfo& info) {
    const auto own = own_of(info.annotation);
    const std::string* usual = usual_of(info.annotation);
    if (!own || usual == nullptr) return;
    const bool is_issuers = info.narrower == kEqual || info.annotation == "algorithms";
    if (is_issuers && values_.has_own_issuer()) return;
    if (!is_narrower(info, *own, *usual)) refuse(info.annotation, *usual);
  }

  // Each subject and each group lets somebody in, so the one list may not stand in for the other.
  void check_people(const std::string& family) {
    const std::string subjects = family + "-subjects";
    const std::string groups = family + "-groups";
    if (usual_of(subjects) == nullptr && usual_of(groups) == nullptr) return;
    if (listed(subjects).contains("*")) return;
    for (const std::string& name : {subjects, groups}) {
      const auto own = own_of(name);
      const Words usual = listed(name);
      if (own && !std::ranges::includes(usual, words_of(*own)))
        refuse(name, usual.empty() ? "nobody by that" : *usual_of(name));
    }
  }

  void check(const ReachInfo& info) {
    const auto own = own_of(info.annotation);
    const auto value = own ? quantity(info.annotation, *own) : std::nullopt;
    if (!value) return;
    auto bound = quantity(info.annotation, info.bound);
    const std::string* usual = usual_of(info.annotation);
    const auto of_class = usual == nullptr ? bound : quantity(info.annotation, *usual);
    if (of_class) bound = info.is_most ? std::max(*bound, *of_class) : std::min(*bound, *of_class);
    if (info.is_most ? *value <= *bound : *value >= *bound) return;
    const bool is_class = usual != nullptr && bound == of_class;
    findings_.error("AnnotationNotAllowed", values_.subject(info.annotation) + ": " + quote(*own) +
                                                " takes too much of what all share: write at " +
                                                (info.is_most ? "most " : "least ") +
                                                (is_class ? *usual : std::string(info.bound)));
  }

 private:
  std::optional<std::string> own_of(std::string_view annotation) const {
    const auto value = values_.find(annotation);
    if (!value || !value->is_own) return std::nullopt;
    return std::string(ascii::trim(value->text));
  }
  const std::string* usual_of(std::string_view annotation) const {
    const auto usual = parameters_.defaults.find(annotation);
    return usual == parameters_.defaults.end() ? nullptr : &usual->second;
  }
  Words listed(const std::string& annotation) const {
    const std::string* usual = usual_of(annotation);
    return usual == nullptr ? Words{} : words_of(*usual);
  }

  static bool is_narrower(const NarrowingInfo& info, const std::string& own,
                          std::string_view usual) {
    usual = ascii::trim(usual);
    switch (info.narrower) {
      case kEqual:
        return own == usual;
      case kPart:
        return std::ranges::includes(words_of(usual), words_of(own));
      case kWhole:
        return std::ranges::includes(words_of(own), words_of(usual));
      case kAtMost: {
        const auto most = quantity(info.annotation, usual);
        const auto value = quantity(info.annotation, own);
        return !most || !value || *value <= *most;
      }
      case kEarlier:
        break;
    }
    const auto most = rank(usual, info.words);
    const auto at = rank(own, info.words);
    return !most || !at || *at < *most || own == usual;
  }

  void refuse(std::string_view annotation, const std::string& usual) {
    findings_.error("AnnotationNotAllowed", values_.subject(annotation) +
                                                ": it may narrow what its class says and not widen "
                                                "it, which is " +
                                                quote(usual) + ": change it, or remove it");
  }

  const Values& values_;
  const Parameters& parameters_;
  Findings& findings_;
};

}  // namespace

std::span<const NarrowingInfo> narrowings() noexcept { return kNarrowings; }

std::span<const ReachInfo> reaches() noexcept { return kReaches; }

void check_narrowing(const Values& values, const Parameters& parameters, Findings& findings) {
  Narrowing narrowing(values, parameters, findings);
  for (const NarrowingInfo& info : kNarrowings) narrowing.check(info);
  for (const ReachInfo& info : kReaches) narrowing.check(info);
  narrowing.check_people("allow");
  narrowing.check_people("support");
}

}  // namespace kg::ingress
