#include "auth/strict_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace kg::auth {
namespace {

using Json = nlohmann::json;

constexpr int64_t kYear9999EndSeconds = 253'402'300'799;

// Looks for what the parser itself would let pass; keeps nothing.
class Inspector final : public nlohmann::json_sax<Json> {
 public:
  const char* fault() const noexcept { return fault_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool key(string_t& name) override {
    return names_.back().insert(name).second || refuse("has a member twice");
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("is not JSON");
  }

 private:
  bool enter() {
    if (names_.size() >= kJsonDepthMax) return refuse("is nested too deeply");
    names_.emplace_back();
    return true;
  }
  bool leave() {
    names_.pop_back();
    return true;
  }
  bool refuse(const char* fault) {
    fault_ = fault;
    return false;
  }

  std::vector<std::set<std::string>> names_;  // one per open object or array
  const char* fault_ = "";
};

}  // namespace

struct JsonObject::Node {
  Json json;

  const Json* find(const char* name) const {
    const auto member = json.find(name);
    return member == json.end() ? nullptr : &*member;
  }
};

JsonObject::JsonObject(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

JsonObject::Parsed JsonObject::parse(std::string_view text) {
  // The parser takes a NUL byte for the end of its input, and passes over a byte order mark.
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xef\xbb\xbf")) {
    return {std::nullopt, "is not JSON"};
  }
  Inspector inspector;
  if (!Json::sax_parse(text, &inspector)) return {std::nullopt, inspector.fault()};
  auto node = std::make_shared<Node>();
  node->json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!node->json.is_object()) return {std::nullopt, "is not a JSON object"};
  return {JsonObject(std::move(node)), ""};
}

bool JsonObject::has(const char* name) const { return node_->find(name) != nullptr; }

size_t JsonObject::size() const { return node_->json.size(); }

std::optional<std::string> JsonObject::text(const char* name) const {
  const Json* member = node_->find(name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return member->get_ref<const std::string&>();
}

std::optional<bool> JsonObject::flag(const char* name) const {
  const Json* member = node_->find(name);
  if (member == nullptr || !member->is_boolean()) return std::nullopt;
  return member->get<bool>();
}

std::optional<std::vector<std::string>> JsonObject::texts(const char* name) const {
  const Json* member = node_->find(name);
  if (member == nullptr || !member->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& element : *member) {
    if (!element.is_string()) return std::nullopt;
    texts.push_back(element.get_ref<const std::string&>());
  }
  return texts;
}

std::vector<std::string> JsonObject::values(const char* name) const {
  const Json* member = node_->find(name);
  if (member == nullptr) return {};
  std::vector<std::string> values;
  const auto add = [&values](const Json& value) {
    if (value.is_string()) values.push_back(value.get_ref<const std::string&>());
    if (value.is_boolean() || value.is_number_integer()) values.push_back(value.dump());
    return value.is_string() || value.is_boolean() || value.is_number_integer();
  };
  if (!member->is_array()) {
    add(*member);
    return values;
  }
  for (const Json& element : *member) {
    if (!add(element)) return {};
  }
  return values;
}

std::vector<std::string> JsonObject::names() const {
  std::vector<std::string> names;
  for (const auto& member : node_->json.items()) names.push_back(member.key());
  return names;
}

std::optional<int64_t> JsonObject::seconds(const char* name) const {
  const Json* member = node_->find(name);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  // A double holds every whole second up to the year 9999 exactly.
  const auto value = member->get<double>();
  if (!(value >= 0 && value <= static_cast<double>(kYear9999EndSeconds))) return std::nullopt;
  if (std::trunc(value) != value) return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<JsonObject> JsonObject::object(const char* name) const {
  const Json* member = node_->find(name);
  if (member == nullptr || !member->is_object()) return std::nullopt;
  auto node = std::make_shared<Node>();
  node->json = *member;
  return JsonObject(std::move(node));
}

std::optional<std::vector<JsonObject>> JsonObject::objects(const char* name) const {
  const Json* member = node_->find(name);
  if (member == nullptr || !member->is_array()) return std::nullopt;
  std::vector<JsonObject> objects;
  for (const Json& element : *member) {
    if (!element.is_object()) return std::nullopt;
    auto node = std::make_shared<Node>();
    node->json = element;
    objects.push_back(JsonObject(std::move(node)));
  }
  return objects;
}

}  // namespace kg::auth
