#include "config/policy_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/values.h"
#include "proxy/base/ascii.h"

namespace kg::config {
namespace {

// As metrics and the access log name them.
constexpr auto kOperations = std::to_array<std::string_view>(
    {"ListKernelSpecs", "GetKernelSpec", "GetKernelSpecResource", "ListKernels", "CreateKernel",
     "GetKernel", "DeleteKernel", "InterruptKernel", "RestartKernel", "ConnectKernel",
     "ListSessions", "CreateSession", "GetSession", "PatchSession", "DeleteSession", "GetVersion",
     "Other"});

Parsed<std::string> parse_operation(std::string_view text, const KeyInfo& /*info*/) {
  const auto is_it = [text](std::string_view name) {
    return ascii::equals_ignore_case(name, text);
  };
  const auto* const found = std::find_if(kOperations.begin(), kOperations.end(), is_it);
  if (text == "*" || (found != kOperations.end() && *found == text)) {
    return Parsed<std::string>::ok(std::string(text));
  }
  if (found != kOperations.end()) {
    return Parsed<std::string>::bad(quote(text) + " is not an operation",
                                    "write " + std::string(*found));
  }
  std::string all;
  for (const std::string_view name : kOperations) all.append(name).append(", ");
  return Parsed<std::string>::bad(quote(text) + " is not an operation",
                                  "use one of " + all + "or \"*\"");
}

Parsed<std::string> parse_spec_name(std::string_view text, const KeyInfo& /*info*/) {
  constexpr size_t kBytesMax = 128;
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
  if (plain && text.size() <= kBytesMax) return Parsed<std::string>::ok(std::string(text));
  if (ascii::lower(text) != text) {
    return Parsed<std::string>::bad(
        quote(text) + " has upper-case letters, which no listed spec has",
        "write " + ascii::lower(text));
  }
  return Parsed<std::string>::bad(quote(text) + " is not the name of a kernel spec",
                                  "write it as GET /api/kernelspecs lists it");
}

// Names that proxies, gateways or their frameworks read themselves.
bool is_reserved(std::string_view lower) noexcept {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"x-real-ip", "x-request-id", "x-scheme", "x-xsrftoken", "x-csrftoken"});
  constexpr auto kFamilies =
      std::to_array<std::string_view>({"x-forwarded", "x-amzn-", "x-amz-", "x-http-method"});
  return std::find(kNames.begin(), kNames.end(), lower) != kNames.end() ||
         std::any_of(kFamilies.begin(), kFamilies.end(),
                     [lower](std::string_view family) { return lower.starts_with(family); });
}

Parsed<std::string> parse_header_name(std::string_view text, const KeyInfo& /*info*/) {
  constexpr size_t kBytesMax = 64;
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    const char low = ascii::to_lower(c);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  const std::string lower = ascii::lower(text);
  if (!plain || text.size() > kBytesMax || !lower.starts_with("x-") || lower.size() < 3) {
    return Parsed<std::string>::bad(
        quote(text) + " is not a name for a header of yours",
        "write X- and letters, digits or hyphens, such as X-Kernel-User");
  }
  if (is_reserved(lower)) {
    return Parsed<std::string>::bad(
        quote(text) + " has a meaning of its own for proxies or gateways",
        "choose another name, such as X-Kernel-User");
  }
  return Parsed<std::string>::ok(std::string(text));
}

Parsed<uint32_t> parse_integer_or_none(std::string_view text, const KeyInfo& info) {
  if (text == "none") return Parsed<uint32_t>::ok(0);
  Parsed<uint32_t> parsed = parse_integer(text, info);
  if (!parsed.value) parsed.remedy += ", or none";
  return parsed;
}

std::vector<std::string> texts(const Section& section, std::string_view name,
                               Parser<std::string> parse) {
  std::vector<std::string> out;
  for (Listed<std::string>& listed : section.values<std::string>(name, parse)) {
    if (std::find(out.begin(), out.end(), listed.value) != out.end()) {
      section.problems().error(listed.place, quote(listed.value) + " stands here twice",
                               "remove one of them");
    } else {
      out.push_back(std::move(listed.value));
    }
  }
  return out;
}

People read_people(const Section& section) {
  People out;
  out.realms = texts(section, "realms", parse_text);
  out.subjects = texts(section, "subjects", parse_text);
  out.groups = texts(section, "groups", parse_text);
  return out;
}

bool names_somebody(const Section& section) noexcept {
  return section.has("subjects") || section.has("groups");
}

People read_allow(const Section& section) {
  People out = read_people(section);
  for (const Section& claim : section.maps("claims")) {
    const std::string name = claim.value<std::string>("name", parse_text);
    out.claims.emplace_back(name, texts(claim, "values", parse_text));
  }
  if (!names_somebody(section) && !section.has("claims")) {
    section.problems().error(section.place(), "names nobody",
                             "list subjects, groups or claims; \"*\" in subjects is everybody "
                             "with a session");
  }
  return out;
}

People read_support(const Section& section) {
  People out = read_people(section);
  if (!names_somebody(section)) {
    section.problems().error(section.place(), "names nobody", "list subjects or groups");
  }
  if (std::find(out.subjects.begin(), out.subjects.end(), "*") != out.subjects.end()) {
    section.problems().warn(section.place_of("subjects"),
                            "everybody with a session may interrupt and delete all kernels",
                            "name those who give support");
  }
  return out;
}

OperationRule read_rule(const Section& section) {
  OperationRule out;
  out.allow = section.has("allow");
  if (out.allow == section.has("deny")) {
    section.problems().error(section.place(), "a rule needs allow or deny, and not both",
                             "write one list of operations; the first rule that fits decides");
    return out;
  }
  out.operations = texts(section, out.allow ? "allow" : "deny", parse_operation);
  out.people = read_people(section);
  if (!names_somebody(section)) out.people.subjects = {"*"};
  return out;
}

}  // namespace

void read_policy(const Section& sessions, Policy& out) {
  if (sessions.has("allow")) {
    if (const auto allow = sessions.map("allow")) out.allow = read_allow(*allow);
  }
  if (sessions.has("support")) {
    if (const auto support = sessions.map("support")) out.support = read_support(*support);
  }
  for (const Section& rule : sessions.maps("operations")) out.rules.push_back(read_rule(rule));
}

std::vector<std::string> read_specs(const Section& kernels) {
  return texts(kernels, "specs", parse_spec_name);
}

PrincipalQuotas read_quotas(const Section& quotas) {
  PrincipalQuotas out;
  out.websockets = quotas.value<uint32_t>("websockets", parse_integer_or_none);
  out.launches = quotas.value<uint32_t>("launches", parse_integer_or_none);
  out.kernels = quotas.value<uint32_t>("kernels", parse_integer_or_none);
  out.requests_per_second = quotas.value<uint32_t>("requests_per_second", parse_integer_or_none);
  out.request_burst = quotas.value<uint32_t>("request_burst", parse_integer);
  if (out.request_burst == 0) out.request_burst = std::max(out.requests_per_second, 1U);
  if (quotas.has("request_burst") && out.requests_per_second == 0) {
    quotas.problems().error(quotas.place_of("request_burst"), "there is no rate that it belongs to",
                            "give requests_per_second too, or remove it");
  }
  return out;
}

IdentityHeaders read_identity_headers(const Section& headers) {
  IdentityHeaders out;
  out.subject = headers.value<std::string>("subject", parse_header_name);
  out.realm = headers.value<std::string>("realm", parse_header_name);
  out.groups = headers.value<std::string>("groups", parse_header_name);
  out.role = headers.value<std::string>("role", parse_header_name);
  std::vector<std::string> seen;
  for (const std::string* name : {&out.subject, &out.realm, &out.groups, &out.role}) {
    if (name->empty()) continue;
    std::string lower = ascii::lower(*name);
    if (std::find(seen.begin(), seen.end(), lower) != seen.end()) {
      headers.problems().error(headers.place(), quote(*name) + " stands here twice",
                               "give each fact a header of its own");
    }
    seen.push_back(std::move(lower));
  }
  return out;
}

}  // namespace kg::config
