#include "routing/controller/kube/client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/event/watcher.h"
#include "proxy/fetch/transfer.h"
#include "routing/controller/kube/object.h"

namespace kg::kube {
namespace {

constexpr int kUnauthorized = 401;

// The server's own words, which say what is forbidden to whom.
std::string words_of(const fetch::Answer& answer, Failure& failure) {
  if (const std::optional<nlohmann::json> status = parse_json(answer.body)) {
    failure = failure_of(*status);
  }
  std::string text = "the API server answers " + std::to_string(answer.status);
  return failure.message.empty() ? text : text + ": " + failure.message;
}

uint32_t retry_after_ms(const fetch::Answer& answer) {
  if (answer.wanted.empty() || answer.wanted.front().empty()) return 0;
  const auto seconds = ascii::parse_decimal(answer.wanted.front().front());
  const uint64_t most = kRetryAfterMsMax / 1'000;
  return seconds ? static_cast<uint32_t>(std::min(*seconds, most) * 1'000) : 0;
}

Reply reply_of(fetch::Answer answer) {
  Reply reply;
  reply.failure = answer.failure;
  reply.status = answer.status;
  reply.problem = std::move(answer.problem);
  if (!answer.came()) return reply;
  if (answer.status / 100 != 2) {
    Failure failure;
    reply.problem = words_of(answer, failure);
    reply.retry_after_ms = std::max(failure.retry_after_ms, retry_after_ms(answer));
  }
  reply.body = std::move(answer.body);
  return reply;
}

}  // namespace

class Client::Exchange final : public Call, public fetch::Sink, public event::Task {
 public:
  Exchange(Client& client, fetch::Request request, StreamHandler* handler, Done done)
      : client_(client),
        request_(std::move(request)),
        handler_(handler),
        done_(std::move(done)),
        timer_(client.loop_, [this] { on_timer(); }) {
    ++client_.open_;
  }
  ~Exchange() override {
    cancel();
    --client_.open_;
  }

  void start() {
    transfer_ = std::make_unique<fetch::Transfer>(request_, handler_ == nullptr ? nullptr : this);
    client_.running_.emplace(transfer_.get(), this);
    client_.driver_.add(*transfer_);
    timer_.arm_ms(handler_ == nullptr ? request_.deadline_ms : kWatchOpenMs);
  }
  // Says so in a later turn.
  void refuse() { timer_.arm_ms(0); }
  void cancel() noexcept override {
    cancelled_ = true;
    stop();
  }

  // The driver has let go of the transfer.
  void on_ended(fetch::Answer answer) {
    client_.running_.erase(transfer_.get());
    transfer_.reset();
    deliver();
    finish(reply_of(std::move(answer)));
  }

 private:
  // Within libcurl.
  void on_head() override {
    opened_ = true;
    client_.loop_.schedule_resume(*this);
  }
  void on_bytes(std::string_view bytes) override {
    pending_.append(bytes);
    client_.loop_.schedule_resume(*this);
  }

  void run_task() override { deliver(); }
  void deliver() {
    if (std::exchange(opened_, false) && !cancelled_) {
      timer_.arm_ms(request_.deadline_ms);
      handler_->on_stream_open();
    }
    const std::string bytes = std::exchange(pending_, {});
    if (bytes.empty() || cancelled_) return;
    handler_->on_stream_bytes(bytes);
  }

  void on_timer() {
    fetch::Answer answer;
    answer.failure = transfer_ == nullptr ? fetch::Failure::kBusy : fetch::Failure::kTimeout;
    answer.problem = transfer_ == nullptr ? "too many exchanges with the API server are open"
                                          : "no whole answer came before the deadline";
    stop();
    finish(reply_of(std::move(answer)));
  }

  void stop() noexcept {
    timer_.disarm();
    if (transfer_ == nullptr) return;
    client_.driver_.remove(*transfer_);
    client_.running_.erase(transfer_.get());
    transfer_.reset();
  }

  void finish(const Reply& reply) {
    timer_.disarm();
    if (cancelled_) return;
    if (reply.status == kUnauthorized || reply.failure == fetch::Failure::kTls) {
      client_.credentials_.distrust();
    }
    const Done done = std::move(done_);
    done(reply);
  }

  Client& client_;
  fetch::Request request_;
  StreamHandler* handler_;
  Done done_;
  event::Timer timer_;
  std::unique_ptr<fetch::Transfer> transfer_;
  std::string pending_;  // of one turn: what libcurl reads in it, below 2 MiB
  bool cancelled_ = false;
  bool opened_ = false;  // and the handler does not know it yet
};

Client::Client(event::EventLoop& loop, Credentials& credentials)
    : loop_(loop),
      credentials_(credentials),
      driver_(loop, [this](fetch::Transfer& transfer, fetch::Answer answer) {
        running_.at(&transfer)->on_ended(std::move(answer));
      }) {}

Client::~Client() { KG_ASSERT(open_ == 0); }

std::unique_ptr<Call> Client::send(CallRequest request, Done done) {
  return begin(std::move(request), nullptr, std::move(done));
}

std::unique_ptr<Call> Client::watch(CallRequest request, StreamHandler& handler, Done done) {
  return begin(std::move(request), &handler, std::move(done));
}

std::unique_ptr<Call> Client::begin(CallRequest request, StreamHandler* handler, Done done) {
  KG_ASSERT(loop_.in_loop_thread());
  const bool has_room = open_ < kCallsMax;
  credentials_.refresh(loop_.now_us());
  auto call =
      std::make_unique<Exchange>(*this, request_of(std::move(request)), handler, std::move(done));
  if (has_room) {
    call->start();
  } else {
    call->refuse();
  }
  return call;
}

fetch::Request Client::request_of(CallRequest request) const {
  const Access& access = credentials_.access();
  fetch::Request out;
  out.method = request.method;
  out.url = access.server;
  out.url.target += request.target;
  out.connect_to = access.connect_to;
  out.trust = credentials_.trust();
  out.fields.push_back({"Accept", Secret("application/json")});
  if (!request.content_type.empty()) {
    out.fields.push_back({"Content-Type", Secret(std::move(request.content_type))});
  }
  if (!credentials_.authorization().empty()) {
    out.fields.push_back({"Authorization", credentials_.authorization()});
  }
  out.body = std::move(request.body);
  out.wanted = {"Retry-After"};
  out.deadline_ms = request.deadline_ms;
  out.answer_bytes_max = request.answer_bytes_max;
  return out;
}

}  // namespace kg::kube
