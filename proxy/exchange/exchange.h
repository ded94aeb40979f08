// Exchange: one request and its answer, or one WebSocket, from parsed head to log line.
//
//   Received --> Authenticating --> [start] --> Queued --> Waiting --> Responding --> Done
//       |        (if asked for)        |           |          |--> Holding --/          /
//       |              |               |           |          \--> Relaying -----------/
//       \--------------+---------------+-----------+--> local reply, or abort once an answer began
//
//   [start], a kernel start only:
//   Collecting [--> Counting] --> AwaitingTurn [--> LookingUp]
//
//   Holding --(a kernel that the gateway has forgotten)--> Reviving --> Queued, Waiting once more
//
// Received: route and operation are judged, nothing went upstream. Authenticating: somebody else is
// asked over the network who sends it. Collecting: the small body of a kernel start is held,
// because its deadline stands inside (domain G14). Counting: it waits for the pods' lists, in which
// its user's kernels are counted. AwaitingTurn: the endpoint starts no more kernels at a time, or
// the same start is under way already (LaunchDesk). LookingUp: whether the kernel of a client's own
// id runs already. Placing, after Received and only where it is not known: which pod holds the
// kernel is asked (upstream/placing.h). Listing, in place of all that follows Received: the answer
// is made of the pods' lists, which the worker asks for itself. Queued: waits for a pooled
// connection. Waiting: the request is on its way, its body streams. Holding: a gateway's error or
// list is read whole, so that nothing but what is the client's goes on. Reviving: the gateway did
// nothing because it has lost the kernel, and is made to load it (exchange_heal.cc). Done is
// entered once, by finish().
// Owner:  the ClientConnection. Thread: the worker's.
// Flow:   client -> upstream pauses the client above kPendingBytesHigh and opens it in
//         on_upstream_drained; upstream -> client the upstream, and opens it in on_client_drained.
// Errors: rows of error.h. A request is sent a second time only where Retry says so (RFC 9110
// section 9.2.2).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/exchange/context.h"
#include "proxy/exchange/credentials.h"
#include "proxy/exchange/kernel_sight.h"
#include "proxy/exchange/list_gathering.h"
#include "proxy/exchange/local_reply.h"
#include "proxy/exchange/reconnection.h"
#include "proxy/exchange/record.h"
#include "proxy/exchange/relay.h"
#include "proxy/http/body_reader.h"
#include "proxy/http/forwarding.h"
#include "proxy/kernel/notice.h"
#include "proxy/kernel/operation.h"
#include "proxy/upstream/placing.h"

namespace kg::exchange {

class ClientConnection;

class Exchange final : public event::Deferred,
                       private upstream::UpstreamHandler,
                       private upstream::LeaseWaiter,
                       private SessionWaiter,
                       private upstream::KernelListWaiter,
                       private LaunchWaiter,
                       private ListGatheringOwner,
                       private upstream::PlacingOwner,
                       private upstream::RevivalWaiter,
                       private RelayOwner,
                       private ReconnectOwner,
                       private WatchedSocket {
 public:
  Exchange(WorkerContext& context, ClientConnection& client);
  ~Exchange() override;

  // May finish at once.
  void start();
  // Takes bytes of the body or the WebSocket; the rest belongs to the next request.
  size_t on_client_data(std::string_view bytes);
  void on_client_end(bool clean);
  void on_client_lost(const Error& error);
  void on_client_drained();
  void on_deadline();
  // Ends at once, without an answer: the process is going.
  void abort();
  bool is_relaying() const noexcept { return relay_ != nullptr; }
  bool is_open_relay() const noexcept { return relay_ != nullptr && !relay_->ending(); }
  void close_relay(ErrorCode why) { relay_->close(why); }
  // Whether an open relay's kernel is known to do nothing.
  bool is_idle_relay() const noexcept;
  std::optional<KernelSight> kernel_sight() const;

 private:
  // A session operation of a notebook.
  struct Notebook {
    kernel::NotebookRequest asked;    // its body
    kernel::NotebookSession session;  // as it was, where it names one
    bool leaves_kernel = false;       // for the one that it names, or a new one
  };
  enum class Phase : uint8_t {
    kReceived,
    kAuthenticating,
    kPlacing,
    kCollecting,
    kCounting,
    kAwaitingTurn,
    kLookingUp,
    kListing,
    kQueued,
    kWaiting,
    kHolding,
    kReviving,
    kResponding,
    kRelaying,
    kDone
  };

  // exchange_judge.cc: where to, who, and may they.
  bool answer_health();
  void answer_preflight();
  Result<void> admit();
  Result<void> route();
  void recognise();
  Result<Credentials> credentials(const routing::Endpoint& endpoint) const;
  Secret callers_token() const;
  void on_session(Result<auth::PrincipalRef> who) override;
  Result<void> authorise();
  Result<void> permit(kernel::Operation operation);
  Result<void> judge_page() const;
  http::PageFields page_fields() const;
  Result<void> judge_operation();
  // exchange_kernels.cc: whose kernels.
  Result<void> judge_kernel();
  Result<void> read_launch();
  void learn_kernel(const http::ResponseHead& head);
  void hold_list(const http::ResponseHead& head);
  void hold_list_body(std::string_view payload);
  void send_list();
  void send_list_rest();
  bool reduces_list() const noexcept;
  bool forwards() const noexcept { return endpoint_->endpoint->forwards_credentials; }
  bool would_hold_memory() const noexcept;
  void proceed();
  // exchange_lists.cc: the kernels of all pods.
  bool gathers_lists() const noexcept;
  void gather_lists(Phase phase);
  void wait_for_lists();
  void lists_are_slow();
  void on_lists_gathered(const Result<void>& whole) override;
  template <typename Wanted>
  kernel::ListedKernels merged_lists(const Wanted& wanted);
  void answer_list();
  void send_gathered();
  uint64_t count_own();
  // exchange_notebook.cc: session operations.
  void begin_notebook();
  void become(kernel::Operation operation);
  bool read_notebook();
  Result<void> judge_notebook(bool starts);
  bool ignores_body() const noexcept;
  http::Method sent_method() const noexcept;
  std::string_view sent_method_name() const noexcept;  // of a session operation
  void take_notebook_head(const http::ResponseHead& head);
  void answer_notebook(const std::string& model);
  kernel::NotebookSession change_notebook();
  void leave_kernel();
  void audit_leaving();
  void forget_notebooks(uint16_t status);
  void append_sessions_of(const kernel::ListedKernel& kernel, std::string& out) const;
  void answer_version();
  void send_local(uint16_t status, std::string_view location, std::string_view body);
  // exchange_place.cc: which pod.
  void place();
  void place_kernel();
  std::optional<uint32_t> pod_tag();
  void on_placed(const Result<upstream::LocalPod*>& pod) override;
  void go_to(upstream::LocalPod& pod);
  void stop_placing();
  void learn_place(uint16_t status);
  // exchange_judge.cc again.
  void go_up();
  // exchange_quotas.cc: what one principal may take.
  Result<void> keep_rate();
  Result<void> take_place();
  Result<void> judge_spec();
  void count_kernels();
  void judge_count();
  // exchange_launch.cc: a kernel start, from its turn to its answer.
  std::string launch_key(const kernel::LaunchBody& body) const;
  void await_turn();
  void on_launch_word(LaunchGate::Word::Kind kind, const LaunchAnswerRef& answer) override;
  void begin_launch();
  void stamp_launch();
  void look_up();
  void on_kernel_list(const Result<upstream::PodListRef>& list) override;
  void give_launched(const LaunchAnswer& answer);
  void hold_launch_body(std::string_view payload);
  void send_launch();
  void share_error(uint16_t status, std::string_view body);
  void share_failure(const Error& error);
  void launch_failed(const Error& error);
  void lose_launch(const Error& error);
  bool launch_goes_on() const noexcept;
  void follow_launch();
  uint64_t launch_until_us() const noexcept;
  // exchange.cc: the request's way up.
  void take_body(std::string_view payload);
  void end_body();
  void lease(upstream::LeaseKind kind);
  void send_request(upstream::UpstreamConnection& connection);
  // `key`: of another handshake for an open WebSocket, "" for a client's request.
  void append_request_head(std::string_view key, std::string& out);
  void send_body(std::string_view payload);
  // exchange_deadlines.cc.
  void await_body();
  void grant_body_time(size_t bytes);
  void body_timed_out();
  void watch_answer();
  uint32_t answer_deadline_ms() const noexcept;
  bool may_be_sent_twice() const noexcept;
  bool may_retry(const Error& error) const noexcept;
  void on_lease(upstream::UpstreamConnection& connection) override;
  void on_lease_failed(const Error& error) override;

  // exchange_answer.cc: the answer's way.
  void on_response_head(const http::ResponseHead& head) override;
  void on_interim_head(const http::ResponseHead& head) override;
  void on_response_body(std::string_view payload) override;
  void on_response_end() override;
  void on_tunnel_data(std::string_view bytes) override;
  void on_tunnel_end() override;
  void on_upstream_drained() override;
  void on_upstream_error(const Error& error) override;
  uint64_t relay_now_us() noexcept override { return context_.loop.now_us(); }
  void set_relay_deadline(uint64_t milliseconds) override;
  void relay_client_died() override;
  void relay_ended() override;
  void start_relay(const http::ResponseHead& head);
  void start_activity(const http::ResponseHead& head);
  void relay_answer_head(const http::ResponseHead& head);
  void fail(const Error& error);
  std::string gateways_words(ErrorCode code) const;

  // exchange_reconnect.cc: the gateway's side of an open WebSocket, made anew.
  void name_session();
  void allow_gaps(const http::ResponseHead& head);
  void relay_gap_began() override;
  void relay_gap_dropped() override { stop_reconnecting(); }
  void stop_reconnecting() noexcept;
  void reconnect_moves(upstream::LocalPod& pod) override;
  void append_reconnect_head(std::string_view key, std::string& out) override;
  void reconnected(upstream::UpstreamConnection& connection) override;
  void reconnect_failed(const Error& why, GapEnd how) override;
  void reconnect_is_slow() override;
  std::string framed(const std::string& message) const;

  // exchange_session.cc: the session of an open WebSocket.
  void tell_of_session();
  void watch_session();
  void tell_user(const std::string& text) override;
  void tell_user_now() override;
  void take_notice_back() override;
  void relay_heard(std::string_view frames) override;
  void say_notice(std::string_view cell);
  void expel(ErrorCode why) override { relay_->expel(why); }
  void recheck(const ShownRef& shown) override;
  void on_recheck(Result<auth::PrincipalRef> who);
  std::string_view watched_request_id() const noexcept override { return record_.request_id; }

  // exchange_error.cc: a gateway's error.
  void hold_answer(const http::ResponseHead& head);
  void hold_error_body(std::string_view payload);
  void send_error(bool whole);

  // exchange_heal.cc: a gateway that has forgotten the kernel.
  bool was_not_done(bool whole) const;
  void revive(bool whole);
  void on_revival(const Result<void>& there) override;
  void note_lost_memory();

  void release_upstream(bool healthy);
  void note_change() const;
  void finish(bool reuse);

  WorkerContext& context_;
  ClientConnection& client_;
  ExchangeRecord record_;
  ClientCounts::Hold client_hold_;
  Quotas::Hold principal_hold_;  // a WebSocket or a kernel start
  upstream::EndpointPin endpoint_;
  upstream::LocalPod* pod_ = nullptr;         // of endpoint_, once the request is placed
  std::unique_ptr<ListGathering> gathering_;  // Listing, Counting
  uint64_t gathering_until_us_ = 0;
  std::unique_ptr<upstream::Placing> placing_;
  uint64_t pod_restarts_ = 0;  // of pod_, when the request was placed
  kernel::KernelRequest request_;
  Error operation_error_{ErrorCode::kNone, "", 0};  // why the request is no operation
  std::string_view upstream_path_;  // the request's path after the endpoint's prefix
  std::string offered_protocols_;   // WebSocket
  upstream::UpstreamConnection* upstream_ = nullptr;  // leased
  std::unique_ptr<KernelActivity> activity_;  // Relaying to a kernel, if anybody wants to know
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Reconnection> reconnection_;  // Relaying: in a gap
  std::optional<ReconnectPlan> reconnects_;     // Relaying: where gaps are allowed
  std::string own_session_id_;                  // of a client that names none
  std::string chosen_protocol_;                 // by the gateway, of those offered
  std::unique_ptr<SessionWatch::Seat> seat_;    // while relay_ runs
  std::string notice_;                          // to be said in a cell's output
  uint32_t heard_ = 0;                          // messages of the gateway since
  auth::SessionsRef rechecked_by_;              // Relaying: they were asked about the session
  SessionRules recheck_rules_;
  http::BodyReader body_;
  std::unique_ptr<Notebook> notebook_;
  std::unique_ptr<Launch> launch_;  // from its body to its answer
  std::string held_body_;           // Collecting, or what came before the lease
  std::string launch_spec_;         // of a kernel start, "" for the gateway's default
  std::string held_head_;           // Holding: what goes to the client, without length and end
  std::string held_answer_;         // Holding: an error or a list; Responding with a list
  size_t list_sent_ = 0;            // Responding with a list: so much of it
  uint64_t body_until_us_ = 0;      // the body's deadline
  uint64_t body_seen_us_ = 0;       // its last byte
  uint32_t launch_ms_ = 0;
  uint32_t retry_after_s_ = kRetryAfterSeconds;
  bool support_ = false;  // may list, interrupt and delete kernels of other owners
  Phase phase_ = Phase::kReceived;
  kernel::Framing framing_ = kernel::Framing::kLegacy;
  CredentialPlace token_place_ = CredentialPlace::kNone;
  bool wants_websocket_ = false;
  bool collects_ = false;  // a kernel start
  bool retried_ = false;
  bool revived_ = false;  // the request goes up once more, without its body
  bool chunk_answer_ = false;
  bool coded_answer_ = false;  // Holding: the body is compressed
  bool holds_list_ = false;    // not an error
  bool holds_launch_ = false;  // nor this: the answer to a kernel start
  bool close_after_ = false;   // the answer said Connection: close
};

}  // namespace kg::exchange
