// The census of a gateway's list: it counts what a JSON reader would count, and takes every list
// that is filtered for clients.
#include "proxy/kernel/kernel_census.h"

#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "proxy/kernel/kernel_list.h"
#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using Json = nlohmann::json;

bool is_held(std::string_view id) { return id.size() % 2 == 0; }

}  // namespace

void run(std::string_view input) {
  const auto census = kernel::take_census(input, is_held);
  if (!census) {
    KG_ASSERT(!kernel::KernelList::read(std::string(input)));
    return;
  }
  const Json list = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(list.is_array() && list.size() <= limits::kListEntriesMax);
  kernel::KernelCensus expected;
  for (const Json& entry : list) {
    KG_ASSERT(entry.is_object() && kernel::is_kernel_id(entry["id"].get<std::string>()));
    if (!is_held(entry["id"].get<std::string>())) ++expected.copies;
  }
  KG_ASSERT(census->copies == expected.copies);
  KG_ASSERT(census->kernels() + census->copies == list.size());
}

}  // namespace kg::fuzz
