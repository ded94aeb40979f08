#include <gmock/gmock.h>

#include "config_folder.h"

namespace kg::config::kernels_test {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class KernelKeys : public testing::Test {
 protected:
  // Keys of the smallest file's only endpoint, as a flow map's content; `sessions` of its sessions.
  static std::string file(const std::string& keys, const std::string& sessions = "") {
    return with(with(minimal(), "    sessions:\n", keys + "    sessions:\n"), "    sessions:\n",
                "    sessions:\n" + sessions);
  }
  Endpoint read(const std::string& keys, const std::string& sessions = "") {
    const Loaded loaded = folder_.load(file(keys, sessions));
    EXPECT_TRUE(loaded.config.has_value()) << format(loaded.errors.at(0));
    return loaded.config ? loaded.config->endpoints.at(0) : Endpoint{};
  }
  std::vector<std::string> problems(const std::string& keys, const std::string& sessions = "") {
    std::vector<std::string> out = folder_.problems(file(keys, sessions));
    for (std::string& problem : out) problem.erase(0, problem.find(' ') + 1);
    return out;
  }
  ConfigFolder folder_;
};

TEST_F(KernelKeys, AreStrictByDefault) {
  for (const char* keys : {"", "    kernels: {}\n", "    kernels: {env: {}}\n"}) {
    const Endpoint got = read(keys);
    EXPECT_EQ(got.kernels.foreign_ids, ForeignIds::kDeny);
    EXPECT_THAT(got.kernels.pass,
                ElementsAre("KERNEL_LAUNCH_TIMEOUT", "KERNEL_WORKING_DIR", "KERNEL_LANGUAGE"));
    EXPECT_THAT(got.kernels.deny,
                ElementsAre("KERNEL_NAMESPACE", "KERNEL_SERVICE_ACCOUNT_NAME", "KERNEL_IMAGE",
                            "KERNEL_EXECUTOR_IMAGE", "KERNEL_UID", "KERNEL_GID", "KERNEL_VOLUMES",
                            "KERNEL_VOLUME_MOUNTS", "KERNEL_POD_NAME"));
    EXPECT_THAT(got.kernels.spark_conf, IsEmpty());
    EXPECT_EQ(got.sharing.kind, Sharing::Kind::kOwner);
  }
}

TEST_F(KernelKeys, ReadEveryKey) {
  const Endpoint got = read(
      "    foreign_ids: endpoint\n"
      "    kernels: {env: {pass: [KERNEL_IMAGE, AWS_REGION], deny: [KERNEL_UID]}, "
      "spark_conf: [spark.executor.memory]}\n",
      "      sharing: group:data science\n");
  EXPECT_EQ(got.kernels.foreign_ids, ForeignIds::kEndpoint);
  EXPECT_THAT(got.kernels.pass, ElementsAre("KERNEL_IMAGE", "AWS_REGION"));
  EXPECT_THAT(got.kernels.deny, ElementsAre("KERNEL_UID"));
  EXPECT_THAT(got.kernels.spark_conf, ElementsAre("spark.executor.memory"));
  EXPECT_EQ(got.sharing.kind, Sharing::Kind::kGroup);
  EXPECT_EQ(got.sharing.group, "data science");
  EXPECT_EQ(read("", "      sharing: endpoint\n").sharing.kind, Sharing::Kind::kEndpoint);
  EXPECT_THAT(read("    kernels: {env: {pass: [], deny: []}}\n").kernels.pass, IsEmpty());
}

TEST_F(KernelKeys, DoNotLetAVariablePassThatIsDeniedOrTheProxys) {
  EXPECT_THAT(problems("    kernels: {env: {pass: [KERNEL_UID]}}\n"),
              ElementsAre("endpoints[0].kernels.env.pass[0]: \"KERNEL_UID\" is denied as well"));
  EXPECT_THAT(
      problems(
          "    kernels: {env: {pass: [KERNEL_ID, KERNEL_USERNAME, KERNEL_EXTRA_SPARK_OPTS]}}\n"),
      ElementsAre("endpoints[0].kernels.env.pass[0]: \"KERNEL_ID\" is set by the proxy",
                  "endpoints[0].kernels.env.pass[1]: \"KERNEL_USERNAME\" is set by the proxy",
                  "endpoints[0].kernels.env.pass[2]: \"KERNEL_EXTRA_SPARK_OPTS\" passes by "
                  "spark_conf only"));
}

TEST_F(KernelKeys, RefuseWhatIsNoName) {
  EXPECT_THAT(problems("    kernels: {env: {deny: [KERNEL-UID]}, spark_conf: [executor.memory]}\n"),
              testing::UnorderedElementsAre(
                  "endpoints[0].kernels.env.deny[0]: \"KERNEL-UID\" is not the name of an "
                  "environment variable",
                  "endpoints[0].kernels.spark_conf[0]: \"executor.memory\" is not a key of Spark's "
                  "configuration"));
  for (const char* sharing : {"group:", "everybody", "Owner"}) {
    EXPECT_THAT(problems("", "      sharing: \"" + std::string(sharing) + "\"\n"),
                ElementsAre("endpoints[0].sessions.sharing: \"" + std::string(sharing) +
                            "\" is not a choice here"));
  }
  EXPECT_THAT(problems("    foreign_ids: allow\n"),
              ElementsAre("endpoints[0].foreign_ids: \"allow\" is not a choice here"));
}

TEST_F(KernelKeys, OfIdsAreASecretFileOrAFolder) {
  const Loaded loaded =
      folder_.load(minimal() + "kernel_ids: {keys_file: secrets/kernel-id-keys}\nstate_dir: s/x\n");
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_EQ(loaded.config->kernel_id_keys_file, folder_.path("secrets/kernel-id-keys"));
  EXPECT_EQ(loaded.config->kernel_id_keys_place.key, "kernel_ids.keys_file");
  EXPECT_EQ(loaded.config->state_dir, folder_.path("s/x"));  // it need not be there
  folder_.write("open", "x", 0644);
  EXPECT_THAT(folder_.problems(minimal() + "kernel_ids: {keys_file: open}\n"),
              Contains(testing::HasSubstr("everybody on this machine may read")));
}

}  // namespace kg::config::kernels_test
