#include "routing/feed/wire.h"

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"

namespace kg::feed {
namespace {

constexpr std::string_view kMessageMagic = "KGF";
constexpr size_t kEnvelopeHeadBytes = kMessageMagic.size() + 2;
constexpr size_t kChecksumBytes = sizeof(crypto::Sha256);
constexpr size_t kFieldLengthBytes = 4;
constexpr size_t kFieldHeadBytes = 1 + kFieldLengthBytes;

uint64_t read_big_endian(std::string_view bytes) noexcept {
  uint64_t value = 0;
  for (const char c : bytes) value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

void write_big_endian(uint64_t value, size_t bytes, char* out) noexcept {
  for (size_t i = bytes; i-- > 0; value >>= 8U) out[i] = static_cast<char>(value & 0xffU);
}

}  // namespace

Writer::Writer(uint8_t type) : out_(kMessageMagic) {
  out_.push_back(static_cast<char>(kProtocol));
  out_.push_back(static_cast<char>(type));
}

void Writer::text(uint8_t tag, std::string_view bytes) {
  const size_t mark = open(tag);
  out_.append(bytes);
  close(mark);
}

void Writer::number(uint8_t tag, uint64_t value) {
  const size_t mark = open(tag);
  raw(value);
  close(mark);
}

void Writer::raw(uint64_t value) {
  out_.append(sizeof(value), '\0');
  write_big_endian(value, sizeof(value), out_.data() + out_.size() - sizeof(value));
}

size_t Writer::open(uint8_t tag) {
  out_.push_back(static_cast<char>(tag));
  out_.append(kFieldLengthBytes, '\0');
  return out_.size();
}

void Writer::close(size_t mark) {
  const size_t size = out_.size() - mark;
  KG_ASSERT(size <= UINT32_MAX);
  write_big_endian(size, kFieldLengthBytes, out_.data() + mark - kFieldLengthBytes);
}

std::string Writer::finish() && {
  const crypto::Sha256 sum = crypto::sha256(out_);
  out_.append(reinterpret_cast<const char*>(sum.data()), sum.size());
  return std::move(out_);
}

std::optional<uint64_t> Field::number() const noexcept {
  if (bytes.size() != sizeof(uint64_t)) return std::nullopt;
  return read_big_endian(bytes);
}

bool Fields::next(Field& field) noexcept {
  if (left_.empty()) return false;
  const bool has_head = left_.size() >= kFieldHeadBytes;
  const uint64_t size = has_head ? read_big_endian(left_.substr(1, kFieldLengthBytes)) : 0;
  if (!has_head || size > left_.size() - kFieldHeadBytes) {
    broken_ = true;
    return false;
  }
  field.tag = static_cast<uint8_t>(left_.front());
  field.bytes = left_.substr(kFieldHeadBytes, size);
  left_.remove_prefix(kFieldHeadBytes + size);
  return true;
}

std::optional<Envelope> open_envelope(std::string_view message, const char*& problem) noexcept {
  problem = "form";
  if (message.size() < kEnvelopeHeadBytes + kChecksumBytes || !message.starts_with(kMessageMagic)) {
    return std::nullopt;
  }
  problem = "protocol";
  if (static_cast<uint8_t>(message[kMessageMagic.size()]) != kProtocol) return std::nullopt;
  problem = "checksum";
  const std::string_view summed = message.substr(0, message.size() - kChecksumBytes);
  const crypto::Sha256 sum = crypto::sha256(summed);
  const std::string_view said = message.substr(summed.size());
  if (said != std::string_view(reinterpret_cast<const char*>(sum.data()), sum.size())) {
    return std::nullopt;
  }
  problem = "";
  return Envelope{static_cast<uint8_t>(message[kMessageMagic.size() + 1]),
                  summed.substr(kEnvelopeHeadBytes)};
}

}  // namespace kg::feed
