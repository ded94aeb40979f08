// KERNEL_EXTRA_SPARK_OPTS, read as strictly as what follows demands: gateways hand it to a shell
// (`eval`) and to spark-submit.
//
// Allowed is nothing but `--conf KEY=VALUE`, any number of times, separated by spaces: keys from a
// list, values of letters, digits and ._:/,=@%+- (none of which a shell reads).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kg::kernel {

// The same options with single spaces between them; else nullopt, and what is wrong with them.
std::optional<std::string> checked_spark_options(std::string_view text,
                                                 const std::vector<std::string>& allowed_keys,
                                                 std::string& fault);

}  // namespace kg::kernel
