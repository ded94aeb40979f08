#include "routing/fleet_keys.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/kernel/kernel_id.h"
#include "proxy/tls/ticket_keys.h"

namespace kg::routing {
namespace {

constexpr std::array<std::pair<KeyKind, std::string_view>, 3> kKinds{
    {{KeyKind::kFeed, "feed"},
     {KeyKind::kKernelIds, "kernel-ids"},
     {KeyKind::kTickets, "tickets"}}};
constexpr unsigned kEpochs = 8;          // of kernel ids
constexpr size_t kTextBytesMax = 2'048;  // reserved at once: growing would leave copies behind
constexpr size_t kKernelIdSecretBytes = 32;

std::string_view first_line(std::string_view text) {
  return ascii::trim(text.substr(0, text.find_first_of("\r\n")));
}

std::string base64_of_random(size_t bytes) {
  std::string raw(bytes, '\0');
  crypto::random_bytes(raw.data(), raw.size());
  std::string text = ascii::base64_encode(raw);
  explicit_bzero(raw.data(), raw.size());
  return text;
}

// Lines that hold something: neither empty nor comments.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = ascii::trim(line);
    if (!line.empty() && line.front() != '#') out.push_back(line);
  }
  return out;
}

void put_pair(KeyTexts& keys, const std::string& suffix, const feed::KeyPair& pair) {
  keys[suffix] = Secret(std::string(pair.secret_key.reveal()) + "\n");
  keys[suffix + std::string(kPublicSuffix)] = Secret(pair.public_key + "\n");
}

std::optional<feed::KeyPair> pair_at(const KeyTexts& keys, std::string_view suffix) {
  const auto found = keys.find(suffix);
  if (found == keys.end()) return std::nullopt;
  return feed::keys_of(Secret(std::string(first_line(found->second.reveal()))));
}

std::optional<KeyTexts> rotated_pairs(const KeyTexts& keys, std::string& problem) {
  const auto current = pair_at(keys, "");
  const auto next = pair_at(keys, kNextSuffix);
  if (!current || (!next && keys.contains(kNextSuffix))) {
    problem = "is not one secret key of 40 characters";
    return std::nullopt;
  }
  KeyTexts out;
  put_pair(out, "", next ? *next : *current);
  put_pair(out, std::string(kNextSuffix), feed::make_keys());
  return out;
}

struct KernelIdLine {
  unsigned epoch;
  std::string_view state;
  std::string_view secret;
};

// Of a text that KernelIdKeys reads.
KernelIdLine kernel_id_line(std::string_view line) {
  const size_t state = line.find_first_not_of(" \t", 1);
  const size_t state_end = line.find_first_of(" \t", state);
  return {static_cast<unsigned>(line[0] - '0'), line.substr(state, state_end - state),
          ascii::trim(line.substr(state_end))};
}

// Behind the newest, so that an epoch comes again as late as can be.
unsigned free_epoch(const std::vector<KernelIdLine>& lines, unsigned newest) {
  unsigned epoch = newest;
  for (unsigned step = 1; step < kEpochs; ++step) {
    epoch = (newest + step) % kEpochs;
    bool is_free = true;
    for (const KernelIdLine& line : lines) is_free = is_free && line.epoch != epoch;
    if (is_free) break;
  }
  return epoch;
}

void add_line(unsigned epoch, std::string_view state, std::string_view secret, std::string& out) {
  out += std::to_string(epoch) + " ";
  out.append(state).append(" ").append(secret).append("\n");
}

std::optional<std::string> rotated_kernel_ids(std::string_view text, std::string& problem) {
  if (kernel::KernelIdKeys::parse(text, problem) == nullptr) return std::nullopt;
  std::vector<KernelIdLine> next;
  std::vector<KernelIdLine> current;
  std::vector<KernelIdLine> previous;
  for (const std::string_view text_line : lines_of(text)) {
    const KernelIdLine line = kernel_id_line(text_line);
    (line.state == "next" ? next : (line.state == "current" ? current : previous)).push_back(line);
  }
  if (next.size() > 1) {
    problem = "has more than one next key";
    return std::nullopt;
  }
  if (!next.empty()) {
    previous.insert(previous.begin(), current.front());
    current = std::move(next);
  }
  if (previous.size() > kPreviousKernelIdKeys) previous.resize(kPreviousKernelIdKeys);
  std::vector<KernelIdLine> used = previous;
  used.push_back(current.front());
  std::string out;
  out.reserve(kTextBytesMax);
  const unsigned epoch = free_epoch(used, current.front().epoch);
  add_line(epoch, "next", base64_of_random(kKernelIdSecretBytes), out);
  add_line(current.front().epoch, "current", current.front().secret, out);
  for (const KernelIdLine& line : previous) add_line(line.epoch, "previous", line.secret, out);
  return out;
}

std::optional<std::string> rotated_tickets(std::string_view text, std::string& problem) {
  if (tls::TicketKeys::parse(text, problem) == nullptr) return std::nullopt;
  std::string out;
  out.reserve(kTextBytesMax);
  out.append(base64_of_random(tls::TicketKeys::kKeyBytes)).append("\n");
  return out.append(lines_of(text).front()).append("\n");
}

std::string line_at(const KeyTexts& keys, std::string_view suffix) {
  const auto found = keys.find(suffix);
  return found == keys.end() ? "" : std::string(first_line(found->second.reveal()));
}

}  // namespace

std::string_view key_kind_name(KeyKind kind) noexcept {
  for (const auto& [known, name] : kKinds) {
    if (known == kind) return name;
  }
  return "";
}

std::optional<KeyKind> key_kind_named(std::string_view name) noexcept {
  for (const auto& [kind, known] : kKinds) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

KeyTexts new_keys(KeyKind kind) {
  KeyTexts out;
  switch (kind) {
    case KeyKind::kFeed:
      put_pair(out, "", feed::make_keys());
      break;
    case KeyKind::kKernelIds:
      out[""] = Secret(kernel::KernelIdKeys::new_file_text());
      break;
    case KeyKind::kTickets:
      out[""] = Secret(base64_of_random(tls::TicketKeys::kKeyBytes) + "\n");
      break;
  }
  return out;
}

std::optional<KeyTexts> rotated_keys(KeyKind kind, const KeyTexts& keys, std::string& problem) {
  const auto found = keys.find("");
  if (found == keys.end()) {
    problem = "holds no key";
    return std::nullopt;
  }
  if (kind == KeyKind::kFeed) return rotated_pairs(keys, problem);
  std::optional<std::string> text = kind == KeyKind::kKernelIds
                                        ? rotated_kernel_ids(found->second.reveal(), problem)
                                        : rotated_tickets(found->second.reveal(), problem);
  if (!text) return std::nullopt;
  KeyTexts out;
  out[""] = Secret(std::move(*text));
  return out;
}

std::optional<feed::KeyPair> feed_keys_of(const KeyTexts& keys) { return pair_at(keys, ""); }

std::string public_key_of(const KeyTexts& keys) { return line_at(keys, kPublicSuffix); }

std::string next_public_key_of(const KeyTexts& keys) { return line_at(keys, ".next.pub"); }

}  // namespace kg::routing
