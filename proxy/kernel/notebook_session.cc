#include "proxy/kernel/notebook_session.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "proxy/kernel/kernel_id.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel {
namespace {

using nlohmann::json;

constexpr std::string_view kDefaultType = "notebook";

// Between a kernel's id and what tells its further sessions apart: in a path as good as a letter
// (domain J14), and in no id that was minted here.
constexpr char kFurther = '_';

// Members of one object by name.
class Members {
 public:
  Members(const json& object, std::string& fault) : object_(object), fault_(fault) {}

  // False if there is such a member and it is no text: the fault is told.
  bool text(const char* name, std::optional<std::string>& out) const {
    const json* found = find(name);
    if (found == nullptr) return true;
    if (!found->is_string()) return misshapen(name, "must be a text");
    const auto& text = found->get_ref<const std::string&>();
    if (text.size() > limits::kNotebookTextBytesMax) return misshapen(name, "is too long");
    out = text;
    return true;
  }
  // The same for an object, which stays null if it is not there.
  bool object(const char* name, const json*& out) const {
    out = find(name);
    return out == nullptr || out->is_object() || misshapen(name, "must be an object");
  }

 private:
  const json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  bool misshapen(const char* name, const char* what) const {
    fault_ = std::string(name).append(" ").append(what);
    return false;
  }

  const json& object_;
  std::string& fault_;
};

json parse_body(std::string_view body) {
  bool deep = false;
  const auto within = [&deep](int depth, json::parse_event_t /*event*/, json& /*value*/) {
    deep = deep || depth > limits::kNotebookDepthMax;
    return true;
  };
  json all = json::parse(body, within, /*allow_exceptions=*/false);
  return deep ? json(json::value_t::discarded) : all;
}

bool read_kernel(const json& kernel, NotebookRequest& out, std::string& fault) {
  const Members members(kernel, fault);
  std::optional<std::string> name;
  std::optional<std::string> id;
  if (!members.text("name", name) || !members.text("id", id)) return false;
  out.kernel_name = name.value_or("");
  out.kernel_id = id.value_or("");
  if (!out.kernel_name.empty() && !is_spec_name(out.kernel_name)) {
    fault = "kernel.name is no name of a kernel spec";
    return false;
  }
  if (!out.kernel_id.empty() && !is_kernel_id(out.kernel_id)) {
    fault = "kernel.id is no kernel id";
    return false;
  }
  return true;
}

void append_quoted(std::string_view text, std::string& out) {
  out += json(text).dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

}  // namespace

std::optional<NotebookRequest> NotebookRequest::read(std::string_view body, std::string& fault) {
  if (body.find('\0') != std::string_view::npos) {
    fault = "the body is no JSON";
    return std::nullopt;
  }
  const json all = parse_body(body);
  if (!all.is_object()) {
    fault = "the body must be one JSON object";
    return std::nullopt;
  }
  NotebookRequest out;
  const Members members(all, fault);
  const json* notebook = nullptr;
  const json* kernel = nullptr;
  if (!members.text("path", out.path) || !members.text("name", out.name) ||
      !members.text("type", out.type) || !members.object("notebook", notebook) ||
      !members.object("kernel", kernel)) {
    return std::nullopt;
  }
  if (notebook != nullptr) {
    if (!Members(*notebook, fault).text("path", out.path)) return std::nullopt;
    out.type = kDefaultType;
  }
  if (kernel != nullptr && !read_kernel(*kernel, out, fault)) return std::nullopt;
  return out;
}

NotebookSession unnamed_session(std::string_view id) {
  const std::string_view kernel_id = id.substr(0, id.find(kFurther));
  return {std::string(id), std::string(kernel_id), std::string(id), "", std::string(kDefaultType)};
}

std::string further_session_id(std::string_view kernel_id) {
  return fmt::format("{}{}{:08x}", kernel_id, kFurther, random_nonce());
}

void append_notebook_session(const NotebookSession& session, std::string_view kernel_model,
                             std::string& out) {
  const auto member = [&out](std::string_view before, std::string_view text) {
    out += before;
    append_quoted(text, out);
  };
  member("{\"id\": ", session.id);
  member(", \"path\": ", session.path);
  member(", \"name\": ", session.name);
  member(", \"type\": ", session.type);
  out.append(", \"kernel\": ").append(kernel_model);
  if (session.type == kDefaultType) {  // older clients look there
    member(", \"notebook\": {\"path\": ", session.path);
    member(", \"name\": ", session.name);
    out += '}';
  }
  out += '}';
}

}  // namespace kg::kernel
