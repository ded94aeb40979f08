// CURVE keys: made, and read from files. A key is 40 characters of z85 (ZeroMQ RFC 32).
//
// A key file holds one secret key on a line; the public one follows from it. routing/fleet_keys.h
// makes such files, and their public keys beside them in FILE.pub.
// Thread: any; blocks on files. Errors: a sentence with file, problem and remedy, never a key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/secret.h"

namespace kg::feed {

struct KeyPair {
  std::string public_key;
  Secret secret_key;
};

KeyPair make_keys();
// 40 characters that are 32 bytes?
bool is_key(std::string_view text) noexcept;
// The 40 characters of 32 bytes; "" of anything else.
std::string key_text(std::string_view raw);
// The pair of a secret key; nullopt if it is none.
std::optional<KeyPair> keys_of(const Secret& secret_key);

std::optional<KeyPair> read_keys(const std::string& file, std::string& problem);

}  // namespace kg::feed
