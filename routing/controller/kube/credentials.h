// Credentials: what requests to the API server show, read again while it rotates.
//
// The kubelet renews a service account's token long before its end, in place; CA bundles and client
// certificates change in the same way. What cannot be read leaves what was read before.
// Owner: the controller. Thread: its loop's; blocks on small files, once in kCredentialsLookMs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "proxy/fetch/request.h"
#include "routing/controller/kube/access.h"

namespace kg::kube {

class Credentials {
 public:
  explicit Credentials(Access access) : access_(std::move(access)) {}
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  // Reads all of it. A sentence about what cannot be used, "" if all can. Once, before others.
  std::string open();
  // For the next request, after a look at the files if the last one is old.
  void refresh(uint64_t now_us);
  // The server did not take them: the next refresh looks.
  void distrust() noexcept { looked_us_ = 0; }

  const Access& access() const noexcept { return access_; }
  std::shared_ptr<const fetch::Trust> trust() const noexcept { return trust_; }
  const Secret& authorization() const noexcept { return authorization_; }  // "Bearer ...", or ""

 private:
  std::string read();

  Access access_;
  std::shared_ptr<const fetch::Trust> trust_;
  Secret authorization_;
  uint64_t looked_us_ = 0;
  std::string problem_;  // of the last look
};

}  // namespace kg::kube
