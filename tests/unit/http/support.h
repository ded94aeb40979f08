// Helpers of the HTTP unit tests: heads fed in every way a network may cut them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/head_reader.h"

namespace kg::http {

// Cuts of `wire`: whole, in two at every byte boundary, and byte by byte.
inline void for_each_cut(std::string_view wire,
                         const std::function<void(const std::vector<std::string_view>&)>& visit) {
  visit({wire});
  for (size_t cut = 1; cut < wire.size(); ++cut) visit({wire.substr(0, cut), wire.substr(cut)});
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < wire.size(); ++i) bytes.push_back(wire.substr(i, 1));
  visit(bytes);
}

// Feeds pieces until the head is complete or refused; the answer counts the bytes taken.
template <class Reader>
Result<size_t> feed_all(Reader& reader, const std::vector<std::string_view>& pieces) {
  size_t taken = 0;
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);  // the reader must not keep views of what it was fed
    const Result<size_t> fed = reader.feed(copy);
    if (!fed) return fed;
    taken += *fed;
    if (*fed < piece.size()) break;
  }
  return taken;
}

inline void read_request(RequestHead& head, std::string_view wire) {
  RequestReader reader(head);
  const Result<size_t> fed = reader.feed(wire);
  ASSERT_TRUE(fed.has_value()) << fed.error().detail << " in " << wire;
  ASSERT_TRUE(reader.complete()) << wire;
}

inline void read_response(ResponseHead& head, std::string_view wire, Method method = Method::kGet) {
  ResponseReader reader(head);
  reader.expect(method);
  const Result<size_t> fed = reader.feed(wire);
  ASSERT_TRUE(fed.has_value()) << fed.error().detail << " in " << wire;
  ASSERT_TRUE(reader.complete()) << wire;
}

}  // namespace kg::http
