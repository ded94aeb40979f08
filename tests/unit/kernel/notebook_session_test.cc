#include "proxy/kernel/notebook_session.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel::notebook_session_test {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kId = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";

std::optional<NotebookRequest> read(std::string_view body) {
  std::string fault;
  auto out = NotebookRequest::read(body, fault);
  EXPECT_EQ(out.has_value(), fault.empty()) << body << ": " << fault;
  return out;
}

std::string fault_of(std::string_view body) {
  std::string fault;
  EXPECT_FALSE(NotebookRequest::read(body, fault)) << body;
  return fault;
}

TEST(NotebookRequest, ReadsWhatJupyterLabSends) {
  const auto got = read(R"({"path": "a/b.ipynb", "type": "notebook", "name": "b.ipynb",
                             "kernel": {"name": "python3"}})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->path, "a/b.ipynb");
  EXPECT_EQ(got->type, "notebook");
  EXPECT_EQ(got->name, "b.ipynb");
  EXPECT_EQ(got->kernel_name, "python3");
  EXPECT_EQ(got->kernel_id, "");
}

TEST(NotebookRequest, WhatIsNullIsNotSaid) {
  const auto got = read(R"({"path": null, "kernel": {"id": null, "name": null}, "other": [1]})");
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->path || got->name || got->type);
  EXPECT_EQ(got->kernel_name + got->kernel_id, "");
  const auto none = read(R"({"kernel": null})");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->kernel_name, "");
}

TEST(NotebookRequest, OlderClientsNameTheNotebook) {
  const auto got = read(R"({"notebook": {"path": "old.ipynb"}, "type": "console"})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->path, "old.ipynb");
  EXPECT_EQ(got->type, "notebook");
}

TEST(NotebookRequest, RefusesWhatIsNoneAndSaysWhy) {
  EXPECT_THAT(fault_of(""), HasSubstr("one JSON object"));
  EXPECT_THAT(fault_of("[]"), HasSubstr("one JSON object"));
  EXPECT_THAT(fault_of("{} {}"), HasSubstr("one JSON object"));
  EXPECT_THAT(fault_of("{\"path\": \"\xff\"}"), HasSubstr("one JSON object"));
  EXPECT_THAT(fault_of(std::string("{}\0", 3)), HasSubstr("no JSON"));
  EXPECT_THAT(fault_of(R"({"path": 1})"), HasSubstr("path must be a text"));
  EXPECT_THAT(fault_of(R"({"kernel": "python3"})"), HasSubstr("kernel must be an object"));
  EXPECT_THAT(fault_of(R"({"kernel": {"name": "a/b"}})"), HasSubstr("kernel.name"));
  EXPECT_THAT(fault_of(R"({"kernel": {"id": "1"}})"), HasSubstr("kernel.id"));
  const std::string longest(limits::kNotebookTextBytesMax, 'x');
  EXPECT_TRUE(read(json{{"path", longest}}.dump()));
  EXPECT_THAT(fault_of(json{{"path", longest + "x"}}.dump()), HasSubstr("path is too long"));
}

TEST(NotebookRequest, DepthIsBounded) {
  const auto nested = [](int levels) {
    std::string text = R"({"x": )";
    text.append(static_cast<size_t>(levels), '[').append(static_cast<size_t>(levels), ']');
    return text + "}";
  };
  EXPECT_TRUE(read(nested(limits::kNotebookDepthMax - 1)));
  EXPECT_THAT(fault_of(nested(limits::kNotebookDepthMax + 1)), HasSubstr("one JSON object"));
}

TEST(NotebookSession, IsWrittenAsJupyterWritesIt) {
  std::string out;
  append_notebook_session({"s", kId, "dir/ü \"x\".ipynb", "n", "notebook"},
                          R"({"id": "k", "connections": 1})", out);
  EXPECT_EQ(json::parse(out), json::parse(R"({"id": "s", "path": "dir/ü \"x\".ipynb", "name": "n",
      "type": "notebook", "kernel": {"id": "k", "connections": 1},
      "notebook": {"path": "dir/ü \"x\".ipynb", "name": "n"}})"));
  std::string console;
  append_notebook_session({"s", kId, "c", "", "console"}, "{}", console);
  EXPECT_FALSE(json::parse(console).contains("notebook"));
}

TEST(NotebookSession, AnUnknownOneIsItsKernel) {
  const NotebookSession session = unnamed_session(kId);
  EXPECT_EQ(session.id, kId);
  EXPECT_EQ(session.kernel_id, kId);
  EXPECT_EQ(session.path, kId);
  EXPECT_EQ(session.type, "notebook");
}

TEST(NotebookSession, AFurtherOneNamesItsKernel) {
  const std::string id = further_session_id(kId);
  EXPECT_TRUE(is_kernel_id(id)) << id;
  EXPECT_NE(id, further_session_id(kId));
  EXPECT_EQ(unnamed_session(id).kernel_id, kId);
  EXPECT_EQ(unnamed_session(id).id, id);
}

}  // namespace kg::kernel::notebook_session_test
