#include "routing/controller/kube/reflector.h"

#include "tests/unit/kube/kube_fixture.h"

namespace kg::kube::reflector_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ReflectorTest : public KubeTest {
 protected:
  void run_until_seen(const std::string& what) {
    run_until([&] { return !handler.seen.empty() && handler.seen.back() == what; });
  }
  // Has listed x at version 5 of a list of version 10, and waits for the head of its watch.
  void sync() {
    api.answers.push_back(list_of("10", {object_of("x", "5")}));
    reflector.start();
    run_until([&] { return api.requests.size() == 2; });
    ASSERT_THAT(handler.seen, ElementsAre("+x 5", "synced"));
    handler.seen.clear();
  }
  void run_until_asked(size_t requests) {
    run_until([&] { return api.requests.size() >= requests; });
    ASSERT_EQ(api.requests.size(), requests);
  }

  NotingHandler handler;
  Selection selection{{"networking.k8s.io", "v1", "ingresses", "Ingress"}, "a", "team in (b)", ""};
  ReflectorOptions options{.backoff_ms = 2, .backoff_ms_max = 8, .watch_short_ms = 100};
  Reflector reflector{loop, client, selection, handler, options};
};

TEST_F(ReflectorTest, AListIsToldAndThenEachChange) {
  sync();
  EXPECT_THAT(api.requests[0],
              testing::StartsWith("GET /apis/networking.k8s.io/v1/namespaces/a/ingresses"
                                  "?labelSelector=team%20in%20%28b%29&limit=500 HTTP/1.1\r\n"));
  EXPECT_THAT(api.requests[0], HasSubstr("\r\nAuthorization: Bearer a-token\r\n"));
  EXPECT_THAT(api.requests[1], HasSubstr("&watch=true&allowWatchBookmarks=true"
                                         "&resourceVersion=10&timeoutSeconds="));
  EXPECT_EQ(handler.last.at("kind"), "Ingress");
  EXPECT_EQ(handler.last.at("apiVersion"), "networking.k8s.io/v1");
  EXPECT_FALSE(handler.last.at("metadata").contains("managedFields"));
  EXPECT_GT(reflector.lag_us(), 0U);
  api.open_watch();
  // In pieces, and two in one.
  const std::string added = event_of("ADDED", object_of("y", "11"));
  api.say(added.substr(0, 30));
  run_until([&] { return reflector.counts().watches == 1; });
  EXPECT_EQ(reflector.lag_us(), 0U);
  api.say(added.substr(30) + event_of("MODIFIED", object_of("x", "12")));
  api.say(bookmark_of("20") + event_of("DELETED", object_of("y", "21")));
  run_until_seen("-a/y");
  EXPECT_THAT(handler.seen, ElementsAre("+y 11", "+x 12", "-a/y"));
  EXPECT_EQ(reflector.counts().bookmarks, 1U);
  EXPECT_EQ(reflector.store().objects().size(), 1U);
}

TEST_F(ReflectorTest, PagesAreOneList) {
  api.answers = {list_of("10", {object_of("x", "5")}, "more/="), list_of("10", {}, "last"),
                 list_of("10", {object_of("y", "6")})};
  reflector.start();
  run_until_asked(4);
  EXPECT_THAT(handler.seen, ElementsAre("+x 5", "+y 6", "synced"));
  EXPECT_THAT(api.requests[1], HasSubstr("&limit=500&continue=more%2F%3D HTTP"));
  EXPECT_THAT(api.requests[2], HasSubstr("&continue=last HTTP"));
  EXPECT_EQ(reflector.counts().lists, 1U);
}

TEST_F(ReflectorTest, AnExpiredContinueTokenRestartsTheListAndWhatWentMeanwhileIsTold) {
  api.answers = {list_of("10", {object_of("v", "4"), object_of("x", "5")}, "more"),
                 answer_of("410 Gone", status_of(410, "continue expired").dump()),
                 list_of("30", {object_of("x", "25")})};
  reflector.start();
  run_until_asked(4);
  EXPECT_THAT(handler.seen, ElementsAre("+v 4", "+x 5", "+x 25", "-a/v", "synced"));
  EXPECT_EQ(reflector.counts().restarts, 1U);
  EXPECT_THAT(api.requests[2], Not(HasSubstr("continue")));
  EXPECT_THAT(api.requests[3], HasSubstr("resourceVersion=30"));
}

TEST_F(ReflectorTest, APageThatIsTooLargeIsAskedForInHalves) {
  api.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
                 list_of("10", {object_of("x", "5")})};
  reflector.start();
  run_until_asked(3);
  EXPECT_THAT(api.requests[1], HasSubstr("&limit=250 HTTP"));
  EXPECT_THAT(handler.seen, ElementsAre("+x 5", "synced"));
}

TEST_F(ReflectorTest, AWatchThatEndsInTimeGoesOnFromTheLastVersion) {
  sync();
  api.open_watch();
  api.say(bookmark_of("17"));
  run_until([&] { return reflector.counts().bookmarks == 1; });
  api.end_watch();
  run_until_asked(3);
  EXPECT_THAT(api.requests[2], HasSubstr("resourceVersion=17&"));
  EXPECT_EQ(reflector.counts().watch_errors, 0U);
  EXPECT_THAT(handler.seen, IsEmpty());
}

TEST_F(ReflectorTest, ACutConnectionResumesAndNothingIsTold) {
  sync();
  api.open_watch();
  api.say(event_of("MODIFIED", object_of("x", "12")) + "{\"type\":\"ADDED\",\"obj");
  run_until_seen("+x 12");
  api.hang_up();
  run_until_asked(3);
  EXPECT_THAT(api.requests[2], HasSubstr("resourceVersion=12&"));
  EXPECT_EQ(reflector.counts().watch_errors, 1U);
  EXPECT_THAT(std::string(reflector.problem()), HasSubstr("transfer closed"));
  EXPECT_EQ(reflector.store().objects().size(), 1U);
}

TEST_F(ReflectorTest, HistoryThatIsGoneIsListedAnewAndOnlyTheDifferenceIsTold) {
  sync();
  api.open_watch();
  api.say(event_of("ADDED", object_of("y", "11")) + event_of("ADDED", object_of("z", "12")));
  run_until_seen("+z 12");
  handler.seen.clear();
  api.answers.push_back(
      list_of("40", {object_of("w", "33"), object_of("x", "5"), object_of("z", "34")}));
  api.say(event_of("ERROR", status_of(410, "too old resource version")));
  run_until_asked(4);
  EXPECT_THAT(handler.seen, ElementsAre("+w 33", "+z 34", "-a/y"));
  EXPECT_EQ(reflector.counts().gone, 1U);
  EXPECT_THAT(api.requests[3], HasSubstr("resourceVersion=40&"));
}

TEST_F(ReflectorTest, A410AsStatusIsTheSame) {
  sync();
  api.answers = {answer_of("410 Gone", status_of(410, "expired").dump()),
                 list_of("40", {object_of("x", "5")})};
  api.hang_up();  // the first try has no answer and is made again
  run_until_asked(5);
  EXPECT_THAT(handler.seen, IsEmpty());
  EXPECT_EQ(reflector.counts().gone, 1U);
  EXPECT_THAT(api.requests[2], HasSubstr("resourceVersion=10&"));
  EXPECT_THAT(api.requests[3], Not(HasSubstr("watch")));
}

TEST_F(ReflectorTest, AnObjectThatWasDeletedAndMadeAnewIsChanged) {
  sync();
  api.open_watch();
  nlohmann::json again = object_of("x", "5");
  again["metadata"]["uid"] = "another";
  api.answers.push_back(list_of("40", {again}));
  api.say(event_of("ERROR", status_of(410, "")));
  run_until_asked(4);
  EXPECT_THAT(handler.seen, ElementsAre("+x 5"));
}

TEST_F(ReflectorTest, WhatTheHandlerDoesNotKeepCostsNothingAndIsOfferedAgain) {
  handler.keeps = false;
  sync();
  EXPECT_EQ(reflector.store().objects().size(), 0U);
  api.open_watch();
  api.say(event_of("MODIFIED", object_of("x", "12")) + event_of("DELETED", object_of("x", "13")));
  api.say(event_of("ADDED", object_of("y", "14")));
  run_until_seen("+y 14");
  EXPECT_THAT(handler.seen, ElementsAre("+x 12", "+y 14"));
  handler.keeps = true;
  api.answers.push_back(list_of("40", {object_of("y", "14")}));
  reflector.relist();
  EXPECT_GT(reflector.lag_us(), 0U);
  run_until_asked(4);
  EXPECT_THAT(handler.seen, ElementsAre("+x 12", "+y 14", "+y 14"));
  EXPECT_EQ(reflector.store().objects().size(), 1U);
  EXPECT_THAT(api.requests[3], HasSubstr("resourceVersion=40&"));
  // One that it does not keep any more is as if gone.
  handler.keeps = false;
  api.open_watch();
  api.say(event_of("MODIFIED", object_of("y", "41")));
  run_until_seen("+y 41");
  EXPECT_EQ(reflector.store().objects().size(), 0U);
}

class BrokenWatchTest : public ReflectorTest, public testing::WithParamInterface<std::string> {};

TEST_P(BrokenWatchTest, IsListedAnewAndLosesNothing) {
  sync();
  api.open_watch();
  api.answers.push_back(list_of("40", {object_of("x", "5"), object_of("y", "39")}));
  api.say(GetParam());
  if (GetParam().back() != '\n') api.end_watch();
  run_until_asked(4);
  EXPECT_THAT(handler.seen, ElementsAre("+y 39"));
  EXPECT_EQ(reflector.counts().malformed, 1U);
  EXPECT_EQ(reflector.counts().watch_errors, 1U);
}

nlohmann::json without(const char* member) {
  nlohmann::json object = object_of("x", "12");
  object["metadata"].erase(member);
  return object;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, BrokenWatchTest,
    testing::Values("no json\n", "{\"type\":\"ADDED\"}\n", "[]\n",
                    R"({"type":"ADDED","object":{"metadata":{"name":"x)",  // and a clean end
                    event_of("RENAMED", object_of("x", "12")),
                    event_of("ADDED", without("resourceVersion")),
                    event_of("DELETED", without("name")), event_of("MODIFIED", without("uid")),
                    event_of("BOOKMARK", {{"metadata", nlohmann::json::object()}}),
                    event_of("ADDED", object_of("x", "12", "another-namespace")),
                    nlohmann::json{{"type", "ADDED"}, {"object", object_of("x", "12")}}.dump() +
                        "\n",  // of no kind
                    std::string(1'000, '[') + "\n"));

class ErrorEventTest : public ReflectorTest, public testing::WithParamInterface<nlohmann::json> {};

TEST_P(ErrorEventTest, WaitsAndThenAllIsListedAnewAndNothingIsLost) {
  sync();
  api.open_watch();
  api.say(event_of("ADDED", object_of("y", "11")));
  run_until_seen("+y 11");
  handler.seen.clear();
  api.answers.push_back(list_of("40", {object_of("x", "39"), object_of("y", "11")}));
  nlohmann::json status = GetParam();
  status["details"]["retryAfterSeconds"] = 1;
  const uint64_t said_us = event::monotonic_us();
  api.say(event_of("ERROR", status) + event_of("DELETED", object_of("y", "12")));
  run_until([&] { return reflector.counts().watch_errors == 1; });
  EXPECT_THAT(std::string(reflector.problem()), testing::StartsWith("a watch ended: "));
  EXPECT_EQ(reflector.store().objects().size(), 2U) << "what stands behind it is not heard";
  EXPECT_GT(reflector.lag_us(), 0U);
  run_until_asked(4);
  EXPECT_GE(event::monotonic_us() - said_us, 1'000'000U);
  EXPECT_THAT(handler.seen, ElementsAre("+x 39"));
  EXPECT_THAT(api.requests[3], HasSubstr("resourceVersion=40&"));
  EXPECT_EQ(reflector.counts().gone + reflector.counts().malformed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Statuses, ErrorEventTest,
                         testing::Values(status_of(500, "etcd"),
                                         nlohmann::json{{"message", "of no code"}}));

TEST_F(ReflectorTest, ErrorsInARowAreWaitedForLongerAndLonger) {
  Reflector patient(loop, client, selection, handler,
                    {.backoff_ms = 100, .backoff_ms_max = 10'000});
  api.answers.push_back(list_of("10", {}));
  patient.start();
  const uint64_t began_us = event::monotonic_us();
  for (size_t errors = 1; errors <= 3; ++errors) {
    run_until_asked(2 * errors);
    api.answers.push_back(list_of("10", {}));
    api.open_watch();
    api.say(event_of("ERROR", status_of(500, "")));
  }
  run_until_asked(8);
  EXPECT_GE(event::monotonic_us() - began_us, 350'000U) << "half of 100 + 200 + 400 ms";
  EXPECT_EQ(patient.counts().watch_errors, 3U);
}

TEST_F(ReflectorTest, ALineWithoutEndIsNotHeld) {
  sync();
  api.open_watch();
  api.answers.push_back(list_of("40", {}));
  api.say(std::string(kObjectBytesMax + 1, ' '));
  run_until_asked(4);
  EXPECT_THAT(handler.seen, ElementsAre("-a/x"));
  EXPECT_EQ(reflector.counts().malformed, 1U);
}

TEST_F(ReflectorTest, AListThatCannotBeReadChangesNothing) {
  sync();
  api.open_watch();
  api.answers = {list_of("40", {without("uid")}), answer_of("200 OK", "{\"items\":[]}"),
                 answer_of("200 OK", list_of("40", {}).substr(0, 40)),
                 list_of("40", {object_of("x", "5", "b")}), list_of("41", {object_of("x", "41")})};
  api.say(event_of("ERROR", status_of(410, "")));
  run_until_asked(8);
  EXPECT_THAT(handler.seen, ElementsAre("+x 41"));
  EXPECT_EQ(reflector.counts().malformed, 4U);
  EXPECT_EQ(reflector.counts().lists, 2U);
}

TEST_F(ReflectorTest, AServerThatAsksForPatienceGetsIt) {
  api.answers = {
      answer_of("429 Too Many Requests", status_of(429, "slow down").dump(), "Retry-After: 1\r\n"),
      list_of("10", {})};
  const uint64_t begin_us = event::monotonic_us();
  reflector.start();
  run_until_asked(3);
  EXPECT_GE(event::monotonic_us() - begin_us, 1'000'000U);
  EXPECT_EQ(reflector.counts().list_errors, 1U);
}

TEST_F(ReflectorTest, RefusedWatchesAreResumedAndThenListedAnew) {
  sync();
  const std::string failed = answer_of("500 Internal Server Error", status_of(500, "etcd").dump());
  api.answers = {failed, failed, failed, list_of("40", {object_of("x", "5")})};
  api.hang_up();  // no answer at all says nothing against the version
  run_until([&] { return reflector.counts().watch_errors == 4; });
  EXPECT_EQ(reflector.problem(), "the API server answers 500: etcd");
  run_until_asked(7);
  EXPECT_THAT(api.requests[4], HasSubstr("resourceVersion=10&"));
  EXPECT_THAT(api.requests[5], Not(HasSubstr("watch")));
  EXPECT_THAT(handler.seen, IsEmpty());
}

TEST_F(ReflectorTest, WatchesThatEndAtOnceAreNotOpenedInALoop) {
  sync();
  const std::string empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  api.answers = {empty, empty};
  api.open_watch();
  api.say(bookmark_of("10"));  // nothing new either
  api.end_watch();
  run_until_asked(5);
  EXPECT_EQ(reflector.counts().watch_errors, 3U);
  EXPECT_EQ(reflector.counts().lists, 1U);
  EXPECT_THAT(std::string(reflector.problem()), HasSubstr("as soon as they are opened"));
}

TEST_F(ReflectorTest, WhatIsForbiddenIsSaidInTheServersWords) {
  api.answers = {answer_of("403 Forbidden", status_of(403, "joe cannot list\r\ningresses").dump()),
                 list_of("10", {})};
  reflector.start();
  run_until([&] { return reflector.counts().list_errors == 1; });
  EXPECT_EQ(reflector.problem(),
            "the API server answers 403: joe cannot list??ingresses: give it the right to list and "
            "watch them (RBAC)");
  EXPECT_TRUE(reflector.is_forbidden());
  EXPECT_FALSE(reflector.synced());
  run_until_asked(3);
  EXPECT_TRUE(reflector.synced());
  api.open_watch();
  run_until([&] { return reflector.counts().watches == 1; });
  EXPECT_FALSE(reflector.is_forbidden());
}

}  // namespace kg::kube::reflector_test
