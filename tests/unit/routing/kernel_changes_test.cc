#include "routing/kernel_changes.h"

#include <gtest/gtest.h>

#include <memory>

#include "proxy/base/limits.h"

namespace kg::routing::kernel_changes_test {

TEST(KernelChanges, KnowsWhatWasMadeAndDeletedSince) {
  // On the heap, where its alignment is kept.
  const auto kept = std::make_unique<KernelChanges>();
  KernelChanges& changes = *kept;
  changes.note_kernel("a", true, 10);
  changes.note_kernel("b", true, 20);
  changes.note_kernel("a", false, 30);
  EXPECT_EQ(changes.count(), 0U) << "that is note()'s";
  const auto since = changes.since(20);
  ASSERT_TRUE(since);
  ASSERT_EQ(since->size(), 2U);
  EXPECT_EQ((*since)[0].id, "b");
  EXPECT_TRUE((*since)[0].made);
  EXPECT_EQ((*since)[1].id, "a");
  EXPECT_FALSE((*since)[1].made);
  EXPECT_EQ(changes.since(0)->size(), 3U);
  EXPECT_TRUE(changes.since(31)->empty());
}

TEST(KernelChanges, SaysWhenItHasForgotten) {
  // On the heap, where its alignment is kept.
  const auto kept = std::make_unique<KernelChanges>();
  KernelChanges& changes = *kept;
  for (uint64_t i = 1; i <= limits::kKernelChangesKept; ++i) changes.note_kernel("a", true, i);
  EXPECT_EQ(changes.since(1)->size(), limits::kKernelChangesKept);
  changes.note_kernel("a", true, limits::kKernelChangesKept + 1);
  EXPECT_FALSE(changes.since(1));
  EXPECT_EQ(changes.since(2)->size(), limits::kKernelChangesKept);
}

}  // namespace kg::routing::kernel_changes_test
