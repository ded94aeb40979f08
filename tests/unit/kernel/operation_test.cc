#include "proxy/kernel/operation.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace kg::kernel::operation_test {

using namespace std::string_literals;
using http::Method;

const std::string kId = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
const std::string kKernel = "/api/kernels/" + kId;
const std::string kSession = "/api/sessions/" + kId;
constexpr Method kMethods[] = {Method::kGet,   Method::kHead,   Method::kPost,    Method::kPut,
                               Method::kPatch, Method::kDelete, Method::kOptions, Method::kConnect,
                               Method::kTrace, Method::kOther};

// The operation's name, or the label of the error.
std::string_view outcome(Method method, std::string_view path) {
  const auto result = parse_operation(method, path);
  return result ? operation_name(result->operation) : result.error().row().label;
}

std::string_view label(ErrorCode code) { return error_row(code).label; }

std::string target(Method method, std::string_view path, std::string_view query = "") {
  const auto result = parse_operation(method, path);
  std::string out;
  if (result) append_target(*result, query, out);
  return out;
}

TEST(ParseOperation, KnowsTheWholeTableOfPathsAndMethods) {
  using Row = std::map<Method, std::string_view>;
  const std::vector<std::pair<std::string, Row>> table = {
      {"/api/kernelspecs", {{Method::kGet, "ListKernelSpecs"}}},
      {"/api/kernelspecs/python3", {{Method::kGet, "GetKernelSpec"}}},
      {"/kernelspecs/python3/logo-64x64.png", {{Method::kGet, "GetKernelSpecResource"}}},
      {"/kernelspecs/python3/a/b~c/kernel.js", {{Method::kGet, "GetKernelSpecResource"}}},
      {"/api/kernels", {{Method::kGet, "ListKernels"}, {Method::kPost, "CreateKernel"}}},
      {kKernel, {{Method::kGet, "GetKernel"}, {Method::kDelete, "DeleteKernel"}}},
      {kKernel + "/interrupt", {{Method::kPost, "InterruptKernel"}}},
      {kKernel + "/restart", {{Method::kPost, "RestartKernel"}}},
      {kKernel + "/channels", {{Method::kGet, "ConnectKernel"}}},
      {"/api/sessions", {{Method::kGet, "ListSessions"}, {Method::kPost, "CreateSession"}}},
      {kSession,
       {{Method::kGet, "GetSession"},
        {Method::kPatch, "PatchSession"},
        {Method::kDelete, "DeleteSession"}}},
      {"/api", {{Method::kGet, "GetVersion"}}},
  };
  for (const auto& [path, row] : table) {
    for (const Method method : kMethods) {
      const auto wanted = row.find(method == Method::kHead ? Method::kGet : method);
      EXPECT_EQ(outcome(method, path),
                wanted == row.end() ? label(ErrorCode::kMethodNotAllowed) : wanted->second)
          << path << " method " << static_cast<int>(method);
      if (wanted != row.end()) {
        EXPECT_EQ(target(method, path), path) << "regenerated as it came";
      }
    }
  }
}

TEST(ParseOperation, TakesThePartsOut) {
  const auto resource = parse_operation(Method::kGet, "/kernelspecs/spark.2-x_y/static/a.js");
  ASSERT_TRUE(resource);
  EXPECT_EQ(resource->spec_name, "spark.2-x_y");
  EXPECT_EQ(resource->resource, "static/a.js");
  const std::string path = kKernel + "/channels";
  const auto connect = parse_operation(Method::kGet, path);
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->kernel_id, kId);
  EXPECT_EQ(connect->path, "");
}

TEST(ParseOperation, FindsNoOperationBelowTheKernelApi) {
  for (const std::string& path : {"/api/kernels/"s,
                                  "/api/kernelspecs/"s,
                                  "/api/kernelspecs/python3/"s,
                                  "/kernelspecs"s,
                                  "/kernelspecs/"s,
                                  "/kernelspecs/python3"s,
                                  "/kernelspecs/python3/"s,
                                  "/kernelspecs/python3/a/"s,
                                  kKernel + "/",
                                  "/api/sessions/"s,
                                  "/api/sessions/not.an.id"s,
                                  kSession + "/",
                                  kSession + "/x",
                                  kKernel + "/channels/",
                                  kKernel + "/interrupt/",
                                  kKernel + "/restart/",
                                  kKernel + "/Channels",
                                  kKernel + "/shutdown",
                                  kKernel + "/channels/x",
                                  "/api/kernelspecs/python3/x"s,
                                  "/api/kernels/not.an.id"s,
                                  "/api/kernels/interrupt"s,
                                  "/api/kernelspecs/a~b"s,
                                  "/api/kernelspecs/a:b"s,
                                  "/kernelspecs/a+b/c"s,
                                  "/kernelspecs/python3/a+b"s,
                                  "/kernelspecs/python3/a@b"s,
                                  "/api/kernelspecs/" + std::string(129, 'a'),
                                  "/kernelspecs/python3/" + std::string(129, 'a')}) {
    for (const Method method : kMethods) {
      EXPECT_EQ(outcome(method, path), label(ErrorCode::kNoOperation)) << path;
    }
  }
  EXPECT_EQ(outcome(Method::kGet, "/api/kernelspecs/" + std::string(128, 'a')), "GetKernelSpec");
}

TEST(ParseOperation, LeavesOtherPathsToOthers) {
  for (const std::string_view path :
       {"/", "/api/", "/lab", "/api/sessionsx", "/API/kernels", "/api/kernelsx", "/api/Kernels",
        "/kernelspecsx/a/b", "/x/api/kernels", "/a...b/...", "/.a/b.", "/a,b=c@d:e!$&'()*+~"}) {
    for (const Method method : kMethods) {
      const auto result = parse_operation(method, path);
      ASSERT_TRUE(result) << path;
      EXPECT_EQ(result->operation, Operation::kOther);
      EXPECT_EQ(result->path, path);
    }
  }
}

TEST(WithoutNotebooks, TheirOperationsAreNoneAndTheVersionIsAPath) {
  for (const auto& [method, path] :
       {std::pair(Method::kPost, std::string("/api/sessions")), {Method::kGet, kSession}}) {
    const auto result = without_notebooks(*parse_operation(method, path), path);
    ASSERT_FALSE(result) << path;
    EXPECT_EQ(result.error().code, ErrorCode::kNoOperation);
  }
  const auto version = without_notebooks(*parse_operation(Method::kGet, "/api"), "/api");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->operation, Operation::kOther);
  EXPECT_EQ(version->path, "/api");
  const auto kernel = without_notebooks(*parse_operation(Method::kGet, kKernel), kKernel);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->kernel_id, kId);
}

TEST(ParseOperation, RefusesAmbiguousPaths) {
  const std::vector<std::string> tails = {"/.",
                                          "/..",
                                          "/./x",
                                          "/../x",
                                          "//",
                                          "//x",
                                          "/%2e%2e/x",
                                          "/%2E",
                                          "/a%2fb",
                                          "/a%5cb",
                                          "/%",
                                          "/a;b",
                                          "/;",
                                          "/a;/../b",
                                          "/a\\b",
                                          "/\\..\\b",
                                          "/\xc0\xae\xc0\xae/x",
                                          "/\xe0\x80\xaf",
                                          "/\xc3\xa9",
                                          "/a\0b"s,
                                          "/a b",
                                          "/a\tb",
                                          "/a\nb",
                                          "/a\x7f",
                                          "/a?b",
                                          "/a#b",
                                          "/a\"b",
                                          "/<a>",
                                          "/[a]",
                                          "/a^b",
                                          "/a|b",
                                          "/{a}",
                                          "/a`b"};
  for (const std::string& base : {""s, "/lab"s, "/api/kernels"s, "/api/kernelspecs"s,
                                  "/kernelspecs"s, kKernel, kKernel + "/channels"}) {
    for (const std::string& tail : tails) {
      EXPECT_EQ(outcome(Method::kGet, base + tail), label(ErrorCode::kBadRequest)) << base + tail;
    }
  }
  for (const std::string_view path : {"", "*", "api/kernels", "host:443", "http://h/api/kernels"}) {
    EXPECT_EQ(outcome(Method::kGet, path), label(ErrorCode::kBadRequest)) << path;
  }
  EXPECT_EQ(outcome(Method::kGet, "/kernelspecs/../api/kernels"), label(ErrorCode::kBadRequest));
}

TEST(ParseOperation, RefusesEveryByteThatNoPathMayHold) {
  const std::string allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,=:@/";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool ok = allowed.find(c) != std::string::npos;
    EXPECT_EQ(outcome(Method::kGet, "/lab/a" + std::string(1, c) + "b"),
              ok ? "Other" : label(ErrorCode::kBadRequest))
        << byte;
  }
}

TEST(ParseOperation, StaysLinear) {
  std::string path = "/kernelspecs/python3";
  for (int i = 0; i < 200'000; ++i) path += "/ab";
  EXPECT_EQ(outcome(Method::kGet, path), "GetKernelSpecResource");
}

TEST(IsKernelId, TakesFiveWordsWithin64Bytes) {
  for (const std::string& id : {kId, "6BB19C3B-26F6-4B4D-BFC9-BE831A9E648F"s, "a-b-c-d-e"s,
                                "_-_-_-_-_"s, "A1_-b-c-d-E"s, "a-b-c-d-" + std::string(56, 'e')}) {
    EXPECT_TRUE(is_kernel_id(id)) << id;
    EXPECT_EQ(outcome(Method::kGet, "/api/kernels/" + id), "GetKernel");
  }
  for (const std::string& id :
       {""s, "-"s, "----"s, "a-b-c-d"s, "a-b-c-d-"s, "-a-b-c-d"s, "a-b-c-d-e-f"s, "a-b--d-e"s,
        "a-b-c-d-e-"s, "a.b-b-c-d-e"s, "a-b-c-d-\xc3\xa9"s, "a-b-c-d-e\0"s, "a-b-c-d-~"s,
        "a-b-c-d-" + std::string(57, 'e')}) {
    EXPECT_FALSE(is_kernel_id(id)) << id;
  }
}

TEST(OperationName, IsDistinctForEach) {
  std::map<std::string_view, int> names;
  for (uint8_t i = 0; i < kOperationCount; ++i) ++names[operation_name(static_cast<Operation>(i))];
  EXPECT_EQ(names.size(), kOperationCount);
  EXPECT_EQ(operation_name(Operation::kLocal), "Local");
}

TEST(OperationName, NamesItsOperation) {
  for (uint8_t i = 0; i < kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    EXPECT_EQ(operation_named(operation_name(operation)), operation);
  }
  for (const char* name : {"", "listkernels", "ListKernels ", "*"}) {
    EXPECT_EQ(operation_named(name), std::nullopt) << name;
  }
}

TEST(AppendTarget, PassesOnlyTheAllowedParameter) {
  const std::string channels = kKernel + "/channels";
  EXPECT_EQ(target(Method::kGet, channels, "session_id=abc-1&token=t&x=y"),
            channels + "?session_id=abc-1");
  EXPECT_EQ(target(Method::kGet, channels, "%73ession%5fid=a+b%2F%C3%A9"),
            channels + "?session_id=a%20b%2F%C3%A9");
  EXPECT_EQ(target(Method::kGet, channels, "session_id=1&session_id=2"),
            channels + "?session_id=1");
  EXPECT_EQ(target(Method::kGet, channels, "Session_Id=1"), channels);
  EXPECT_EQ(target(Method::kGet, channels, "user=alice"), channels);
  EXPECT_EQ(target(Method::kGet, "/api/kernelspecs", "user=alice&session_id=1"),
            "/api/kernelspecs");
}

TEST(AppendTarget, NamesTheVerifiedUserOfKernelSpecs) {
  for (const std::string path : {"/api/kernelspecs", "/api/kernelspecs/python3"}) {
    KernelRequest request = *parse_operation(Method::kGet, path);
    request.user = "a b/c&";
    std::string out;
    append_target(request, "user=root&user=", out);
    EXPECT_EQ(out, path + "?user=a%20b%2Fc%26");
  }
  KernelRequest list = *parse_operation(Method::kGet, "/api/kernels");
  list.user = "alice";
  std::string out;
  append_target(list, "", out);
  EXPECT_EQ(out, "/api/kernels");
}

TEST(AppendTarget, DropsValuesThatAreEmptyBrokenOrTooLong) {
  const std::string channels = kKernel + "/channels";
  for (const std::string& value : {""s, "%zz"s, "%4"s, std::string(257, 'a')}) {
    EXPECT_EQ(target(Method::kGet, channels, "session_id=" + value + "&session_id=2"), channels);
  }
  EXPECT_EQ(target(Method::kGet, channels, "session_id"), channels);
  const std::string longest(256, 'a');
  EXPECT_EQ(target(Method::kGet, channels, "session_id=" + longest),
            channels + "?session_id=" + longest);
}

TEST(AppendTarget, NeverPassesATokenOfAnySpelling) {
  const std::vector<std::string> spellings = {
      "token=S",         "%74oken=S",       "t%6Fk%65n=S", "%74%6f%6b%65%6e=S",   "token=S=S",
      "a=1&token=S",     "token=S&token=S", "a=1;token=S", "token=S;a=1",         "&&token=S&",
      "tok%65n=S&a=S1%", "token=S&TOKEN=T", "token=%53",   "session_id=1;token=S"};
  const std::vector<std::pair<Method, std::string>> all = {
      {Method::kGet, "/api/kernelspecs"},
      {Method::kGet, "/api/kernelspecs/python3"},
      {Method::kGet, "/kernelspecs/p/a.png"},
      {Method::kGet, "/api/kernels"},
      {Method::kPost, "/api/kernels"},
      {Method::kGet, kKernel},
      {Method::kDelete, kKernel},
      {Method::kPost, kKernel + "/interrupt"},
      {Method::kPost, kKernel + "/restart"},
      {Method::kGet, kKernel + "/channels"},
      {Method::kGet, "/lab"}};
  for (const auto& [method, path] : all) {
    for (const std::string& query : spellings) {
      const std::string out = target(method, path, query);
      EXPECT_TRUE(out.starts_with(path)) << out;
      EXPECT_EQ(out.find("token"), std::string::npos) << query << " gave " << out;
      EXPECT_EQ(out.find("=S"), query.find("a=S1%") == std::string::npos || path != "/lab"
                                    ? std::string::npos
                                    : out.find("=S1%"))
          << query << " gave " << out;
      EXPECT_EQ(out.find("%53"), std::string::npos) << query << " gave " << out;
    }
  }
}

TEST(AppendTarget, PassesTheRestOfOtherPathsAsSent) {
  EXPECT_EQ(target(Method::kGet, "/lab/tree"), "/lab/tree");
  EXPECT_EQ(target(Method::kGet, "/lab", "a=%20b&c&d=;e=1"), "/lab?a=%20b&c&d=;e=1");
  EXPECT_EQ(target(Method::kGet, "/lab", "token=1&a=2;token=3;b=4"), "/lab?a=2;b=4");
  EXPECT_EQ(target(Method::kGet, "/lab", "TOKEN=1"), "/lab?TOKEN=1") << "another parameter";
  EXPECT_EQ(target(Method::kGet, "/lab", "%zz=1&a=2"), "/lab?a=2");
  EXPECT_EQ(target(Method::kGet, "/lab", "token=1"), "/lab");
}

std::string token_in(std::string_view query) {
  const Result<std::string> token = token_parameter(query);
  return token ? *token : std::string(token.error().row().label);
}

TEST(TokenParameter, IsDecodedAndSaysOneThing) {
  EXPECT_EQ(token_in(""), "");
  EXPECT_EQ(token_in("a=b"), "");
  EXPECT_EQ(token_in("session_id=1&token=ey.J-_%2B"), "ey.J-_+");
  EXPECT_EQ(token_in("%74oken=x"), "x");
  EXPECT_EQ(token_in("token=a&%74oken=a"), "a");
  for (const char* two :
       {"token=a&token=b", "token=&token=b", "token=%z&token=b", "token=a;token"}) {
    EXPECT_EQ(token_in(two), "bad_request") << two;
  }
  EXPECT_EQ(token_in("token"), "");
  EXPECT_EQ(token_in("token=%z"), "");
  EXPECT_EQ(token_in("TOKEN=x"), "");
  EXPECT_EQ(token_in("xtoken=x&atoken=y"), "");
}

TEST(RedactedQuery, HidesSecretsOfAnySpelling) {
  EXPECT_EQ(redacted_query(""), "");
  EXPECT_EQ(redacted_query("session_id=x&token=abc"), "session_id=x&token=REDACTED");
  EXPECT_EQ(redacted_query("session_id=a%20b&user=alice"), "session_id=a%20b&user=alice");
  EXPECT_EQ(redacted_query("access_token=a;X-Amz-Signature=b"),
            "access_token=REDACTED;X-Amz-Signature=REDACTED");
  for (const std::string_view query :
       {"%74oken=S3", "TOKEN=S3", "tOkEn=S3", "token=S3&token=S3", "a=1&token=S3", "a=1;token=S3",
        "token%3DS3", "token%3DS3=1", "token=S3=S3", "next=%2Flab%3Ftoken%3DS3",
        "next=/lab?token=S3", "token=%zzS3", "tok%zzen=S3", "%=S3", "tokenS3", "password=S3",
        "client_secret=S3"}) {
    EXPECT_EQ(redacted_query(query).find("S3"), std::string::npos) << redacted_query(query);
  }
}

TEST(AppendTarget, AWebSocketWithoutASessionOfItsOwnGetsTheOneGiven) {
  KernelRequest request;
  request.operation = Operation::kConnectKernel;
  request.kernel_id = "k";
  request.session_id = "ours 1";
  const auto target_for = [&](std::string_view query) {
    std::string out;
    append_target(request, query, out);
    return out;
  };
  EXPECT_EQ(target_for(""), "/api/kernels/k/channels?session_id=ours%201");
  EXPECT_EQ(target_for("session_id="), "/api/kernels/k/channels?session_id=ours%201");
  EXPECT_EQ(target_for("session_id=theirs"), "/api/kernels/k/channels?session_id=theirs");
}

}  // namespace kg::kernel::operation_test
