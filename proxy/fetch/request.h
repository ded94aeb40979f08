// What the network thread is asked for, and what it answers: one HTTP exchange with a service that
// sessions depend on (an issuer's keys, introspection, a probe). Values.
//
// Secrets (client credentials, callers' tokens) are in fields and body, never in the URL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/base/secret.h"
#include "proxy/base/url.h"

namespace kg::fetch {

// Whom to believe, who we are, and where we may go. Texts, not files: what was checked when the
// configuration was loaded is what counts, and the network thread reads no disk.
struct Trust {
  std::string ca_pem;     // "": the system's CAs
  std::string chain_pem;  // of our own certificate, "": none
  Secret key_pem;
  // Not to addresses of this machine or its link, whatever the name resolves to: a stranger chose
  // it.
  bool outward = false;
};

enum class Purpose : uint8_t { kKeys, kAlbKey, kIntrospection, kDelegated };
inline constexpr size_t kPurposeCount = 4;
std::string_view purpose_name(Purpose purpose) noexcept;

enum class Method : uint8_t { kGet, kPost, kPut, kPatch };

struct Field {
  std::string name;
  Secret value;
};

struct Request {
  Purpose purpose = Purpose::kKeys;
  Method method = Method::kGet;
  Url url;
  // http is refused without it. Only for the endpoint's own gateway pod, which gets the same token
  // over the same plain connection with every request.
  bool to_own_gateway = false;
  std::string connect_to;  // "10.0.0.7:8888" instead of the URL's host, "": resolve it
  std::shared_ptr<const Trust> trust;
  std::vector<Field> fields;
  Secret body;                              // of all but a GET; a form where no field says else
  std::vector<std::string> wanted;          // fields of the answer to hand over
  uint32_t deadline_ms = limits::kFetchMs;  // from fetch() to the last byte, the queue included
  size_t answer_bytes_max = limits::kFetchAnswerBytesMax;
  bool status_only = false;  // the answer ends with its head, whatever body it has
};

// kNone: an answer came whole, with whatever status.
enum class Failure : uint8_t {
  kNone,
  kBusy,      // too many wait, here or for that service
  kTimeout,   // the deadline passed
  kConnect,   // no such host, refused, unreachable, cut off
  kTls,       // certificate, name or handshake
  kTooLarge,  // above answer_bytes_max
  kProtocol,  // no HTTP, or http where only https may be
  kStopped,   // the process ends
};
inline constexpr size_t kFailureCount = 8;
std::string_view failure_name(Failure failure) noexcept;  // a metric's label value; "answered"

struct Answer {
  Failure failure = Failure::kNone;
  std::string problem;  // for the operational log: no secret, no part of the answer
  int status = 0;
  std::string body;
  // One list for each of Request::wanted, in its order: every value of that field.
  std::vector<std::vector<std::string>> wanted;

  bool came() const noexcept { return failure == Failure::kNone; }
};

}  // namespace kg::fetch
