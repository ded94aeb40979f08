// The controller's end of the feed for tests: a line of JSON on stdin is what it does, a line on
// stdout what came of it. It ends with stdin.
//
//   feed_announcer ADDRESS KEY_FILE ALLOW_FILE     first it says {"bound": "tcp://HOST:PORT"}
//   feed_announcer ADDRESS plaintext plaintext     the same without keys
//   {"do": "publish", "version": [TERM, SEQUENCE], "items": [{"key", "namespace", "endpoint",
//    "payload"}], "deletes": [KEY...], "whole": BOOLEAN}      -> {"problem": TEXT}
//   {"do": "status"}
//     -> {"proxies": [{"name", "version": [TERM, SEQUENCE]}], "refusals": [TEXT],
//         "facts": [{"namespace", "endpoint", "text"}]}
#include <unistd.h>

#include <array>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/event/watcher.h"
#include "routing/feed/publisher.h"

namespace {

namespace event = kg::event;
namespace feed = kg::feed;
using nlohmann::json;

feed::Version version_of(const json& pair) { return {pair.at(0), pair.at(1)}; }
json to_json(feed::Version version) { return {version.term, version.sequence}; }

class Announcer final : public feed::PublisherHandler {
 public:
  Announcer(const std::string& address, const std::string& key_file, const std::string& allow_file)
      : input_(loop_, STDIN_FILENO, [this](bool, bool) { read_more(); }) {
    std::string problem;
    feed::Publisher::Options options;
    options.addresses = {address};
    options.plaintext = key_file == "plaintext";
    if (!options.plaintext) {
      options.keys = feed::read_keys(key_file, problem);
      std::ifstream file(allow_file);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      auto allowed = feed::AllowList::parse(text, problem);
      if (!options.keys || !allowed) throw std::runtime_error(problem);
      options.allowed = std::move(*allowed);
    }
    publisher_ = std::make_unique<feed::Publisher>(loop_, *this, std::move(options));
    problem = publisher_->start();
    if (!problem.empty()) throw std::runtime_error(problem);
    input_.want(true, false);
    say({{"bound", publisher_->bound_addresses().front()}});
  }

  void run() { loop_.run(); }

 private:
  static void say(const json& line) { std::cout << line.dump() << std::endl; }

  void read_more() {
    std::array<char, 65'536> bytes{};
    const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got <= 0) return loop_.stop();
    line_.append(bytes.data(), static_cast<size_t>(got));
    for (size_t end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
      act(json::parse(line_.substr(0, end)));
      line_.erase(0, end + 1);
    }
  }

  void act(const json& asked) {
    if (asked.at("do") == "status") return say(status());
    std::vector<std::shared_ptr<const feed::Item>> items;
    for (const json& one : asked.at("items")) {
      const json& payload = one.at("payload");
      feed::Item item{one.at("key"), one.at("namespace"), one.at("endpoint"),
                      std::make_shared<const std::string>(
                          payload.is_string() ? payload.get<std::string>() : payload.dump())};
      items.push_back(std::make_shared<const feed::Item>(std::move(item)));
    }
    const feed::Version version = version_of(asked.at("version"));
    if (asked.at("whole")) {
      return say({{"problem", publisher_->publish_all(version, std::move(items))}});
    }
    std::vector<feed::Change> changes;
    for (auto& item : items) changes.push_back({std::move(item), ""});
    for (const json& key : asked.at("deletes")) changes.push_back({nullptr, key});
    say({{"problem", publisher_->publish(version, std::move(changes))}});
  }

  json status() const {
    json proxies = json::array();
    for (const feed::Publisher::Proxy& proxy : publisher_->proxies()) {
      proxies.push_back({{"name", proxy.name}, {"version", to_json(proxy.acknowledged)}});
    }
    return {{"proxies", proxies}, {"refusals", refusals_}, {"facts", facts_}};
  }

  void on_fact(const feed::Fact& fact) override {
    facts_.push_back({{"namespace", fact.scope_namespace},
                      {"endpoint", fact.endpoint},
                      {"text", feed::printable(fact.bytes)}});
  }
  void on_refused(std::string_view proxy, feed::Version /*version*/,
                  std::string_view reason) override {
    refusals_.push_back(std::string(proxy) + ": " + std::string(reason));
  }

  event::EventLoop loop_;
  std::unique_ptr<feed::Publisher> publisher_;
  event::LevelWatcher input_;
  std::string line_;
  std::vector<std::string> refusals_;
  json facts_ = json::array();
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) return 2;
  Announcer(argv[1], argv[2], argv[3]).run();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "feed_announcer: " << error.what() << '\n';
  return 1;
}
