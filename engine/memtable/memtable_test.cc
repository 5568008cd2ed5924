// Goal: a memtable is a sorted map of versions: Get sees the newest at or below a sequence, its
// iterator walks all of them both ways, its counters are right. Method: RapidCheck against a
// std::map, with and without an insertion hint; concurrency is skiplist_test.cc.
#include "engine/memtable/memtable.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace shearpin {
namespace {

struct Change {
  SequenceNumber sequence;
  ValueType type;
  std::string key;
  std::string value;

  std::string InternalKey() const {
    std::string bytes;
    AppendInternalKey(&bytes, key, sequence, type);
    return bytes;
  }
};

struct KeyOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return CompareInternalKeys(a, b) < 0;
  }
};
using Entries = std::map<std::string, std::string, KeyOrder>;

std::string AnyUserKey() {
  return *rc::gen::resize(
      4, rc::gen::container<std::string>(rc::gen::element<char>('a', 'b', '\0', '\xff')));
}

Change AnyChange() {
  const auto type = *rc::gen::element(ValueType::kDelete, ValueType::kValue);
  return {*rc::gen::inRange<uint64_t>(1, 200), type, AnyUserKey(),
          type == ValueType::kDelete ? "" : *rc::gen::arbitrary<std::string>()};
}

// Fills both; about half of the tables with a hint.
void Fill(MemTable* table, Entries* entries, std::vector<Change>* changes) {
  MemTable::Hint hint;
  const bool use_hint = *rc::gen::arbitrary<bool>();
  const int n = *rc::gen::inRange(0, 100);
  for (int i = 0; i < n; ++i) {
    const Change change = AnyChange();
    const bool is_new = entries->emplace(change.InternalKey(), change.value).second;
    RC_ASSERT(table->Add(change.sequence, change.type, change.key, change.value,
                         use_hint ? &hint : nullptr) == is_new);
    if (is_new) changes->push_back(change);
  }
}

RC_GTEST_PROP(MemTableTest, GetFindsTheNewestVersionNotAboveTheSequence, ()) {
  MemTable table;
  Entries entries;
  std::vector<Change> changes;
  Fill(&table, &entries, &changes);
  for (int i = 0; i < 20; ++i) {
    const std::string key = AnyUserKey();
    const auto at = *rc::gen::inRange<uint64_t>(0, 210);
    const Change* best = nullptr;
    for (const Change& change : changes) {
      if (change.key != key || change.sequence > at) continue;
      if (best == nullptr ||
          std::tuple(change.sequence, change.type) > std::tuple(best->sequence, best->type)) {
        best = &change;
      }
    }
    const Lookup found = table.Get(key, at);
    if (best == nullptr) {
      RC_ASSERT(found.kind == Lookup::Kind::kAbsent);
    } else {
      RC_ASSERT(found.sequence == best->sequence);
      RC_ASSERT((found.kind == Lookup::Kind::kDeleted) == (best->type == ValueType::kDelete));
      RC_ASSERT(found.value == best->value);
    }
  }
}

RC_GTEST_PROP(MemTableTest, IteratorWalksAllVersionsBothWays, ()) {
  MemTable table;
  Entries entries;
  std::vector<Change> changes;
  Fill(&table, &entries, &changes);
  const auto it = table.NewIterator();
  auto expected = entries.cend();
  const auto before = [&entries](Entries::const_iterator at) {
    return at == entries.cbegin() ? entries.cend() : std::prev(at);
  };
  for (int step = 0; step < 50; ++step) {
    const int move = *rc::gen::inRange(0, 12);
    const std::string target = AnyChange().InternalKey();
    if (it->Valid() && move >= 4) {
      move % 2 == 0 ? it->Next() : it->Prev();
      expected = move % 2 == 0 ? std::next(expected) : before(expected);
    } else if (move % 4 == 0) {
      it->SeekToFirst();
      expected = entries.cbegin();
    } else if (move % 4 == 1) {
      it->SeekToLast();
      expected = before(entries.cend());
    } else if (move % 4 == 2) {
      it->Seek(target);
      expected = entries.lower_bound(target);
    } else {
      it->SeekForPrev(target);
      expected = before(entries.upper_bound(target));
    }
    RC_ASSERT(it->Valid() == (expected != entries.cend()));
    if (!it->Valid()) continue;
    RC_ASSERT(it->key() == expected->first);
    RC_ASSERT(it->value() == expected->second);
  }
}

RC_GTEST_PROP(MemTableTest, CountersAreRight, ()) {
  MemTable table;
  RC_ASSERT(table.empty());
  RC_ASSERT(table.smallest_sequence() == kMaxSequence);
  RC_ASSERT(table.largest_sequence() == 0u);
  Entries entries;
  std::vector<Change> changes;
  Fill(&table, &entries, &changes);
  RC_ASSERT(table.num_entries() == entries.size());
  size_t bytes = 0;
  SequenceNumber smallest = kMaxSequence, largest = 0;
  for (const Change& change : changes) {
    bytes += change.key.size() + change.value.size();
    smallest = std::min(smallest, change.sequence);
    largest = std::max(largest, change.sequence);
  }
  RC_ASSERT(table.smallest_sequence() == smallest);
  RC_ASSERT(table.largest_sequence() == largest);
  RC_ASSERT(table.ApproximateBytes() >= bytes);
}

TEST(MemTableTest, AHintServesAscendingKeysAsWellAsTheRest) {
  MemTable table;
  MemTable::Hint hint;
  for (int i = 0; i < 5000; ++i) {
    char key[16];
    // Ascending, with a step back now and then.
    std::snprintf(key, sizeof key, "%08d", i % 100 == 99 ? i - 60 : i);
    ASSERT_TRUE(table.Add(i + 1, ValueType::kValue, key, "v", &hint));
  }
  const auto it = table.NewIterator();
  std::string previous;
  int count = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next(), ++count) {
    if (count > 0) {
      ASSERT_LT(CompareInternalKeys(previous, it->key()), 0);
    }
    previous = it->key();
  }
  EXPECT_EQ(count, 5000);
}

TEST(MemTableTest, EmptyTableIsSmall) {
  const MemTable table;
  // The smallest write buffer that options allow must not be full before the first write.
  EXPECT_LT(table.ApproximateBytes(), 256u);
  EXPECT_LE(table.MemoryUsage(), 4096u);
}

}  // namespace
}  // namespace shearpin
