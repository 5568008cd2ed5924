// Goal: readers and writers of one skiplist, and of the arena under it, run at once without locks
// and without losing, tearing or disordering an entry, with and without hints. Method: real
// threads (run it with --config=tsan too): writers insert disjoint or clashing keys in several
// patterns while readers check order and that what was announced is found.
#include "engine/memtable/skiplist.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/hash.h"
#include "engine/env/env.h"

namespace shearpin {
namespace {

constexpr int kWriters = 4;
constexpr int kPerWriter = 8000;

std::string KeyOf(uint64_t number) {
  std::string key(8, '\0');
  for (int i = 0; i < 8; ++i) key[i] = static_cast<char>(number >> (56 - 8 * i));
  return key;
}

// Long enough to cross the arena's block ends often, and told by the key.
std::string ValueOf(std::string_view user_key) {
  const uint64_t hash = Checksum(user_key, 1);
  return std::string(hash % 120, static_cast<char>(hash));
}

// Starts all at once: races within an insertion's few instructions are what is looked for.
void RunThreads(const std::vector<std::function<void()>>& bodies) {
  std::atomic<size_t> ready{0};
  std::vector<std::unique_ptr<Scheduler::ThreadHandle>> threads;
  for (const auto& body : bodies) {
    threads.push_back(RealScheduler()->Spawn("skiplist", [&] {
      ready.fetch_add(1);
      while (ready.load() < bodies.size()) {
      }
      body();
    }));
  }
  for (auto& thread : threads) thread->Join();
}

uint64_t CountAndCheck(const SkipList& list) {
  uint64_t count = 0;
  const SkipList::Node* previous = nullptr;
  for (const SkipList::Node* node = list.First(); node != nullptr; node = node->Next()) {
    if (previous != nullptr) {
      EXPECT_LT(CompareInternalKeys(previous->key(), node->key()), 0);
    }
    EXPECT_EQ(node->value(), ValueOf(node->user_key()));
    previous = node;
    ++count;
  }
  EXPECT_EQ(list.Last(), previous);
  return count;
}

// Writer w's i-th key: each pattern lets writers meet in another way.
using Pattern = std::function<uint64_t(int w, int i)>;

class SkipListTest : public testing::TestWithParam<bool> {
 protected:
  void InsertWhileReading(const Pattern& pattern) {
    Arena arena;
    SkipList list(&arena);
    std::vector<std::atomic<int>> done(kWriters);
    std::atomic<int> writing{kWriters};
    std::vector<std::function<void()>> bodies;
    for (int w = 0; w < kWriters; ++w) {
      bodies.push_back([&, w] {
        SkipList::Hint hint;
        for (int i = 0; i < kPerWriter; ++i) {
          const std::string key = KeyOf(pattern(w, i));
          EXPECT_TRUE(list.Insert(key, PackTrailer(w * kPerWriter + i, ValueType::kValue),
                                  ValueOf(key), GetParam() ? &hint : nullptr));
          done[w].store(i + 1, std::memory_order_release);
        }
        writing.fetch_sub(1);
      });
    }
    for (int r = 0; r < 2; ++r) {
      bodies.push_back([&] {
        while (writing.load() > 0) {
          for (int w = 0; w < kWriters; ++w) {
            const int n = done[w].load(std::memory_order_acquire);
            if (n == 0) continue;
            const std::string key = KeyOf(pattern(w, n - 1));
            const uint64_t trailer = PackTrailer(w * kPerWriter + n - 1, ValueType::kValue);
            const SkipList::Node* node = list.FindGreaterOrEqual(key, trailer);
            ASSERT_NE(node, nullptr);
            ASSERT_EQ(node->user_key(), key);
            ASSERT_EQ(node->trailer(), trailer);
            const SkipList::Node* less = list.FindLess(key, trailer);
            if (less != nullptr) {
              ASSERT_LT(CompareInternalKeys(less->key(), node->key()), 0);
            }
          }
          CountInOrder(list);
        }
      });
    }
    RunThreads(bodies);
    EXPECT_EQ(CountAndCheck(list), uint64_t{kWriters} * kPerWriter);
  }

 private:
  static void CountInOrder(const SkipList& list) {
    const SkipList::Node* previous = list.First();
    int steps = 0;
    for (const SkipList::Node* node = previous; node != nullptr && steps < 500; ++steps) {
      node = node->Next();
      if (node == nullptr) break;
      ASSERT_LT(CompareInternalKeys(previous->key(), node->key()), 0);
      previous = node;
    }
  }
};

TEST_P(SkipListTest, WritersInterleaveTheirKeys) {
  InsertWhileReading(
      [](int w, int i) { return uint64_t{static_cast<unsigned>(i * kWriters + w)}; });
}

TEST_P(SkipListTest, WritersDescend) {
  InsertWhileReading([](int w, int i) {
    return uint64_t{static_cast<unsigned>((kPerWriter - i) * kWriters + w)};
  });
}

TEST_P(SkipListTest, WritersJumpAbout) {
  InsertWhileReading([](int w, int i) { return Mix64(w * kPerWriter + i); });
}

TEST_P(SkipListTest, WritersAddVersionsOfTheSameKeys) {
  InsertWhileReading([](int, int i) { return uint64_t{static_cast<unsigned>(i % 10)}; });
}

TEST_P(SkipListTest, WritersMeetAtTheFront) {
  // Every key is the smallest so far, or nearly: all writers swap the same links.
  InsertWhileReading([](int, int i) { return ~uint64_t{0} - static_cast<unsigned>(i / 64); });
}

TEST_P(SkipListTest, OfEqualKeysExactlyOneIsInserted) {
  constexpr int kKeys = 4 * kPerWriter;
  Arena arena;
  SkipList list(&arena);
  std::atomic<int> inserted{0};
  std::vector<std::function<void()>> bodies;
  for (int w = 0; w < kWriters; ++w) {
    bodies.push_back([&] {
      SkipList::Hint hint;
      for (int i = 0; i < kKeys; ++i) {
        const std::string key = KeyOf(i);
        inserted += list.Insert(key, PackTrailer(i, ValueType::kValue), ValueOf(key),
                                GetParam() ? &hint : nullptr);
      }
    });
  }
  RunThreads(bodies);
  EXPECT_EQ(inserted.load(), kKeys);
  EXPECT_EQ(CountAndCheck(list), uint64_t{kKeys});
}

INSTANTIATE_TEST_SUITE_P(Hints, SkipListTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "WithHint" : "WithoutHint"; });

}  // namespace
}  // namespace shearpin
