#include "routing/controller/issuer/reviews.h"

#include <algorithm>
#include <utility>

#include "routing/controller/issuer/limits.h"
#include "routing/controller/kube/object.h"

namespace kg::issuer {
namespace {

using Json = nlohmann::json;

const Json* child(const Json& object, const char* name, Json::value_t type) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->type() != type ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* name) {
  const Json* found = child(object, name, Json::value_t::string);
  return found == nullptr ? "" : found->get<std::string>();
}

// nullopt: there is something that is no list of texts.
std::optional<std::vector<std::string>> texts_of(const Json& object, const char* name) {
  std::vector<std::string> out;
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return out;
  if (!found->is_array() || found->size() > kCallerGroupsMax) return std::nullopt;
  for (const Json& one : *found) {
    if (!one.is_string()) return std::nullopt;
    out.push_back(one.get<std::string>());
  }
  return out;
}

bool is_extra(const Json& extra) {
  if (extra.is_null()) return true;
  return extra.is_object() && std::ranges::all_of(extra, [](const Json& list) {
           return list.is_array() &&
                  std::ranges::all_of(list, [](const Json& one) { return one.is_string(); });
         });
}

std::optional<Json> status_of(std::string_view answer, const char* kind) {
  std::optional<Json> review = kube::parse_json(answer);
  if (!review || text_of(*review, "kind") != kind) return std::nullopt;
  const Json* status = child(*review, "status", Json::value_t::object);
  return status == nullptr ? std::nullopt : std::optional(*status);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Caller> read_caller(const Json& status) {
  const Json* user = child(status, "user", Json::value_t::object);
  if (user == nullptr) return std::nullopt;
  Caller caller{text_of(*user, "username"), text_of(*user, "uid"), {}, nullptr};
  std::optional<std::vector<std::string>> groups = texts_of(*user, "groups");
  if (caller.name.empty() || !groups) return std::nullopt;
  caller.groups = std::move(*groups);
  if (const auto extra = user->find("extra"); extra != user->end()) caller.extra = *extra;
  if (!is_extra(caller.extra)) return std::nullopt;
  return caller;
}

}  // namespace

Secret token_review(std::string_view token, const std::vector<std::string>& audiences) {
  // Put together by hand: a tree of JSON would leave copies of the token behind. bearer_of() let
  // nothing through that JSON would escape.
  std::string body = R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{)";
  body.reserve(body.size() + token.size() + 256);
  if (!audiences.empty()) body += "\"audiences\":" + dump(Json(audiences)) + ",";
  body += "\"token\":\"";
  body += token;
  body += "\"}}";
  return Secret(std::move(body));
}

TokenVerdict read_token_review(std::string_view answer, const std::vector<std::string>& audiences) {
  const std::optional<Json> status = status_of(answer, "TokenReview");
  if (!status) return {};
  // Absent is false: the API leaves out what is empty.
  const Json* authenticated = child(*status, "authenticated", Json::value_t::boolean);
  if (authenticated == nullptr || !authenticated->get<bool>()) return {true, std::nullopt};
  std::optional<Caller> caller = read_caller(*status);
  const std::optional<std::vector<std::string>> valid_for = texts_of(*status, "audiences");
  if (!caller || !valid_for) return {};
  // An authenticator that knows nothing of audiences leaves them out: then the token is the API
  // server's own, and was not made for us.
  const bool is_for_us = audiences.empty() || std::ranges::any_of(audiences, [&](const auto& one) {
                           return std::ranges::find(*valid_for, one) != valid_for->end();
                         });
  if (!is_for_us) return {true, std::nullopt};
  return {true, std::move(caller)};
}

std::string Right::text() const {
  std::string out = verb + ' ' + resource;
  if (!subresource.empty()) out += '/' + subresource;
  return out + " named " + name + " in " + space;
}

std::string access_review(const Caller& caller, const Right& right) {
  Json attributes{{"namespace", right.space}, {"verb", right.verb},         {"group", kApiGroup},
                  {"version", "v1"},          {"resource", right.resource}, {"name", right.name}};
  if (!right.subresource.empty()) attributes["subresource"] = right.subresource;
  Json spec{{"user", caller.name}, {"groups", caller.groups}, {"resourceAttributes", attributes}};
  if (!caller.uid.empty()) spec["uid"] = caller.uid;
  if (!caller.extra.is_null()) spec["extra"] = caller.extra;
  return dump(
      {{"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SubjectAccessReview"}, {"spec", spec}});
}

AccessVerdict read_access_review(std::string_view answer) {
  const std::optional<Json> status = status_of(answer, "SubjectAccessReview");
  if (!status) return {};
  const Json* allowed = child(*status, "allowed", Json::value_t::boolean);
  const Json* denied = child(*status, "denied", Json::value_t::boolean);
  if (allowed == nullptr) return {};
  return {true, allowed->get<bool>() && (denied == nullptr || !denied->get<bool>())};
}

}  // namespace kg::issuer
