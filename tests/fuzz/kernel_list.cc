// A gateway's list of kernels: what is kept is what a JSON reader would keep.
#include "proxy/kernel/kernel_list.h"

#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using Json = nlohmann::json;

bool keeps(std::string_view id) { return id.size() % 2 == 0; }

}  // namespace

void run(std::string_view input) {
  const auto filtered = kernel::filter_kernel_list(input, keeps);
  if (!filtered) return;
  const Json asked = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  const Json got = Json::parse(*filtered, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(asked.is_array() && got.is_array() && asked.size() <= limits::kListEntriesMax);
  size_t at = 0;
  for (Json entry : asked) {
    KG_ASSERT(entry.is_object() && entry["id"].is_string());
    const auto id = entry["id"].get<std::string>();
    KG_ASSERT(kernel::is_kernel_id(id));
    if (!keeps(id)) continue;
    KG_ASSERT(at < got.size());
    const Json& kept = got[at++];
    if (entry != kept) {  // only a fraction was added
      const auto time = kept["last_activity"].get<std::string>();
      KG_ASSERT(time.size() == 27 && time.ends_with(".000000Z"));
      entry["last_activity"] = time;
      KG_ASSERT(entry == kept);
    }
  }
  KG_ASSERT(at == got.size());
  KG_ASSERT(kernel::filter_kernel_list(*filtered, keeps) == filtered);
}

}  // namespace kg::fuzz
