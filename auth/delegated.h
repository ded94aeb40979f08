// Delegated: a request of our own with the client's token decides. Whoever answers it, an
// authentication service or the endpoint's own gateway, knows a token whose form nobody else does
// (domain E16).
//
// 200: good. 401: refused. 403: not for this endpoint. Anything else says nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "auth/remote_judge.h"

namespace kg::auth {

struct DelegatedOptions {
  std::string realm;
  std::string endpoint_id;  // what a 200 is good for
  Url url;
  std::string connect_to;  // of the own gateway: its pod's address
  bool to_own_gateway = false;
  std::shared_ptr<const fetch::Trust> trust;
  // Of the answer; never believed of a gateway, which may pass on what a kernel's code chose.
  std::string subject_header;  // "": the subject is a keyed digest of the token
  std::string groups_header;   // comma-separated, "": none
  Secret digest_key;
  uint32_t deadline_ms = limits::kFetchMs;

  std::string identity() const;  // equal for equal options
};

class Delegated final : public Question {
 public:
  explicit Delegated(DelegatedOptions options);
  fetch::Request request(const Secret& token) const override;
  Verdict read(const fetch::Answer& answer, const Secret& token, int64_t now) const override;

 private:
  Verdict accept(const fetch::Answer& answer, const Secret& token, int64_t now) const;

  DelegatedOptions options_;
};

}  // namespace kg::auth
