#include "routing/route_book.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "config/config.h"
#include "proxy/base/assert.h"
#include "proxy/base/log.h"

namespace kg::routing {
namespace {

// Its sessions hold the address of a pod: they are as new as the pods.
bool asks_its_gateway(const config::Endpoint& endpoint) {
  return std::ranges::any_of(endpoint.sessions.authenticators, [](const auto& link) {
    const auto* delegated = std::get_if<config::DelegatedSessions>(&link);
    return delegated != nullptr && !delegated->service;
  });
}

std::vector<EndpointRef> endpoints_of(const std::vector<Route>& routes) {
  std::vector<EndpointRef> out;
  for (const Route& route : routes) {
    if (std::ranges::find(out, route.endpoint) == out.end()) out.push_back(route.endpoint);
  }
  return out;
}

}  // namespace

void RouteBook::adopt(Snapshot file, std::vector<EndpointRef> endpoints) {
  file_ = std::move(file);
  file_endpoints_ = std::move(endpoints);
  file_ids_.clear();
  for (const EndpointRef& endpoint : file_endpoints_) file_ids_.insert(endpoint->id);
  version_ = file_->version();
  std::vector<Route> all;
  for (auto& [key, held] : announced_) std::ranges::move(effective(held), std::back_inserter(all));
  snapshot_ = all.empty() ? file_ : file_->edited(version_, {}, std::move(all));
}

std::vector<Route> RouteBook::effective(const Held& held) const {
  if (file_ids_.contains(held.id)) return {};
  std::vector<Route> out;
  for (const Route& route : held.routes) {
    if (!file_->has(route)) out.push_back(route);
  }
  return out;
}

std::string RouteBook::update(std::span<const feed::Item> upserts,
                              std::span<const std::string> deletes, bool whole, Change& out) {
  KG_ASSERT(file_ != nullptr);
  std::map<std::string, Staged> staged;
  std::set<std::string> leaving(deletes.begin(), deletes.end());
  std::set<std::string> named;
  for (const feed::Item& item : upserts) {
    if (!item.key.starts_with(kEndpointKey)) continue;
    named.insert(item.key);
    const auto held = announced_.find(item.key);
    if (held != announced_.end() && *held->second.payload == *item.payload) continue;
    std::string problem = stage(item, staged);
    if (!problem.empty()) return item.key + ": " + problem;
    leaving.insert(item.key);  // the one before it
  }
  if (whole) {
    for (const auto& [key, held] : announced_) {
      if (!named.contains(key)) leaving.insert(key);
    }
  }
  std::map<std::string, std::string> rules;
  std::map<std::string, std::string> ids;
  for (const auto& [key, entry] : staged) {
    std::string clash = find_clash(key, entry.held, leaving);
    for (const Route& route : entry.held.routes) {
      const auto [first, is_new] = rules.try_emplace(rule_of(route), key);
      if (!is_new && first->second != key) clash = fmt::format("has a route of {}", first->second);
    }
    const auto [same, is_new] = ids.try_emplace(entry.held.id, key);
    if (!is_new) clash = fmt::format("has the id of {}", same->second);
    if (!clash.empty()) return fmt::format("{}: {}", key, clash);
  }
  Change change;
  std::vector<Route> without;
  std::vector<Route> with;
  for (const std::string& key : leaving) {
    const auto held = announced_.find(key);
    const auto next = staged.find(key);
    if (held == announced_.end()) continue;
    if (next == staged.end() || next->second.held.digest != held->second.digest) {
      change.judged_anew.insert(held->second.id);
    }
    remove(key, without, change);
  }
  for (auto& [key, entry] : staged) add(key, std::move(entry), with, change);
  snapshot_ = snapshot_->edited(++version_, without, std::move(with));
  change.snapshot = snapshot_;
  out = std::move(change);
  return "";
}

std::string RouteBook::stage(const feed::Item& item, std::map<std::string, Staged>& staged) {
  ReadAnnounced read = read_announced(*item.payload);
  if (!read.endpoint) return std::move(read.problem);
  EndpointCompiler compiler(slots_, sources_, pods_, contexts_);
  Staged made;
  made.held.payload = item.payload;
  made.held.id = read.endpoint->endpoint.id;
  made.held.digest = read.endpoint->digest;
  const auto before = announced_.find(item.key);
  auth::SessionsRef sessions;
  if (before != announced_.end() && before->second.digest == made.held.digest &&
      !before->second.endpoints.empty() && !asks_its_gateway(read.endpoint->endpoint)) {
    sessions = before->second.endpoints.front()->sessions;
  }
  made.held.routes = compile_announced(*read.endpoint, compiler, sessions);
  made.held.endpoints = endpoints_of(made.held.routes);
  for (const config::ConfigError& error : compiler.take_errors()) {
    if (!error.warning) return error.key + ": " + error.problem;
  }
  made.announced = std::move(*read.endpoint);
  staged.insert_or_assign(item.key, std::move(made));
  return "";
}

// With what stays.
std::string RouteBook::find_clash(const std::string& key, const Held& held,
                                  const std::set<std::string>& leaving) const {
  const auto same_id = ids_.find(held.id);
  if (same_id != ids_.end() && same_id->second != key && !leaving.contains(same_id->second)) {
    return "has the id of " + same_id->second;
  }
  for (const Route& route : held.routes) {
    const auto owner = owners_.find(rule_of(route));
    if (owner != owners_.end() && owner->second != key && !leaving.contains(owner->second)) {
      return "has a route of " + owner->second;
    }
  }
  return "";
}

void RouteBook::remove(const std::string& key, std::vector<Route>& without, Change& change) {
  const auto found = announced_.find(key);
  if (found == announced_.end()) return;
  Held& held = found->second;
  for (const Route& route : held.routes) owners_.erase(rule_of(route));
  std::ranges::move(effective(held), std::back_inserter(without));
  std::ranges::move(held.endpoints, std::back_inserter(change.gone));
  ids_.erase(held.id);
  announced_.erase(found);
}

void RouteBook::add(const std::string& key, Staged staged, std::vector<Route>& with,
                    Change& change) {
  mark_ready_pods(staged.announced, staged.held.routes);
  Held& held = announced_[key] = std::move(staged.held);
  ids_[held.id] = key;
  for (const Route& route : held.routes) owners_[rule_of(route)] = key;
  std::vector<Route> routes = effective(held);
  if (routes.size() < held.routes.size()) {
    log::warn("feed", "the configuration file has the id or a route of announced endpoint {}",
              held.id);
  }
  std::ranges::move(routes, std::back_inserter(with));
  std::ranges::copy(held.endpoints, std::back_inserter(change.fresh));
}

std::vector<EndpointRef> RouteBook::endpoints() const {
  std::vector<EndpointRef> all = file_endpoints_;
  for (const auto& [key, held] : announced_)
    std::ranges::copy(held.endpoints, std::back_inserter(all));
  return all;
}

}  // namespace kg::routing
