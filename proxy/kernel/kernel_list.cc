#include "proxy/kernel/kernel_list.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel {
namespace {

constexpr std::string_view kFraction = ".000000";

// Whether the text is JSON at all is the library's to say; where its parts begin and end, which the
// library does not tell, is ours.
class DepthGuard final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(size_t /*elements*/) override {
    return ++depth_ <= limits::kKernelJsonDepthMax;
  }
  bool end_object() override { return --depth_, true; }
  bool start_array(size_t /*elements*/) override { return ++depth_ <= limits::kKernelJsonDepthMax; }
  bool end_array() override { return --depth_, true; }
  bool key(string_t& /*name*/) override { return true; }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return false;
  }

 private:
  size_t depth_ = 0;
};

bool is_json(std::string_view text) {
  DepthGuard guard;
  return text.find('\0') == std::string_view::npos &&
         nlohmann::json::sax_parse(text.begin(), text.end(), &guard);
}

// "2026-11-26T15:24:15Z", nothing finer.
bool lacks_fraction(std::string_view time) noexcept {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
  return time.size() == kForm.size() &&
         std::equal(time.begin(), time.end(), kForm.begin(), [](char c, char form) {
           return form == 'd' ? c >= '0' && c <= '9' : c == form;
         });
}

// Walks over text that is known to be JSON.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  char peek() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) < 4) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  size_t at() const noexcept { return at_; }
  std::string_view since(size_t begin) const noexcept { return text_.substr(begin, at_ - begin); }

  // Between the quotes, as written.
  std::string_view string() {
    take('"');
    const size_t begin = at_;
    while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2U : 1U;
    return text_.substr(begin, at_++ - begin);
  }
  // Over one value of any kind.
  void skip() {
    size_t depth = 0;
    do {
      const char c = peek();
      if (c == '"') {
        string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at_;
      } else if (c == ',' || c == ':') {
        ++at_;
      } else {  // a number or a word
        while (std::string_view(" \t\r\n,:]}").find(text_[at_]) == std::string_view::npos) ++at_;
      }
    } while (depth > 0);
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

uint32_t count_of(std::string_view number) noexcept {
  uint32_t count = 0;
  const char* const end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, count);
  return error == std::errc() && stop == end ? count : 0;
}

ListedKernel::State listed_state_of(std::string_view word) noexcept {
  if (word == "idle") return ListedKernel::State::kIdle;
  return word == "busy" ? ListedKernel::State::kBusy : ListedKernel::State::kOther;
}

// False if the entry cannot be judged.
bool read_member(Walker& walker, size_t entry_begin, ListedKernel& kernel) {
  walker.peek();
  const std::string_view name = walker.string();
  if (name.find('\\') != std::string_view::npos) return false;
  walker.take(':');
  const bool is_text = walker.peek() == '"';
  if (name == "id") {
    if (!is_text || !kernel.id.empty()) return false;
    kernel.id = walker.string();
    return is_kernel_id(kernel.id);
  }
  const size_t begin = walker.at();
  if (!is_text) {
    walker.skip();
    if (name == "connections") kernel.connections = count_of(walker.since(begin));
    return true;
  }
  const std::string_view text = walker.string();
  if (name == "last_activity") {
    kernel.last_activity = text;
    const size_t before_z = walker.at() - 2 - entry_begin;
    kernel.fraction_at = lacks_fraction(text) ? static_cast<uint32_t>(before_z) : 0;
  } else if (name == "execution_state") {
    kernel.state = listed_state_of(text);
  }
  return true;
}

bool read_entry(Walker& walker, ListedKernel& kernel) {
  if (walker.peek() != '{') return false;
  const size_t begin = walker.at();
  walker.take('{');
  while (!walker.take('}')) {
    if (!read_member(walker, begin, kernel)) return false;
    walker.take(',');
  }
  kernel.text = walker.since(begin);
  return !kernel.id.empty();
}

// Later than the other's; a time without a fraction is the beginning of its second.
bool is_fresher(const ListedKernel& a, const ListedKernel& b) noexcept {
  const auto instant = [](std::string_view time) { return time.substr(0, time.find('Z')); };
  if ((a.connections > 0) != (b.connections > 0)) return a.connections > 0;
  return a.connections == 0 && instant(a.last_activity) > instant(b.last_activity);
}

}  // namespace

std::optional<KernelList> KernelList::read(std::string body) {
  if (body.size() > limits::kListBytesMax || !is_json(body)) return std::nullopt;
  KernelList list(std::move(body));
  Walker walker(*list.body_);
  if (!walker.take('[')) return std::nullopt;
  while (!walker.take(']')) {
    if (list.kernels_.size() == limits::kListEntriesMax) return std::nullopt;
    ListedKernel& kernel = list.kernels_.emplace_back();
    if (!read_entry(walker, kernel)) return std::nullopt;
    list.index_.emplace(kernel.id, list.kernels_.size() - 1);
    walker.take(',');
  }
  return list;
}

ListedKernels KernelList::all() const {
  ListedKernels all;
  all.reserve(kernels_.size());
  for (const ListedKernel& kernel : kernels_) all.push_back(&kernel);
  return all;
}

const ListedKernel* KernelList::find(std::string_view id) const noexcept {
  const auto found = index_.find(id);
  return found != index_.end() ? &kernels_[found->second] : nullptr;
}

void KernelList::follow(const KernelList* before, uint64_t serial) {
  for (ListedKernel& kernel : kernels_) {
    const ListedKernel* const known = before != nullptr ? before->find(kernel.id) : nullptr;
    kernel.since = known != nullptr ? known->since : serial;
  }
}

void append_listed(const ListedKernel& kernel, std::string& out) {
  if (out.size() > 1) out += ", ";
  out += kernel.text.substr(0, kernel.fraction_at);
  if (kernel.fraction_at != 0) out += kFraction;
  out += kernel.text.substr(kernel.fraction_at);
}

ListedKernels merge_kernel_lists(
    std::span<const ListedKernels> lists,
    const std::function<Claim(size_t list, const ListedKernel& kernel)>& judge) {
  struct Kept {
    size_t at;
    Claim claim;
  };
  ListedKernels merged;
  std::unordered_map<std::string_view, Kept> kept;
  for (size_t i = 0; i < lists.size(); ++i) {
    for (const ListedKernel* kernel : lists[i]) {
      const Claim claim = judge(i, *kernel);
      if (claim == Claim::kNone) continue;
      const auto [place, is_new] = kept.try_emplace(kernel->id, Kept{merged.size(), claim});
      Kept& before = place->second;
      if (is_new) {
        merged.push_back(kernel);
      } else if (before.claim == Claim::kMaybe &&
                 (claim == Claim::kHeld || is_fresher(*kernel, *merged[before.at]))) {
        merged[before.at] = kernel;
        before.claim = claim;
      }
    }
  }
  return merged;
}

}  // namespace kg::kernel
