#include "config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <istream>
#include <streambuf>

#include "config/utf8.h"

namespace kg::config {
namespace {

constexpr size_t kDepthMax = 16;
constexpr size_t kKeysPerMapMax = 64;  // the schema's widest map has a dozen
constexpr size_t kNodesMax = 2'000'000;
// Tokens take 100 times their text, and yaml-cpp holds all tokens of a flow collection that might
// turn out to be a key ("[[[[..."). This bounds what it may hold before it delivers something.
constexpr size_t kLookAheadBytesMax = size_t{1024} * 1024;

// Feeds the parser piecewise, so that it can be starved when it hoards or when we have seen enough.
class BoundedInput : public std::streambuf {
 public:
  explicit BoundedInput(std::string_view text) : rest_(text) {}

  void delivered() noexcept { ahead_bytes_ = 0; }
  void stop() noexcept { rest_ = {}; }
  bool starved() const noexcept { return starved_; }

 protected:
  int_type underflow() override {
    if (ahead_bytes_ >= kLookAheadBytesMax && !rest_.empty()) {
      starved_ = true;
      rest_ = {};
    }
    if (rest_.empty()) return traits_type::eof();
    piece_.assign(rest_.substr(0, kPieceBytes));
    rest_.remove_prefix(piece_.size());
    ahead_bytes_ += piece_.size();
    setg(piece_.data(), piece_.data(), piece_.data() + piece_.size());
    return traits_type::to_int_type(piece_.front());
  }

 private:
  static constexpr size_t kPieceBytes = 4096;
  std::string_view rest_;
  std::string piece_;
  size_t ahead_bytes_ = 0;
  bool starved_ = false;
};

// Turns yaml-cpp's events into Nodes. After give_up() all further events are ignored: throwing
// through the library would be the only way to leave it early.
class Builder : public YAML::EventHandler {
 public:
  Builder(BoundedInput& input, Problems& problems, const YamlRules& rules)
      : input_(input), problems_(problems), rules_(rules) {}

  bool gave_up() const noexcept { return gave_up_; }
  std::optional<YamlNode> take_root() { return gave_up_ ? std::nullopt : std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    input_.delivered();
    if (documents_++ > 0) {
      give_up(line_of(mark), "a second document", "keep one document in a file");
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!admit(mark, "", anchor)) return;
    if (wants_key()) return take_key("~", line_of(mark));
    put(YamlNode{YamlNode::Kind::kNull, line_of(mark), "", "", {}});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    if (!admit(mark, "", 0)) return;
    refuse(mark, "an alias", "write the value out: aliases hide how large a file is");
    if (wants_key()) return take_key("*", line_of(mark));
    put(YamlNode{YamlNode::Kind::kBroken, line_of(mark), "", "", {}});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!admit(mark, tag, anchor)) return;
    std::string wrong;
    if (value.size() > rules_.value_bytes_max)
      wrong = "longer than " + std::to_string(rules_.value_bytes_max) + " bytes";
    if (wrong.empty() && !is_printable_utf8(value, LineBreaks::kRefuse))
      wrong = "holds a line break or another control character";
    if (!wrong.empty()) refuse(mark, wrong, "write a short value on one line");
    if (wants_key()) return take_key(wrong.empty() ? value : "?", line_of(mark));
    const YamlNode::Kind kind = wrong.empty() ? YamlNode::Kind::kScalar : YamlNode::Kind::kBroken;
    put(YamlNode{kind, line_of(mark), "", wrong.empty() ? value : "", {}});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    bool wants_key = false;  // maps: the next value is a key
    bool drops_value = false;
    bool is_full = false;
    std::string key;
    int key_line = 0;
  };

  static int line_of(const YAML::Mark& mark) noexcept { return std::max(mark.line, 0) + 1; }

  std::string path() const {
    std::string out;
    for (const Frame& frame : stack_) {
      if (frame.node.kind == YamlNode::Kind::kList) {
        out += "[" + std::to_string(frame.node.children.size()) + "]";
      } else if (!frame.wants_key) {
        out += (out.empty() ? "" : ".") + frame.key;
      }
    }
    return out;
  }

  void give_up(int line, std::string problem, std::string remedy) {
    // A starved parser sees an end that is not there, and draws wrong conclusions.
    if (!gave_up_ && !input_.starved())
      problems_.error({line, path()}, std::move(problem), std::move(remedy));
    gave_up_ = true;
    input_.stop();
  }

  void refuse(const YAML::Mark& mark, std::string problem, std::string remedy) {
    problems_.error({line_of(mark), path()}, std::move(problem), std::move(remedy));
  }

  // False: the event is not looked at.
  bool admit(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    input_.delivered();
    if (gave_up_) return false;
    if (++nodes_ > kNodesMax) {
      give_up(line_of(mark), "more than 2,000,000 values", "split the file by endpoints");
      return false;
    }
    if (anchor != YAML::NullAnchor)
      refuse(mark, "an anchor", "remove it: anchors and aliases hide how large a file is");
    if (!tag.empty() && tag != "?" && tag != "!")  // plain and quoted scalars
      refuse(mark, "a tag", "remove it: the key decides the type");
    return true;
  }

  bool wants_key() const noexcept { return !stack_.empty() && stack_.back().wants_key; }

  void take_key(const std::string& key, int line) {
    Frame& frame = stack_.back();
    frame.wants_key = false;
    frame.key = key;
    frame.key_line = line;
    const YamlNode* first = frame.node.find(key);
    frame.drops_value = first != nullptr || frame.is_full;
    if (first != nullptr) {
      problems_.error({line, path()},
                      "the key stands here twice, first in line " + std::to_string(first->line),
                      "remove one of them");
    } else if (!frame.is_full && frame.node.children.size() == kKeysPerMapMax) {
      frame.is_full = frame.drops_value = true;
      problems_.error({line, path()}, "more than 64 keys in one map",
                      "remove those that are not in " + rules_.page);
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (!admit(mark, tag, anchor)) return;
    if (wants_key()) {
      return give_up(line_of(mark), "a list or a map as a key",
                     "write keys as words; quote a value that begins with [ or {");
    }
    if (stack_.size() == kDepthMax) {
      return give_up(line_of(mark), "nested more than 16 deep",
                     "see " + rules_.page + " for where the keys belong");
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.line = line_of(mark);
    frame.wants_key = kind == YamlNode::Kind::kMap;
    stack_.push_back(std::move(frame));
  }

  void close() {
    if (gave_up_) return;
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    put(std::move(node));
  }

  void put(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == YamlNode::Kind::kMap) {
      frame.wants_key = true;
      if (frame.drops_value) return;
      node.key = frame.key;
      node.line = frame.key_line;
    }
    frame.node.children.push_back(std::move(node));
  }

  BoundedInput& input_;
  Problems& problems_;
  const YamlRules& rules_;
  std::vector<Frame> stack_;
  std::optional<YamlNode> root_;
  size_t nodes_ = 0;
  int documents_ = 0;
  bool gave_up_ = false;
};

// yaml-cpp notices a tab only sometimes, and otherwise complains about what follows it.
bool is_indented_with_tab(std::string_view text, int line) noexcept {
  for (int i = 1; i < line; ++i) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const size_t content = text.find_first_not_of(" \t");
  return line > 0 && text.substr(0, content).find('\t') != std::string_view::npos;
}

// What yaml-cpp says, without the lone byte that it quotes from the file: half a character, or the
// end of the file as a control byte.
std::string_view printable_start(std::string_view message) noexcept {
  message =
      message.substr(0, find_unprintable(message, LineBreaks::kRefuse).value_or(message.size()));
  return message.substr(0, message.find_last_not_of(": ") + 1);
}

// False after a syntax error, which is then reported, or when the builder or the input gave up.
bool run_parser(std::string_view text, Problems& problems, BoundedInput& input, Builder& builder) {
  std::istream stream(&input);
  Place place;
  std::string message;
  try {
    YAML::Parser parser(stream);
    while (!builder.gave_up() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    // A null mark has line -1.
    place.line = error.mark.is_null() ? 0 : error.mark.line + 1;
    message = error.msg;
  } catch (const std::exception& error) {
    message = error.what();
  }
  if (input.starved()) {
    problems.error(place, "more than 1 MiB of text without one finished value",
                   "write the file in block style, one key in a line");
    return false;
  }
  if (builder.gave_up()) return false;
  if (message.empty()) return true;
  if (is_indented_with_tab(text, place.line)) {
    problems.error(place, "a tab in the indentation", "indent with spaces");
  } else {
    problems.error(place, fmt::format("not valid YAML: {}", printable_start(message)),
                   "check indentation, brackets and quotes here and above; quote values that hold "
                   "[ ] { } # or a colon");
  }
  return false;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view name) const noexcept {
  for (const YamlNode& child : children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

std::optional<YamlNode> parse_tree(std::string_view text, Problems& problems,
                                   const YamlRules& rules) {
  // Before the parser: yaml-cpp takes byte 0x04 for the end of the file and would go on silently
  // without the rest.
  if (const std::optional<size_t> bad = find_unprintable(text, LineBreaks::kAllow)) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(*bad), '\n');
    problems.error({static_cast<int>(line) + 1, ""}, "a byte that is not printable UTF-8 text",
                   "save the file as UTF-8 without control characters");
    return std::nullopt;
  }
  BoundedInput input(text);
  Builder builder(input, problems, rules);
  if (!run_parser(text, problems, input, builder)) return std::nullopt;
  std::optional<YamlNode> root = builder.take_root();
  if (!root || root->kind == YamlNode::Kind::kNull) {
    problems.error({1, ""}, "the file is empty", "begin with the example in " + rules.page);
    return std::nullopt;
  }
  if (root->kind != YamlNode::Kind::kMap) {
    problems.error({root->line, ""}, "the file is not a map of keys",
                   "begin with the example in " + rules.page);
    return std::nullopt;
  }
  return root;
}

}  // namespace kg::config
