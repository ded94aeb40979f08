// One HTTP/1.1 request on a connection of its own, as the stock gateway client makes them (domain
// G6).
//
// Limits: bodies of answers up to kAnswerBytesMax.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bench/load/connection.h"
#include "bench/load/outcome.h"
#include "bench/load/target.h"
#include "proxy/http/message.h"

namespace kg::bench {

inline constexpr size_t kAnswerBytesMax =
    size_t{16} * 1024 * 1024;  // kernel models are under 1 KiB

struct HttpAnswer {
  int status = 0;
  std::string body;
};

struct HttpCall {
  http::Method method = http::Method::kGet;
  std::string path;  // below the target's prefix, with query
  std::string json;  // body; "" sends none
};

// `stop` as in Connection::open.
Outcome<HttpAnswer> call_http(const Target& target, const HttpCall& call, Deadline deadline,
                              const Stop* stop);

// The request line and the fields that every request to the target carries, without the empty line.
std::string request_head(const Target& target, std::string_view method, std::string_view path);

// Reads one head. What followed it in the same read goes to `rest`.
Outcome<void> read_head(Connection& connection, http::Method method, http::ResponseHead& head,
                        std::string& rest, Deadline deadline);

}  // namespace kg::bench
