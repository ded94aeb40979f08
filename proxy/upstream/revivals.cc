#include "proxy/upstream/revivals.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/upstream/own_request.h"

namespace kg::upstream {
namespace {

Result<void> meaning_of(uint16_t status) {
  if (status == 200) return {};
  if (status == 404) return Error{ErrorCode::kNoKernel, "its gateway does not know it", 0};
  if (status == 401) return Error{ErrorCode::kUpstreamToken, "", 0};
  return Error{ErrorCode::kUpstreamProtocol, "the gateway did not load the kernel", 0};
}

}  // namespace

// One id's. Dies between turns, because it is called back by its connection and its deadline.
class Revivals::Question final : public event::Deferred,
                                 private UpstreamHandler,
                                 private LeaseWaiter {
 public:
  Question(Revivals& owner, std::string id)
      : owner_(owner), id_(std::move(id)), deadline_(owner.loop_, [this] {
          end(Error{ErrorCode::kUpstreamTimeout, "the kernel was not loaded in time", 0}, false);
        }) {
    deadline_.set_ms(limits::kRevivalMs);
  }
  ~Question() override { KG_ASSERT(connection_ == nullptr && !queued_); }

  void begin() {
    begun_ = true;
    owner_.counters_.kernel_revivals.add();
    lease(LeaseKind::kAny);
  }
  bool begun() const noexcept { return begun_; }
  const std::string& id() const noexcept { return id_; }
  // Gives back what it borrowed; nothing calls it from then on.
  void drop(bool healthy) noexcept {
    deadline_.clear();
    if (std::exchange(queued_, false)) owner_.pool_.cancel(*this);
    UpstreamConnection* connection = std::exchange(connection_, nullptr);
    if (connection != nullptr) owner_.pool_.release(*connection, healthy);
  }

  std::vector<RevivalWaiter*> waiters;

 private:
  void lease(LeaseKind kind) {
    const Result<UpstreamConnection*> leased = owner_.pool_.lease(*this, kind);
    if (!leased) return end(leased.error(), false);
    queued_ = *leased == nullptr;
    if (!queued_) send(**leased);
  }
  void send(UpstreamConnection& connection) {
    queued_ = false;
    connection_ = &connection;
    connection.begin(*this, http::Method::kGet);
    const std::string path = path_of(kernel::Operation::kGetKernel, id_);
    connection.stream().write(
        head_of({.path = path, .token = owner_.endpoint_.gateway_token.reveal()}, owner_.endpoint_,
                owner_.pod_));
  }
  void end(const Result<void>& there, bool healthy) {
    drop(healthy);
    owner_.finish(*this, there);
  }
  void on_lease(UpstreamConnection& connection) override { send(connection); }
  void on_lease_failed(const Error& error) override {
    queued_ = false;  // the queue has forgotten us
    end(error, false);
  }
  void on_response_head(const http::ResponseHead& head) override { status_ = head.status; }
  void on_interim_head(const http::ResponseHead&) override {}
  void on_response_body(std::string_view payload) override {
    bytes_ += payload.size();
    if (bytes_ > limits::kErrorBodyBytesMax) {
      end(Error{ErrorCode::kUpstreamProtocol, "too long for a kernel", 0}, false);
    }
  }
  void on_response_end() override { end(meaning_of(status_), true); }
  void on_tunnel_data(std::string_view) override {}
  void on_tunnel_end() override {}
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& error) override {
    // A GET may be sent again where its connection was closed under it (RFC 9110 section 9.2.2).
    const bool again = !retried_ && connection_->reused() && error.row().retry == Retry::kIfUnsent;
    if (!again) return end(error, false);
    retried_ = true;
    owner_.pool_.release(*std::exchange(connection_, nullptr), false);
    lease(LeaseKind::kFresh);
  }

  Revivals& owner_;
  std::string id_;
  event::Deadline deadline_;
  UpstreamConnection* connection_ = nullptr;  // leased
  size_t bytes_ = 0;
  uint16_t status_ = 0;
  bool queued_ = false;  // in the pool
  bool begun_ = false;
  bool retried_ = false;
};

Revivals::Revivals(event::EventLoop& loop, PodPool& pool, metrics::EndpointMetrics& counters,
                   const routing::Endpoint& endpoint, const routing::Pod& pod)
    : loop_(loop), pool_(pool), counters_(counters), endpoint_(endpoint), pod_(pod) {}

Revivals::~Revivals() {
  for (auto& [id, question] : questions_) {
    KG_ASSERT(question->waiters.empty());  // each of them pins the endpoint
    question->drop(false);
    loop_.defer_delete(std::move(question));
  }
}

Result<void> Revivals::ask(std::string_view id, RevivalWaiter& waiter) {
  auto found = questions_.find(std::string(id));
  if (found == questions_.end()) {
    if (waiting_.size() >= limits::kRevivalsWaitingMax) {
      return Error{ErrorCode::kUpstreamBusy, "too many kernels wait to be loaded", 0};
    }
    auto made = std::make_unique<Question>(*this, std::string(id));
    found = questions_.emplace(made->id(), std::move(made)).first;
    waiting_.push_back(found->second.get());
  }
  found->second->waiters.push_back(&waiter);
  begin_later();
  return {};
}

void Revivals::cancel(RevivalWaiter& waiter) noexcept {
  for (auto& [id, question] : questions_) {
    auto& waiters = question->waiters;
    waiters.erase(std::remove(waiters.begin(), waiters.end(), &waiter), waiters.end());
  }
}

// At the end of the turn, because one that fails at once tells its waiters, who still ask.
void Revivals::begin_later() {
  if (!waiting_.empty() && !scheduled()) loop_.schedule_resume(*this);
}

void Revivals::run_task() {
  while (!waiting_.empty() && running_ < limits::kRevivalsAtATime) {
    Question* next = waiting_.front();
    waiting_.pop_front();
    ++running_;
    next->begin();
  }
}

void Revivals::finish(Question& question, const Result<void>& there) {
  const auto found = questions_.find(question.id());
  KG_ASSERT(found != questions_.end() && found->second.get() == &question);
  std::unique_ptr<Question> done = std::move(found->second);
  questions_.erase(found);
  if (question.begun()) {
    --running_;
  } else {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &question));
  }
  while (!question.waiters.empty()) {  // whoever is told may ask again, or cancel for others
    RevivalWaiter* waiter = question.waiters.back();
    question.waiters.pop_back();
    waiter->on_revival(there);
  }
  loop_.defer_delete(std::move(done));
  begin_later();
}

}  // namespace kg::upstream
