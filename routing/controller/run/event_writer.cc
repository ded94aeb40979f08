#include "routing/controller/run/event_writer.h"

#include <algorithm>
#include <utility>

#include "proxy/base/crypto.h"
#include "proxy/base/log.h"
#include "routing/controller/kube/object.h"

namespace kg::controller {
namespace {

using ingress::Finding;
using ingress::Kind;
using ingress::ObjectRef;
using ingress::Severity;
using Json = nlohmann::json;

constexpr size_t kObjectInName = 200;  // bytes of the object's name in the Event's: 253 in all
constexpr size_t kHashInName = 16;     // hex digits: 64 bits of SHA-256
constexpr const char* kForCluster = "default";  // where Events of objects without a namespace live

const Finding& well_again() {
  static const Finding finding{Severity::kNote, "Resolved",
                               "no error is left: what it asks for is served"};
  return finding;
}

// Of the uid: an object that was deleted and made again has Events of its own.
std::string event_name(const ObjectRef& ref, const std::string& uid, const Finding& finding) {
  std::string name = ref.name.name.substr(0, kObjectInName);
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  const crypto::Sha256 hash = crypto::sha256(uid + "\n" + finding.reason + "\n" + finding.message);
  const std::string digits = crypto::hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
  return name + "." + digits.substr(0, kHashInName);
}

std::string events_path(const ObjectRef& ref) {
  const std::string& space = ref.name.space;
  return "/apis/events.k8s.io/v1/namespaces/" + (space.empty() ? kForCluster : space) + "/events";
}

const char* api_version_of(Kind kind) {
  switch (kind) {
    case Kind::kIngress:
    case Kind::kIngressClass:
      return "networking.k8s.io/v1";
    case Kind::kEndpointSlice:
      return "discovery.k8s.io/v1";
    case Kind::kService:
    case Kind::kSecret:
    case Kind::kConfigMap:
      break;
  }
  return "v1";
}

const char* action_of(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "Refuse";
    case Severity::kWarning:
      return "LeaveOut";
    case Severity::kNote:
      break;
  }
  return "Serve";
}

// At a boundary of characters.
std::string shortened(const std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

// 1 without a series: it was said once.
uint64_t count_in(const std::string& body) {
  const std::optional<Json> found = kube::parse_json(body);
  if (!found || !found->is_object()) return 1;
  const auto series = found->find("series");
  if (series == found->end() || !series->is_object()) return 1;
  const auto count = series->find("count");
  const bool counts = count != series->end() && count->is_number_unsigned();
  return counts ? std::min<uint64_t>(count->get<uint64_t>(), INT32_MAX - 1) : 1;
}

std::string series_body(uint64_t count) {
  return Json{
      {"series", {{"count", count}, {"lastObservedTime", kube::micro_time(event::wall_us())}}}}
      .dump();
}

}  // namespace

EventWriter::EventWriter(event::EventLoop& loop, kube::Client& client, Options options,
                         Sources sources)
    : loop_(loop),
      options_(std::move(options)),
      sources_(std::move(sources)),
      writes_(loop, client, {kEventsPerSecond, kEventsTogether, kEventCallsMax, kEventsWaitingMax}),
      timer_(loop, [this] { look(); }) {}

void EventWriter::set_leading(bool leads) {
  if (leads == leads_) return;
  leads_ = leads;
  records_.clear();
  writes_.clear();
  if (leads) {
    timer_.arm_ms(kEventLookMs);
  } else {
    timer_.disarm();
  }
}

void EventWriter::judged(const ObjectRef& ref) {
  if (!leads_) return;
  const std::string uid = sources_.uid(ref);
  const std::vector<Finding>& findings = sources_.findings(ref);
  auto known = records_.find(ref);
  if (known == records_.end()) {
    if (uid.empty() || findings.empty()) return;
    if (records_.size() >= kEventObjectsMax) {
      ++forgotten_;
      return;
    }
    known = records_.try_emplace(ref).first;
  }
  Record& record = known->second;
  if (record.uid != uid) {  // another object, or nobody's of ours any more; its pace goes on
    record.said.clear();
    record.was_wrong = false;
    record.uid = uid;
  }
  if (!uid.empty()) say_all(ref, record, findings);
}

void EventWriter::say_all(const ObjectRef& ref, Record& record,
                          const std::vector<Finding>& findings) {
  const uint64_t now_us = loop_.now_us();
  std::map<std::string, Said> said;
  const auto keep = [&](const std::string& name) {
    const auto before = record.said.find(name);
    said[name] = before == record.said.end() ? Said{Step::kCreate, 0, now_us} : before->second;
  };
  for (const Finding& finding : findings) keep(event_name(ref, record.uid, finding));
  const bool is_wrong = std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
  const std::string good_news = event_name(ref, record.uid, well_again());
  if (!is_wrong && (record.was_wrong || record.said.contains(good_news))) keep(good_news);
  record.was_wrong = is_wrong;
  record.said = std::move(said);
  say_due(ref, record, now_us);
}

void EventWriter::look() {
  timer_.arm_ms(kEventLookMs);
  const uint64_t now_us = loop_.now_us();
  for (auto& [ref, record] : records_) say_due(ref, record, now_us);
  std::erase_if(records_, [now_us](const auto& entry) {
    return entry.second.said.empty() && entry.second.pace.is_fresh(now_us);
  });
}

void EventWriter::say_due(const ObjectRef& ref, Record& record, uint64_t now_us) {
  for (auto& [name, said] : record.said) {
    if (said.due_us == 0 || said.due_us > now_us) continue;
    if (said.count == 0) {
      if (const uint64_t wait_us = record.pace.wait_us(now_us); wait_us > 0) {
        said.due_us = now_us + wait_us;
        continue;
      }
      record.pace.take(now_us);
    }
    said.due_us = 0;
    say(ref, name);
  }
}

void EventWriter::say(const ObjectRef& ref, const std::string& name) {
  const bool added = writes_.add(
      ref.name.space + "/" + name, [this, ref, name] { return request_of(ref, name); },
      [this, ref, name](const kube::Reply& reply) { return on_reply(ref, name, reply); });
  if (added) return;
  if (Said* said = find(ref, name)) said->due_us = loop_.now_us() + uint64_t{kEventEachMs} * 1'000;
}

EventWriter::Said* EventWriter::find(const ObjectRef& ref, const std::string& name) {
  const auto record = records_.find(ref);
  if (record == records_.end()) return nullptr;
  const auto said = record->second.said.find(name);
  return said == record->second.said.end() ? nullptr : &said->second;
}

const Finding* EventWriter::finding_of(const ObjectRef& ref, const Record& record,
                                       const std::string& name) const {
  for (const Finding& finding : sources_.findings(ref)) {
    if (event_name(ref, record.uid, finding) == name) return &finding;
  }
  return event_name(ref, record.uid, well_again()) == name ? &well_again() : nullptr;
}

std::optional<kube::CallRequest> EventWriter::request_of(const ObjectRef& ref,
                                                         const std::string& name) {
  const Said* said = find(ref, name);
  if (said == nullptr) return std::nullopt;
  const Record& record = records_.at(ref);
  const Finding* finding = finding_of(ref, record, name);
  if (finding == nullptr || sources_.uid(ref) != record.uid) return std::nullopt;
  kube::CallRequest request;
  request.target = events_path(ref);
  switch (said->step) {
    case Step::kCreate:
      request.method = fetch::Method::kPost;
      request.content_type = "application/json";
      request.body = Secret(body_of(ref, record, name, *finding));
      return request;
    case Step::kRead:
      request.target += "/" + name;
      return request;
    case Step::kCount:
      break;
  }
  request.method = fetch::Method::kPatch;
  request.target += "/" + name;
  request.content_type = "application/merge-patch+json";
  request.body = Secret(series_body(said->count + 1));
  return request;
}

std::string EventWriter::body_of(const ObjectRef& ref, const Record& record,
                                 const std::string& name, const Finding& finding) const {
  const std::string& space = ref.name.space;
  Json regarding{{"apiVersion", api_version_of(ref.kind)},
                 {"kind", ingress::name_of(ref.kind)},
                 {"name", ref.name.name},
                 {"uid", record.uid}};
  if (!space.empty()) regarding["namespace"] = space;
  return Json{{"apiVersion", "events.k8s.io/v1"},
              {"kind", "Event"},
              {"metadata", {{"name", name}, {"namespace", space.empty() ? kForCluster : space}}},
              {"eventTime", kube::micro_time(event::wall_us())},
              {"reportingController", options_.controller},
              {"reportingInstance", shortened(options_.instance, kEventInstanceBytesMax)},
              {"action", action_of(finding.severity)},
              {"type", finding.severity == Severity::kNote ? "Normal" : "Warning"},
              {"reason", finding.reason},
              {"note", shortened(finding.message, kEventNoteBytesMax)},
              {"regarding", std::move(regarding)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool EventWriter::on_reply(const ObjectRef& ref, const std::string& name,
                           const kube::Reply& reply) {
  Said* said = find(ref, name);
  if (said == nullptr) return true;
  const Step step = said->step;
  if (reply.ok() && step != Step::kRead) {
    on_written(ref, name, *said, said->count + 1);
  } else if (reply.ok()) {
    said->count = count_in(reply.body);
    said->step = Step::kCount;
    say(ref, name);
  } else if (step == Step::kCreate && reply.status == kube::kConflict) {
    said->step = Step::kRead;
    say(ref, name);
  } else if (step != Step::kCreate && reply.status == kube::kNotFound) {
    *said = {};
    say(ref, name);
  } else {
    said->due_us = loop_.now_us() + uint64_t{kEventRepeatMs} * 1'000;
    log_failure(ref, reply);
    return false;
  }
  return true;
}

void EventWriter::on_written(const ObjectRef& ref, const std::string& name, Said& said,
                             uint64_t count) {
  failed_status_.reset();
  said.count = count;
  said.step = Step::kCount;
  said.due_us = loop_.now_us() + uint64_t{kEventRepeatMs} * 1'000;
  const auto record = records_.find(ref);
  if (name != event_name(ref, record->second.uid, well_again())) return;
  record->second.said.erase(name);  // good news are told once
}

void EventWriter::log_failure(const ObjectRef& ref, const kube::Reply& reply) {
  if (std::exchange(failed_status_, reply.status) == reply.status) return;
  log::warn("events", "an Event of {} is not written, nor are others like it: {}", ref.text(),
            reply.problem);
}

}  // namespace kg::controller
