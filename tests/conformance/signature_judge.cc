// Judges signatures as the program would: what tests/conformance/wycheproof_test.py asks.
//
// Reads lines, answers each with one line:
//   key BASE64URL               from now on these keys (a JWK Set or PEM): "ok", or what is wrong
//   check ALGORITHM TEXT SIGNATURE      text and signature in base64url, "-" for no bytes:
//                               "valid" or "invalid"
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "auth/key_set.h"
#include "proxy/base/ascii.h"

namespace kg::auth {
namespace {

std::string bytes(const std::string& word) {
  if (word == "-") return "";
  const std::optional<std::string> decoded = ascii::base64url_decode(word);
  if (!decoded) {
    std::cerr << "not base64url: " << word << '\n';
    std::exit(2);
  }
  return *decoded;
}

void answer(std::istringstream& line, std::shared_ptr<const KeySet>& keys) {
  std::string verb;
  line >> verb;
  if (verb == "key") {
    std::string text;
    line >> text;
    const KeySet::Loaded loaded = KeySet::from_text(bytes(text));
    keys = loaded.keys;
    std::cout << (keys != nullptr ? "ok" : loaded.error) << '\n';
    return;
  }
  std::string name;
  std::string text;
  std::string signature;
  line >> name >> text >> signature;
  const std::optional<Algorithm> algorithm = algorithm_named(name);
  if (verb != "check" || !algorithm || keys == nullptr) {
    std::cerr << "cannot answer " << line.str() << '\n';
    std::exit(2);
  }
  const bool valid = keys->verify("", *algorithm, bytes(text), bytes(signature));
  std::cout << (valid ? "valid" : "invalid") << '\n';
}

}  // namespace
}  // namespace kg::auth

int main() {
  std::shared_ptr<const kg::auth::KeySet> keys;
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    kg::auth::answer(line, keys);
  }
  return 0;
}
