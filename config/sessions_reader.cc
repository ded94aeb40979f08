#include "config/sessions_reader.h"

#include <algorithm>
#include <utility>

#include "config/alb_reader.h"
#include "config/names.h"
#include "config/service_reader.h"
#include "config/values.h"

namespace kg::config {
namespace {

constexpr std::string_view kJwtKeys = "endpoints[].sessions.authenticators[].jwt";

// keys_file, or keys_url and what goes with it.
void read_keys(const Section& section, const Files& files, JwtSessions& out) {
  out.keys_file = files.existing(section, "keys_file", Secrecy::kPublic);
  out.place = section.place_of("keys_file");
  out.keys_url = read_service(section, "keys_url", files);
  out.keys_refresh = section.value<Millis>("keys_refresh", parse_duration);
  out.keys_stale = section.value<Millis>("keys_stale", parse_duration);
  const bool url = section.has("keys_url");
  if (url == section.has("keys_file") && !section.is_misspelt("keys_file") &&
      !section.is_misspelt("keys_url")) {
    section.problems().error(section.place(), "names not one place of the issuer's keys",
                             "give either keys_file or keys_url");
  }
  for (const char* name : {"ca_file", "keys_refresh", "keys_stale"}) {
    if (url || !section.has(name)) continue;
    section.problems().error(section.place_of(name), "goes with keys_url only", "remove it");
  }
}

JwtSessions read_jwt(const Section& section, const Files& files) {
  JwtSessions out;
  out.issuer = section.value<std::string>("issuer", parse_text);
  out.realm = section.value<std::string>("realm", parse_text);
  if (out.realm.empty()) out.realm = out.issuer;
  out.audience = section.value<std::string>("audience", parse_text);
  read_keys(section, files, out);
  for (Listed<std::string>& name : section.values<std::string>("algorithms", parse_algorithm)) {
    if (std::find(out.algorithms.begin(), out.algorithms.end(), name.value) !=
        out.algorithms.end()) {
      section.problems().error(name.place, quote(name.value) + " stands here twice",
                               "remove one of them");
    } else {
      out.algorithms.push_back(std::move(name.value));
    }
  }
  out.subject_claim = section.value<std::string>("subject_claim", parse_text);
  out.endpoint_claim = section.value<std::string>("endpoint_claim", parse_text);
  out.groups_claim = section.value<std::string>("groups_claim", parse_text);
  out.virtual_cluster_claim = section.value<std::string>("virtual_cluster_claim", parse_text);
  return out;
}

OpaqueSessions read_opaque(const Section& section, const Files& files) {
  OpaqueSessions out;
  out.realm = section.value<std::string>("realm", parse_text);
  out.file = files.existing(section, "file", Secrecy::kPublic);
  out.place = section.place_of("file");
  return out;
}

CertificateSessions read_certificate(const Section& section) {
  CertificateSessions out;
  out.realm = section.value<std::string>("realm", parse_text);
  out.subject = section.value<CertificateName>("subject", parse_certificate_name);
  out.place = section.place();
  return out;
}

// One link: a map with the one key that says of which kind it is.
void read_authenticator(const Section& section, const Files& files, Sessions& out) {
  size_t kinds = 0;
  if (section.has("jwt")) {
    ++kinds;
    if (const auto jwt = section.map("jwt")) {
      out.authenticators.emplace_back(read_jwt(*jwt, files));
    }
  }
  if (section.has("client_certificate")) {
    ++kinds;
    if (const auto certificate = section.map("client_certificate")) {
      out.authenticators.emplace_back(read_certificate(*certificate));
    }
  }
  if (section.has("alb")) {
    ++kinds;
    if (const auto alb = section.map("alb")) out.authenticators.emplace_back(read_alb(*alb, files));
  }
  if (section.has("opaque")) {
    ++kinds;
    if (const auto opaque = section.map("opaque")) {
      out.authenticators.emplace_back(read_opaque(*opaque, files));
    }
  }
  if (section.has("introspection")) {
    ++kinds;
    if (const auto service = section.map("introspection")) {
      out.authenticators.emplace_back(read_introspection(*service, files));
    }
  }
  if (section.has("delegated")) {
    ++kinds;
    if (const auto service = section.map("delegated")) {
      out.authenticators.emplace_back(read_delegated(*service, files));
    }
  }
  if (kinds == 1) return;
  section.problems().error(section.place(), "is not one authenticator",
                           "begin a list entry of its own for each kind");
}

SessionRules read_rules(const Section& section) {
  const auto ms = [&section](std::string_view name) {
    return static_cast<uint64_t>(section.value<Millis>(name, parse_duration).count());
  };
  SessionRules out;
  out.close_on_expiry = section.value<bool>("on_expiry", parse_close_or_keep);
  out.expiry_grace_ms = ms("expiry_grace");
  if (section.has("max_lifetime") && !section.is_word("max_lifetime", "none")) {
    out.max_lifetime_ms = ms("max_lifetime");
  }
  return out;
}

}  // namespace

Sessions read_sessions(const Section& section, const Files& files) {
  Sessions out;
  out.place = section.place();
  out.rules = read_rules(section);
  bool any = false;
  for (const char* name : {"jwt", "authenticators"}) {
    any = any || section.has(name) || section.is_misspelt(name);
  }
  if (!any) {
    section.problems().error(section.place(), "nobody can be recognised",
                             "add jwt, or a list of authenticators");
  }
  if (section.has("jwt")) {
    if (const auto jwt = section.map_like("jwt", kJwtKeys))
      out.authenticators.emplace_back(read_jwt(*jwt, files));
  }
  out.cookie = section.value<std::string>("cookie", parse_cookie_name);
  for (const Section& link : section.maps("authenticators")) read_authenticator(link, files, out);
  return out;
}

}  // namespace kg::config
