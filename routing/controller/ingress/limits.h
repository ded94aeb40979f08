// What the Ingress compiler takes of one object, each bound with its unit and reason. Kubernetes
// itself bounds an object to 1.5 MiB and its annotations to 256 KiB together.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kg::ingress {

inline constexpr size_t kRoutesMax = 256;     // of one Ingress: hosts times paths
inline constexpr size_t kTargetsMax = 16;     // of one Ingress: each is an endpoint of its own
inline constexpr size_t kTlsEntriesMax = 64;  // of one Ingress
inline constexpr size_t kFindingsMax = 32;    // of one object: nobody reads on
inline constexpr size_t kPodsMax = 64;        // of one endpoint, as in config/README.md
inline constexpr size_t kSlicesMax = 64;      // of one Service: 1,000 pods each at most
inline constexpr size_t kPathBytesMax = 256;  // as path_prefix in config/README.md
inline constexpr size_t kSecretBytesMax = size_t{256} * 1024;  // larger ones are no keys
inline constexpr size_t kListEntriesMax = 1'000;               // of one annotation or parameter
inline constexpr size_t kIdBytesMax = 64;                      // domain E3
inline constexpr size_t kIdDigestBytes = 8;     // 64 bits of SHA-256 behind a derived id
inline constexpr size_t kNameBytesMax = 253;    // RFC 1123 subdomain, as Kubernetes has it
inline constexpr size_t kQuotedBytesMax = 256;  // of a value that a message repeats
inline constexpr size_t kToldMax =
    64;  // other claimants that hear of a change: the rest lost anyway

}  // namespace kg::ingress
