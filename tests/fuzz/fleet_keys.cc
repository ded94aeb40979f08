// Keys that are rotated, of whatever file: what comes out is of the kind that was asked for, and
// can be rotated again. The first byte is the kind; behind a line "next" stands the next key.
#include "routing/fleet_keys.h"

#include "proxy/kernel/kernel_id.h"
#include "proxy/tls/ticket_keys.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

void check(routing::KeyKind kind, const routing::KeyTexts& keys) {
  const std::string_view text = keys.at("").reveal();
  std::string problem;
  switch (kind) {
    case routing::KeyKind::kFeed:
      KG_ASSERT(routing::feed_keys_of(keys)->public_key == routing::public_key_of(keys));
      KG_ASSERT(feed::is_key(routing::next_public_key_of(keys)));
      break;
    case routing::KeyKind::kKernelIds:
      KG_ASSERT(kernel::KernelIdKeys::parse(text, problem) != nullptr);
      break;
    case routing::KeyKind::kTickets:
      KG_ASSERT(tls::TicketKeys::parse(text, problem) != nullptr);
      break;
  }
}

}  // namespace

void run(std::string_view input) {
  constexpr std::string_view kMark = "\nnext\n";
  const auto kind = static_cast<routing::KeyKind>(choose(input, 3));
  routing::KeyTexts keys;
  const size_t mark = input.find(kMark);
  keys[""] = Secret(std::string(input.substr(0, mark)));
  if (mark != std::string_view::npos)
    keys[".next"] = Secret(std::string(input.substr(mark + kMark.size())));
  for (int i = 0; i < 4; ++i) {
    std::string problem;
    auto rotated = routing::rotated_keys(kind, keys, problem);
    KG_ASSERT(rotated.has_value() == problem.empty());
    if (!rotated) {
      KG_ASSERT(i == 0);
      return;
    }
    check(kind, *rotated);
    keys = std::move(*rotated);
  }
}

}  // namespace kg::fuzz
