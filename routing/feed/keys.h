// CURVE keys: made, kept as files, read. A key is 40 characters of z85 (ZeroMQ RFC 32).
//
// A key file holds one secret key on a line and is written with mode 0600, its public key beside it
// in FILE.pub; the public one follows from the secret one, so FILE alone is enough to read both.
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

// Never overwrites: a key that is lost locks out who knew it. "" or what is wrong.
std::string write_keys(const std::string& file, const KeyPair& keys);
std::optional<KeyPair> read_keys(const std::string& file, std::string& problem);

}  // namespace kg::feed
