// Goal: the filter never denies a key that was added, and denies nearly all others, also while many
// threads add. Method: RapidCheck sets; counting at the density it is made for; real threads.
#include "engine/memtable/memtable_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace shearpin {
namespace {

RC_GTEST_PROP(MemTableFilterTest, NeverDeniesWhatWasAdded, ()) {
  MemTableFilter filter(*rc::gen::element<size_t>(0, 1024, 65536, size_t{64} << 20));
  const auto keys = *rc::gen::arbitrary<std::set<std::string>>();
  for (const std::string& key : keys) filter.Add(key);
  for (const std::string& key : keys) RC_ASSERT(filter.MayContain(KeyHash(key)));
}

TEST(MemTableFilterTest, EmptyItDeniesAllAndTakesNoMemory) {
  MemTableFilter filter(size_t{64} << 20);
  EXPECT_FALSE(filter.MayContain(KeyHash("")));
  EXPECT_FALSE(filter.MayContain(KeyHash("key")));
  EXPECT_EQ(filter.MemoryUsage(), 0u);
  filter.Add("key");
  EXPECT_GT(filter.MemoryUsage(), 0u);
  EXPECT_LE(filter.MemoryUsage(), (size_t{64} << 20) / 50);
}

TEST(MemTableFilterTest, DeniesNearlyAllOthers) {
  constexpr size_t kEntry = 128;
  constexpr size_t kEntries = 20000;
  MemTableFilter filter(kEntries * kEntry);
  for (size_t i = 0; i < kEntries; ++i) filter.Add("key" + std::to_string(i));
  size_t passed = 0;
  for (size_t i = 0; i < kEntries; ++i)
    passed += filter.MayContain(KeyHash("other" + std::to_string(i)));
  EXPECT_LT(passed, kEntries / 50);
}

TEST(MemTableFilterTest, ThreadsAddAtOnce) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 20; ++round) {
    MemTableFilter filter(65536);
    const auto key = [](int thread, int i) {
      return std::to_string(thread) + "/" + std::to_string(i);
    };
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&filter, &key, t] {
        for (int i = 0; i < 200; ++i) {
          filter.Add(key(t, i));
          EXPECT_TRUE(filter.MayContain(KeyHash(key(t, i))));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int t = 0; t < kThreads; ++t) {
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(filter.MayContain(KeyHash(key(t, i))));
    }
  }
}

}  // namespace
}  // namespace shearpin
