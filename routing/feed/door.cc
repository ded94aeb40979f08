#include "routing/feed/door.h"

#include <array>

namespace kg::feed {
namespace {

constexpr std::string_view kZapVersion = "1.0";
enum Frame : size_t {
  kZapVersionFrame,
  kZapRequest,
  kZapDomain,
  kZapAddress,
  kZapIdentity,
  kZapMechanism,
  kZapKey,
  kZapFrames
};

}  // namespace

Door::~Door() {
  if (socket_ == nullptr) return;
  socket_->close();
  loop_.defer_delete(std::move(socket_));
}

std::string Door::open(Context& context) {
  std::string problem;
  socket_ =
      Socket::make(context, loop_, *this, {Socket::Kind::kDoor, 0, std::nullopt, ""}, problem);
  return socket_ == nullptr ? problem : socket_->bind("inproc://zeromq.zap.01");
}

void Door::on_message(std::span<const std::string_view> frames, std::string_view) {
  const bool readable = frames.size() == kZapFrames && frames[kZapVersionFrame] == kZapVersion &&
                        frames[kZapMechanism] == "CURVE";
  const std::string key = readable ? key_text(frames[kZapKey]) : "";
  const bool welcome = !key.empty() && judge_(key);
  const std::array<std::string_view, 6> answer{
      kZapVersion,
      frames.size() > kZapRequest ? frames[kZapRequest] : "",
      welcome ? "200" : "400",
      welcome ? "" : "unknown key",
      welcome ? std::string_view(key) : "",
      ""};
  socket_->send(answer);
}

}  // namespace kg::feed
