#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <utility>

#include "config/files.h"
#include "config/problems.h"
#include "config/yaml_tree.h"
#include "routing/controller/kube/access.h"
#include "routing/controller/kube/limits.h"

namespace kg::kube {
namespace {

using config::Place;
using config::Problems;
using config::YamlNode;
using Kind = YamlNode::Kind;

// A key that is understood and refused, with the reason and what to do instead.
struct Refused {
  std::string_view key;
  const char* problem;
  const char* remedy;
};
constexpr std::array kRefused{
    Refused{"exec", "a program that makes credentials is not run",
            "write a token or a certificate into the file, or run in the cluster with a service "
            "account"},
    Refused{"auth-provider", "such plug-ins are not run",
            "write a token or a certificate into the file"},
    Refused{"username", "passwords are not used", "use a token or a certificate"},
    Refused{"password", "passwords are not used", "use a token or a certificate"},
    Refused{"proxy-url", "no proxy is used", "name an address that can be reached"},
    Refused{"as", "nobody is impersonated", "use that account's own credentials"},
    Refused{"as-uid", "nobody is impersonated", "use that account's own credentials"},
    Refused{"as-groups", "nobody is impersonated", "use that account's own credentials"},
    Refused{"as-user-extra", "nobody is impersonated", "use that account's own credentials"},
};

bool is_true(const YamlNode& node) { return node.kind == Kind::kScalar && node.text == "true"; }

// One map of the file, as `clusters[2].cluster`, with where it stands.
class Map {
 public:
  Map(const YamlNode& node, std::string path, Problems& problems)
      : node_(node), path_(std::move(path)), problems_(problems) {}

  const YamlNode* find(std::string_view key) const { return node_.find(key); }
  Place place(std::string_view key) const {
    const YamlNode* value = node_.find(key);
    std::string full = path_;
    if (!full.empty() && !key.empty()) full += '.';
    full += key;
    return {value == nullptr ? node_.line : value->line, std::move(full)};
  }
  void error(std::string_view key, std::string problem, std::string remedy) const {
    problems_.error(place(key), std::move(problem), std::move(remedy));
  }

  // "" if the key is absent, null or wrong, which is then reported.
  std::string text(std::string_view key) const {
    const YamlNode* value = node_.find(key);
    if (value == nullptr || value->kind == Kind::kNull || value->kind == Kind::kBroken) return "";
    if (value->kind == Kind::kScalar) return value->text;
    error(key, "not a text", "write a value on the line of the key");
    return "";
  }

  // Everything that decides whom we trust has to be understood.
  void only(std::initializer_list<std::string_view> known) const {
    for (const YamlNode& child : node_.children) {
      if (std::ranges::find(known, child.key) != known.end()) continue;
      if (child.kind == Kind::kNull) continue;
      const auto* refused = std::ranges::find(kRefused, child.key, &Refused::key);
      if (refused != kRefused.end()) {
        error(child.key, refused->problem, refused->remedy);
      } else {
        error(child.key, "unknown key", "remove it, or use a kubeconfig that needs it not");
      }
    }
  }

 private:
  const YamlNode& node_;
  std::string path_;
  Problems& problems_;
};

class Reader {
 public:
  Reader(const YamlNode& root, const std::string& path, Problems& problems)
      : root_(root, "", problems),
        folder_(std::filesystem::path(path).parent_path()),
        problems_(problems) {}

  Access read(std::string context_name) {
    Access access;
    std::string_view origin = "current-context";
    if (context_name.empty()) {
      context_name = root_.text("current-context");
      if (context_name.empty()) {
        root_.error("current-context", "is missing", "name a context, here or when starting");
        return access;
      }
    } else {
      origin = "contexts";
    }
    const std::optional<Map> context = entry("contexts", "context", context_name, origin);
    if (!context) return access;
    access.namespace_name = context->text("namespace");
    read_cluster(*context, access);
    read_user(*context, access);
    return access;
  }

 private:
  // The map `inner` of the entry of that name in the list `list`; else an error at `asked_by`.
  std::optional<Map> entry(std::string_view list, std::string_view inner, const std::string& name,
                           std::string_view asked_by) {
    const YamlNode* entries = root_.find(list);
    if (entries != nullptr && entries->kind != Kind::kList && entries->kind != Kind::kNull) {
      root_.error(list, "not a list", "write it as kubectl does");
      return std::nullopt;
    }
    const size_t count = entries == nullptr ? 0 : entries->children.size();
    for (size_t i = 0; i < count; ++i) {
      const YamlNode& child = entries->children[i];
      const std::string path = std::string(list) + "[" + std::to_string(i) + "]";
      if (child.kind != Kind::kMap || Map(child, path, problems_).text("name") != name) continue;
      const YamlNode* map = child.find(inner);
      if (map != nullptr && map->kind == Kind::kMap) {
        return Map(*map, path + "." + std::string(inner), problems_);
      }
      Map(child, path, problems_).error(inner, "is missing", "write it as kubectl does");
      return std::nullopt;
    }
    root_.error(asked_by,
                "no entry of `" + std::string(list) + "` is called " + config::quote(name),
                "correct the name, or add the entry");
    return std::nullopt;
  }

  void read_cluster(const Map& context, Access& access) {
    const std::string name = context.text("cluster");
    if (name.empty()) return context.error("cluster", "is missing", "name a cluster");
    const std::optional<Map> cluster = entry("clusters", "cluster", name, "clusters");
    if (!cluster) return;
    cluster->only({"server", "certificate-authority", "certificate-authority-data",
                   "tls-server-name", "insecure-skip-tls-verify", "disable-compression",
                   "extensions"});
    const YamlNode* insecure = cluster->find("insecure-skip-tls-verify");
    if (insecure != nullptr && is_true(*insecure)) {
      cluster->error("insecure-skip-tls-verify", "the server's certificate is always verified",
                     "remove it, and write certificate-authority");
    }
    access.ca = source(*cluster, "certificate-authority");
    read_server(*cluster, access);
  }

  void read_server(const Map& cluster, Access& access) {
    const std::string text = cluster.text("server");
    ParsedUrl url = parse_url(text);
    if (!url.url) {
      return cluster.error("server", text.empty() ? "is missing" : url.fault,
                           "write https://HOST:PORT");
    }
    if (!url.url->secure) {
      return cluster.error("server", "plain http is not spoken to an API server",
                           "write its https address");
    }
    if (url.url->target.find('?') != std::string::npos) {
      return cluster.error("server", "has a query", "write https://HOST:PORT");
    }
    while (url.url->target.ends_with('/')) url.url->target.pop_back();
    access.server = std::move(*url.url);
    const std::string name = cluster.text("tls-server-name");
    if (name.empty()) return;
    // Then the certificate is asked for that name, and the address is where it was.
    access.connect_to = access.server.host + ":" + std::to_string(access.server.port);
    const ParsedUrl named = parse_url("https://" + name + "/");
    if (!named.url || named.url->target != "/" || named.url->port != 443) {
      return cluster.error("tls-server-name", "not a name of a host", "write the name alone");
    }
    access.server.host = named.url->host;
  }

  void read_user(const Map& context, Access& access) {
    const std::string name = context.text("user");
    if (name.empty()) return context.error("user", "is missing", "name a user");
    const std::optional<Map> user = entry("users", "user", name, "users");
    if (!user) return;
    user->only({"client-certificate", "client-certificate-data", "client-key", "client-key-data",
                "token", "tokenFile", "extensions"});
    access.chain = source(*user, "client-certificate");
    access.key = source(*user, "client-key");
    access.token.text = Secret(user->text("token"));
    access.token.file = resolve(user->text("tokenFile"));
    if (!access.token.file.empty()) access.token.text = Secret();  // as kubectl has it
    if (access.chain.empty() != access.key.empty()) {
      user->error(access.chain.empty() ? "client-certificate" : "client-key", "is missing",
                  "write both, or none");
    }
    if (access.token.text.reveal().size() > kTokenBytesMax) {
      user->error("token", "is longer than 16 KiB", "write a token");
    }
    if (access.token.empty() && access.chain.empty() && !problems_.has_errors()) {
      user->error("", "says neither token nor certificate",
                  "write token, tokenFile, or client-certificate with client-key");
    }
  }

  // `key` names a file, `key`-data is its text in base64 and comes first, as for kubectl.
  Source source(const Map& map, const std::string& key) {
    Source found;
    const Secret data(map.text(key + "-data"));
    if (data.empty()) {
      found.file = resolve(map.text(key));
      return found;
    }
    std::optional<Secret> text = Secret::from_base64(data.reveal());
    if (!text || text->empty()) {
      map.error(key + "-data", "not base64", "write the file's text in base64, on one line");
    } else {
      found.text = std::move(*text);
    }
    return found;
  }

  std::string resolve(const std::string& name) const {
    return name.empty() ? "" : (folder_ / name).lexically_normal().string();
  }

  Map root_;
  std::filesystem::path folder_;
  Problems& problems_;
};

}  // namespace

LoadedAccess parse_kubeconfig(std::string_view text, const std::string& path,
                              const std::string& context) {
  Problems problems(path);
  LoadedAccess loaded;
  if (const auto tree = config::parse_tree(
          text, problems, {kKubeconfigValueBytesMax, "the documentation of kubeconfig files"})) {
    Access access = Reader(*tree, path, problems).read(context);
    if (!problems.has_errors()) loaded.access = std::move(access);
  }
  loaded.errors = problems.take();
  return loaded;
}

LoadedAccess load_kubeconfig(const std::string& path, const std::string& context) {
  config::FileText file = config::read_file(path, kKubeconfigBytesMax);
  if (!file.text) {
    Problems problems(path);
    problems.error({}, std::move(file.problem), "check the name of the kubeconfig");
    return {std::nullopt, problems.take()};
  }
  const Secret text(std::move(*file.text));
  return parse_kubeconfig(text.reveal(), path, context);
}

}  // namespace kg::kube
