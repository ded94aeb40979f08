// What tests of the network thread share: a Fetcher, certificates, and waiting for answers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

#include "proxy/fetch/fetcher.h"
#include "tests/unit/fetch/https_peer.h"

namespace kg::fetch {

inline std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class FetcherTest : public testing::Test {
 protected:
  FetcherTest() { fetcher.start(); }
  ~FetcherTest() override { fetcher.stop(); }

  std::shared_ptr<const Trust> trust(const tls::CertificateFiles& ca) const {
    return std::make_shared<Trust>(Trust{text_of(ca.certificate), "", {}});
  }

  Request get(const HttpsPeer& peer, const std::string& target = "/keys") const {
    Request request;
    request.url = {true, "127.0.0.1", peer.port(), target};
    request.trust = trust(own);
    request.deadline_ms = 10'000;
    return request;
  }

  void send(Request request) {
    fetcher.fetch(std::move(request), [this](Answer answer) {
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(answer));
      changed.notify_all();
    });
  }

  std::vector<Answer> wait_for(size_t count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(
        changed.wait_for(lock, std::chrono::seconds(20), [&] { return answers.size() >= count; }))
        << answers.size() << " of " << count << " answers came";
    return answers;
  }

  Answer fetch(Request request) {
    {
      const std::lock_guard lock(mutex);
      answers.clear();
    }
    send(std::move(request));
    const std::vector<Answer> all = wait_for(1);
    return all.empty() ? Answer{} : all.front();
  }

  tls::CertificateFolder folder;
  tls::CertificateFiles own = folder.make("own", "DNS:localhost,DNS:issuer.test,IP:127.0.0.1");
  Fetcher fetcher;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Answer> answers;
};

}  // namespace kg::fetch
