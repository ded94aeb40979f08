#include "proxy/kernel/spark_options.h"

#include <gtest/gtest.h>

namespace kg::kernel::spark_options_test {

const std::vector<std::string> kAllowed{"spark.executor.memory", "spark.executor.instances"};

std::string checked(std::string_view text) {
  std::string fault;
  return checked_spark_options(text, kAllowed, fault).value_or("refused: " + fault);
}

TEST(SparkOptions, PassAsListedPairs) {
  EXPECT_EQ(checked(""), "");
  EXPECT_EQ(checked("  "), "");
  EXPECT_EQ(checked("--conf spark.executor.memory=4g"), "--conf spark.executor.memory=4g");
  EXPECT_EQ(checked(" --conf  spark.executor.memory=4g   --conf spark.executor.instances=3 "),
            "--conf spark.executor.memory=4g --conf spark.executor.instances=3");
  EXPECT_EQ(checked("--conf spark.executor.memory=a=b_.:/,@%+-Z9"),
            "--conf spark.executor.memory=a=b_.:/,@%+-Z9");
}

TEST(SparkOptions, HoldNothingElse) {
  const std::string more = "refused: KERNEL_EXTRA_SPARK_OPTS holds more than --conf KEY=VALUE";
  for (const std::string_view text :
       {"--jars x.jar", "--conf spark.executor.memory=4g --proxy-user root",
        "spark.executor.memory=4g", "--conf=spark.executor.memory=4g",
        "-c spark.executor.memory=4g", "--conf spark.executor.memory=4g x",
        "\t--conf spark.executor.memory=4g", "--CONF a=b", "\"--conf\" spark.executor.memory=4g"}) {
    EXPECT_EQ(checked(text), more) << text;
  }
}

TEST(SparkOptions, AreRefusedForAKeyThatIsNotListed) {
  for (const std::string_view text :
       {"--conf spark.driver.extraJavaOptions=-Dx", "--conf spark.executor.memoryOverhead=1",
        "--conf spark.executor=1", "--conf SPARK.EXECUTOR.MEMORY=1", "--conf =1",
        "--conf \"spark.executor.memory=4g\"", "--conf spark.executor.memory\t=1"}) {
    EXPECT_EQ(checked(text),
              "refused: KERNEL_EXTRA_SPARK_OPTS sets a key that is not in spark_conf")
        << text;
  }
}

TEST(SparkOptions, NeedAValue) {
  for (const std::string_view text : {"--conf", "--conf ", "--conf spark.executor.memory",
                                      "--conf spark.executor.memory=", "--conf --conf"}) {
    EXPECT_EQ(checked(text), "refused: KERNEL_EXTRA_SPARK_OPTS has a --conf without KEY=VALUE")
        << text;
  }
}

TEST(SparkOptions, HoldNothingThatAShellReads) {
  for (const char c : std::string_view("\"'\\$`;|&<>(){}[]*?!~#^\t\n\r\x7f\xc3")) {
    const std::string text = std::string("--conf spark.executor.memory=4") + c + "g";
    EXPECT_EQ(checked(text),
              "refused: KERNEL_EXTRA_SPARK_OPTS has bytes in the value of "
              "spark.executor.memory that a shell may read")
        << text;
  }
}

}  // namespace kg::kernel::spark_options_test
