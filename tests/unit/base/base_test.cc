// The small values of proxy/base: the error table, results, buffers and secrets.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <type_traits>

#include "proxy/base/buffer.h"
#include "proxy/base/error.h"
#include "proxy/base/result.h"
#include "proxy/base/secret.h"

namespace kg::base_test {

TEST(ErrorTable, HasACompleteRowForEveryCode) {
  std::set<std::string_view> labels;
  for (uint8_t i = 0; i < kErrorCodeCount; ++i) {
    const ErrorRow& row = error_row(static_cast<ErrorCode>(i));
    EXPECT_EQ(static_cast<uint8_t>(row.code), i);
    EXPECT_TRUE(labels.insert(row.label).second) << row.label;
    EXPECT_FALSE(row.cause.empty()) << row.label;
    if (row.status != 0) {
      EXPECT_GE(row.status, 400) << row.label;
      EXPECT_FALSE(reason_phrase(row.status).empty()) << row.label;
      EXPECT_FALSE(row.remedy.empty()) << row.label;
    }
  }
}

TEST(Result, CarriesAValueOrAnError) {
  Result<std::unique_ptr<int>> value(std::make_unique<int>(7));
  ASSERT_TRUE(value);
  EXPECT_EQ(*std::move(value).value(), 7);
  const Result<int> error(Error{ErrorCode::kBadRequest, "detail"});
  ASSERT_FALSE(error);
  EXPECT_STREQ(error.error().detail, "detail");
  EXPECT_TRUE(Result<void>().has_value());
  EXPECT_FALSE(Result<void>(Error{ErrorCode::kInternal}).has_value());
}

TEST(ResultDeathTest, ReadingTheWrongSideEndsTheProcess) {
  EXPECT_DEATH(static_cast<void>(Result<int>(1).error()), "has_value");
}

TEST(Buffer, KeepsOrderWhileItIsDrained) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    buffer.append(piece);
    expected += piece;
    if (i % 3 == 0) {
      buffer.consume(2);
      expected.erase(0, 2);
    }
    ASSERT_EQ(buffer.view(), expected);
  }
  buffer.consume(expected.size());
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, TakesWhatWasCommitted) {
  Buffer buffer;
  char* room = buffer.reserve(8);
  std::copy_n("abcdefgh", 8, room);
  buffer.commit(3);
  EXPECT_EQ(buffer.view(), "abc");
  buffer.clear();
  EXPECT_EQ(buffer.size(), 0U);
}

TEST(Secret, MovesWithoutLeavingACopy) {
  Secret from(std::string("short"));
  const Secret to(std::move(from));
  EXPECT_EQ(to.reveal(), "short");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  static_assert(!std::is_convertible_v<Secret, std::string>);
  // A small string is copied when it moves: what it leaves must be gone.
  EXPECT_NE(std::string_view(from.reveal().data(), 5), "short");
  Secret assigned;
  Secret second(std::string("again"));
  assigned = std::move(second);
  EXPECT_EQ(assigned.reveal(), "again");
  EXPECT_NE(std::string_view(second.reveal().data(), 5), "again");
  assigned = Secret();
  EXPECT_NE(std::string_view(assigned.reveal().data(), 5), "again");
}

}  // namespace kg::base_test
