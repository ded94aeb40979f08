#include "bench/load/http_client.h"

#include <array>
#include <utility>

#include "proxy/http/body_reader.h"
#include "proxy/http/head_reader.h"

namespace kg::bench {

namespace {

std::string_view method_name(http::Method method) {
  switch (method) {
    case http::Method::kPost:
      return "POST";
    case http::Method::kDelete:
      return "DELETE";
    default:
      return "GET";
  }
}

Outcome<std::string> read_body(Connection& connection, const http::ResponseHead& head,
                               std::string input, Deadline deadline) {
  http::BodyReader reader(head.framing, head.content_length, ErrorCode::kUpstreamProtocol);
  std::string body;
  std::array<char, 16'384> chunk;
  while (!reader.done()) {
    std::string_view left = input;
    while (!left.empty() && !reader.done()) {
      auto piece = reader.next(left);
      if (!piece) return Failure{"protocol", piece.error().detail};
      body.append(piece->payload);
      left.remove_prefix(piece->consumed);
      if (body.size() > kAnswerBytesMax) return Failure{"protocol", "answer is too large"};
    }
    if (reader.done()) break;
    auto got = connection.read_some(chunk.data(), chunk.size(), deadline);
    if (!got) return got.failure();
    if (*got == 0) {
      auto ended = reader.end_of_stream();
      if (!ended) return Failure{"closed", "in the middle of an answer"};
      break;
    }
    input.assign(chunk.data(), *got);
  }
  return body;
}

}  // namespace

std::string request_head(const Target& target, std::string_view method, std::string_view path) {
  std::string head;
  head.append(method).append(" ").append(target.prefix).append(path).append(" HTTP/1.1\r\nHost: ");
  head.append(target.authority).append("\r\nUser-Agent: kernelgate-load\r\n");
  if (!target.token.empty()) {
    head.append("Authorization: token ").append(target.token.reveal()).append("\r\n");
  }
  return head;
}

Outcome<void> read_head(Connection& connection, http::Method method, http::ResponseHead& head,
                        std::string& rest, Deadline deadline) {
  std::array<char, 16'384> chunk;
  for (;;) {  // interim answers precede the final one (RFC 9110 section 15.2)
    head.clear();
    http::ResponseReader reader(head);
    reader.expect(method);
    while (!reader.complete()) {
      if (rest.empty()) {
        auto got = connection.read_some(chunk.data(), chunk.size(), deadline);
        if (!got) return got.failure();
        if (*got == 0) return Failure{"closed", "before an answer"};
        rest.assign(chunk.data(), *got);
      }
      auto taken = reader.feed(rest);
      if (!taken) return Failure{"protocol", taken.error().detail};
      rest.erase(0, *taken);
    }
    if (head.status >= 200 || head.status == 101) return {};
  }
}

Outcome<HttpAnswer> call_http(const Target& target, const HttpCall& call, Deadline deadline,
                              const Stop* stop) {
  auto connection = Connection::open(target, deadline, stop);
  if (!connection) return connection.failure();
  std::string request = request_head(target, method_name(call.method), call.path);
  request.append("Connection: close\r\n");
  if (!call.json.empty()) {
    request.append("Content-Type: application/json\r\nContent-Length: ")
        .append(std::to_string(call.json.size()))
        .append("\r\n");
  }
  request.append("\r\n").append(call.json);
  auto sent = (*connection)->write_all(request, deadline);
  if (!sent) return sent.failure();
  http::ResponseHead head;
  std::string rest;
  auto read = read_head(**connection, call.method, head, rest, deadline);
  if (!read) return read.failure();
  auto body = read_body(**connection, head, std::move(rest), deadline);
  if (!body) return body.failure();
  return HttpAnswer{head.status, std::move(*body)};
}

}  // namespace kg::bench
