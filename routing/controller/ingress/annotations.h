// The table of annotations: each is another way to write a key of config/README.md, so that the one
// schema judges it, in the controller and again in the proxy. A test compares the table with
// routing/controller/README.md.
//
// A class's parameters (parameters.h) give defaults by the same names, without the prefix.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kg::ingress {

inline constexpr std::string_view kOwnPrefix = "kernelgate.io/";
inline constexpr std::string_view kNginxPrefix = "nginx.ingress.kubernetes.io/";

enum class ValueKind : uint8_t {
  kText,    // as the key has it
  kList,    // with commas between
  kSecret,  // NAME or NAME/KEY of a Secret beside the Ingress; its text becomes the file
  kOther,   // endpoint_config.cc or compiler.cc reads it
};

struct AnnotationInfo {
  std::string_view name;  // without the prefix
  ValueKind kind;
  std::string_view path;  // "gateway.token_file", below endpoints[]; what kOther has to do with
  std::string_view secret_key;  // kSecret: the key where the annotation names none
  // A parameter of the class that holds the text itself, for all namespaces: public ones only.
  std::string_view inline_name;
};

std::span<const AnnotationInfo> annotations() noexcept;
const AnnotationInfo* find_annotation(std::string_view name) noexcept;  // without the prefix
// The one that has `path`, or that has a key above or below it; nullptr for none.
const AnnotationInfo* annotation_of_path(std::string_view path) noexcept;

// Those of ingress-nginx with the same meaning here.
struct NginxInfo {
  std::string_view name;  // without its prefix
  std::string_view path;
  std::string_view meaning;
};
std::span<const NginxInfo> nginx_annotations() noexcept;

// The one that `name` was probably meant to be, or "".
std::string nearest_annotation(std::string_view name);

}  // namespace kg::ingress
