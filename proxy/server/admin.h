// Admin: what operators may change or see of sessions while the process runs: plain HTTP on an
// address of its own, off unless it is configured, each call with the token of `admin.token_file`.
//
//   POST   /revocations   {"token_id"|"session"|"subject"+"realm"|"endpoint", "before", "until"}
//   DELETE /revocations   the same names: takes entries of earlier POSTs back
//   GET    /revocations   all entries, those of the file too
//   GET    /sessions      open WebSockets by endpoint and user
//
// Owner:  the Server. Thread: control.
// Errors: JSON with reason and message: 400 a body that is no revocation, 401 without the token,
//         503 when there is no more room or workers do not answer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "auth/revocations.h"
#include "proxy/base/secret.h"
#include "proxy/event/status_server.h"
#include "proxy/server/session_counts.h"

namespace kg::server {

// What the calls do.
class AdminActions {
 public:
  // Acts on all workers before it returns: how many open WebSockets it ended. Nothing if there is
  // no room for the entry.
  virtual std::optional<size_t> revoke(const auth::Revocation& revocation) = 0;
  virtual size_t unrevoke(const auth::Revocation& revocation) = 0;  // entries taken back
  virtual std::string revocations_json() const = 0;                 // an array
  // Nothing if a worker does not answer in time.
  virtual std::optional<SessionCounts> open_sessions() = 0;

 protected:
  ~AdminActions() = default;
};

class Admin {
 public:
  Admin(event::EventLoop& loop, AdminActions& actions);

  Result<uint16_t> listen(const event::SocketAddress& address) { return http_.listen(address); }
  void set_token(Secret token) { token_ = std::move(token); }  // empty: nobody may call

 private:
  using Answer = event::StatusServer::Answer;
  using Request = event::StatusServer::Request;
  using Verb = event::StatusServer::Verb;
  void add(Verb verb, const std::string& path, Answer (Admin::*call)(const std::string& body));
  bool has_token(std::string_view authorization) const noexcept;
  Answer post_revocation(const std::string& body);
  Answer delete_revocation(const std::string& body);
  Answer get_revocations(const std::string& body);
  Answer get_sessions(const std::string& body);

  AdminActions& actions_;
  event::StatusServer http_;
  Secret token_;
};

}  // namespace kg::server
