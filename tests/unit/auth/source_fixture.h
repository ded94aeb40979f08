// A scripted issuer and the network thread, for tests of what comes from them.
#pragma once

#include <openssl/evp.h>

#include <future>
#include <string>
#include <vector>

#include "auth/jwk.h"
#include "auth/key.h"
#include "tests/unit/fetch/fetch_fixture.h"

namespace kg::auth {

inline std::string new_jwk(const std::string& kid) {
  Key::Made made = Key::adopt(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), kid);
  return jwk_from_key(*made.key, kid);
}

inline std::string jwk_set(const std::vector<std::string>& jwks) {
  std::string text = "{\"keys\":[";
  for (const std::string& jwk : jwks) text += (text.ends_with('[') ? "" : ",") + jwk;
  return text + "]}";
}

class SourceTest : public fetch::FetcherTest {
 protected:
  void say(std::string status, std::string body) {
    const std::lock_guard lock(script_mutex_);
    status_ = std::move(status);
    body_ = std::move(body);
  }
  int asked() const { return static_cast<int>(issuer.requests().size()); }

  // Runs `start(done)` and waits for done.
  template <class Start>
  void wait_until_done(Start&& start) {
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> future = done->get_future();
    start([done] { done->set_value(); });
    ASSERT_EQ(future.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  }
  // A tick, and what it started ended.
  template <class Source>
  void tick(Source& source) {
    wait_until_done([&](std::function<void()> done) {
      fetcher.loop().post([&source, done] {
        source.tick();
        done();
      });
    });
  }

  // Before the issuer, whose thread reads it until it has ended.
  std::mutex script_mutex_;
  std::string status_ = "503 Service Unavailable";
  std::string body_;
  fetch::HttpsPeer issuer{&own, [this](const std::string&) {
                            const std::lock_guard lock(script_mutex_);
                            return fetch::answer_of(status_, body_);
                          }};
};

}  // namespace kg::auth
