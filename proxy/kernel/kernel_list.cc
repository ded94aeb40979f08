#include "proxy/kernel/kernel_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel {
namespace {

constexpr size_t kDepthMax = 32;
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
  bool start_object(size_t /*elements*/) override { return ++depth_ <= kDepthMax; }
  bool end_object() override { return --depth_, true; }
  bool start_array(size_t /*elements*/) override { return ++depth_ <= kDepthMax; }
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

struct Entry {
  std::string_view text;
  std::string_view id;
  size_t fraction_at = 0;  // where one is missing, 0: nowhere
};

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

std::optional<Entry> read_entry(Walker& walker) {
  if (walker.peek() != '{') return std::nullopt;
  const size_t begin = walker.at();
  Entry entry;
  walker.take('{');
  while (!walker.take('}')) {
    walker.peek();
    const std::string_view name = walker.string();
    if (name.find('\\') != std::string_view::npos) return std::nullopt;
    walker.take(':');
    const bool is_text = walker.peek() == '"';
    if (name == "id") {
      if (!is_text || !entry.id.empty()) return std::nullopt;
      entry.id = walker.string();
      if (!is_kernel_id(entry.id)) return std::nullopt;
    } else if (name == "last_activity" && is_text) {
      if (lacks_fraction(walker.string())) entry.fraction_at = walker.at() - 2 - begin;
    } else {
      walker.skip();
    }
    walker.take(',');
  }
  if (entry.id.empty()) return std::nullopt;
  entry.text = walker.since(begin);
  return entry;
}

}  // namespace

std::optional<std::string> filter_kernel_list(std::string_view body,
                                              const std::function<bool(std::string_view)>& keep) {
  if (!is_json(body)) return std::nullopt;
  Walker walker(body);
  if (!walker.take('[')) return std::nullopt;
  std::string out = "[";
  for (size_t count = 0; !walker.take(']'); ++count) {
    const std::optional<Entry> entry = read_entry(walker);
    if (!entry || count == limits::kListEntriesMax) return std::nullopt;
    walker.take(',');
    if (!keep(entry->id)) continue;
    if (out.size() > 1) out += ", ";
    out += entry->text.substr(0, entry->fraction_at);
    if (entry->fraction_at != 0) out += kFraction;
    out += entry->text.substr(entry->fraction_at);
  }
  return out += ']';
}

}  // namespace kg::kernel
