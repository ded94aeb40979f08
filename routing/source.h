// Source: where an endpoint's configuration stands.
#pragma once

#include <string>
#include <string_view>

#include "config/files.h"
#include "proxy/tls/tls_client_context.h"

namespace kg::routing {

struct Source {
  std::string name;                      // in errors
  const config::Texts* texts = nullptr;  // that came along; null: it names files

  // Null: `file` is none of them.
  const std::string* text_of(std::string_view file) const {
    if (texts == nullptr || !file.starts_with(config::kTextPrefix)) return nullptr;
    const auto found = texts->find(file.substr(config::kTextPrefix.size()));
    return found == texts->end() ? nullptr : &found->second;
  }
  // With the texts of those of its names that are none of files.
  tls::ClientTlsFiles with_texts(tls::ClientTlsFiles files) const {
    for (const std::string& file : {files.ca_file, files.certificate, files.private_key}) {
      if (const std::string* text = text_of(file)) files.texts.emplace(file, *text);
    }
    return files;
  }
};

}  // namespace kg::routing
