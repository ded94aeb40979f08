// Reads a small file that holds keys, whole. The text may be a private key: it stays in a Secret,
// and no buffer of a stream library keeps a copy.
#pragma once

#include <string>

#include "proxy/base/secret.h"

namespace kg::auth {

inline constexpr size_t kKeyFileBytesMax =
    size_t{256} * 1024;  // 64 RSA keys of 8192 bits take 100 KiB

struct KeyFile {
  Secret text;
  std::string error;  // a sentence with the path; "" if the text is whole
};
KeyFile read_key_file(const std::string& path, size_t bytes_max = kKeyFileBytesMax);

}  // namespace kg::auth
