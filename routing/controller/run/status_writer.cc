#include "routing/controller/run/status_writer.h"

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/event/address.h"
#include "routing/controller/kube/object.h"

namespace kg::controller {
namespace {

using ingress::list;
using ingress::member;
using ingress::text;
using Json = nlohmann::json;

bool is_numeric(const std::string& address) {
  return event::SocketAddress::parse(address, 1).has_value();
}

void add_address(Json& out, std::string_view address) {
  if (address.empty() || address == "None") return;
  Json entry{{is_numeric(std::string(address)) ? "ip" : "hostname", address}};
  if (std::ranges::find(out, entry) == out.end() && out.size() < kStatusAddressesMax)
    out.push_back(std::move(entry));
}

// What counts of such a list, in one order: equal texts mean equal addresses.
std::string text_of(const Json& addresses) {
  std::vector<Json> entries;
  for (const Json& entry : addresses) {
    Json kept = Json::object();
    for (const char* key : {"ip", "hostname"}) {
      if (const std::string_view value = text(entry, key); !value.empty()) kept[key] = value;
    }
    if (!kept.empty()) entries.push_back(std::move(kept));
  }
  std::ranges::sort(entries, [](const Json& a, const Json& b) { return a.dump() < b.dump(); });
  return Json(entries).dump();
}

const std::string kNoAddress = "[]";

}  // namespace

Json addresses_of(const Json& service) {
  Json out = Json::array();
  const Json& spec = member(service, "spec");
  const std::string_view type = text(spec, "type");
  if (type == "ExternalName") {
    add_address(out, text(spec, "externalName"));
    return out;
  }
  if (type == "LoadBalancer") {
    const Json& balancer = member(member(service, "status"), "loadBalancer");
    for (const Json& entry : list(balancer, "ingress")) {
      add_address(out, text(entry, "ip"));
      add_address(out, text(entry, "hostname"));
    }
  }
  for (const Json& address : list(spec, "externalIPs")) add_address(out, text(address));
  if (out.empty() && type != "LoadBalancer") add_address(out, text(spec, "clusterIP"));
  return out;
}

std::string StatusWriter::check(const Options& options) {
  if (options.service && !options.addresses.empty())
    return "--status-service and --status-address: give one of them";
  if (options.addresses.size() > kStatusAddressesMax)
    return "--status-address: at most " + std::to_string(kStatusAddressesMax);
  for (const std::string& address : options.addresses) {
    if (!is_numeric(address) && !ingress::is_name(address))
      return "--status-address " + ingress::quote(address) + ": write an IP address or a host name";
  }
  return "";
}

StatusWriter::StatusWriter(event::EventLoop& loop, kube::Client& client, const Options& options,
                           std::function<Belonging(const Name&)> belonging,
                           std::function<void()> on_due)
    : loop_(loop),
      belonging_(std::move(belonging)),
      on_due_(std::move(on_due)),
      writes_(loop, client,
              {kStatusPerSecond, kStatusTogether, kStatusCallsMax, kStatusWaitingMax}),
      timer_(loop, [this] { on_due_(); }) {
  Json addresses = Json::array();
  for (const std::string& address : options.addresses) add_address(addresses, address);
  if (!addresses.empty()) wanted_ = text_of(addresses);
  if (!options.service) return;
  const kube::Selection selection{{"", "v1", "services", "Service"},
                                  options.service->space,
                                  "",
                                  "metadata.name=" + options.service->name};
  kube::Handler& handler = *this;  // whom make_unique may not see as one
  service_ = std::make_unique<kube::Reflector>(loop, client, selection, handler);
}

void StatusWriter::start() {
  if (service_ != nullptr) service_->start();
}

void StatusWriter::set_leading(bool leads) {
  if (leads == leads_) return;
  leads_ = leads;
  if (leads) return look_at_all();
  writes_.clear();
  timer_.disarm();
}

bool StatusWriter::on_upsert(const Json& service) {
  want(addresses_of(service));
  return true;
}

void StatusWriter::on_synced() {
  if (wanted_) return;
  log::warn("status", "{} named {} are none: make the Service, or no status is written",
            service_->selection().text(), service_->selection().field_selector);
}

void StatusWriter::on_remove(const std::string& namespace_name, const std::string& name) {
  log::warn("status", "Service {}/{} is gone: the Ingresses keep the addresses that they have",
            namespace_name, name);
  wanted_.reset();
  writes_.clear();
}

void StatusWriter::want(const Json& addresses) {
  std::string fresh = text_of(addresses);
  if (fresh == wanted_) return;
  log::info("status", "Ingresses are reached at addresses={}", fresh);
  wanted_ = std::move(fresh);
  look_at_all();
  timer_.arm_ms(0);
}

void StatusWriter::saw(const Json& ingress) {
  const auto head = kube::head_of(ingress);
  if (!head) return;
  const Name name{std::string(head->namespace_name), std::string(head->name)};
  Known& known = known_[name];
  known.version = head->resource_version;
  known.says = text_of(list(member(member(ingress, "status"), "loadBalancer"), "ingress"));
  due_.insert(name);
}

void StatusWriter::gone(const Name& name) {
  known_.erase(name);
  due_.erase(name);
}

void StatusWriter::look_at_all() {
  for (const auto& [name, known] : known_) due_.insert(due_.end(), name);
}

const std::string* StatusWriter::target_of(const Name& name, const Known& known) const {
  if (!wanted_) return nullptr;
  const Belonging belonging = belonging_(name);
  if (belonging == Belonging::kOurs) return known.says == *wanted_ ? nullptr : &*wanted_;
  const bool is_left = belonging == Belonging::kOthers && known.was_ours;
  return is_left && known.says == *wanted_ && known.says != kNoAddress ? &kNoAddress : nullptr;
}

void StatusWriter::look() {
  if (!leads_ || !wanted_) return;
  const uint64_t now_us = loop_.now_us();
  std::set<Name> later;
  for (const Name& name : std::exchange(due_, {})) {
    const auto known = known_.find(name);
    if (known == known_.end()) continue;
    if (belonging_(name) == Belonging::kOurs) known->second.was_ours = true;
    if (target_of(name, known->second) == nullptr) continue;
    if (known->second.not_before_us > now_us) {
      later.insert(name);
      continue;
    }
    const bool added = writes_.add(
        name.text(), [this, name] { return request_of(name); },
        [this, name](const kube::Reply& reply) { return on_reply(name, reply); });
    if (!added) later.insert(name);
  }
  due_ = std::move(later);
  if (!due_.empty()) timer_.arm_ms(kStatusAgainMs / 2);
}

std::optional<kube::CallRequest> StatusWriter::request_of(const Name& name) const {
  const auto known = known_.find(name);
  const std::string* says = known == known_.end() ? nullptr : target_of(name, known->second);
  if (says == nullptr) return std::nullopt;
  kube::CallRequest request;
  request.method = fetch::Method::kPatch;
  request.target =
      "/apis/networking.k8s.io/v1/namespaces/" + name.space + "/ingresses/" + name.name + "/status";
  request.content_type = "application/merge-patch+json";
  request.body = Secret(Json{{"metadata", {{"resourceVersion", known->second.version}}},
                             {"status", {{"loadBalancer", {{"ingress", Json::parse(*says)}}}}}}
                            .dump());
  return request;
}

bool StatusWriter::on_reply(const Name& name, const kube::Reply& reply) {
  const auto known = known_.find(name);
  // Of one that changed the watch brings what it is now, and with that it is due again.
  if (known == known_.end() || reply.status == kube::kNotFound || reply.status == kube::kConflict)
    return true;
  known->second.not_before_us = loop_.now_us() + uint64_t{kStatusAgainMs} * 1'000;
  if (reply.ok()) {
    failed_status_.reset();
    if (belonging_(name) != Belonging::kOurs) known->second.was_ours = false;
    // As the server has it now; the watch may be later than this.
    if (const std::optional<Json> written = kube::parse_json(reply.body)) saw(*written);
    return true;
  }
  due_.insert(name);
  timer_.arm_ms(kStatusAgainMs / 2);
  if (std::exchange(failed_status_, reply.status) != reply.status) {
    log::warn("status", "the status of Ingress {} is not written, nor are others like it: {}",
              name.text(), reply.problem);
  }
  return false;
}

}  // namespace kg::controller
