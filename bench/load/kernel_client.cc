#include "bench/load/kernel_client.h"

#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "bench/load/http_client.h"
#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"

namespace kg::bench {

namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kCloseSeconds{2};  // for the peer's Close; a gateway answers in 1 ms

std::string now_text() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000Z", &parts)};
}

Json execute_request(const std::string& message_id, const std::string& session_id,
                     const KernelWish& wish, const std::string& code) {
  return {{"channel", "shell"},
          {"header",
           {{"msg_id", message_id},
            {"msg_type", "execute_request"},
            {"username", wish.username},
            {"session", session_id},
            {"date", now_text()},
            {"version", "5.3"}}},
          {"parent_header", Json::object()},
          {"metadata", Json::object()},
          {"content",
           {{"code", code},
            {"silent", false},
            {"store_history", true},
            {"user_expressions", Json::object()},
            {"allow_stdin", false},
            {"stop_on_error", true}}},
          {"buffers", Json::array()}};
}

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& object_at(const Json& object, const char* key) {
  static const Json kEmpty = Json::object();
  if (!object.is_object()) return kEmpty;
  const auto found = object.find(key);
  return found != object.end() ? *found : kEmpty;
}

// What the messages of one request have said so far.
struct CellProgress {
  bool replied = false;
  bool idle = false;
  std::string status;  // of the reply
  std::string error;   // "NameError: ..."
  std::optional<std::string> result;

  bool complete() const { return replied && idle; }

  void take(const Json& message) {
    const std::string type = text_at(object_at(message, "header"), "msg_type");
    const Json& content = object_at(message, "content");
    if (type == "execute_reply") {
      replied = true;
      status = text_at(content, "status");
      if (status != "ok") error = text_at(content, "ename") + ": " + text_at(content, "evalue");
    } else if (type == "status") {
      idle = idle || text_at(content, "execution_state") == "idle";
    } else if (type == "execute_result") {
      result = text_at(object_at(content, "data"), "text/plain");
    }
  }
};

Failure answer_failure(const HttpAnswer& answer) {
  return {"status " + std::to_string(answer.status), answer.body.substr(0, 200)};
}

}  // namespace

KernelClient::KernelClient(const Target& target, const KernelWish& wish, const Stop& stop)
    : target_(target), wish_(wish), stop_(stop), session_id_(crypto::random_uuid()) {}

Outcome<void> KernelClient::start() {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wish_.timeout).count();
  const Json body = {
      {"name", wish_.kernel_name},
      {"env",
       {{"KERNEL_USERNAME", wish_.username}, {"KERNEL_LAUNCH_TIMEOUT", std::to_string(seconds)}}}};
  const HttpCall call{http::Method::kPost, "/api/kernels", body.dump()};
  auto answer = call_http(target_, call, deadline(), nullptr);
  if (!answer) return answer.failure();
  if (answer->status != 201) return answer_failure(*answer);
  const Json model = Json::parse(answer->body, nullptr, false);
  id_ = text_at(model, "id");
  if (id_.empty()) return Failure{"protocol", "the kernel model has no id"};
  return {};
}

Outcome<void> KernelClient::connect() {
  std::string path = "/api/kernels/";
  ascii::percent_encode(id_, path);
  path.append("/channels?session_id=").append(session_id_);
  auto socket = WebsocketClient::open(target_, path, deadline(), &stop_);
  if (!socket) return socket.failure();
  socket_ = std::move(*socket);
  return {};
}

Outcome<void> KernelClient::run_cell(const Cell& cell) {
  const Deadline until = deadline();
  const std::string message_id = crypto::random_uuid();
  const Json request = execute_request(message_id, session_id_, wish_, cell.code);
  auto sent = socket_->send_text(request.dump(), until);
  if (!sent) return sent.failure();
  CellProgress progress;
  while (!progress.complete()) {
    auto text = socket_->receive_text(until);
    if (!text) return text.failure();
    const Json message = Json::parse(*text, nullptr, false);
    if (message.is_discarded()) return Failure{"protocol", "a message is not JSON"};
    if (text_at(object_at(message, "parent_header"), "msg_id") == message_id) {
      progress.take(message);
    }
  }
  if (progress.status != "ok") return Failure{"error reply", progress.error};
  if (!cell.expected.empty() && progress.result != cell.expected) {
    return Failure{"wrong result", progress.result ? "got " + *progress.result : "got none"};
  }
  return {};
}

Outcome<void> KernelClient::remove() {
  if (socket_) {
    socket_->close(Clock::now() + kCloseSeconds);
    socket_.reset();
  }
  if (id_.empty()) return {};
  HttpCall call{http::Method::kDelete, "/api/kernels/", ""};
  ascii::percent_encode(id_, call.path);
  auto answer = call_http(target_, call, deadline(), nullptr);
  if (!answer) return answer.failure();
  // 404: somebody else, or a culler, was quicker.
  if (answer->status != 204 && answer->status != 404) return answer_failure(*answer);
  id_.clear();
  return {};
}

}  // namespace kg::bench
