#include "routing/controller/run/revocation_text.h"

#include <gtest/gtest.h>

#include <string>

namespace kg::controller::revocation_text_test {

constexpr const char* kLineage = "00112233445566ff";

RevocationStamp stamp(uint64_t serial, const char* lineage = kLineage) { return {lineage, serial}; }

TEST(RevocationText, IsReadAsItIsWritten) {
  const auto entries =
      auth::Revocations::read_lines("{\"token_id\":\"t1\"}\n{\"session\":\"s\",\"scope\":\"a/ep\"}")
          .entries;
  ASSERT_EQ(entries.size(), 2U);
  const std::string text = RevocationText::write(stamp(17), entries);
  EXPECT_LE(RevocationText::write(stamp(999'999'999'999'999), {}).size(), kStampBytesMax);
  const RevocationText read = RevocationText::read(text);
  EXPECT_EQ(read.stamp, stamp(17));
  EXPECT_EQ(read.entries, entries);
  EXPECT_EQ(RevocationText::read("# kernelgate 00112233445566ff 5").stamp, stamp(5))
      << "the words are for people";
  const RevocationText broken = RevocationText::read(text + "{");
  EXPECT_EQ(broken.error, "line 4 is not JSON");
  EXPECT_EQ(broken.stamp, RevocationStamp());
}

TEST(RevocationText, HasNoStampThatNoControllerWrote) {
  for (const char* text :
       {"", "# by hand", "# kernelgate", "# kernelgate 00112233445566ff", "\n# kernelgate",
        "# kernelgate 00112233445566ff ",
        "# kernelgate 00112233445566ff :", "# kernelgate 00112233445566ff -1",
        "# kernelgate 00112233445566ff 5 ", "# kernelgate 00112233445566FF 5",
        "# kernelgate 00112233445566f 5", "# kernelgate 00112233445566fff 5",
        "# kernelgate 00112233445566ff 5\r\n", "# kernelgate 00112233445566ff 1234567890123456",
        "# by hand\n# kernelgate 00112233445566ff 5"}) {
    const RevocationText read = RevocationText::read(text);
    EXPECT_EQ(read.error, "") << text;
    EXPECT_EQ(read.stamp, RevocationStamp()) << text;
  }
}

TEST(RevocationText, AStampSaysWhatItsTextComesAfter) {
  EXPECT_TRUE(stamp(5).follows(stamp(5)));
  EXPECT_TRUE(stamp(9).follows(stamp(5)));
  EXPECT_FALSE(stamp(4).follows(stamp(5))) << "older";
  EXPECT_FALSE(stamp(9, "00112233445566fe").follows(stamp(5))) << "another Secret's";
  EXPECT_FALSE(stamp(9).follows({}));
  EXPECT_FALSE(RevocationStamp().follows({})) << "by hand";
  EXPECT_EQ(stamp(5).next(), stamp(6));
  const RevocationStamp first = RevocationStamp().next();
  EXPECT_EQ(first.serial, 1U);
  EXPECT_NE(first.lineage, RevocationStamp().next().lineage);
  EXPECT_EQ(RevocationText::read(RevocationText::write(first, {})).stamp, first);
  EXPECT_NE(stamp(999'999'999'999'999).next().lineage, kLineage) << "one that can be read";
}

}  // namespace kg::controller::revocation_text_test
