#include "routing/feed/message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "routing/feed/limits.h"
#include "routing/feed/wire.h"

namespace kg::feed {
namespace {

// The types in the order of Message; the tags of their fields. Stable for ever.
enum Tag : uint8_t {
  kProtocolLow = 1,
  kProtocolHigh,
  kSchemaLow,
  kSchemaHigh,
  kName,
  kRound,
  kVersion,
  kDigest,
  kWhole,
  kPart,
  kReason,
  kFactsSeen,
  kFrom,
  kUpsert,
  kDelete,
  kKey,
  kNamespace,
  kEndpoint,
  kPayload,
  kId,
  kScope,
  kTagEnd,
};
static_assert(kTagEnd < kOptionalTag);

constexpr size_t kVersionBytes = 16;

std::string_view view(const Digest& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Each message is described once, by fields(): a WriteFields writes it, a ReadFields reads it.
class WriteFields {
 public:
  static constexpr bool kWrites = true;
  explicit WriteFields(Writer& writer) : writer_(writer) {}

  void operator()(Tag tag, uint64_t value) { writer_.number(tag, value); }
  void operator()(Tag tag, bool value) { writer_.number(tag, value ? 1 : 0); }
  void operator()(Tag tag, const std::string& text, size_t) { writer_.text(tag, text); }
  void operator()(Tag tag, const Digest& digest) { writer_.text(tag, view(digest)); }
  void operator()(Tag tag, const Version& version) {
    const size_t mark = writer_.open(tag);
    writer_.raw(version.term);
    writer_.raw(version.sequence);
    writer_.close(mark);
  }
  template <class T>
  void operator()(Tag tag, const std::optional<T>& value) {
    if (value) (*this)(tag, *value);
  }
  void operator()(Tag tag, const std::shared_ptr<const std::string>& text) {
    writer_.text(tag, *text);
  }
  void operator()(Tag tag, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) writer_.text(tag, key);
  }
  void operator()(Tag tag, const std::vector<Item>& items);
  void operator()(Tag tag, const Item& item);

 private:
  Writer& writer_;
};

class ReadFields {
 public:
  static constexpr bool kWrites = false;
  explicit ReadFields(std::string_view bytes) {
    Fields fields(bytes);
    for (Field field; good_ && fields.next(field);) {
      if (field.tag >= kOptionalTag) continue;
      const bool repeats = field.tag == kUpsert || field.tag == kDelete;
      good_ = field.tag > 0 && field.tag < kTagEnd && (repeats || !found_[field.tag]);
      if (!good_) break;
      if (repeats) (field.tag == kUpsert ? upserts_ : deletes_).push_back(field.bytes);
      if (!repeats) found_[field.tag] = field.bytes;
    }
    good_ = good_ && !fields.broken();
  }
  // Once all that the message has was asked for: was it all there, and nothing else?
  bool done() const noexcept {
    return good_ && upserts_.empty() && deletes_.empty() &&
           std::none_of(found_.begin(), found_.end(), [](const auto& one) { return !!one; });
  }

  void operator()(Tag tag, uint64_t& out) {
    const auto value = Field{tag, take(tag)}.number();
    good_ = good_ && value;
    out = value.value_or(0);
  }
  void operator()(Tag tag, bool& out) {
    uint64_t value = 0;
    (*this)(tag, value);
    good_ = good_ && value <= 1;
    out = value == 1;
  }
  void operator()(Tag tag, std::string& out, size_t bytes_max) {
    out = take(tag);
    good_ = good_ && out.size() <= bytes_max;
  }
  void operator()(Tag tag, Digest& out) {
    const std::string_view bytes = take(tag);
    good_ = good_ && bytes.size() == out.size();
    if (good_) std::memcpy(out.data(), bytes.data(), out.size());
  }
  void operator()(Tag tag, Version& out) {
    const std::string_view bytes = take(tag);
    good_ = good_ && bytes.size() == kVersionBytes;
    if (!good_) return;
    out.term = *Field{tag, bytes.substr(0, kVersionBytes / 2)}.number();
    out.sequence = *Field{tag, bytes.substr(kVersionBytes / 2)}.number();
  }
  template <class T>
  void operator()(Tag tag, std::optional<T>& out) {
    if (found_[tag]) (*this)(tag, out.emplace());
  }
  void operator()(Tag tag, std::shared_ptr<const std::string>& out) {
    out = std::make_shared<const std::string>(take(tag));
  }
  void operator()(Tag, std::vector<std::string>& out) {
    for (const std::string_view key : std::exchange(deletes_, {})) {
      good_ = good_ && !key.empty() && key.size() <= kKeyBytesMax;
      if (good_) out.emplace_back(key);
    }
  }
  void operator()(Tag tag, std::vector<Item>& items);

 private:
  // The one field of this tag, which must be there.
  std::string_view take(Tag tag) noexcept {
    good_ = good_ && found_[tag];
    return std::exchange(found_[tag], std::nullopt).value_or("");
  }

  std::array<std::optional<std::string_view>, kTagEnd> found_{};
  std::vector<std::string_view> upserts_;
  std::vector<std::string_view> deletes_;
  bool good_ = true;
};

template <class Io, class T>
using Of = std::conditional_t<Io::kWrites, const T, T>;

template <class Io>
void fields(Io& io, Of<Io, Item>& item) {
  io(kKey, item.key, kKeyBytesMax);
  io(kNamespace, item.scope_namespace, kNamespaceBytesMax);
  io(kEndpoint, item.endpoint, kEndpointBytesMax);
  io(kPayload, item.payload);
}
template <class Io>
void fields(Io& io, Of<Io, Hello>& hello) {
  io(kProtocolLow, hello.protocol_low);
  io(kProtocolHigh, hello.protocol_high);
  io(kSchemaLow, hello.schema_low);
  io(kSchemaHigh, hello.schema_high);
  io(kName, hello.name, kNameBytesMax);
}
template <class Io>
void fields(Io& io, Of<Io, Sync>& sync) {
  io(kRound, sync.round);
  io(kVersion, sync.held);
  io(kDigest, sync.digest);
  io(kWhole, sync.whole);
}
template <class Io>
void fields(Io& io, Of<Io, Ack>& ack) {
  io(kRound, ack.round);
  io(kVersion, ack.to);
  io(kPart, ack.part);
  io(kDigest, ack.digest);
}
template <class Io>
void fields(Io& io, Of<Io, Refuse>& refuse) {
  io(kRound, refuse.round);
  io(kVersion, refuse.to);
  io(kReason, refuse.reason, kReasonBytesMax);
}
template <class Io>
void fields(Io&, Of<Io, Rest>&) {}
template <class Io>
void fields(Io& io, Of<Io, AliveProxy>& alive) {
  io(kVersion, alive.held);
  io(kFactsSeen, alive.facts_seen);
}
template <class Io>
void fields(Io& io, Of<Io, Welcome>& welcome) {
  io(kProtocolHigh, welcome.protocol);
  io(kSchemaHigh, welcome.schema);
  io(kVersion, welcome.version);
  io(kScope, welcome.scope, kScopeTextBytesMax);
}
template <class Io>
void fields(Io& io, Of<Io, Deny>& deny) {
  io(kReason, deny.reason, kReasonBytesMax);
}
template <class Io>
void fields(Io&, Of<Io, Again>&) {}
template <class Io>
void fields(Io& io, Of<Io, Begin>& begin) {
  io(kRound, begin.round);
}
template <class Io>
void fields(Io& io, Of<Io, Update>& update) {
  io(kSchemaHigh, update.schema);
  io(kFrom, update.from);
  io(kVersion, update.to);
  io(kPart, update.part);
  io(kUpsert, update.upserts);
  io(kDelete, update.deletes);
  io(kDigest, update.digest);
}
template <class Io>
void fields(Io& io, Of<Io, AliveController>& alive) {
  io(kVersion, alive.version);
}
template <class Io>
void fields(Io& io, Of<Io, Fact>& fact) {
  io(kId, fact.id, kFactIdBytes);
  io(kNamespace, fact.scope_namespace, kNamespaceBytesMax);
  io(kEndpoint, fact.endpoint, kEndpointBytesMax);
  io(kPayload, fact.bytes, kFactBytesMax);
}

void WriteFields::operator()(Tag tag, const Item& item) {
  const size_t mark = writer_.open(tag);
  fields(*this, item);
  writer_.close(mark);
}
void WriteFields::operator()(Tag tag, const std::vector<Item>& items) {
  for (const Item& item : items) (*this)(tag, item);
}
void ReadFields::operator()(Tag, std::vector<Item>& items) {
  for (const std::string_view bytes : std::exchange(upserts_, {})) {
    ReadFields inner(bytes);
    if (good_) fields(inner, items.emplace_back());
    good_ = good_ && inner.done() && is_item(items.back());
  }
}

bool is_fine(const Hello& hello) noexcept { return is_name(hello.name); }
bool is_fine(const Fact& fact) noexcept { return fact.id.size() == kFactIdBytes; }
template <class Other>
bool is_fine(const Other&) noexcept {
  return true;
}

template <size_t index = 0>
std::optional<Message> read_message(size_t type, std::string_view bytes, const char*& problem) {
  if constexpr (index == std::variant_size_v<Message>) {
    problem = "type";
    return std::nullopt;
  } else {
    if (type != index + 1) return read_message<index + 1>(type, bytes, problem);
    std::variant_alternative_t<index, Message> message;
    ReadFields read(bytes);
    fields(read, message);
    if (read.done() && is_fine(message)) return message;
    problem = "fields";
    return std::nullopt;
  }
}

}  // namespace

std::string encode(const Message& message) {
  Writer writer(static_cast<uint8_t>(message.index() + 1));
  WriteFields write(writer);
  std::visit([&](const auto& one) { fields(write, one); }, message);
  return std::move(writer).finish();
}

std::optional<Message> parse(std::string_view bytes, const char*& problem) {
  const auto envelope = open_envelope(bytes, problem);
  if (!envelope) return std::nullopt;
  return read_message(envelope->type, envelope->fields, problem);
}

std::string encode_part(const Content& content, uint64_t part, size_t& next) {
  Update head;
  head.schema = content.schema;
  head.from = content.from;
  head.to = content.to;
  head.part = part;
  Writer writer(static_cast<uint8_t>(Message(head).index() + 1));
  WriteFields write(writer);
  fields(write, head);
  while (next < content.changes.size() && writer.size() < kPartBytes) {
    const Change& change = content.changes[next++];
    if (change.item != nullptr) write(kUpsert, *change.item);
    if (change.item == nullptr) writer.text(kDelete, change.gone);
  }
  if (next == content.changes.size()) write(kDigest, content.digest);
  return std::move(writer).finish();
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < ' ' || c >= '\x7f') c = '?';
  }
  return out;
}

bool is_item(const Item& item) noexcept {
  return !item.key.empty() && item.key.size() <= kKeyBytesMax &&
         item.scope_namespace.size() <= kNamespaceBytesMax &&
         item.endpoint.size() <= kEndpointBytesMax && item.payload != nullptr &&
         item.payload->size() <= kPayloadBytesMax;
}

size_t bytes_of(const Item& item) noexcept {
  return item.key.size() + item.scope_namespace.size() + item.endpoint.size() +
         item.payload->size();
}

}  // namespace kg::feed
