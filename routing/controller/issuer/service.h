// Service: the session credentials API as a whole: `POST
// /virtualclusters/{vc}/endpoints/{id}/credentials`, and the public keys of what it signs.
//
// Owner:  the command; ends before the kube::Client. Thread: the loop's, but for that of the audit
//         log. Errors: start() says what is wrong with the options or their files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "metrics/log_writer.h"
#include "routing/controller/issuer/desk.h"
#include "routing/controller/issuer/listener.h"
#include "routing/controller/issuer/material.h"
#include "routing/controller/issuer/options.h"

namespace kg::issuer {

class Service {
 public:
  // `find`, `is_ready`: as Surroundings have them.
  Service(event::EventLoop& loop, kube::Client& client, Options options,
          std::function<const std::string*(const Target& target)> find,
          std::function<bool()> is_ready);

  std::string start();                                              // "" or what is wrong
  void reopen_audit();                                              // SIGUSR1, after logrotate
  const std::string& address() const noexcept { return address_; }  // that is listened on
  std::string metrics() { return metrics_text(desk_.counts(), listener_.open_connections()); }

 private:
  const Options options_;
  std::unique_ptr<metrics::LogWriter> audit_;
  Material material_;
  Desk desk_;
  Listener listener_;
  std::string address_;
};

}  // namespace kg::issuer
