// Goal: the laws C1 to C3 of compaction_iterator.h: no reader sees a difference, nothing is kept
// that nobody can see, and a tombstone goes only where nothing comes back from under it.
// Method: a brute-force reader over random versions of a few keys, deeper levels, snapshots and a
// filter asks every key at every sequence that matters, before and after.
#include "engine/compaction/compaction_iterator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace shearpin {
namespace {

struct Entry {
  std::string key;
  SequenceNumber sequence;
  ValueType type;
  std::string value;
};
using Entries = std::vector<Entry>;  // as internal keys are ordered

class EntriesIterator : public InternalIterator {
 public:
  // Ends with `end` after the last entry.
  explicit EntriesIterator(const Entries* entries, Status end = Status::Ok())
      : entries_(entries), end_(std::move(end)) {}

  void SeekToFirst() override { Show(0); }
  void Next() override { Show(at_ + 1); }
  void SeekToLast() override { FAIL() << "a compaction moves forward"; }
  void Seek(std::string_view) override { FAIL() << "a compaction starts at the first entry"; }
  void SeekForPrev(std::string_view) override { FAIL() << "a compaction moves forward"; }
  void Prev() override { FAIL() << "a compaction moves forward"; }

 private:
  void Show(size_t at) {
    at_ = at;
    if (at == entries_->size()) return end_.ok() ? SetEnd() : SetError(end_);
    const Entry& entry = (*entries_)[at];
    key_.clear();
    AppendInternalKey(&key_, entry.key, entry.sequence, entry.type);
    SetEntry(key_, entry.value);
  }

  const Entries* const entries_;
  const Status end_;
  size_t at_ = 0;
  std::string key_;
};

class DropsValues : public CompactionFilter {
 public:
  explicit DropsValues(std::set<std::string> values) : values_(std::move(values)) {}
  bool Drop(std::string_view, std::string_view value) const override {
    return values_.count(std::string(value)) != 0;
  }

 private:
  const std::set<std::string> values_;
};

Entries Collect(CompactionIterator* it) {
  Entries kept;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    kept.push_back({std::string(UserKey(it->key())), SequenceOf(it->key()), TypeOf(it->key()),
                    std::string(it->value())});
  }
  return kept;
}

using Read = std::optional<std::string>;

// The newest version at or below `at`, of the merge or, if it has none, of what lies deeper.
Read ReadAt(const Entries& entries, const std::map<std::string, std::string>& deeper,
            const std::string& key, SequenceNumber at) {
  for (const Entry& entry : entries) {
    if (entry.key != key || entry.sequence > at) continue;
    return entry.type == ValueType::kDelete ? Read() : Read(entry.value);
  }
  const auto below = deeper.find(key);
  return below == deeper.end() ? Read() : Read(below->second);
}

const std::vector<std::string> kKeys = {"", "a", "ab", "b", "c"};

struct Scenario {
  Entries input;
  std::map<std::string, std::string> deeper;  // at sequences below all others
  std::set<std::string> covered;              // keys of `deeper`, and some more
  std::vector<SequenceNumber> snapshots;
};

Scenario AnyScenario() {
  Scenario scenario;
  for (const std::string& key : kKeys) {
    const auto drawn =
        *rc::gen::container<std::vector<SequenceNumber>>(rc::gen::inRange<SequenceNumber>(10, 30));
    const std::set<SequenceNumber> sequences(drawn.begin(), drawn.end());
    for (auto it = sequences.rbegin(); it != sequences.rend(); ++it) {
      const bool deleted = *rc::gen::inRange(0, 3) == 0;
      scenario.input.push_back({key, *it, deleted ? ValueType::kDelete : ValueType::kValue,
                                deleted ? "" : std::string(1, *rc::gen::inRange('p', 't'))});
    }
    if (*rc::gen::arbitrary<bool>()) scenario.deeper[key] = "deep";
    if (scenario.deeper.count(key) != 0 || *rc::gen::inRange(0, 4) == 0) {
      scenario.covered.insert(key);
    }
  }
  const auto snapshots =
      *rc::gen::container<std::vector<SequenceNumber>>(rc::gen::inRange<SequenceNumber>(8, 32));
  scenario.snapshots = snapshots;  // several may stand at one sequence
  std::sort(scenario.snapshots.begin(), scenario.snapshots.end());
  return scenario;
}

Entries Compact(const Scenario& scenario, const CompactionFilter* filter) {
  EntriesIterator input(&scenario.input);
  CompactionIterator it(&input, {.snapshots = scenario.snapshots,
                                 .covered_below =
                                     [&](std::string_view key) {
                                       return scenario.covered.count(std::string(key)) != 0;
                                     },
                                 .filter = filter});
  Entries kept = Collect(&it);
  RC_ASSERT(it.status().ok());
  return kept;
}

// Index of the oldest snapshot that sees it; their count if only the newest state does.
size_t Stripe(const Scenario& scenario, SequenceNumber sequence) {
  size_t stripe = 0;
  while (stripe < scenario.snapshots.size() && scenario.snapshots[stripe] < sequence) ++stripe;
  return stripe;
}

RC_GTEST_PROP(CompactionIterator, NoReaderSeesADifference, ()) {
  const Scenario scenario = AnyScenario();
  const Entries kept = Compact(scenario, nullptr);
  std::vector<SequenceNumber> moments = scenario.snapshots;
  moments.push_back(kMaxSequence);
  for (const SequenceNumber at : moments) {
    for (const std::string& key : kKeys) {
      RC_ASSERT(ReadAt(kept, scenario.deeper, key, at) ==
                ReadAt(scenario.input, scenario.deeper, key, at));  // C1
    }
  }
}

RC_GTEST_PROP(CompactionIterator, KeepsNothingThatNobodySees, ()) {
  const Scenario scenario = AnyScenario();
  const Entries kept = Compact(scenario, nullptr);
  std::set<std::pair<std::string, size_t>> seen;
  for (const Entry& entry : kept) {
    const size_t stripe = Stripe(scenario, entry.sequence);
    RC_ASSERT(seen.emplace(entry.key, stripe).second);  // C2
    const bool oldest = scenario.snapshots.empty() || entry.sequence <= scenario.snapshots.front();
    if (entry.type == ValueType::kDelete && oldest) {
      RC_ASSERT(scenario.covered.count(entry.key) != 0u);
    }
  }
}

RC_GTEST_PROP(CompactionIterator, TombstonesGoOnlyWhereNothingLiesBelow, ()) {
  const Scenario scenario = AnyScenario();
  const Entries kept = Compact(scenario, nullptr);
  std::set<std::pair<std::string, size_t>> newest;
  for (const Entry& entry : scenario.input) {
    const size_t stripe = Stripe(scenario, entry.sequence);
    if (!newest.emplace(entry.key, stripe).second || entry.type != ValueType::kDelete) continue;
    const bool there = std::any_of(kept.begin(), kept.end(), [&](const Entry& each) {
      return each.key == entry.key && each.sequence == entry.sequence;
    });
    const bool may_go =
        scenario.covered.count(entry.key) == 0 &&
        (scenario.snapshots.empty() || entry.sequence <= scenario.snapshots.front());
    RC_ASSERT(there == !may_go);  // C3
  }
}

RC_GTEST_PROP(CompactionIterator, TheFilterDropsOnlyWhatNoSnapshotNeeds, ()) {
  const Scenario scenario = AnyScenario();
  const DropsValues filter({"p", "q"});
  const Entries kept = Compact(scenario, &filter);
  for (const std::string& key : kKeys) {
    for (const SequenceNumber at : scenario.snapshots) {
      RC_ASSERT(ReadAt(kept, scenario.deeper, key, at) ==
                ReadAt(scenario.input, scenario.deeper, key, at));
    }
    const Read before = ReadAt(scenario.input, scenario.deeper, key, kMaxSequence);
    const Read after = ReadAt(kept, scenario.deeper, key, kMaxSequence);
    // Nothing older comes back in place of what was dropped.
    if (after != before) RC_ASSERT(!after && before && filter.Drop(key, *before));
  }
}

TEST(CompactionIterator, TheFilterIsAskedOnceSnapshotsAreGone) {
  Scenario scenario;
  scenario.input = {{"a", 7, ValueType::kValue, "p"}, {"b", 5, ValueType::kValue, "p"}};
  const DropsValues filter({"p"});
  EXPECT_EQ(Compact(scenario, &filter).size(), 0u);
  scenario.snapshots = {5};
  const Entries kept = Compact(scenario, &filter);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].type, ValueType::kDelete);
  EXPECT_EQ(kept[1].type, ValueType::kValue);
}

TEST(CompactionIterator, CountsWhatItDrops) {
  const Entries input = {{"a", 9, ValueType::kDelete, ""},
                         {"a", 8, ValueType::kValue, "x"},
                         {"b", 7, ValueType::kValue, "p"},
                         {"c", 6, ValueType::kValue, "y"}};
  EntriesIterator source(&input);
  const DropsValues filter({"p"});
  CompactionIterator it(&source, {.snapshots = {},
                                  .covered_below = [](std::string_view) { return false; },
                                  .filter = &filter});
  EXPECT_EQ(Collect(&it).size(), 1u);
  EXPECT_EQ(it.dropped_versions(), 1u);
  EXPECT_EQ(it.filtered(), 1u);
  EXPECT_EQ(it.dropped_tombstones(), 2u);  // one of them made by the filter
}

// What follows the damage is unknown, so the merge must not end as if it were complete.
TEST(CompactionIterator, AnErrorOfTheInputIsItsOwn) {
  const Entries input = {{"a", 9, ValueType::kValue, "x"}};
  EntriesIterator source(&input, Status::Corruption("the next block"));
  CompactionIterator it(&source, {.snapshots = {},
                                  .covered_below = [](std::string_view) { return false; },
                                  .filter = nullptr});
  it.SeekToFirst();
  ASSERT_TRUE(it.Valid());
  EXPECT_TRUE(it.status().ok());
  it.Next();
  EXPECT_FALSE(it.Valid());
  EXPECT_TRUE(it.status().IsCorruption());
}

}  // namespace
}  // namespace shearpin
