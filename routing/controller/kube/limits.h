// What the Kubernetes client may hold, and how long it waits: each bound with unit and reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kg::kube {

// ---- sizes ----
inline constexpr size_t kKubeconfigBytesMax = size_t{1024} * 1024;
inline constexpr size_t kKubeconfigValueBytesMax = size_t{256} * 1024;  // a CA bundle in base64
inline constexpr size_t kAccessFileBytesMax = size_t{1024} * 1024;      // a CA bundle, a key
inline constexpr size_t kTokenBytesMax = size_t{16} * 1024;
// etcd takes 1.5 MiB of an object in protobuf; as JSON with its managedFields it grows.
inline constexpr size_t kObjectBytesMax = size_t{8} * 1024 * 1024;
inline constexpr size_t kPageBytesMax = size_t{32} * 1024 * 1024;   // a larger page is cut in half
inline constexpr size_t kAnswerBytesMax = size_t{4} * 1024 * 1024;  // of what is no list
inline constexpr size_t kVersionBytesMax = 256;      // a resourceVersion: 20 digits today
inline constexpr size_t kContinueBytesMax = 16'384;  // holds the last key of the page, in base64
inline constexpr size_t kNameBytesMax = 253;         // RFC 1123 subdomain, as Kubernetes has it
inline constexpr size_t kMessageBytesMax = 300;      // of the server's words in a log line

// ---- counts ----
inline constexpr size_t kDepthMax = 64;         // a pod template nests 12 deep
inline constexpr uint32_t kPageObjects = 500;   // as kubectl asks for
inline constexpr uint32_t kPagesMax = 100'000;  // of one list: a server that never ends it
inline constexpr size_t kCallsMax = 2'048;      // open at a time; each takes a descriptor
inline constexpr uint32_t kWriteTriesMax = 5;   // answers of 5xx to one write: it is the write
// Tries of one write that were not answered, in 20 s at least: a server that answers nobody has
// cost us the Lease before, and with it all that waits.
inline constexpr uint32_t kWriteLostMax = 10;
inline constexpr uint32_t kResumesMax = 3;  // refused watches; then everything is listed anew

// ---- times (milliseconds) ----
inline constexpr uint32_t kCredentialsLookMs = 60'000;  // a token is renewed 12 min before its end
inline constexpr uint32_t kCallMs = 30'000;
inline constexpr uint32_t kPageMs = 60'000;       // the API server gives up at 60 s
inline constexpr uint32_t kWatchOpenMs = 30'000;  // until the head of a watch's answer
// The server is asked to end a watch after this; a connection that died unseen is noticed then at
// the latest, and a reconnect costs one request.
inline constexpr uint32_t kWatchMs = 240'000;
inline constexpr uint32_t kWatchSpreadMs = 120'000;  // so that not all end at once
inline constexpr uint32_t kWatchGraceMs = 30'000;    // behind that, before we end it
inline constexpr uint32_t kWatchShortMs =
    1'000;  // one that ends sooner and said nothing is a fault
inline constexpr uint32_t kWatchSteadyMs = 10'000;  // one that lived longer: faults begin anew
inline constexpr uint32_t kBackoffMs = 200;
inline constexpr uint32_t kBackoffMsMax = 10'000;  // an API server that is back is noticed so soon
inline constexpr uint32_t kRetryAfterMsMax = 120'000;  // what a server may ask us to wait

}  // namespace kg::kube
