// Kubernetes manifests as files: YAML of several documents, or JSON, lists taken apart.
//
// Plain scalars become what kubectl makes of them (YAML 1.1: yes is true), quoted ones are strings.
// Stricter than kubectl in two places: anchors, aliases and tags are refused, and so are keys that
// stand twice.
// Thread: any. Limits: kManifestBytesMax of a file, nesting kManifestDepthMax, kManifestNodesMax.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "routing/controller/ingress/object.h"

namespace kg::check {

inline constexpr size_t kManifestBytesMax = size_t{16} * 1024 * 1024;  // 10,000 Ingresses: 10 MiB
inline constexpr size_t kManifestDepthMax = 64;  // a pod template nests 12 deep
inline constexpr size_t kManifestNodesMax = 2'000'000;
inline constexpr size_t kManifestFilesMax = 10'000;  // of one folder

struct Manifest {
  ingress::Json object;  // a map
  std::string place;     // "FILE:LINE", of the dashes before it
};

struct Manifests {
  std::vector<Manifest> objects;
  std::vector<std::string> problems;  // "FILE:LINE: PROBLEM: REMEDY"
};

// `file` is the text's name in messages.
void parse_manifests(std::string_view text, const std::string& file, Manifests& out);
// A file, or those of a folder that end in .yaml, .yml or .json.
void read_manifests(const std::string& path, Manifests& out);

}  // namespace kg::check
