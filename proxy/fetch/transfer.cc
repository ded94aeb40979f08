#include "proxy/fetch/transfer.h"

#include <sys/socket.h>

#include <cstring>
#include <string>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/fetch/own_network.h"

namespace kg::fetch {
namespace {

Failure failure_of(CURLcode code) noexcept {
  switch (code) {
    case CURLE_OK:
      return Failure::kNone;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return Failure::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
      return Failure::kTls;
    case CURLE_FILESIZE_EXCEEDED:
      return Failure::kTooLarge;
    default:
      return Failure::kProtocol;
  }
}

// Of an answer without end. Linux gives up after nine probes: a dead peer is noticed in 75 s.
constexpr long kKeepAliveIdleSeconds = 30;
constexpr long kKeepAliveIntervalSeconds = 5;

// libcurl reads it during the exchange only, and the request outlives that.
curl_blob blob_of(std::string_view text) noexcept {
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
}

}  // namespace

void LinesFree::operator()(curl_slist* lines) const noexcept {
  for (curl_slist* line = lines; line != nullptr; line = line->next) {
    explicit_bzero(line->data, std::strlen(line->data));
  }
  curl_slist_free_all(lines);
}

Transfer::Transfer(const Request& request, Sink* sink)
    : request_(request), sink_(sink), easy_(curl_easy_init()) {
  KG_ASSERT(easy_ != nullptr);
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs does not hold up the end of the process
  set(CURLOPT_ERRORBUFFER, problem_.data());
  set(CURLOPT_HEADERFUNCTION, &Transfer::head_cb);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::body_cb);
  set(CURLOPT_WRITEDATA, this);
  if (sink != nullptr) {
    set(CURLOPT_TCP_KEEPALIVE, 1L);  // a peer that is gone says nothing, and an idle one neither
    set(CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleSeconds);
    set(CURLOPT_TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  } else if (!request.status_only) {
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request.answer_bytes_max));
  }
  set_security();
  set_request();
}

Transfer& Transfer::of(CURL* handle) noexcept {
  Transfer* transfer = nullptr;
  curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
  KG_ASSERT(transfer != nullptr);
  return *transfer;
}

template <class Value>
void Transfer::set(CURLoption option, Value value) {
  // Fails for what this libcurl does not know, or without memory: never go on with less.
  KG_ASSERT(curl_easy_setopt(easy_.get(), option, value) == CURLE_OK);
}

void Transfer::set_security() {
  set(CURLOPT_PROTOCOLS_STR, request_.url.secure ? "https" : "http");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // the environment names none either
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  // One exchange, one connection: none is found closed in the moment of its use, and none that was
  // made for other trust is met again.
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  if (request_.trust == nullptr) return;
  if (request_.trust->outward) {
    set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_cb);
    set(CURLOPT_OPENSOCKETDATA, this);
  }
  if (!request_.trust->ca_pem.empty()) {
    curl_blob ca = blob_of(request_.trust->ca_pem);
    set(CURLOPT_CAINFO_BLOB, &ca);
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));  // instead of the system's, not beside them
  }
  if (!request_.trust->chain_pem.empty()) {
    curl_blob chain = blob_of(request_.trust->chain_pem);
    curl_blob key = blob_of(request_.trust->key_pem.reveal());
    set(CURLOPT_SSLCERT_BLOB, &chain);
    set(CURLOPT_SSLKEY_BLOB, &key);
  }
}

void Transfer::set_request() {
  set(CURLOPT_URL, request_.url.text().c_str());
  if (!request_.connect_to.empty()) {
    connect_to_.reset(curl_slist_append(nullptr, ("::" + request_.connect_to).c_str()));
    KG_ASSERT(connect_to_ != nullptr);
    set(CURLOPT_CONNECT_TO, connect_to_.get());
  }
  set(CURLOPT_USERAGENT, "kernelgate");
  if (request_.method == Method::kPost) set_body("POST");
  if (request_.method == Method::kPut) set_body("PUT");
  if (request_.method == Method::kPatch) set_body("PATCH");
  for (const Field& field : request_.fields) {
    std::string line = field.name + ": ";
    line.reserve(line.size() + field.value.reveal().size());
    line += field.value.reveal();
    const Secret wiped(std::move(line));
    add_line(wiped.reveal().data());
  }
  if (lines_ != nullptr) set(CURLOPT_HTTPHEADER, lines_.get());
}

void Transfer::set_body(const char* method) {
  set(CURLOPT_CUSTOMREQUEST, method);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.reveal().size()));
  set(CURLOPT_POSTFIELDS, request_.body.reveal().data());
  add_line("Expect:");  // none
}

void Transfer::add_line(const char* line) {
  curl_slist* longer = curl_slist_append(lines_.get(), line);
  KG_ASSERT(longer != nullptr);
  static_cast<void>(lines_.release());  // the list in hand goes on as `longer`
  lines_.reset(longer);
}

Answer Transfer::take_answer(CURLcode code) {
  Answer answer;
  answer.failure = too_large_ ? Failure::kTooLarge : failure_of(enough_ ? CURLE_OK : code);
  if (answer.failure == Failure::kTooLarge) {
    answer.problem =
        "the answer is larger than " + std::to_string(request_.answer_bytes_max) + " bytes";
  } else if (!answer.came() && inward_) {
    answer.problem = "its name leads to an address of this machine or link, which is not asked";
  } else if (!answer.came()) {
    answer.problem = problem_[0] != '\0' ? problem_.data() : curl_easy_strerror(code);
  }
  if (!answer.came()) return answer;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  answer.body = std::move(body_);
  take_wanted(answer);
  return answer;
}

void Transfer::take_wanted(Answer& answer) {
  for (const std::string& name : request_.wanted) {
    std::vector<std::string>& values = answer.wanted.emplace_back();
    curl_header* header = nullptr;
    size_t index = 0;
    while (curl_easy_header(easy_.get(), name.c_str(), index, CURLH_HEADER, -1, &header) ==
           CURLHE_OK) {
      values.emplace_back(header->value);
      ++index;
    }
  }
}

// Whether this answer goes to the sink.
bool Transfer::streams() const noexcept {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return sink_ != nullptr && status == 200;
}

curl_socket_t Transfer::open_cb(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  sockaddr_storage storage{};
  if (address->addrlen > sizeof storage) return CURL_SOCKET_BAD;
  std::memcpy(&storage, &address->addr, address->addrlen);
  if (is_of_own_network(event::SocketAddress(storage, address->addrlen))) {
    static_cast<Transfer*>(self)->inward_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t Transfer::head_cb(char* bytes, size_t one, size_t size, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  const std::string_view line(bytes, one * size);
  transfer->head_bytes_ += line.size();
  transfer->too_large_ |= transfer->head_bytes_ > limits::kFetchHeadBytesMax;
  if (transfer->too_large_) return 0;
  if ((line == "\r\n" || line == "\n") && transfer->streams()) transfer->sink_->on_head();
  return line.size();
}

size_t Transfer::body_cb(char* bytes, size_t one, size_t size, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  const size_t more = one * size;
  if (transfer->request_.status_only) {
    transfer->enough_ = true;
    return more + 1;  // ends the exchange
  }
  if (transfer->streams()) {
    transfer->sink_->on_bytes({bytes, more});
    return more;
  }
  if (more > transfer->request_.answer_bytes_max - transfer->body_.size()) {
    transfer->too_large_ = true;
    return 0;
  }
  transfer->body_.append(bytes, more);
  return more;
}

}  // namespace kg::fetch
