// A gateway's list of kernel specs (GET /api/kernelspecs), reduced to those that an endpoint shows.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kg::kernel {

// {"default": ..., "kernelspecs": {...}} with those specs for whose name `keep` is true, in their
// order. A default that is not among them becomes the first that is. nullopt for anything but a
// JSON object that holds an object `kernelspecs` of objects, within 32 levels; other members of the
// top object go no further.
std::optional<std::string> filter_spec_list(std::string_view body,
                                            const std::function<bool(std::string_view)>& keep);

}  // namespace kg::kernel
