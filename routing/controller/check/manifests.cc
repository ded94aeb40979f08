#include "routing/controller/check/manifests.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <sstream>
#include <utility>

#include "config/files.h"
#include "config/utf8.h"
#include "routing/controller/check/scalars.h"

namespace kg::check {
namespace {

using ingress::Json;

// Turns yaml-cpp's events into JSON, one value for each document. After a problem the rest of the
// file is not looked at.
class Builder : public YAML::EventHandler {
 public:
  bool has_failed() const noexcept { return !problem_.empty(); }
  const std::string& problem() const noexcept { return problem_; }
  int problem_line() const noexcept { return line_; }
  struct Document {
    Json value;
    int line = 0;
  };
  std::vector<Document>& documents() noexcept { return documents_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp finds empty documents for ever before a comma that stands outside of brackets.
    if (mark.pos <= position_) fail(mark, "not valid YAML: check brackets and quotes");
    position_ = mark.pos;
    documents_.push_back({nullptr, line_of(mark)});
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(nullptr, mark, "", anchor, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    fail(mark, "an alias: write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    put(tag == "?" ? plain_scalar(value) : Json(value), mark, tag, anchor, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Json::array(), mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Json::object(), mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Json value;
    std::string key;
    bool wants_key = false;
  };

  static int line_of(const YAML::Mark& mark) noexcept { return std::max(mark.line, 0) + 1; }

  void fail(const YAML::Mark& mark, const char* problem) {
    if (has_failed()) return;
    problem_ = problem;
    line_ = line_of(mark);
  }

  bool admit(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (++nodes_ > kManifestNodesMax) fail(mark, "more than 2,000,000 values: split the file");
    if (anchor != YAML::NullAnchor) fail(mark, "an anchor: write the value out where it is used");
    if (!tag.empty() && tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str")
      fail(mark, "a tag: remove it");
    return !has_failed();
  }

  bool wants_key() const noexcept { return !stack_.empty() && stack_.back().wants_key; }

  void put(Json value, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
           const std::string& text) {
    if (!admit(mark, tag, anchor)) return;
    if (!wants_key()) return place(std::move(value));
    Frame& frame = stack_.back();
    if (frame.value.contains(text)) return fail(mark, "a key that stands twice: remove one");
    frame.key = text;
    frame.wants_key = false;
  }

  void place(Json value) {
    if (stack_.empty()) {
      if (!documents_.empty()) documents_.back().value = std::move(value);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.value.is_array()) {
      frame.value.push_back(std::move(value));
    } else {
      frame.value[frame.key] = std::move(value);
      frame.wants_key = true;
    }
  }

  void open(Json value, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (!admit(mark, tag, anchor)) return;
    if (wants_key()) return fail(mark, "a list or a map as a key: write keys as words");
    if (stack_.size() == kManifestDepthMax) return fail(mark, "nested more than 64 deep");
    const bool is_map = value.is_object();
    stack_.push_back({std::move(value), "", is_map});
  }

  void close() {
    if (has_failed()) return;
    Json value = std::move(stack_.back().value);
    stack_.pop_back();
    place(std::move(value));
  }

  std::vector<Document> documents_;
  std::vector<Frame> stack_;
  std::string problem_;
  int line_ = 0;
  int position_ = -1;  // where the last document begins
  size_t nodes_ = 0;
};

std::string at(const std::string& file, int line) { return file + ":" + std::to_string(line); }

// Lists hold what they list, with or without a kind in each.
void add(Json object, const std::string& place, const std::string& kind, Manifests& out) {
  if (object.is_null()) return;  // nothing between two lines of dashes
  if (!object.is_object()) {
    out.problems.push_back(place + ": not a map: each document is one object");
    return;
  }
  if (ingress::text(object, "kind").empty() && !kind.empty()) object["kind"] = kind;
  const std::string name(ingress::text(object, "kind"));
  const Json& items = ingress::member(object, "items");
  if (name.ends_with("List") && items.is_array()) {
    for (const Json& item : items)
      add(item, place, name == "List" ? "" : name.substr(0, name.size() - 4), out);
    return;
  }
  if (name.empty()) {
    out.problems.push_back(place + ": has no kind: write apiVersion and kind");
    return;
  }
  out.objects.push_back({std::move(object), place});
}

void parse_yaml(std::string_view text, const std::string& file, Manifests& out) {
  std::istringstream stream{std::string(text)};
  Builder builder;
  std::string problem;
  int line = 0;
  try {
    YAML::Parser parser(stream);
    while (!builder.has_failed() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    line = error.mark.is_null() ? 0 : error.mark.line + 1;
    problem = "not valid YAML: " + error.msg;
  } catch (const std::exception& error) {
    problem = std::string("not valid YAML: ") + error.what();
  }
  if (builder.has_failed()) {
    problem = builder.problem();
    line = builder.problem_line();
  }
  if (!problem.empty()) {
    out.problems.push_back(at(file, line) + ": " + problem);
    return;
  }
  for (Builder::Document& document : builder.documents())
    add(std::move(document.value), at(file, document.line), "", out);
}

}  // namespace

void parse_manifests(std::string_view text, const std::string& file, Manifests& out) {
  if (text.size() > kManifestBytesMax) {
    out.problems.push_back(file + ": is larger than 16 MiB: split it");
    return;
  }
  if (const auto bad = config::find_unprintable(text, config::LineBreaks::kAllow)) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(*bad), '\n');
    out.problems.push_back(at(file, static_cast<int>(line) + 1) +
                           ": a byte that is not printable UTF-8 text: save it as UTF-8");
    return;
  }
  // JSON is YAML, and its own parser is quick and takes no memory for tokens.
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    bool is_deep = false;
    const auto within = [&is_deep](int depth, Json::parse_event_t /*event*/, Json& /*value*/) {
      is_deep = is_deep || depth > static_cast<int>(kManifestDepthMax);
      return !is_deep;
    };
    Json object = Json::parse(text, within, /*allow_exceptions=*/false);
    if (!object.is_discarded() && !is_deep) return add(std::move(object), at(file, 1), "", out);
  }
  parse_yaml(text, file, out);
}

void read_manifests(const std::string& path, Manifests& out) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  std::vector<std::string> files;
  if (fs::is_directory(path, ignored)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(path, ignored)) {
      const std::string suffix = entry.path().extension().string();
      if (files.size() == kManifestFilesMax) break;
      if (suffix == ".yaml" || suffix == ".yml" || suffix == ".json")
        files.push_back(entry.path().string());
    }
    std::ranges::sort(files);
    if (files.empty()) out.problems.push_back(path + ": no .yaml, .yml or .json file in it");
  } else {
    files.push_back(path);
  }
  for (const std::string& file : files) {
    const config::FileText read = config::read_file(file, kManifestBytesMax);
    if (read.text) {
      parse_manifests(*read.text, file, out);
    } else {
      out.problems.push_back(file + ": " + read.problem + ": check the name behind -f");
    }
  }
}

}  // namespace kg::check
