// A file of kernel-id keys, and a kernel id: the first line of the input is the id, the rest the
// file.
#include "proxy/kernel/kernel_id.h"

#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  using Verdict = kernel::KernelClaim::Verdict;
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, end);
  const auto id = kernel::parse_kernel_id(text);
  if (id) KG_ASSERT(kernel::is_kernel_id(text) && kernel::format_kernel_id(*id) == text);
  std::string error;
  const auto keys = kernel::KernelIdKeys::parse(input.substr(end), error);
  KG_ASSERT((keys == nullptr) == !error.empty());
  if (keys == nullptr) return;
  const kernel::Scope alice{kernel::Scope::Kind::kUser, "realm", "alice"};
  const kernel::KernelClaim claim("ep", {alice});
  // A guess is right once in 2^32.
  KG_ASSERT(claim.judge(*keys, text) == Verdict::kForeign);
  const std::string minted = keys->mint("ep", alice, id ? id->pod_tag : 1, id ? id->nonce : 2);
  KG_ASSERT(claim.judge(*keys, minted) == Verdict::kOwn);
  KG_ASSERT(kernel::KernelClaim("ep", {}).judge(*keys, minted) == Verdict::kOthers);
  KG_ASSERT(kernel::KernelClaim("other", {alice}).judge(*keys, minted) == Verdict::kForeign);
}

}  // namespace kg::fuzz
