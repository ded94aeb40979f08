#include "routing/controller/kube/credentials.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/files.h"
#include "proxy/base/log.h"
#include "proxy/event/event_loop.h"
#include "routing/controller/kube/limits.h"

namespace kg::kube {
namespace {

// Of a source. nullopt, and a sentence in `problem`, if its file cannot be read or is empty.
std::optional<Secret> text_of(const Source& source, std::string& problem) {
  if (source.file.empty()) return source.text;
  config::FileText file = config::read_file(source.file, kAccessFileBytesMax);
  const bool is_empty = !file.text || file.text->find_first_not_of(" \t\r\n") == std::string::npos;
  if (!is_empty) return Secret(std::move(*file.text));
  problem = source.file + " " + (file.text ? "is empty" : file.problem);
  return std::nullopt;
}

// A token becomes a header field: it has no line of its own.
std::optional<Secret> bearer_of(const Secret& token, std::string& problem) {
  std::string_view text = token.reveal();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return Secret();
  const bool is_one_word = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (!is_one_word || text.size() > kTokenBytesMax) {
    problem = "the token is not one printable word of at most 16 KiB";
    return std::nullopt;
  }
  std::string line;
  line.reserve(text.size() + 7);
  line.append("Bearer ").append(text);
  return Secret(std::move(line));
}

}  // namespace

std::string Credentials::open() {
  problem_ = read();
  looked_us_ = event::monotonic_us();
  return problem_;
}

void Credentials::refresh(uint64_t now_us) {
  if (looked_us_ != 0 && now_us - looked_us_ < uint64_t{kCredentialsLookMs} * 1'000) return;
  looked_us_ = now_us;
  std::string problem = read();
  if (problem == problem_) return;
  if (problem.empty()) {
    log::info("kube", "credentials can be read again");
  } else {
    log::warn("kube", "credentials stay as they were: {}", problem);
  }
  problem_ = std::move(problem);
}

std::string Credentials::read() {
  std::string problem;
  auto ca = text_of(access_.ca, problem);
  auto chain = text_of(access_.chain, problem);
  auto key = text_of(access_.key, problem);
  const auto token = text_of(access_.token, problem);
  auto bearer = token ? bearer_of(*token, problem) : std::nullopt;
  if (!ca || !chain || !key || !bearer) return problem;
  authorization_ = std::move(*bearer);
  trust_ = std::make_shared<const fetch::Trust>(
      fetch::Trust{std::string(ca->reveal()), std::string(chain->reveal()), std::move(*key)});
  return "";
}

}  // namespace kg::kube
