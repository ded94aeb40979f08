// Names of files: relative to the folder of the configuration file, checked for what can be known
// without reading them. Where a text comes without a folder, from a stranger perhaps, the files
// that it names come with it, and no others can be named.
//
// Thread: control; blocks on the file system.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/problems.h"
#include "config/section.h"

namespace kg::config {

enum class Secrecy : uint8_t { kPublic, kSecret };

// The files that come along: "feed:NAME" is the name of the text at NAME.
inline constexpr std::string_view kTextPrefix = "feed:";
using Texts = std::map<std::string, std::string, std::less<>>;

class Files {
 public:
  explicit Files(const std::string& config_file);
  // Borrows `texts`.
  explicit Files(const Texts& texts);

  // The resolved name of a file that must be there, "" if the key is absent. A secret one that
  // everybody may read is a warning. Of a text: its name as written.
  std::string existing(const Section& section, std::string_view name, Secrecy secrecy) const;
  // The resolved name of a folder, "" if the key is absent. It need not be there.
  std::string folder(const Section& section, std::string_view name) const;
  // "stdout", "off" or the resolved name of a file in a folder that exists.
  std::string log(const Section& section, std::string_view name) const;

 private:
  std::string resolve(const std::string& name) const;
  std::string text(const Section& section, std::string_view name, const std::string& written) const;

  std::string folder_;
  const Texts* texts_ = nullptr;  // null: files come from the folder
};

// At most `bytes_max` bytes of a file; else a sentence that says what is wrong.
struct FileText {
  std::optional<std::string> text;
  std::string problem;
};
FileText read_file(const std::string& path, size_t bytes_max);

}  // namespace kg::config
