// The session of an open WebSocket, for as long as it is open.
#include <utility>

#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/credentials.h"
#include "proxy/exchange/exchange.h"
#include "proxy/kernel/running_cell.h"
#include "proxy/websocket/message_frame.h"

namespace kg::exchange {

// Open WebSockets of the same person live on with a fresher session.
void Exchange::tell_of_session() {
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  const auth::Place place{endpoint.virtual_cluster, endpoint.id};
  if (!context_.watch.is_news(*record_.principal, place, record_.wall_us)) return;
  const Result<Credentials> shown = credentials(endpoint);
  if (!shown) return;
  const auth::Evidence evidence = shown->evidence();
  context_.watch.tell(
      record_.principal, place,
      std::make_shared<const ShownCredential>(ShownCredential{
          Secret(std::string(evidence.token)), Secret(std::string(evidence.oidc_data))}),
      record_.wall_us);
}

// From now on the WebSocket lives as long as its session. That may have ended or been revoked while
// the gateway held its 101.
void Exchange::watch_session() {
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  const uint64_t now_us = event::wall_us();
  WatchedSocket& socket = *this;
  seat_ = std::make_unique<SessionWatch::Seat>(context_.watch, socket, record_.principal,
                                               auth::Place{endpoint.virtual_cluster, endpoint.id},
                                               endpoint.session_rules, endpoint.sessions, now_us);
  context_.watch.expel_if_revoked(*seat_, now_us);
}

// Notebooks show a message in the output of the cell that it belongs to, so it waits for one that
// runs.
void Exchange::tell_user(const std::string& text) {
  notice_ = text;
  heard_ = 0;
  relay_->listen();
}

void Exchange::relay_heard(std::string_view frames) {
  const auto payload = websocket::message_payload(frames);
  const std::string cell = payload ? kernel::running_cell(framing_, *payload) : std::string();
  if (!cell.empty() || ++heard_ >= limits::kHeardMessagesMax) say_notice(cell);
}

void Exchange::tell_user_now() {
  if (!notice_.empty()) say_notice("");
}

void Exchange::take_notice_back() {
  notice_ = {};
  relay_->stop_listening();
}

void Exchange::say_notice(std::string_view cell) {
  const std::string text = std::exchange(notice_, {});
  relay_->say(
      framed(kernel::stderr_notice(framing_, text, cell, record_.request_id, event::wall_us())));
}

void Exchange::recheck(const ShownRef& shown) {
  const http::RequestHead& head = client_.head();
  const routing::Match match = context_.routes->match(head.authority, head.path);
  // Its endpoint has left the routes: nothing is said about it any more.
  if (match.endpoint == nullptr) return;
  const routing::Endpoint& endpoint = **match.endpoint;
  if (endpoint.id != endpoint_->endpoint->id) return;
  if (rechecked_by_ != nullptr) return;  // the question of before waits
  const Result<Credentials> own = credentials(endpoint);
  auth::Evidence evidence = own ? own->evidence() : auth::Evidence{};
  if (shown != nullptr) {
    evidence.token = shown->token.reveal();
    evidence.oidc_data = shown->oidc_data.reveal();
  }
  rechecked_by_ = endpoint.sessions;
  recheck_rules_ = endpoint.session_rules;
  const auto who =
      context_.sessions.recognise(rechecked_by_, evidence, client_.caller(),
                                  static_cast<int64_t>(event::wall_us() / 1'000'000), *this);
  if (who) on_recheck(*who);
}

void Exchange::on_recheck(Result<auth::PrincipalRef> who) {
  const uint64_t now_us = event::wall_us();
  const auth::SessionsRef sessions = std::exchange(rechecked_by_, nullptr);
  if (seat_ == nullptr) return;
  if (who) {
    const Result<void> allowed =
        sessions->policy().allow(**who, static_cast<int64_t>(now_us / 1'000'000));
    if (!allowed) who = allowed.error();
  }
  context_.watch.judged(*seat_, std::move(who), sessions, recheck_rules_, now_us);
}

}  // namespace kg::exchange
