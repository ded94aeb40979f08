#include "routing/controller/issuer/desk.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/log.h"
#include "routing/controller/issuer/audit.h"
#include "routing/controller/issuer/reviews.h"
#include "routing/controller/issuer/session_terms.h"

namespace kg::issuer {
namespace {

constexpr std::string_view kAll = "all";  // the one key of Desk::all_

constexpr const char* kNobody =
    "The Authorization header holds no token that this cluster knows: send \"Authorization: "
    "Bearer TOKEN\", for example of a service account.";
constexpr const char* kDown =
    "Callers cannot be checked at the moment: try again after some seconds.";

uint32_t seconds_of(uint64_t wait_us) noexcept {
  return static_cast<uint32_t>(wait_us / 1'000'000) + 1;
}

// In the order in which they are asked for.
std::vector<Right> rights_for(const Caller& caller, const Target& target, const Wish& wish) {
  const std::string& space = target.space;
  std::vector<Right> rights{{"create", space, "endpoints", "credentials", target.endpoint}};
  if (!wish.subject.empty() && wish.subject != caller.name) {
    rights.push_back({"impersonate", space, "subjects", "", wish.subject});
  }
  const bool is_own = rights.size() == 1;
  for (const std::string& group : wish.groups) {
    const bool has = std::ranges::find(caller.groups, group) != caller.groups.end();
    if (!is_own || !has) rights.push_back({"impersonate", space, "groups", "", group});
  }
  return rights;
}

}  // namespace

class Desk::Call final : public Desk::Application {
 public:
  Call(Desk& desk, Asked asked, Done done)
      : desk_(desk), asked_(std::move(asked)), done_(std::move(done)) {
    ++desk_.open_;
  }
  ~Call() override { --desk_.open_; }

  void start() override {
    const uint64_t now = desk_.loop_.now_us();
    if (const uint64_t wait = desk_.failures_.wait_us(asked_.address, now); wait > 0) {
      return turn_away(429, "Too many calls of nobody who is known came from this address.",
                       seconds_of(wait));
    }
    if (asked_.token.empty()) {
      desk_.failures_.count(asked_.address, now);
      return refuse(401, kNobody);
    }
    if (const uint64_t wait = desk_.all_.wait_us(kAll, now); wait > 0) {
      return turn_away(429, "Too many calls come at the moment.", seconds_of(wait));
    }
    if (desk_.open_ > kApplicationsMax) {
      return turn_away(503, "Too many calls are being checked at the moment.", kRetrySeconds);
    }
    if (!desk_.around_.is_ready()) {
      return turn_away(503, "The endpoints are not all known yet.", kRetrySeconds);
    }
    desk_.all_.count(kAll, now);
    send(kTokenReviews, token_review(asked_.token.reveal(), desk_.audiences_),
         [this](const kube::Reply& reply) { on_token(reply); });
  }

  void cancel() noexcept override {
    if (call_ != nullptr) call_->cancel();
  }

 private:
  void on_token(const kube::Reply& reply) {
    asked_.token = Secret();
    if (!is_answered(reply)) return;
    TokenVerdict verdict = read_token_review(reply.body, desk_.audiences_);
    if (!verdict.is_answer) return cannot_ask("a TokenReview comes back that is none");
    const uint64_t now = desk_.loop_.now_us();
    if (!verdict.caller) {
      desk_.failures_.count(asked_.address, now);
      return refuse(401, kNobody);
    }
    caller_ = std::move(*verdict.caller);
    if (const uint64_t wait = desk_.callers_.wait_us(caller_.name, now); wait > 0) {
      return refuse(429,
                    "You call more often than allowed: keep a session until shortly before "
                    "its end.",
                    seconds_of(wait));
    }
    desk_.callers_.count(caller_.name, now);
    ReadWish read = read_wish(asked_.body);
    if (!read.wish) return refuse(400, read.problem);
    wish_ = std::move(*read.wish);
    subject_ = wish_.subject.empty() ? caller_.name : wish_.subject;
    if (!is_claim_text(subject_)) {
      return refuse(400, "Your name cannot be the subject of a session: name another one.");
    }
    rights_ = rights_for(caller_, asked_.target, wish_);
    ask_next_right();
  }

  void ask_next_right() {
    if (rights_asked_ == rights_.size()) return issue();
    send(kAccessReviews, Secret(access_review(caller_, rights_[rights_asked_])),
         [this](const kube::Reply& reply) { on_right(reply); });
  }

  void on_right(const kube::Reply& reply) {
    if (!is_answered(reply)) return;
    const AccessVerdict verdict = read_access_review(reply.body);
    if (!verdict.is_answer) return cannot_ask("a SubjectAccessReview comes back that is none");
    if (!verdict.allowed) {
      return refuse(403, "You may not " + rights_[rights_asked_].text() + " (API group " +
                             kApiGroup + "): a Role has to allow it.");
    }
    ++rights_asked_;
    ask_next_right();
  }

  void issue() {
    const std::string* payload = desk_.around_.find(asked_.target);
    if (payload == nullptr) return refuse(404, "There is no such endpoint in that namespace.");
    const routing::ReadAnnounced read = routing::read_announced(*payload);
    if (!read.endpoint) {
      log::error("credentials", "endpoint {}/{} cannot be read: {}", asked_.target.space,
                 asked_.target.endpoint, read.problem);
      return refuse(503, "The endpoint cannot be used at the moment.", kRetrySeconds);
    }
    const std::shared_ptr<const auth::SessionSigner> signer = desk_.around_.signer();
    const auto now = static_cast<int64_t>(event::wall_us() / 1'000'000);
    Terms terms = terms_of(*read.endpoint, wish_, subject_, desk_.issuer_, *signer, now);
    if (terms.status != 200) return refuse(terms.status, terms.message);
    claims_ = std::move(terms.claims);
    if (!settle_id(now)) {
      return refuse(409, "clientToken was used for another wish: take a new one.");
    }
    const auth::Minted minted = signer->sign(claims_);
    if (!minted.error.empty()) return refuse(409, "No session can be made: " + minted.error + ".");
    if (!audit(200, "")) {
      log::error("credentials", "nothing is issued while the audit log cannot be written");
      return refuse(503, "Sessions cannot be issued at the moment.", kRetrySeconds);
    }
    answer_with(minted.token);
  }

  // False: the client token stands for something else.
  bool settle_id(int64_t now) {
    claims_.token_id = crypto::random_uuid();
    if (wish_.client_token.empty()) return true;
    const Replays::Key key = Replays::key_of(caller_.name, asked_.target, wish_);
    const crypto::Sha256 digest = Replays::digest_of(wish_);
    if (const Replays::Entry* before = desk_.replays_.find(key, now)) {
      if (before->wish != digest) return false;
      claims_.token_id = before->token_id;
      claims_.issued_at = before->issued_at;
      claims_.lifetime_seconds = before->seconds;
      replayed_ = true;
      return true;
    }
    desk_.replays_.remember(key, {digest, claims_.token_id, now, claims_.lifetime_seconds});
    return true;
  }

  void answer_with(const Secret& token) {
    std::string body;
    body.reserve(token.reveal().size() + 256);
    body += R"({"id":")" + claims_.token_id + R"(","credentials":{"token":")";
    body += token.reveal();
    body +=
        R"("},"expiresAt":")" + iso_time(claims_.issued_at + claims_.lifetime_seconds) + "\"}\n";
    Answer answer;
    answer.body = Secret(std::move(body));
    count(200);
    done_(answer);
  }

  void send(const char* target, Secret body, kube::Client::Done done) {
    kube::CallRequest request;
    request.method = fetch::Method::kPost;
    request.target = target;
    request.content_type = "application/json";
    request.body = std::move(body);
    request.deadline_ms = kReviewMs;
    request.answer_bytes_max = kReviewBytesMax;
    ++desk_.counts_.reviews;
    if (call_ != nullptr) desk_.loop_.defer_delete(std::move(call_));
    call_ = desk_.client_.send(std::move(request), std::move(done));
  }

  bool is_answered(const kube::Reply& reply) {
    if (!reply.ok()) {
      cannot_ask(reply.problem, reply.retry_after_ms / 1'000);
      return false;
    }
    if (!desk_.problem_.empty()) log::info("credentials", "the API server reviews again");
    desk_.problem_.clear();
    return true;
  }

  void cannot_ask(const std::string& problem, uint32_t asked_s = 0) {
    ++desk_.counts_.review_errors;
    if (std::exchange(desk_.problem_, problem) != problem) {
      log::error("credentials", "callers cannot be reviewed: {}", problem);
    }
    refuse(503, kDown, std::max(asked_s, kRetrySeconds));
  }

  void refuse(uint16_t status, std::string_view message, uint32_t retry_after_s = 0) {
    audit(status, message);
    turn_away(status, message, retry_after_s);
  }

  // Without a line: nobody looked at the call, and strangers must not fill the audit log.
  void turn_away(uint16_t status, std::string_view message, uint32_t retry_after_s) {
    count(status);
    done_(refusal(status, message, retry_after_s));
  }

  bool audit(uint16_t status, std::string_view why) {
    Decision decision;
    decision.wall_us = event::wall_us();
    decision.client = asked_.client;
    decision.outcome = outcome_name(outcome_of(status));
    decision.status = status;
    decision.target = asked_.target;
    decision.caller = caller_.name;
    decision.subject = subject_;
    decision.session = status == 200 ? &claims_ : nullptr;
    decision.replayed = replayed_;
    decision.why = why;
    return desk_.around_.audit(audit_line(decision));
  }

  void count(uint16_t status) { ++desk_.counts_.calls[static_cast<size_t>(outcome_of(status))]; }

  Desk& desk_;
  Asked asked_;
  Done done_;
  std::unique_ptr<kube::Call> call_;
  Caller caller_;
  Wish wish_;
  std::string subject_;
  std::vector<Right> rights_;
  size_t rights_asked_ = 0;  // and allowed
  auth::SessionClaims claims_;
  bool replayed_ = false;
};

Desk::Desk(event::EventLoop& loop, kube::Client& client, const Options& options,
           Surroundings around)
    : loop_(loop),
      client_(client),
      issuer_(options.issuer),
      audiences_(options.audiences),
      around_(std::move(around)),
      callers_(options.calls_per_minute),
      all_(kCallsPerMinuteAll),
      failures_(kFailuresPerMinute) {}

Desk::~Desk() { KG_ASSERT(open_ == 0); }

std::unique_ptr<Desk::Application> Desk::open(Asked asked, Done done) {
  return std::make_unique<Call>(*this, std::move(asked), std::move(done));
}

}  // namespace kg::issuer
