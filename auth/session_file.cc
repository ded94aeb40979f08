#include "auth/session_file.h"

namespace kg::auth {

template <class File>
std::shared_ptr<File> SessionFiles::read(ByPath<File>& files, const std::string& path,
                                         std::string& problem) {
  std::shared_ptr<File>& known = files[path];
  if (known != nullptr) return known;
  auto file = std::make_shared<File>(path);
  if (file->reload(problem) == SessionFile::Outcome::kUnusable) return nullptr;
  known = std::move(file);
  return known;
}

template std::shared_ptr<KeysFile> SessionFiles::read(ByPath<KeysFile>&, const std::string&,
                                                      std::string&);
template std::shared_ptr<OpaqueFile> SessionFiles::read(ByPath<OpaqueFile>&, const std::string&,
                                                        std::string&);

std::vector<std::shared_ptr<SessionFile>> SessionFiles::all() const {
  std::vector<std::shared_ptr<SessionFile>> files;
  for (const auto& [path, file] : keys_) {
    if (file != nullptr) files.push_back(file);
  }
  for (const auto& [path, file] : opaque_) {
    if (file != nullptr) files.push_back(file);
  }
  return files;
}

}  // namespace kg::auth
