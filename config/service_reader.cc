#include "config/service_reader.h"

#include <algorithm>
#include <utility>

#include "config/names.h"
#include "config/values.h"

namespace kg::config {
namespace {

// RFC 9110 section 5.6.2: the tokens that name a field.
Parsed<std::string> parse_field_name(std::string_view text, const KeyInfo& /*info*/) {
  const bool plain = text.size() <= 64 && std::ranges::all_of(text, [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') || c == '-';
                     });
  if (plain) return Parsed<std::string>::ok(std::string(text));
  return Parsed<std::string>::bad(quote(text) + " is no name of a header field",
                                  "write it as X-Auth-User");
}

RemoteAnswers read_answers(const Section& section) {
  RemoteAnswers out;
  out.timeout = section.value<Millis>("timeout", parse_duration);
  out.believed = section.value<Millis>("cache", parse_duration);
  out.refused = section.value<Millis>("refused_cache", parse_duration);
  return out;
}

}  // namespace

Parsed<Url> parse_service_url(std::string_view text, const KeyInfo& /*info*/) {
  ParsedUrl parsed = parse_url(text);
  if (!parsed.url) {
    return Parsed<Url>::bad(quote(text) + " " + parsed.fault, "write it as https://HOST/PATH");
  }
  if (!parsed.url->secure) {
    return Parsed<Url>::bad(quote(text) + " is not encrypted",
                            "use https://: whoever stands in between could let anybody in");
  }
  return Parsed<Url>::ok(std::move(*parsed.url));
}

std::optional<Service> read_service(const Section& section, std::string_view name,
                                    const Files& files) {
  Service out;
  out.ca_file = files.existing(section, "ca_file", Secrecy::kPublic);
  out.ca_place = section.place_of("ca_file");
  out.url = section.value<Url>(name, parse_service_url);
  if (out.url.host.empty()) return std::nullopt;
  return out;
}

IntrospectionSessions read_introspection(const Section& section, const Files& files) {
  IntrospectionSessions out;
  out.place = section.place();
  if (auto service = read_service(section, "url", files)) out.service = std::move(*service);
  out.realm = section.value<std::string>("realm", parse_text);
  if (out.realm.empty()) out.realm = out.service.url.origin();
  out.client_id = section.value<std::string>("client_id", parse_text);
  out.client_secret_file = files.existing(section, "client_secret_file", Secrecy::kSecret);
  out.secret_place = section.place_of("client_secret_file");
  out.issuer = section.value<std::string>("issuer", parse_text);
  out.audience = section.value<std::string>("audience", parse_text);
  out.scope = section.value<std::string>("scope", parse_text);
  out.subject_claim = section.value<std::string>("subject_claim", parse_text);
  out.endpoint_claim = section.value<std::string>("endpoint_claim", parse_text);
  out.groups_claim = section.value<std::string>("groups_claim", parse_text);
  out.answers = read_answers(section);
  return out;
}

DelegatedSessions read_delegated(const Section& section, const Files& files) {
  DelegatedSessions out;
  out.place = section.place();
  out.service = read_service(section, "url", files);
  out.gateway_path = section.value<std::string>("gateway", parse_request_path);
  if (section.has("url") == section.has("gateway")) {
    section.problems().error(section.place(), "names not one who decides",
                             "give either url (an authentication service) or gateway (a path at "
                             "the endpoint's own gateway)");
  }
  out.realm = section.value<std::string>("realm", parse_text);
  out.subject_header = section.value<std::string>("subject_header", parse_field_name);
  out.groups_header = section.value<std::string>("groups_header", parse_field_name);
  for (const char* name : {"ca_file", "subject_header", "groups_header"}) {
    if (!section.has("gateway") || !section.has(name)) continue;
    section.problems().error(section.place_of(name), "goes with url only",
                             "remove it: a gateway's answer names nobody, and gateway.tls says "
                             "whom to trust");
  }
  out.answers = read_answers(section);
  return out;
}

}  // namespace kg::config
