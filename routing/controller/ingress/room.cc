#include "routing/controller/ingress/room.h"

#include <utility>

namespace kg::ingress {
namespace {

// Of an entry in the store and of one in the list of what is known, each with names and version.
constexpr size_t kEntryBytes = 400;
constexpr size_t kNodeBytes = 48;  // of a map, and the allocator's own

size_t bytes_of(const std::string& text) { return sizeof(std::string) + text.size(); }

size_t bytes_of(const TextMap& map) {
  size_t out = 0;
  for (const auto& [key, value] : map) out += kNodeBytes + bytes_of(key) + bytes_of(value);
  return out;
}

size_t bytes_of(const Metadata& meta) {
  return kEntryBytes + 2 * (meta.name.space.size() + meta.name.name.size()) +
         bytes_of(meta.labels) + bytes_of(meta.annotations);
}

size_t bytes_of(const Target& target) {
  return sizeof(target) + target.service.size() + target.port_name.size();
}

}  // namespace

size_t kept_bytes(const IngressSource& source) {
  size_t out = bytes_of(source.meta) + source.class_name.size();
  for (const Rule& rule : source.rules)
    out += sizeof(rule) + rule.host.size() + rule.path.size() + bytes_of(rule.target);
  for (const Target& target : source.targets) out += bytes_of(target);
  for (const TlsEntry& entry : source.tls) {
    out += sizeof(entry) + entry.secret.size();
    for (const std::string& host : entry.hosts) out += bytes_of(host);
  }
  for (const Finding& finding : source.findings) out += sizeof(finding) + finding.message.size();
  return out;
}

size_t kept_bytes(const ClassSource& source) {
  return bytes_of(source.meta) + source.controller.size();
}

size_t kept_bytes(const ServiceSource& source) {
  size_t out = bytes_of(source.meta);
  for (const ServicePort& port : source.ports)
    out += sizeof(port) + port.name.size() + port.app_protocol.size();
  return out;
}

size_t kept_bytes(const SliceSource& source) {
  size_t out = bytes_of(source.meta) + kNodeBytes + 2 * source.service.size();
  for (const SlicePort& port : source.ports) out += sizeof(port) + port.name.size();
  for (const SliceEndpoint& endpoint : source.endpoints)
    out += sizeof(endpoint) + endpoint.address.size() + endpoint.pod.size() + endpoint.uid.size();
  return out;
}

size_t kept_bytes(const SecretSource& source) {
  size_t out = bytes_of(source.meta) + source.type.size();
  for (const auto& [key, value] : source.values)
    out += sizeof(value) + bytes_of(key) + value.reveal().size();
  return out;
}

size_t kept_bytes(const MapSource& source) { return bytes_of(source.meta) + bytes_of(source.data); }

bool Room::take(const std::string& space, size_t before, size_t bytes) {
  give(space, before);
  Space& room = spaces_[space];
  const size_t most = before == 0 ? bytes_max_ : 2 * bytes_max_;
  if (room.bytes + bytes <= most) {
    room.bytes += bytes;
    return true;
  }
  if (!std::exchange(room.is_full, true)) ++full_;
  return false;
}

void Room::give(const std::string& space, size_t bytes) {
  if (bytes == 0) return;
  const auto room = spaces_.find(space);
  room->second.bytes -= bytes;
  if (room->second.bytes == 0 && !room->second.is_full) spaces_.erase(room);
}

bool Room::open_again() {
  bool opens = false;
  for (auto room = spaces_.begin(); room != spaces_.end();) {
    Space& space = room->second;
    if (space.is_full && space.bytes <= bytes_max_ / 2) {
      opens = true;
      space.is_full = false;
      --full_;
    }
    room = space.bytes == 0 && !space.is_full ? spaces_.erase(room) : std::next(room);
  }
  return opens;
}

}  // namespace kg::ingress
