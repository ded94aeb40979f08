#include "routing/controller/run/sources.h"

#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::sources_test {

using ingress::Kind;
using kube::answer_of;
using kube::list_of;
using kube::object_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

nlohmann::json class_of(const std::string& name, const std::string& map_space,
                        const std::string& controller = "kernelgate.io/ingress") {
  nlohmann::json out = object_of(name, "2", "");
  out["metadata"].erase("namespace");
  out["spec"] = {
      {"controller", controller},
      {"parameters", {{"kind", "ConfigMap"}, {"namespace", map_space}, {"name", "of-" + name}}}};
  return out;
}

class SourcesTest : public kube::KubeTest, public SourceHandler {
 protected:
  SourcesTest() {
    api.answer_to = [this](const std::string& request) { return answer_to(request); };
  }
  std::string answer_to(const std::string& request) {
    if (request.find("watch=true") != std::string::npos) return "";
    if (request.find("/ingressclasses?") != std::string::npos) return list_of("9", classes);
    if (request.find("/configmaps?") == std::string::npos) return list_of("9", {});
    asked_maps.push_back(request.substr(0, request.find(" HTTP")));
    if (forbids) return answer_of("403 Forbidden", kube::status_of(403, "no").dump());
    return list_of("9", {object_of("of-a", "3", "a")});
  }
  bool on_object(Kind kind, const nlohmann::json& object) override {
    const auto name = object.at("metadata").at("name").get<std::string>();
    seen.push_back(std::string(ingress::name_of(kind)) + " " + name);
    return true;
  }
  void on_gone(const ingress::ObjectRef& ref) override { seen.push_back("-" + ref.text()); }
  void on_synced() override { seen.push_back("synced"); }

  std::vector<nlohmann::json> classes;
  std::vector<std::string> asked_maps, seen;
  bool forbids = false;
};

TEST_F(SourcesTest, AClassIsToldBehindItsParametersAndOtherConfigMapsAreNotAskedFor) {
  classes = {class_of("a", "a"), class_of("elsewhere", "not-watched"),
             class_of("of-others", "a", "nginx")};
  Sources sources(loop, client, {{"a", "b"}, "kernelgate.io/ingress", {}}, *this);
  sources.start();
  run_until([&] { return sources.synced(); });
  EXPECT_THAT(asked_maps, ElementsAre(HasSubstr("/namespaces/a/configmaps?fieldSelector="
                                                "metadata.name%3Dof-a&limit=")));
  // What is watched of nobody is not there for its class either.
  EXPECT_THAT(seen, ElementsAre("IngressClass elsewhere", "IngressClass of-others",
                                "ConfigMap of-a", "IngressClass a", "synced"));
  EXPECT_EQ(sources.uid_of({Kind::kConfigMap, {"a", "of-a"}}), "uid-of-a");
  const std::vector<KindFact> facts = sources.facts();
  EXPECT_EQ(facts.size(), 6U);
  EXPECT_EQ(facts.back().of, Kind::kConfigMap);
  EXPECT_EQ(facts.back().objects, 1U);
  EXPECT_EQ(facts[1].lists, 2U) << "of Ingresses, one for each namespace";
}

TEST_F(SourcesTest, AListThatIsForbiddenIsNamedAndHeldForAsLongAsItIs) {
  forbids = true;
  Sources sources(loop, client, {{"a"}, "kernelgate.io/ingress", ingress::ObjectName{"a", "of-a"}},
                  *this);
  sources.start();
  run_until([&] { return !sources.forbidden().empty(); });
  const std::vector<ListProblem> waiting = sources.waiting();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].what, "configmaps");
  EXPECT_EQ(waiting[0].namespace_name, "a");
  EXPECT_THAT(waiting[0].problem, AllOf(HasSubstr("403"), HasSubstr("RBAC")));
  EXPECT_FALSE(sources.synced());
  EXPECT_THAT(seen, IsEmpty());
  forbids = false;
  run_until([&] { return sources.synced(); });
  EXPECT_THAT(sources.waiting(), IsEmpty());
  EXPECT_THAT(seen, ElementsAre("ConfigMap of-a", "synced"));
}

// It took its RoleBindings with it.
TEST_F(SourcesTest, ANamespaceThatIsNotThereIsNotWaitedFor) {
  nlohmann::json status = kube::status_of(404, "namespaces \"gone\" not found");
  size_t asked = 0;
  api.answer_to = [&](const std::string& request) {
    if (request.starts_with("GET /api/v1/namespaces/gone HTTP")) {
      ++asked;
      return answer_of("404 Not Found", status.dump());
    }
    if (request.find("/namespaces/gone/") != std::string::npos)
      return answer_of("403 Forbidden", kube::status_of(403, "no").dump());
    return answer_to(request);
  };
  Sources sources(loop, client, {{"a", "gone"}, "kernelgate.io/ingress", {}}, *this);
  sources.start();
  run_until([&] { return asked == 1; });
  EXPECT_FALSE(sources.synced());
  run_until([&] { return asked == 2; });
  EXPECT_FALSE(sources.synced()) << "that was anybody's 404";
  status["reason"] = "NotFound";
  status["details"] = {{"kind", "namespaces"}, {"name", "gone"}};
  run_until([&] { return sources.synced(); });
  EXPECT_THAT(seen, ElementsAre("synced"));
  EXPECT_THAT(sources.waiting(), IsEmpty());
  EXPECT_EQ(sources.forbidden().size(), 4U) << "and is tried on";
}

}  // namespace kg::controller::sources_test
