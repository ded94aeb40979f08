// What a compiler remembers outlives it: another one that recalls it goes on as it did.
#include "routing/controller/ingress/recollection.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <random>

#include "cluster.h"

namespace kg::ingress::recollection_test {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Said = std::vector<std::pair<std::string, std::string>>;

// Objects of a cluster, and compilers that see them one after the other.
class Lives {
 public:
  Lives() {
    put(Kind::kIngressClass, ingress_class("kernelgate"));
    put(Kind::kService, service("analytics", "jeg"));
    put(Kind::kEndpointSlice, slice("analytics", "jeg-1", "jeg", {pod("jeg-0", "10.0.0.1")}));
  }
  Lives& put(Kind kind, const Json& object) {
    objects_.insert_or_assign({kind, metadata(object)->name}, object);
    compiler_->put(kind, object);
    return *this;
  }
  Lives& put(const Json& object) { return put(Kind::kIngress, object); }
  void erase(Kind kind, const std::string& space, const std::string& name) {
    objects_.erase({kind, {space, name}});
    compiler_->erase({kind, {space, name}});
  }
  std::string memory() {
    compiler_->run();
    return text_of(compiler_->recollection()).text;
  }
  // Another one begins, with what the last one remembered.
  void restart() { restart(memory()); }
  void restart(const std::string& text) {
    compiler_ = std::make_unique<Compiler>();
    compiler_->recall(*read_recollection(text).recollection);
    for (const auto& [ref, object] : objects_) compiler_->put(ref.kind, object);
  }
  Said said() {
    compiler_->run();
    Said out;
    for (const feed::Item& item : compiler_->items()) out.emplace_back(item.key, *item.payload);
    for (const ObjectRef& ref : compiler_->judged()) {
      for (const Finding& finding : compiler_->findings(ref))
        out.emplace_back(ref.text(), finding.reason + finding.message);
    }
    return out;
  }
  std::vector<std::string> keys() {
    compiler_->run();
    std::vector<std::string> out;
    for (const feed::Item& item : compiler_->items()) out.push_back(item.key);
    return out;
  }
  Compiler& compiler() { return *compiler_; }

 private:
  std::map<ObjectRef, Json> objects_;
  std::unique_ptr<Compiler> compiler_ = std::make_unique<Compiler>();
};

Json one(const std::string& space, const std::string& name, const std::vector<Path>& paths,
         Annotations annotations, int age = 0) {
  annotations.emplace("kernelgate.io/endpoint-id", name);
  Json out = ingress(space, name, paths, sessions(annotations), age);
  out["metadata"]["uid"] = "uid-" + space + "-" + name;
  return out;
}

TEST(Recollection, IsEmptyWhereNothingIsWrongOrDisputed) {
  Lives lives;
  lives.put(one("analytics", "i", {{"a.test", "/"}, {"*.test", "/"}}, {}, 3));
  lives.put(one("analytics", "k", {{"a.test", "/"}, {"b.test", "/"}}, {}, 1));
  lives.put(one("other", "k", {{"a.test", "/x"}}, {}, 1));
  EXPECT_EQ(lives.memory(), "");
}

TEST(Recollection, WhoHasAThingHasItStill) {
  Lives lives;
  lives.put(one("b", "young", {{"young.test", "/"}}, {})).said();
  lives.put(one("a", "old", {{"young.test", "/x"}, {"*.test", "/"}},
                {{"kernelgate.io/endpoint-id", "young"}}, 8));
  const Said before = lives.said();
  EXPECT_THAT(lives.keys(), ElementsAre("endpoint/b/young"));
  lives.restart();
  EXPECT_EQ(lives.said(), before);
  // Given up while nobody looked.
  const std::string memory = lives.memory();
  lives.erase(Kind::kIngress, "b", "young");
  lives.restart(memory);
  EXPECT_THAT(lives.keys(), ElementsAre("endpoint/a/young"));
  EXPECT_EQ(lives.memory(), "");
  // And without a memory age decides: it is what was written down that counts.
  lives.put(one("b", "young", {{"young.test", "/"}}, {}));
  lives.restart("");
  EXPECT_THAT(lives.keys(), ElementsAre("endpoint/a/young"));
}

TEST(Recollection, AnotherObjectOfTheSameNameHasNothingOfIt) {
  Lives lives;
  lives.put(one("b", "id", {{"b.test", "/"}}, {})).said();
  lives.put(one("a", "old", {{"a.test", "/"}}, {{"kernelgate.io/endpoint-id", "id"}}, 8));
  const std::string memory = lives.memory();
  Json again = one("b", "id", {{"b.test", "/"}}, {});
  again["metadata"]["uid"] = "another";
  lives.put(again).restart(memory);
  EXPECT_THAT(lives.keys(), ElementsAre("endpoint/a/id"));
}

TEST(Recollection, AStandbyThatSawItOtherwiseHearsOfIt) {
  Lives lives;
  lives.put(one("b", "id", {{"b.test", "/"}}, {})).said();
  lives.put(one("a", "old", {{"b.test", "/"}}, {{"kernelgate.io/endpoint-id", "id"}}, 8));
  const Said before = lives.said();
  const Recollection leaders = lives.compiler().recollection();
  lives.restart("");  // it saw both at once
  EXPECT_THAT(lives.keys(), ElementsAre("endpoint/a/id"));
  lives.compiler().recall(leaders);
  EXPECT_EQ(lives.said(), before);
  EXPECT_EQ(lives.compiler().recollection(), leaders);
}

// Whatever happened, in whatever turns.
TEST(Recollection, IsAllThatTheObjectsDoNotSay) {
  std::mt19937 random(11);
  const auto below = [&](size_t most) { return std::to_string(random() % most); };
  size_t exceptions = 0;
  for (int round = 0; round < 15; ++round) {
    Lives lives;
    for (int step = 0; step < 60; ++step) {
      const std::string space = "n" + below(3);
      const std::string name = "i" + below(4);
      if (random() % 8 == 0) {
        lives.erase(Kind::kIngress, space, name);
      } else {
        std::vector<Path> paths{{"h" + below(3) + ".test", "/" + below(2)}};
        if (random() % 2 == 0) paths.push_back({"*.test", "/"});
        if (random() % 2 == 0) paths.push_back({"-", "/p" + below(2)});
        Annotations annotations{{"kernelgate.io/endpoint-id", random() % 6 == 0 ? "?" : below(4)}};
        if (random() % 4 == 0) annotations["kernelgate.io/gone-after"] = "soon";
        const int age = static_cast<int>(std::hash<std::string>{}(space + name) % 9);
        Json object = one(space, name, paths, annotations, age);
        if (random() % 3 == 0) object["spec"]["defaultBackend"] = target("jeg");
        lives.put(object);
      }
      if (random() % 3 == 0) lives.said();
    }
    const Said before = lives.said();
    const std::string memory = lives.memory();
    exceptions += static_cast<size_t>(std::ranges::count(memory, '\n'));
    lives.restart();
    ASSERT_EQ(lives.said(), before) << "round " << round << "\n" << memory;
    ASSERT_EQ(lives.memory(), memory) << "round " << round;
  }
  EXPECT_GT(exceptions, 50U);
}

// ---- what is wrong now ----

TEST(LastGood, AnnotationsServeUnderAnotherCompiler) {
  Lives lives;
  const auto object = [](Annotations more) {
    more.emplace("kernelgate.io/gateway-token-secret", "token");
    return one("analytics", "i", {{"a.test", "/"}}, std::move(more));
  };
  const auto token = [](const char* text) {
    return secret("analytics", "token", {{"token", text}});
  };
  lives.put(Kind::kSecret, token("first")).put(object({{"kernelgate.io/gone-after", "7s"}})).said();
  lives.put(object({{"kernelgate.io/gone-after", "soon"}}));
  const Said before = lives.said();
  EXPECT_THAT(lives.memory(), Not(HasSubstr("first"))) << "no Secret is in it";
  lives.restart();
  EXPECT_EQ(lives.said(), before);
  // With the Secrets of now.
  const std::string memory = lives.memory();
  lives.put(Kind::kSecret, token("second")).restart(memory);
  EXPECT_THAT(lives.said().front().second,
              testing::AllOf(HasSubstr("second"), HasSubstr("7s"), Not(HasSubstr("first"))));
  // Once there is one.
  lives.erase(Kind::kSecret, "analytics", "token");
  lives.restart(memory);
  EXPECT_THAT(lives.keys(), IsEmpty());
  EXPECT_EQ(lives.memory(), memory);
  EXPECT_THAT(lives.put(Kind::kSecret, token("third")).keys(), testing::SizeIs(1));
  lives.restart("");
  EXPECT_THAT(lives.keys(), IsEmpty()) << "nobody knows anything good of it";
}

TEST(LastGood, AnnotationsThatItsClassForbidsNowDoNotGoOn) {
  Lives lives;
  lives.put(one("analytics", "i", {{"a.test", "/"}}, {{"kernelgate.io/sharing", "endpoint"}}))
      .said();
  lives.put(one("analytics", "i", {{"a.test", "/"}},
                {{"kernelgate.io/sharing", "endpoint"}, {"kernelgate.io/gone-after", "soon"}}));
  const std::string memory = lives.memory();
  lives.put(Kind::kIngressClass, ingress_class("kernelgate", "p"));
  lives.put(Kind::kConfigMap, config_map("p", {{"locked-annotations", "sharing"}}));
  lives.restart(memory);
  EXPECT_THAT(lives.keys(), IsEmpty());
}

TEST(LastGood, AnIdStaysWhereTheAnnotationIsNone) {
  Lives lives;
  lives.put(one("analytics", "abc", {{"a.test", "/"}}, {})).said();
  lives.put(one("analytics", "abc", {{"a.test", "/"}}, {{"kernelgate.io/endpoint-id", "No!"}}));
  lives.restart();
  EXPECT_THAT(lives.keys(), ElementsAre("endpoint/analytics/abc"));
}

TEST(LastGood, ParametersOfAClassBoundUnderAnotherCompiler) {
  Lives lives;
  Json with_uid = ingress_class("kernelgate", "p");
  with_uid["metadata"]["uid"] = "1";
  lives.put(Kind::kIngressClass, with_uid);
  lives.put(Kind::kConfigMap, config_map("p", {{"quota-kernels", "4"}}));
  lives.put(one("analytics", "i", {{"a.test", "/"}}, {})).said();
  for (const bool is_there : {true, false}) {
    lives.put(Kind::kConfigMap, config_map("p", {{"quota-kernel", "5"}}));
    if (!is_there) lives.erase(Kind::kConfigMap, "platform", "p");
    const Said before = lives.said();
    lives.restart();
    EXPECT_EQ(lives.said(), before);
    EXPECT_THAT(lives.said().front().second, HasSubstr(R"("kernels":"4")"));
  }
  const std::string memory = lives.memory();
  with_uid["metadata"]["uid"] = "2";
  lives.put(Kind::kIngressClass, with_uid).restart(memory);
  EXPECT_THAT(lives.keys(), IsEmpty()) << "another class of that name";
}

// ---- its text ----

TEST(RecollectionText, NoTenantTakesTheRoomOfAnother) {
  Recollection all;
  all.classes["kernelgate"] = {"uid", {{"quota-kernels", "4"}}};
  all.ingresses[{"greedy", "i"}] = {"uid", "", {{"id", {{"k", std::string(2'000, 'x')}}}}};
  all.owners["small.test"] = "small";
  for (int i = 0; i < 90; ++i) all.owners["h" + std::to_string(i) + ".test"] = "greedy";
  const RecollectionText text = text_of(all, 2'000);
  EXPECT_LE(text.text.size(), 2'000U);
  const Recollection kept = *read_recollection(text.text).recollection;
  EXPECT_EQ(kept.classes, all.classes);
  EXPECT_TRUE(kept.owners.contains("small.test"));
  EXPECT_GT(kept.owners.size(), 20U);
  EXPECT_EQ(kept.owners.size() + text.left_out, 92U) << "what does not fit is counted";
  EXPECT_EQ(*read_recollection(text_of(all).text).recollection, all);
}

TEST(RecollectionText, IsReadWholeOrNotAtAll) {
  const std::string good = R"({"namespace":"b","owner":"a.test"})";
  EXPECT_TRUE(read_recollection("").recollection);
  EXPECT_TRUE(read_recollection(good + "\n").recollection);
  for (const std::string& bad :
       {good, "\n" + good + "\n", good + "\n" + good + "\n", "[]\n" + good + "\n",
        std::string(R"({"namespace":"b","owner":"a.test","more":"1"})") + "\n",
        std::string(R"({"namespace":"b","namespace":"b","owner":"a.test"})") + "\n",
        std::string(R"({"namespace":"B","owner":"a.test"})") + "\n",
        std::string(R"({"namespace":"b","owner":""})") + "\n",
        std::string(R"({"namespace":"b","owner":7})") + "\n",
        std::string(R"({"holder":"id x","name":"i","namespace":"b"})") + "\n",
        std::string(R"({"good":{"A":{}},"id_base":"","ingress":"i","namespace":"b","uid":"1"})") +
            "\n",
        std::string(
            R"({"good":{"a":{"k":1}},"id_base":"","ingress":"i","namespace":"b","uid":"1"})") +
            "\n",
        std::string(R"({"class":"c","data":[],"uid":"1"})") + "\n",
        R"({"class":)" + std::string(100'000, '[') + "\n",
        good + "\n" + std::string(kMemoryBytesMax, ' ')}) {
    const ReadRecollection read = read_recollection(bad);
    EXPECT_FALSE(read.recollection) << bad.substr(0, 100);
    EXPECT_NE(read.problem, "");
  }
}

}  // namespace kg::ingress::recollection_test
