// What tests of the client share: a loop, a scripted API server, and a handler that takes notes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "routing/controller/kube/client.h"
#include "routing/controller/kube/reflector.h"
#include "tests/unit/kube/scripted_api.h"

namespace kg::kube {

inline nlohmann::json object_of(const std::string& name, const std::string& version,
                                const std::string& namespace_name = "a") {
  return {{"metadata",
           {{"namespace", namespace_name},
            {"name", name},
            {"uid", "uid-" + name},
            {"resourceVersion", version},
            {"managedFields", {{{"manager", "kubectl"}}}}}}};
}

inline std::string list_of(const std::string& version, const std::vector<nlohmann::json>& items,
                           const std::string& next = "") {
  nlohmann::json list{{"kind", "IngressList"},
                      {"metadata", {{"resourceVersion", version}, {"continue", next}}},
                      {"items", items}};
  return answer_of("200 OK", list.dump());
}

inline std::string event_of(const std::string& type, nlohmann::json object) {
  object["kind"] = "Ingress";
  object["apiVersion"] = "networking.k8s.io/v1";
  return nlohmann::json{{"type", type}, {"object", object}}.dump() + "\n";
}

inline std::string bookmark_of(const std::string& version) {
  return event_of("BOOKMARK", {{"metadata", {{"resourceVersion", version}}}});
}

inline nlohmann::json status_of(int code, const std::string& message) {
  return {{"kind", "Status"}, {"code", code}, {"message", message}};
}

inline CallRequest get(const std::string& target, uint32_t deadline_ms = kCallMs) {
  CallRequest request;
  request.target = target;
  request.deadline_ms = deadline_ms;
  return request;
}

class NotingHandler final : public Handler {
 public:
  bool on_upsert(const nlohmann::json& object) override {
    const auto& metadata = object.at("metadata");
    seen.push_back("+" + metadata.at("name").get<std::string>() + " " +
                   metadata.at("resourceVersion").get<std::string>());
    last = object;
    return keeps;
  }
  void on_remove(const std::string& namespace_name, const std::string& name) override {
    seen.push_back("-" + namespace_name + "/" + name);
  }
  void on_synced() override { seen.push_back("synced"); }

  std::vector<std::string> seen;
  nlohmann::json last;
  bool keeps = true;
};

class KubeTest : public testing::Test {
 protected:
  // Until `condition` holds at the end of a turn; a failure after 20 s.
  void run_until(const std::function<bool()>& condition) {
    const uint64_t end_us = event::monotonic_us() + 20'000'000;
    event::Timer look(loop, [&] {
      if (condition() || event::monotonic_us() > end_us) return loop.stop();
      look.arm_ms(1);
    });
    look.arm_ms(0);
    loop.run();
    EXPECT_TRUE(condition()) << "not within 20 s";
  }

  Access access() const {
    Access access;
    access.server = {false, "127.0.0.1", api.port(), ""};
    access.token.text = Secret("a-token");
    return access;
  }

  event::EventLoop loop;
  ScriptedApi api{loop};
  Credentials credentials{access()};
  const std::string problem_at_start = credentials.open();
  Client client{loop, credentials};
};

}  // namespace kg::kube
