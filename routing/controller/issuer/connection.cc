#include "routing/controller/issuer/connection.h"

#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"

namespace kg::issuer {
namespace {

constexpr std::string_view kKeysPath = "/.well-known/jwks.json";
// Proxies fetch again before it ends; they also do when a token names a key that they do not know.
constexpr std::string_view kKeysCache = "public, max-age=300";

}  // namespace

Connection::Connection(event::EventLoop& loop, ConnectionOwner& owner, Desk& desk,
                       const std::function<std::string()>& jwks,
                       std::shared_ptr<const tls::TlsContext> tls, const event::SocketAddress& peer)
    : loop_(loop),
      owner_(owner),
      desk_(desk),
      jwks_(jwks),
      stream_(loop, *this, std::move(tls)),
      deadline_(loop, [this] { on_deadline(); }) {
  asked_.client = peer.text();
  asked_.address = network_of(peer);
  reader_.set_limits({kLineBytesMax, kHeadBytesMax, kFieldsMax});
}

void Connection::open(event::Socket socket) {
  deadline_.set_ms(kRequestMs);
  stream_.open(std::move(socket));
}

void Connection::on_data(std::string_view bytes) {
  while (!bytes.empty() && (state_ == State::kHead || state_ == State::kBody)) {
    if (state_ == State::kHead) {
      read_head(bytes);
    } else {
      read_body(bytes);
    }
  }
}

void Connection::read_head(std::string_view& bytes) {
  const Result<size_t> taken = reader_.feed(bytes);
  if (!taken) return refuse(taken.error());
  bytes.remove_prefix(*taken);
  if (reader_.complete()) on_head();
}

void Connection::on_head() {
  if (head_.path == kKeysPath) return answer_keys();
  std::optional<Target> target = read_target(head_.path);
  if (!target) {
    return answer(refusal(404,
                          "This address has POST /virtualclusters/NAMESPACE/endpoints/ID/"
                          "credentials and GET /.well-known/jwks.json."));
  }
  if (head_.method != http::Method::kPost) {
    Answer no = refusal(405, "Credentials are asked for with POST.");
    no.allow = "POST";
    return answer(no);
  }
  asked_.target = std::move(*target);
  if (!take_authorization()) return answer(refusal(400, "Authorization stands there twice."));
  if (head_.framing == http::Framing::kLength && head_.content_length > kBodyBytesMax) {
    return answer(refusal(413, "The body has more than 64 KiB."));
  }
  body_reader_ = http::BodyReader(head_.framing, head_.content_length, ErrorCode::kBadRequest);
  if (body_reader_.done()) return ask();
  state_ = State::kBody;
  if (head_.expect_continue) stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
}

// False: it is there twice, and nobody can say which counts.
bool Connection::take_authorization() {
  std::string_view found;
  for (const http::Header& header : head_.headers) {
    if (!ascii::equals_ignore_case(header.name, "authorization")) continue;
    if (!found.empty()) return false;
    found = header.value;
  }
  asked_.token = Secret(std::string(bearer_of(found)));
  return true;
}

void Connection::read_body(std::string_view& bytes) {
  const Result<http::BodyReader::Piece> piece = body_reader_.next(bytes);
  if (!piece) return refuse(piece.error());
  bytes.remove_prefix(piece->consumed);
  asked_.body.append(piece->payload);
  if (asked_.body.size() > kBodyBytesMax) {
    return answer(refusal(413, "The body has more than 64 KiB."));
  }
  if (body_reader_.done()) ask();
}

void Connection::ask() {
  state_ = State::kWaiting;
  deadline_.set_ms(kAnswerMs);
  stream_.pause(event::Pause::kPipelined);  // opened again by finish()
  head_.clear();                            // it holds the caller's token
  application_ =
      desk_.open(std::move(asked_), [this](const Answer& answer) { this->answer(answer); });
  application_->start();
}

void Connection::answer_keys() {
  const bool is_get = head_.method == http::Method::kGet || head_.method == http::Method::kHead;
  Answer keys;
  if (is_get) {
    keys.body = Secret(jwks_());
    keys.cache = kKeysCache;
  } else {
    keys = refusal(405, "Keys are read with GET.");
    keys.allow = "GET, HEAD";
  }
  answer(keys);
}

void Connection::refuse(const Error& error) {
  const ErrorRow& row = error.row();
  std::string message(row.cause);
  if (*error.detail != '\0') message += std::string(" (") + error.detail + ")";
  answer(refusal(row.status, message));
}

void Connection::answer(const Answer& answer) {
  KG_ASSERT(state_ != State::kClosing && state_ != State::kClosed);
  drop_application();
  const bool head_only = head_.method == http::Method::kHead;
  stream_.write(message_of(answer, head_only).reveal());
  finish();
}

// It may be on the stack.
void Connection::drop_application() {
  if (application_ == nullptr) return;
  application_->cancel();
  loop_.defer_delete(std::move(application_));
}

void Connection::finish() {
  state_ = State::kClosing;
  deadline_.set_ms(kSendMs);
  stream_.resume(event::Pause::kPipelined);
  stream_.finish();
  linger_once_sent();
}

void Connection::linger_once_sent() {
  if (stream_.unsent() > 0) return;  // on_drained comes
  if (peer_ended_) return close();
  deadline_.set_ms(kLingerMs);
}

void Connection::on_end(bool /*clean*/) {
  peer_ended_ = true;
  // A client may end its side behind the request and wait.
  if (state_ == State::kWaiting) return;
  if (state_ == State::kClosing) return linger_once_sent();
  close();
}

void Connection::on_drained() {
  if (state_ == State::kClosing) linger_once_sent();
}

void Connection::on_error(const Error& error) {
  // A close with unread bytes is a reset, and a reset eats the alert.
  const bool may_alert = error.code == ErrorCode::kClientTls && state_ != State::kClosing;
  if (!may_alert) return close();
  drop_application();
  finish();
}

void Connection::on_deadline() {
  if (state_ == State::kHead || state_ == State::kBody) {
    if (!stream_.handshake_done()) return close();
    return answer(refusal(408, "The request did not come whole within 10 s."));
  }
  if (state_ == State::kWaiting) {
    return answer(refusal(503, "The call took too long.", kRetrySeconds));
  }
  close();
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  deadline_.clear();
  stream_.close();
  drop_application();
  owner_.forget(*this);
}

}  // namespace kg::issuer
