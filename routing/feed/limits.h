// Every bound of the feed, with unit and reason. What is checked on both sides stands here once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kg::feed {

// ---- items ----
inline constexpr size_t kKeyBytesMax = 512;       // a kind, a namespace and a name of Kubernetes
inline constexpr size_t kNamespaceBytesMax = 63;  // a label of RFC 1123
inline constexpr size_t kEndpointBytesMax = 128;  // an endpoint's id
// Of one item. A Secret or ConfigMap holds 1 MiB at most, and an endpoint names a few of them.
inline constexpr size_t kPayloadBytesMax = size_t{4} * 1024 * 1024;
inline constexpr size_t kItemsMax = 200'000;  // of a whole state
// Payloads and names of a whole state: 10,000 endpoints of 10 KiB five times over.
inline constexpr size_t kStateBytesMax = size_t{512} * 1024 * 1024;

// ---- messages ----
// Controllers read no longer one from proxies: a fact of kFactBytesMax with its frame.
inline constexpr size_t kRequestBytesMax = size_t{8} * 1024;
// An update is cut into parts behind the item that reaches this.
inline constexpr size_t kPartBytes = size_t{256} * 1024;
inline constexpr size_t kMessageBytesMax = kPartBytes + kPayloadBytesMax + size_t{4} * 1024;
inline constexpr size_t kFramesMax = 8;       // of one message; the longest has seven (ZAP)
inline constexpr size_t kNameBytesMax = 128;  // what a proxy calls itself
inline constexpr size_t kReasonBytesMax = 512;
inline constexpr int kMessagesPerTurnMax = 64;  // of one socket, then others have their turn

// ---- what a controller keeps ----
inline constexpr size_t kPeersMax = 2'048;  // proxies: replicas and sidecars
// Of them those whose keys do not see everything, which tenants may hold: of one such key, and of
// all, so that the fleet's own proxies have places whatever others do.
inline constexpr size_t kNarrowPeersOfKeyMax = 256;
inline constexpr size_t kNarrowPeersMax = 1'536;
// Changes that a proxy may have missed and still gets one by one.
inline constexpr size_t kRingEntriesMax = 4'096;
inline constexpr size_t kRingBytesMax = size_t{32} * 1024 * 1024;
// A proxy that missed more gets the whole state.
inline constexpr size_t kDeltaBytesMax = size_t{8} * 1024 * 1024;
// Parts on the way to one proxy that it has not acknowledged: its credit. The first one may have
// any size, so what waits for a proxy that does not read is at most kPeerBytesMax.
inline constexpr size_t kPartsInFlight = 8;
inline constexpr size_t kBytesInFlight = size_t{1} * 1024 * 1024;
inline constexpr size_t kPeerBytesMax = kBytesInFlight + kMessageBytesMax;
// Old states that are kept for the proxies of one scope that are being sent them.
inline constexpr size_t kSnapshotsAtATime = 2;
inline constexpr size_t kAllowedKeysMax = 4'096;
inline constexpr size_t kAllowedFileBytesMax = size_t{1} * 1024 * 1024;
inline constexpr size_t kScopeNamesMax = 256;  // namespaces or endpoints of one key
// Of a scope as a text: each name with its kind and a comma.
inline constexpr size_t kScopeTextBytesMax =
    kScopeNamesMax * (kNamespaceBytesMax + kEndpointBytesMax + 16);
static_assert(kDeltaBytesMax >= kPayloadBytesMax, "one changed item is no reason for a snapshot");

// Of one proxy: each may cost a look at the whole state.
inline constexpr uint32_t kSyncsPerSecond = 1;
inline constexpr uint32_t kSyncsAtOnce = 30;
// Of one narrow key, Hellos and Syncs: connections are new as often as their owner likes. All its
// proxies may come at once.
inline constexpr uint32_t kAsksPerSecond = 16;
inline constexpr uint32_t kAsksAtOnce = 4 * kNarrowPeersOfKeyMax;

// ---- facts ----
inline constexpr size_t kFactBytesMax = size_t{4} * 1024;
inline constexpr size_t kFactIdBytes = 16;
inline constexpr uint32_t kFactsPerSecond = 250;  // of one proxy; renewals and revocations
inline constexpr uint32_t kFactsAtOnce = 1'000;   // after a pause
// Of all proxies of one narrow key together.
inline constexpr uint32_t kFactsOfKeyPerSecond = 4 * kFactsPerSecond;
inline constexpr uint32_t kFactsOfKeyAtOnce = 4 * kFactsAtOnce;
inline constexpr uint64_t kFactsUnseenMax = 256;   // sent to a proxy that has not told of them
inline constexpr uint64_t kFactsSeenStep = 64;     // a proxy tells of them at once after so many
inline constexpr size_t kFactsRemembered = 8'192;  // each comes once from each controller

// ---- times (milliseconds) ----
inline constexpr uint32_t kHeartbeatMs = 1'000;
inline constexpr uint32_t kSilentMs = 5'000;   // without a word: the other side is gone
inline constexpr uint32_t kStallMs = 30'000;   // a proxy that lives and acknowledges nothing
inline constexpr uint32_t kReconnectMs = 100;  // then doubled
inline constexpr uint32_t kReconnectMsMax = 2'000;
inline constexpr uint32_t kResyncMs = 100;  // after something that cannot be used, then doubled
inline constexpr uint32_t kResyncMsMax = 30'000;
inline constexpr uint32_t kResolveMs = 10'000;  // names of controllers, again
inline constexpr uint32_t kSaveMs = 5'000;      // between two copies on disk
inline constexpr size_t kControllersMax = 16;   // addresses, after resolution
static_assert(kSilentMs >= 4 * kHeartbeatMs, "a lost heartbeat or two are no reason");

}  // namespace kg::feed
