#include "config/kernel_reader.h"

#include <algorithm>
#include <utility>

#include "config/values.h"

namespace kg::config {
namespace {

constexpr size_t kNameBytesMax = 128;
constexpr size_t kGroupBytesMax = 256;  // as in tokens
constexpr std::string_view kSparkOptions = "KERNEL_EXTRA_SPARK_OPTS";

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), [more](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  more.find(c) != std::string_view::npos;
         });
}

Parsed<std::string> parse_variable(std::string_view text, const KeyInfo& /*info*/) {
  if (is_word(text, "_")) return Parsed<std::string>::ok(std::string(text));
  return Parsed<std::string>::bad(quote(text) + " is not the name of an environment variable",
                                  "write letters, digits and underscores, such as KERNEL_CPUS");
}

Parsed<std::string> parse_spark_key(std::string_view text, const KeyInfo& /*info*/) {
  if (text.starts_with("spark.") && is_word(text, "._-")) {
    return Parsed<std::string>::ok(std::string(text));
  }
  return Parsed<std::string>::bad(quote(text) + " is not a key of Spark's configuration",
                                  "write a whole key, such as spark.executor.memory");
}

Parsed<ForeignIds> parse_foreign_ids(std::string_view text, const KeyInfo& /*info*/) {
  if (text == "deny") return Parsed<ForeignIds>::ok(ForeignIds::kDeny);
  if (text == "endpoint") return Parsed<ForeignIds>::ok(ForeignIds::kEndpoint);
  return Parsed<ForeignIds>::bad(quote(text) + " is not a choice here", "write deny or endpoint");
}

Parsed<Sharing> parse_sharing(std::string_view text, const KeyInfo& /*info*/) {
  constexpr std::string_view kGroup = "group:";
  if (text == "owner") return Parsed<Sharing>::ok({Sharing::Kind::kOwner, ""});
  if (text == "endpoint") return Parsed<Sharing>::ok({Sharing::Kind::kEndpoint, ""});
  if (text.starts_with(kGroup) && text.size() > kGroup.size() &&
      text.size() - kGroup.size() <= kGroupBytesMax) {
    return Parsed<Sharing>::ok({Sharing::Kind::kGroup, std::string(text.substr(kGroup.size()))});
  }
  return Parsed<Sharing>::bad(quote(text) + " is not a choice here",
                              "write owner, endpoint or group:NAME");
}

struct Listing {
  std::vector<Listed<std::string>> given;
  std::vector<std::string> names;
};

Listing read_names(const Section& section, std::string_view name, Parser<std::string> parse,
                   std::initializer_list<const char*> fallback) {
  Listing out{section.values<std::string>(name, parse), {}};
  if (!section.has(name)) out.names.assign(fallback.begin(), fallback.end());
  for (const Listed<std::string>& listed : out.given) out.names.push_back(listed.value);
  return out;
}

void refuse_twice(const Section& section, const Listing& pass, const Kernels& kernels) {
  for (const Listed<std::string>& listed : pass.given) {
    const auto denied = std::find(kernels.deny.begin(), kernels.deny.end(), listed.value);
    if (denied != kernels.deny.end()) {
      section.problems().error(listed.place, quote(listed.value) + " is denied as well",
                               "write a list deny without it, or take it out here");
    } else if (listed.value == kSparkOptions) {
      section.problems().error(listed.place, quote(listed.value) + " passes by spark_conf only",
                               "take it out here, and list Spark's keys in kernels.spark_conf");
    } else if (listed.value == "KERNEL_ID" || listed.value == "KERNEL_USERNAME") {
      section.problems().error(listed.place, quote(listed.value) + " is set by the proxy",
                               "take it out here");
    }
  }
}

}  // namespace

void read_kernel_ids(const Section& root, const Files& files, Config& out) {
  out.state_dir = files.folder(root, "state_dir");
  const auto section = root.map("kernel_ids");
  if (!section) return;
  out.kernel_id_keys_file = files.existing(*section, "keys_file", Secrecy::kSecret);
  out.kernel_id_keys_place = section->place_of("keys_file");
}

ForeignIds read_foreign_ids(const Section& endpoint) {
  return endpoint.value<ForeignIds>("foreign_ids", parse_foreign_ids);
}

void read_kernels(const Section& section, Kernels& out) {
  out.spark_conf = read_names(section, "spark_conf", parse_spark_key, {}).names;
  const auto env = section.map("env");
  if (!env) return;
  out.deny = read_names(*env, "deny", parse_variable,
                        {"KERNEL_NAMESPACE", "KERNEL_SERVICE_ACCOUNT_NAME", "KERNEL_IMAGE",
                         "KERNEL_EXECUTOR_IMAGE", "KERNEL_UID", "KERNEL_GID", "KERNEL_VOLUMES",
                         "KERNEL_VOLUME_MOUNTS", "KERNEL_POD_NAME"})
                 .names;
  Listing pass = read_names(*env, "pass", parse_variable,
                            {"KERNEL_LAUNCH_TIMEOUT", "KERNEL_WORKING_DIR", "KERNEL_LANGUAGE"});
  refuse_twice(*env, pass, out);
  out.pass = std::move(pass.names);
}

Sharing read_sharing(const Section& sessions) {
  return sessions.value<Sharing>("sharing", parse_sharing);
}

}  // namespace kg::config
