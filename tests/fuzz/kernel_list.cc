// A gateway's list of kernels: what is kept is what a JSON reader would keep.
#include "proxy/kernel/kernel_list.h"

#include <map>
#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using Json = nlohmann::json;

bool keeps(std::string_view id) { return id.size() % 2 == 0; }

// Two gateways that list the same: each kernel once.
std::string merged(const kernel::KernelList& list) {
  const kernel::ListedKernels lists[] = {list.all(), list.all()};
  std::string out = "[";
  const auto kernels =
      kernel::merge_kernel_lists(lists, [](size_t which, const kernel::ListedKernel& kernel) {
        if (!keeps(kernel.id)) return kernel::Claim::kNone;
        return which == 0 ? kernel::Claim::kMaybe : kernel::Claim::kHeld;
      });
  for (const kernel::ListedKernel* kernel : kernels) kernel::append_listed(*kernel, out);
  return out + "]";
}

// But for a fraction that was added.
bool same(Json asked, const Json& got) {
  if (asked == got) return true;
  const auto time = got["last_activity"].get<std::string>();
  asked["last_activity"] = time;
  return time.size() == 27 && time.ends_with(".000000Z") && asked == got;
}

}  // namespace

void run(std::string_view input) {
  const auto list = kernel::KernelList::read(std::string(input));
  if (!list) return;
  const Json asked = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(asked.is_array() && asked.size() <= limits::kListEntriesMax);
  KG_ASSERT(asked.size() == list->kernels().size());
  std::map<std::string, Json> wanted;  // the first of each id
  for (const Json& entry : asked) {
    KG_ASSERT(entry.is_object() && entry["id"].is_string());
    const auto id = entry["id"].get<std::string>();
    KG_ASSERT(kernel::is_kernel_id(id) && list->find(id) != nullptr);
    if (keeps(id)) wanted.try_emplace(id, entry);
  }
  const std::string text = merged(*list);
  const Json got = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(got.is_array() && got.size() == wanted.size());
  for (const Json& kept : got) KG_ASSERT(same(wanted.at(kept["id"].get<std::string>()), kept));
  const auto again = kernel::KernelList::read(text);
  KG_ASSERT(again && merged(*again) == text);
}

}  // namespace kg::fuzz
