// What the Ingress compiler takes of one object, each bound with its unit and reason. Kubernetes
// itself bounds an object to 1.5 MiB and its annotations to 256 KiB together.
#pragma once

#include <cstddef>
#include <cstdint>

#include "routing/feed/limits.h"

namespace kg::ingress {

inline constexpr size_t kRoutesMax = 256;     // of one Ingress: hosts times paths
inline constexpr size_t kHostsMax = 256;      // of one Ingress, those of certificates included
inline constexpr size_t kTargetsMax = 16;     // of one Ingress: each is an endpoint of its own
inline constexpr size_t kTlsEntriesMax = 64;  // of one Ingress
// Of one Ingress: hosts of rules, once for each Secret that takes them. Several certificates for
// the same hosts are rare, and two of them usual: one by RSA and one by ECDSA.
inline constexpr size_t kCertificateNamesMax = 1'024;
// Configuration and texts of all endpoints of one Ingress, as JSON. Each edit is so much work for
// the controller and goes to every proxy. With routes and pods an item stays below 1 MiB, which is
// what proxies take (routing/announced.h).
inline constexpr size_t kIngressBytesMax = size_t{768} * 1024;
inline constexpr size_t kCertificateHostsMax = 4'096;  // of one Secret: 1 MiB of names
inline constexpr size_t kFindingsMax = 32;             // of one object: nobody reads on
inline constexpr size_t kPodsMax = 64;                 // of one endpoint, as in config/README.md
inline constexpr size_t kSlicesMax = 64;               // of one Service: 1,000 pods each at most
inline constexpr size_t kPathBytesMax = 256;           // as path_prefix in config/README.md
inline constexpr size_t kSecretBytesMax = size_t{256} * 1024;  // larger ones are no keys
inline constexpr size_t kListEntriesMax = 1'000;               // of one annotation or parameter
inline constexpr size_t kIdBytesMax = 64;                      // domain E3
inline constexpr size_t kIdDigestBytes = 8;     // 64 bits of SHA-256 behind a derived id
inline constexpr size_t kNameBytesMax = 253;    // RFC 1123 subdomain, as Kubernetes has it
inline constexpr size_t kQuotedBytesMax = 256;  // of a value that a message repeats
inline constexpr size_t kToldMax =
    64;  // other claimants that hear of a change: the rest lost anyway
inline constexpr size_t kTokenBytesMax = size_t{8} * 1024;  // a gateway's: one line of a header
inline constexpr size_t kJudgementsMax = 1'024;  // texts of Secrets whose verdict is remembered

// ---- one namespace: what it takes of the feed and of the names that all share ----
inline constexpr size_t kNamespaceItemsMax = 20'000;  // endpoints and certificates: a tenth
inline constexpr size_t kNamespaceBytesMax = size_t{128} * 1024 * 1024;  // a quarter
inline constexpr size_t kNamespaceHostsMax = 20'000;
// Of its objects of one kind, as they are kept: as much as it may publish. For newer versions of
// those that are kept there is twice the room, so that a mass of new ones does not hold them up.
inline constexpr size_t kNamespaceKeptBytesMax = kNamespaceBytesMax;
// ---- all of them: the feed's own bounds, but for what else it carries (revocations) ----
inline constexpr size_t kAllItemsMax = feed::kItemsMax - 1'000;
inline constexpr size_t kAllBytesMax = feed::kStateBytesMax - size_t{16} * 1024 * 1024;

// ---- what controllers remember, as the text of a Secret ----
// A Secret has 1 MiB. A host or a path that is disputed takes some 150 bytes of it.
inline constexpr size_t kMemoryBytesMax = size_t{900} * 1024;
// Of them those of classes, which the operator writes: half, and no tenant has a part of it.
inline constexpr size_t kClassMemoryBytesMax = size_t{450} * 1024;

}  // namespace kg::ingress
