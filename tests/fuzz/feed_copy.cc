// The copy of the feed on disk: loaded whole, or refused with a sentence. Input that does not begin
// like a file is what its records hold, each behind a byte of length: sealed here.
#include "routing/feed/disk_copy.h"
#include "routing/feed/seal.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

std::string sealed(std::string_view input, const Secret& secret) {
  const std::string salt(feed::Seal::kSaltBytes, 's');
  const feed::Seal seal(secret, salt);
  std::string file = "KGFCOPY1" + salt;
  for (uint64_t number = 0; !input.empty(); ++number) {
    const size_t size = 2 * choose(input, 256);
    const std::string record = seal.close(number, input.substr(0, size));
    input.remove_prefix(std::min(size, input.size()));
    for (const int shift : {24, 16, 8, 0}) {
      file.push_back(static_cast<char>(record.size() >> static_cast<unsigned>(shift)));
    }
    file.append(record);
  }
  return file;
}

}  // namespace

void run(std::string_view input) {
  const Secret secret("0123456789012345678901234567890123456789");
  const std::string file = input.starts_with("KGF") ? std::string(input) : sealed(input, secret);
  feed::HeldState state;
  std::string problem;
  const feed::Copy copy = feed::read_copy(file, secret, 1, 1, state, problem);
  KG_ASSERT(copy != feed::Copy::kAbsent && (copy == feed::Copy::kLoaded) == problem.empty());
  KG_ASSERT(state.items() == 0);
  if (copy != feed::Copy::kLoaded) return;
  const feed::Version to = state.staged().to;
  const size_t items = state.staged().upserts.size();
  state.accept();
  KG_ASSERT(state.version() == to && state.items() == items);
}

}  // namespace kg::fuzz
