#include "routing/feed/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/base/crypto.h"
#include "routing/feed/held_state.h"
#include "routing/feed/limits.h"
#include "routing/feed/wire.h"

namespace kg::feed::message_test {

using testing::HasSubstr;

Digest digest_of(unsigned char byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

std::shared_ptr<const std::string> text(const std::string& value) {
  return std::make_shared<const std::string>(value);
}

Update an_update() {
  return {1,
          Version{3, 4},
          {3, 5},
          0,
          digest_of(7),
          {{"endpoint/a/x", "a", "x", text("{\"schema\":1}")}},
          {"endpoint/a/y"}};
}

std::vector<Message> one_of_each() {
  return {Hello{1, 1, 1, 2, "proxy-0"},
          Sync{2, {3, 4}, digest_of(1), true},
          Ack{2, {3, 4}, 5, digest_of(2)},
          Ack{2, {3, 4}, 5, std::nullopt},
          Refuse{2, {3, 4}, "no"},
          Rest{},
          AliveProxy{{3, 4}, 6},
          Welcome{1, 1, {3, 4}, "namespace:analytics"},
          Deny{"full"},
          Again{},
          Begin{2},
          an_update(),
          AliveController{{3, 4}},
          Fact{std::string(kFactIdBytes, 'i'), "a", "x", "bytes"}};
}

const char* problem_of(std::string_view bytes) {
  const char* problem = "";
  const auto message = parse(bytes, problem);
  EXPECT_EQ(message.has_value(), std::string_view(problem).empty());
  return problem;
}

TEST(FeedMessage, EachIsReadAsItWasWritten) {
  for (const Message& message : one_of_each()) {
    const std::string bytes = encode(message);
    const char* problem = "";
    const auto read = parse(bytes, problem);
    ASSERT_TRUE(read.has_value()) << problem << " type " << message.index();
    EXPECT_EQ(read->index(), message.index());
    EXPECT_EQ(encode(*read), bytes);
  }
}

TEST(FeedMessage, EachChangedBitAndEachCutIsNoticed) {
  const std::string bytes = encode(an_update());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_STRNE(problem_of(changed), "") << i;
    EXPECT_STRNE(problem_of(bytes.substr(0, i)), "") << i;
  }
  EXPECT_STREQ(problem_of(bytes + "x"), "checksum");
}

// A message of this type with the fields of `fill`, and a good checksum.
std::string written(uint8_t type, const std::function<void(Writer&)>& fill) {
  Writer writer(type);
  fill(writer);
  return std::move(writer).finish();
}
constexpr uint8_t kBeginType = 10;
constexpr uint8_t kRoundTag = 6;

TEST(FeedMessage, UnknownOptionalFieldsAreSkippedAndOthersRefused) {
  EXPECT_STREQ(problem_of(written(kBeginType, [](Writer& w) { w.number(kRoundTag, 2); })), "");
  EXPECT_STREQ(problem_of(written(kBeginType,
                                  [](Writer& w) {
                                    w.text(kOptionalTag, "of a newer program");
                                    w.number(kRoundTag, 2);
                                    w.text(255, "");
                                    w.text(255, "twice");
                                  })),
               "");
  EXPECT_STREQ(problem_of(written(kBeginType,
                                  [](Writer& w) {
                                    w.number(kRoundTag, 2);
                                    w.text(kOptionalTag - 1, "needed");
                                  })),
               "fields");
  EXPECT_STREQ(problem_of(written(kBeginType, [](Writer&) {})), "fields") << "missing";
  EXPECT_STREQ(problem_of(written(kBeginType,
                                  [](Writer& w) {
                                    w.number(kRoundTag, 2);
                                    w.number(kRoundTag, 2);
                                  })),
               "fields")
      << "twice";
  EXPECT_STREQ(problem_of(written(kBeginType, [](Writer& w) { w.text(kRoundTag, "2"); })),
               "fields");
  EXPECT_STREQ(problem_of(written(99, [](Writer&) {})), "type");
  EXPECT_STREQ(problem_of(written(0, [](Writer&) {})), "type");
}

TEST(FeedMessage, WhatIsTooLongIsRefused) {
  Hello hello{1, 1, 1, 1, std::string(kNameBytesMax + 1, 'n')};
  EXPECT_STREQ(problem_of(encode(hello)), "fields");
  for (const char* name : {"", "two words", "line\n"}) {
    EXPECT_STREQ(problem_of(encode(Hello{1, 1, 1, 1, name})), "fields") << name;
  }
  Update update = an_update();
  update.upserts[0].key = std::string(kKeyBytesMax + 1, 'k');
  EXPECT_STREQ(problem_of(encode(update)), "fields");
  update = an_update();
  update.deletes[0] = "";
  EXPECT_STREQ(problem_of(encode(update)), "fields");
  EXPECT_STREQ(problem_of(encode(Fact{"short id", "", "", ""})), "fields");
}

TEST(FeedMessage, PartsHoldAllChangesOnceAndStayUnderTheirSize) {
  Content content{kSchema, std::nullopt, {1, 1}, digest_of(9), {}};
  for (int i = 0; i < 100; ++i) {
    content.changes.push_back(
        {std::make_shared<const Item>(
             Item{"k" + std::to_string(i), "", "", text(std::string(size_t{20} * 1024, 'x'))}),
         ""});
  }
  size_t next = 0;
  size_t upserts = 0;
  uint64_t part = 0;
  for (bool last = false; !last; ++part) {
    const std::string bytes = encode_part(content, part, next);
    EXPECT_LE(bytes.size(), kMessageBytesMax);
    const char* problem = "";
    const auto message = parse(bytes, problem);
    ASSERT_TRUE(message.has_value()) << problem;
    const Update& update = std::get<Update>(*message);
    EXPECT_EQ(update.part, part);
    upserts += update.upserts.size();
    last = update.digest.has_value();
    EXPECT_EQ(last, next == content.changes.size());
  }
  EXPECT_EQ(upserts, 100U);
  EXPECT_EQ(part, 8U);
}

// Written by hand from README.md, in another language. It must stay readable for as long as a
// program says that it reads protocol 1 with schema 1: a change that breaks this needs another
// number.
constexpr std::string_view kRecordedSnapshot =
    "4b4746010b040000000800000000000000010700000010000000000000000300000000000000050a00000008"
    "00000000000000000e0000002e100000000c656e64706f696e742f612f781100000001611200000001781300"
    "00000c7b22736368656d61223a317d0800000020caf355cac8cfb5d26c59a92b190912c9df9e1e2f3d1eaa63"
    "af9b5f43e5a4e8658a07b6012f9eb05e3b6636db04edc04ae023f0f6c570ce38c5cc037050d00f94";

TEST(FeedMessage, ARecordedSnapshotIsWrittenTheSameWayAndTaken) {
  Update update = an_update();
  update.from.reset();
  update.deletes.clear();
  StateDigest digest;
  digest.add(ItemMark(update.upserts[0]));
  update.digest = digest.value();
  const std::string bytes = encode(update);
  EXPECT_EQ(crypto::hex(bytes), kRecordedSnapshot);
  const char* problem = "";
  HeldState state;
  EXPECT_EQ(state.stage(std::get<Update>(*parse(bytes, problem))), Staged::kReady);
}

}  // namespace kg::feed::message_test
