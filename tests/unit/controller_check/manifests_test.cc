// Manifests as kubectl reads them.
#include "routing/controller/check/manifests.h"

#include <gmock/gmock.h>

#include <sstream>

#include "routing/controller/check/command.h"
#include "routing/controller/check/scalars.h"

namespace kg::check::manifests_test {

using ingress::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Scalars, PlainOnesAreWhatKubectlMakesOfThem) {
  const std::vector<std::pair<std::string, Json>> cases{
      {"", nullptr},      {"~", nullptr},     {"null", nullptr},
      {"true", true},     {"yes", true},      {"Off", false},
      {"n", false},       {"80", 80},         {"-7", -7},
      {"+7", 7},          {"0x1F", 31},       {"010", 8},
      {"0o10", 8},        {"1.5", 1.5},       {"1e3", 1000.0},
      {"http", "http"},   {"1.2.3", "1.2.3"}, {"10s", "10s"},
      {"tRUE", "tRUE"},   {"--1", "--1"},     {"09", 9.0},
      {"1_000", "1_000"}, {".", "."},         {"-", "-"},
      {"/a", "/a"},       {"0x", "0x"},       {"18446744073709551615", 18446744073709551615U}};
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(plain_scalar(text), value) << text;
    EXPECT_EQ(plain_scalar(text).type_name(), std::string(value.type_name())) << text;
  }
}

Manifests parse(const std::string& text) {
  Manifests out;
  parse_manifests(text, "f.yaml", out);
  return out;
}

TEST(Manifests, OfSeveralDocumentsAndListsAreTakenApart) {
  const Manifests all = parse(
      "---\n# nothing here\n---\nkind: Service\nmetadata: {name: a}\n---\n"
      "kind: List\nitems:\n- {kind: Secret, metadata: {name: b}}\n---\n"
      "kind: IngressList\nitems:\n- metadata: {name: c}\n");
  EXPECT_THAT(all.problems, IsEmpty());
  ASSERT_EQ(all.objects.size(), 3U);
  EXPECT_EQ(all.objects[0].object["kind"], "Service");
  EXPECT_EQ(all.objects[0].place, "f.yaml:3");
  EXPECT_EQ(all.objects[1].object["kind"], "Secret");
  EXPECT_EQ(all.objects[2].object["kind"], "Ingress");
}

TEST(Manifests, QuotesMakeStringsOfAnything) {
  const Manifests all = parse(
      "kind: Ingress\na: \"true\"\nb: '80'\nc: 80\nd: |\n  80\ne: !!str 80\nf: \"\"\n80: x\n");
  ASSERT_EQ(all.objects.size(), 1U);
  const Json& object = all.objects[0].object;
  EXPECT_EQ(object["a"], "true");
  EXPECT_EQ(object["b"], "80");
  EXPECT_EQ(object["c"], 80);
  EXPECT_EQ(object["d"], "80\n");
  EXPECT_EQ(object["e"], "80");
  EXPECT_EQ(object["f"], "");
  EXPECT_EQ(object["80"], "x");
}

TEST(Manifests, MayBeJson) {
  const Manifests all = parse(R"({"kind":"List","items":[{"kind":"Service","a":"\u00e9\/"}]})");
  ASSERT_EQ(all.objects.size(), 1U);
  EXPECT_EQ(all.objects[0].object["a"], "\u00e9/");
}

TEST(Manifests, SayWhatIsWrongAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"kind: A\nb: [1\n", "f.yaml:3: not valid YAML"},
      {"kind: A\nkind: B\n", "f.yaml:2: a key that stands twice"},
      {"kind: A\nb: &x 1\n", "f.yaml:2: an anchor"},
      {"kind: A\nb: *x\n", "f.yaml:2: "},
      {"kind: A\nb: !!binary aa==\n", "f.yaml:2: a tag"},
      {", a: 1\n", "f.yaml:1: not valid YAML"},
      {"- 1\n", "f.yaml:1: not a map"},
      {"a: 1\n", "f.yaml:1: has no kind"},
      {"a: \"\x01\"\n", "f.yaml:1: a byte that is not printable"},
      {"? [1]\n: 2\n", "f.yaml:1: a list or a map as a key"}};
  for (const auto& [text, problem] : cases) {
    const Manifests all = parse(text);
    EXPECT_THAT(all.problems, ElementsAre(HasSubstr(problem))) << text;
    EXPECT_THAT(all.objects, IsEmpty()) << text;
  }
  EXPECT_THAT(parse("kind: A\nb: " + std::string(70, '[') + std::string(70, ']')).problems,
              ElementsAre(HasSubstr("nested more than 64 deep")));
}

TEST(Check, WhatAControllerWouldNotKeepIsWrong) {
  Options options;
  options.settings.namespace_kept_bytes_max = 1'000;
  const Manifests two = parse(
      "kind: Service\napiVersion: v1\nmetadata: {name: a}\n---\n"
      "kind: Service\napiVersion: v1\nmetadata: {name: b}\n---\n"
      "kind: Service\napiVersion: v1\nmetadata: {name: c, namespace: other}\n");
  std::ostringstream out;
  EXPECT_EQ(check(two, options, out), 0);
  options.settings.namespace_kept_bytes_max = 700;
  EXPECT_EQ(check(two, options, out), 1);
  EXPECT_THAT(out.str(), HasSubstr("more of kind Service than a controller keeps"));
  EXPECT_THAT(out.str(), HasSubstr("1 errors"));
}

}  // namespace kg::check::manifests_test
