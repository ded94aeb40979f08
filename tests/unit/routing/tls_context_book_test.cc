#include "routing/tls_context_book.h"

#include <gmock/gmock.h>

#include "tests/unit/routing/announced_items.h"

namespace kg::routing::tls_context_book_test {

using testing::HasSubstr;

tls::ClientTlsFiles texts(const std::string& name, const std::string& ca) {
  return {"feed:" + name, "", "", {{"feed:" + name, ca}}};
}

TEST(TlsContextBook, EqualTextsShareWhateverTheyAreCalled) {
  const tls::CertificateFolder folder;
  const std::string ca = text_of(folder.make("ca", "").certificate);
  const std::string other = text_of(folder.make("other", "").certificate);
  TlsContextBook book(3);
  std::string problem;
  auto one = book.contexts(texts("one", ca), problem);
  ASSERT_NE(one, nullptr) << problem;
  EXPECT_EQ(one->size(), 3U);
  EXPECT_EQ(book.contexts(texts("two", ca), problem), one);
  EXPECT_NE(book.contexts(texts("one", other), problem), one);
  EXPECT_NE(book.contexts(texts("one", ca + other), problem), one);
}

TEST(TlsContextBook, GoesWithTheLastUser) {
  const tls::CertificateFolder folder;
  TlsContextBook book(1);
  std::string problem;
  const tls::ClientTlsFiles mine = texts("ca", text_of(folder.make("ca", "").certificate));
  auto used = book.contexts(mine, problem);
  const std::weak_ptr<const tls::TlsClientContext> context = used->front();
  used.reset();
  EXPECT_TRUE(context.expired());
  EXPECT_NE(book.contexts(mine, problem), nullptr) << "and is made anew";
  const std::string ca = text_of(folder.make("other", "").certificate);
  for (int i = 0; i < 200; ++i) {
    EXPECT_NE(book.contexts(texts("ca", ca + "\n# " + std::to_string(i)), problem), nullptr);
  }
  EXPECT_LE(book.size(), 65U) << "what nobody uses is forgotten";
}

TEST(TlsContextBook, WhatCannotBeUsedIsNamed) {
  TlsContextBook book(1);
  TlsContextBook trial(0);
  for (TlsContextBook* each : {&book, &trial}) {
    std::string problem;
    EXPECT_EQ(each->contexts(texts("ca", "junk"), problem), nullptr);
    EXPECT_THAT(problem, HasSubstr("feed:ca holds no usable certificates"));
    EXPECT_THAT(each->fault_of(texts("ca", "junk")), HasSubstr("feed:ca"));
  }
}

}  // namespace kg::routing::tls_context_book_test
