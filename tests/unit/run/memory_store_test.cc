#include "routing/controller/run/memory_store.h"

#include "proxy/base/ascii.h"
#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::memory_store_test {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kOpenWatch = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

ingress::Recollection owner(const std::string& space) {
  ingress::Recollection out;
  out.owners["a.test"] = space;
  return out;
}

nlohmann::json memory_secret(const std::string& version, const std::string& text) {
  nlohmann::json out = kube::object_of(kMemorySecret, version, "kernelgate");
  out["kind"] = "Secret";
  out["data"]["memory"] = ascii::base64_encode(text);
  return out;
}

class MemoryStoreTest : public kube::KubeTest {
 protected:
  void start(const std::vector<nlohmann::json>& secrets) {
    api.answers = {kube::list_of("1", secrets), kOpenWatch};
    store.start();
    run_until([&] { return store.synced() && api.requests.size() == 2; });
  }
  void say(const std::string& type, const nlohmann::json& object) {
    const size_t before = changes;
    api.say(nlohmann::json{{"type", type}, {"object", object}}.dump() + "\n");
    run_until([&] { return changes > before; });
  }
  void look_as_leader() {
    api.answers = {kube::answer_of("201 Created", memory_secret("9", "").dump())};
    store.set_leading(true);
    store.look();
    run_until([&] { return api.requests.size() == 3 && client.open_calls() == 1; });
  }
  // The text of the last write.
  std::string written() const {
    const std::string& request = api.requests.back();
    const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
    return body["stringData"]["memory"];
  }

  size_t changes = 0;
  ingress::Recollection now;
  MemoryStore store{loop, client, "kernelgate", [this] { return now; }, [this] { ++changes; }};
};

TEST_F(MemoryStoreTest, IsReadBeforeItIsSynced) {
  start({memory_secret("1", ingress::text_of(owner("b")).text)});
  EXPECT_EQ(store.recollection(), owner("b"));
  EXPECT_EQ(changes, 1U);
}

TEST_F(MemoryStoreTest, OneThatIsGoneIsNotForgottenAndWrittenAgain) {
  start({memory_secret("1", ingress::text_of(owner("b")).text)});
  say("DELETED", memory_secret("2", ""));
  EXPECT_EQ(store.recollection(), owner("b"));
  now = owner("b");
  look_as_leader();
  EXPECT_THAT(api.requests[2], StartsWith("POST /api/v1/namespaces/kernelgate/secrets HTTP"));
  EXPECT_THAT(api.requests[2], HasSubstr(kMemorySecretType));
  EXPECT_EQ(written(), ingress::text_of(now).text);
}

TEST_F(MemoryStoreTest, OneThatCannotBeReadIsWrittenOver) {
  start({memory_secret("1", ingress::text_of(owner("b")).text)});
  say("MODIFIED", memory_secret("3", "nonsense\n"));
  EXPECT_EQ(store.recollection(), owner("b"));
  now = owner("b");
  look_as_leader();
  EXPECT_THAT(api.requests[2], StartsWith("PUT "));
  EXPECT_THAT(api.requests[2], HasSubstr(R"("resourceVersion":"3")"));
  EXPECT_EQ(written(), ingress::text_of(now).text);
}

TEST_F(MemoryStoreTest, WhatItSaysAlreadyIsNotWritten) {
  start({memory_secret("1", ingress::text_of(owner("b")).text)});
  now = owner("c");
  store.look();  // a standby's
  store.set_leading(true);
  now = owner("b");
  store.look();
  EXPECT_EQ(client.open_calls(), 1U) << "the watch";
  now = {};
  look_as_leader();
  EXPECT_EQ(written(), "") << "it stays, and says nothing";
}

TEST_F(MemoryStoreTest, WhatIsSaidOftenIsWrittenOnceASecond) {
  start({});
  store.set_leading(true);
  api.answers = {kube::answer_of("201 Created", memory_secret("2", "").dump()),
                 kube::answer_of("200 OK", memory_secret("3", "").dump())};
  const uint64_t began_us = event::monotonic_us();
  for (int i = 0; i < 100; ++i) {
    now = owner("n" + std::to_string(i));
    store.look();
  }
  run_until([&] { return api.requests.size() == 4 && client.open_calls() == 1; });
  EXPECT_GE(event::monotonic_us() - began_us, uint64_t{kMemoryPaceMs} * 900);
  EXPECT_EQ(written(), ingress::text_of(owner("n99")).text);
}

}  // namespace kg::controller::memory_store_test
