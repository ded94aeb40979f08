#include "proxy/http/message.h"

#include "proxy/base/ascii.h"

namespace kg::http {
namespace {

std::string_view find_in(const std::vector<Header>& headers, std::string_view name) noexcept {
  for (const Header& header : headers) {
    if (ascii::equals_ignore_case(header.name, name)) return header.value;
  }
  return {};
}

}  // namespace

std::string_view RequestHead::find(std::string_view name) const noexcept {
  return find_in(headers, name);
}

void RequestHead::clear() noexcept {
  std::string().swap(bytes);
  std::vector<Header>().swap(headers);
  method = Method::kOther;
  method_text = target = path = query = authority = {};
  has_query = false;
  version_minor = 1;
  framing = Framing::kNone;
  content_length = 0;
  keep_alive = true;
  expect_continue = false;
  upgrade_websocket = false;
}

std::string_view ResponseHead::find(std::string_view name) const noexcept {
  return find_in(headers, name);
}

void ResponseHead::clear() noexcept {
  std::string().swap(bytes);
  std::vector<Header>().swap(headers);
  status = 0;
  reason = {};
  version_minor = 1;
  framing = Framing::kNone;
  content_length = 0;
  keep_alive = true;
  upgrade_websocket = false;
}

}  // namespace kg::http
