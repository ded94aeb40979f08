// A message of the feed: what is taken is written and read back equal; an update is staged or
// refused, and only what its digest says is taken. Input that is no whole message is one's type and
// fields: the envelope is made here, since nobody guesses a checksum.
#include "proxy/base/crypto.h"
#include "routing/feed/held_state.h"
#include "routing/feed/limits.h"
#include "routing/feed/message.h"
#include "routing/feed/wire.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

std::string in_envelope(std::string_view input) {
  std::string bytes = "KGF";
  bytes.push_back(static_cast<char>(feed::kProtocol));
  bytes.append(input);
  const crypto::Sha256 sum = crypto::sha256(bytes);
  bytes.append(reinterpret_cast<const char*>(sum.data()), sum.size());
  return bytes;
}

void stage(feed::Update update) {
  feed::HeldState state;
  const feed::Version to = update.to;
  const bool follows = !update.from || *update.from == feed::Version();
  const bool first = update.part == 0;
  const feed::Staged staged = state.stage(std::move(update));
  KG_ASSERT(state.version() == feed::Version() && state.items() == 0);
  if (to == feed::Version()) KG_ASSERT(staged == feed::Staged::kOlder);
  if (staged == feed::Staged::kMore || staged == feed::Staged::kReady) KG_ASSERT(follows && first);
  if (staged != feed::Staged::kReady) return;
  state.accept();
  KG_ASSERT(state.version() == to);
}

}  // namespace

void run(std::string_view input) {
  const std::string bytes = input.starts_with("KGF") ? std::string(input) : in_envelope(input);
  const char* problem = "";
  auto message = feed::parse(bytes, problem);
  KG_ASSERT(message.has_value() == std::string_view(problem).empty());
  if (!message) return;
  const std::string written = feed::encode(*message);
  const auto again = feed::parse(written, problem);
  KG_ASSERT(again && again->index() == message->index() && feed::encode(*again) == written);
  if (auto* update = std::get_if<feed::Update>(&*message)) {
    for (const feed::Item& item : update->upserts) KG_ASSERT(feed::is_item(item));
    stage(std::move(*update));
  }
}

}  // namespace kg::fuzz
