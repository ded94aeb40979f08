// What is kept of each namespace: the mass of one is left out, and the others lose nothing.
#include "routing/controller/ingress/room.h"

#include <gmock/gmock.h>

#include "cluster.h"

namespace kg::ingress::room_test {

using testing::ElementsAre;

Json secret_of(const std::string& space, const std::string& name, size_t bytes) {
  return secret(space, name, {{"token", std::string(bytes, 'x')}});
}

class RoomTest : public testing::Test {
 protected:
  static Settings settings() {
    Settings settings;
    settings.namespace_kept_bytes_max = 10'000;
    return settings;
  }
  Kept put(Kind kind, const Json& object) { return compiler.put(kind, object); }

  Compiler compiler{settings()};
};

TEST_F(RoomTest, TheMassOfOneNamespaceIsLeftOutAndItsOtherKindsAreNot) {
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "a", 8'000)), Kept::kYes);
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "b", 3'000)), Kept::kNoRoom);
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "c", 500)), Kept::kYes);
  EXPECT_EQ(put(Kind::kSecret, secret_of("other", "a", 8'000)), Kept::kYes);
  EXPECT_EQ(put(Kind::kService, service("mass", "jeg")), Kept::kYes);
  EXPECT_EQ(compiler.full(Kind::kSecret), 1U);
  EXPECT_EQ(compiler.full(Kind::kService), 0U);
}

TEST_F(RoomTest, WhatIsKeptGrowsBesideAMassUpToTwiceTheRoom) {
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "old", 1'000)), Kept::kYes);
  for (int i = 0; put(Kind::kSecret, secret_of("mass", "n" + std::to_string(i), 1)) == Kept::kYes;)
    ASSERT_LT(++i, 100);
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "old", 9'000)), Kept::kYes);
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "old", 15'000)), Kept::kNoRoom) << "and is gone";
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "new", 300)), Kept::kYes) << "in its place";
}

TEST_F(RoomTest, IsOpenAgainOnceHalfOfItIsFree) {
  put(Kind::kSecret, secret_of("mass", "a", 4'000));
  put(Kind::kSecret, secret_of("mass", "b", 4'000));
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "c", 4'000)), Kept::kNoRoom);
  EXPECT_FALSE(compiler.open_again(Kind::kSecret));
  compiler.erase({Kind::kSecret, {"mass", "a"}});
  EXPECT_FALSE(compiler.open_again(Kind::kService));
  EXPECT_TRUE(compiler.open_again(Kind::kSecret));
  EXPECT_EQ(compiler.full(Kind::kSecret), 0U);
  EXPECT_FALSE(compiler.open_again(Kind::kSecret)) << "once";
  EXPECT_EQ(put(Kind::kSecret, secret_of("mass", "c", 4'000)), Kept::kYes);
}

// Each is read and counted by its own rules.
TEST_F(RoomTest, AllKindsGiveBackWhatTheyTook) {
  Json slices = slice("mass", "s", "jeg", {pod("jeg-0", "10.0.0.1")});
  Json config = config_map("p", {{"issuer", "https://a.test"}});
  config["metadata"]["namespace"] = "mass";
  const std::vector<std::pair<Kind, Json>> objects{
      {Kind::kIngress, ingress("mass", "i", {{"a.test", "/"}})},
      {Kind::kIngressClass, ingress_class("kernelgate")},
      {Kind::kService, service("mass", "jeg")},
      {Kind::kEndpointSlice, slices},
      {Kind::kSecret, secret_of("mass", "s", 10)},
      {Kind::kConfigMap, config}};
  for (const auto& [kind, object] : objects) {
    const auto name = metadata(object)->name;
    // Over and over: what stayed behind would fill the room.
    for (int i = 0; i < 40; ++i) {
      ASSERT_EQ(put(kind, object), Kept::kYes) << name_of(kind) << i;
      ASSERT_EQ(put(kind, object), Kept::kYes) << name_of(kind) << i;
      compiler.erase({kind, name});
    }
  }
}

TEST_F(RoomTest, WhatNobodyCouldUseTakesNone) {
  Json other = slice("mass", "s", "jeg", {});
  EXPECT_EQ(put(Kind::kEndpointSlice, other), Kept::kYes);
  other["metadata"]["labels"] = Json::object();
  EXPECT_EQ(put(Kind::kEndpointSlice, other), Kept::kOfNoUse);
  Json annotated = service("mass", "big");
  annotated["metadata"]["annotations"] = {{"note", std::string(100'000, 'x')}};
  EXPECT_EQ(put(Kind::kService, annotated), Kept::kYes) << "nobody reads those of a Service";
  EXPECT_EQ(put(Kind::kSecret,
                secret("mass", "theirs", {{"k", std::string(100'000, 'x')}}, "example.com/other")),
            Kept::kYes)
      << "only its type is kept";
}

// It is as if the tenant had deleted it: nothing older of it serves.
TEST_F(RoomTest, AnIngressThatIsNotKeptAnyMoreIsWithdrawn) {
  Cluster cluster(settings());
  Json made = ingress("analytics", "jeg", {{"a.test", "/"}});
  cluster.put(made);
  EXPECT_THAT(cluster.keys(), testing::SizeIs(1));
  for (int i = 0; i < 2'000; ++i)
    made["metadata"]["annotations"]["n" + std::to_string(i)] = "0123456789";
  cluster.put(made);
  EXPECT_THAT(cluster.keys(), ElementsAre());
  EXPECT_EQ(cluster.compiler().full(Kind::kIngress), 1U);
}

}  // namespace kg::ingress::room_test
