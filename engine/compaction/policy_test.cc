// Goal: the laws P1 to P3 of policy.h for every policy, over trees that any policy may have left,
// with several compactions running; and what each policy promises beyond them.
// Method: a model of a tree whose tables hold (key, sequence) pairs. RapidCheck draws a tree, then
// starts plans, lets them end in any order and flushes in between. Because the model merges what a
// plan names and nothing else, an input that was forgotten (P2) shows as a version that stands
// above a newer one, and outputs that collide (P1) as tables of a level that overlap.
#include "engine/compaction/policy.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/compaction/leveled_policy.h"
#include "engine/compaction/tiered_policy.h"

namespace shearpin {
namespace {

constexpr int kKeys = 60;
constexpr uint64_t kEntryBytes = 100;
constexpr int kBottom = kNumLevels - 1;

std::string KeyName(int key) { return std::to_string(1000 + key); }

// Keys ascending, sequences of one key descending: as internal keys are ordered.
struct Entry {
  int key;
  int sequence;
  bool operator<(const Entry& other) const {
    return key != other.key ? key < other.key : sequence > other.sequence;
  }
};

struct ModelTable {
  uint64_t number = 0;
  std::set<Entry> entries;
  std::string smallest;
  std::string largest;
  bool busy = false;
  bool damaged = false;

  uint64_t size() const { return entries.size() * kEntryBytes; }
  int newest() const {
    int sequence = 0;
    for (const Entry& entry : entries) sequence = std::max(sequence, entry.sequence);
    return sequence;
  }
};

class ModelTree {
 public:
  // Fills a deeper level with versions newer than all so far, cut into tables here and there.
  void FillLevel(int level, const std::set<int>& keys, int most_entries) {
    std::set<Entry> entries;
    for (const int key : keys) entries.insert({key, ++sequence_});
    Place(level, entries, static_cast<uint64_t>(most_entries) * kEntryBytes);
  }

  void Flush(const std::set<int>& keys) {
    std::set<Entry> entries;
    for (const int key : keys) entries.insert({key, ++sequence_});
    if (!entries.empty()) Place(0, entries, UINT64_MAX);
  }

  TreeShape Shape() const {
    TreeShape shape;
    for (int level = 0; level < kNumLevels; ++level) {
      for (const ModelTable& table : levels_[level]) {
        shape.levels[level].push_back({.number = table.number,
                                       .size = table.size(),
                                       .smallest = table.smallest,
                                       .largest = table.largest,
                                       .busy = table.busy || table.damaged,
                                       .damaged = table.damaged});
      }
    }
    for (const CompactionPlan& plan : running_) {
      KeyRange hull;
      for (const CompactionInput& input : plan.inputs) {
        for (const TableSummary& table : shape.levels[input.level]) {
          const auto& chosen = input.tables;
          if (std::find(chosen.begin(), chosen.end(), table.number) != chosen.end()) {
            hull.Include(table);
          }
        }
      }
      shape.outputs[plan.output_level].push_back(hull);
    }
    return shape;
  }

  void Start(const CompactionPlan& plan) {
    RC_ASSERT(!plan.inputs.empty());
    RC_ASSERT(plan.output_level >= plan.inputs.back().level);
    size_t tables = 0;
    int above = -1;
    for (const CompactionInput& input : plan.inputs) {
      RC_ASSERT(input.level > above);
      above = input.level;
      RC_ASSERT(!input.tables.empty());
      for (const uint64_t number : input.tables) {
        ModelTable* table = Find(input.level, number);
        RC_ASSERT(!table->busy);     // P1
        RC_ASSERT(!table->damaged);  // P4
        table->busy = true;
        ++tables;
      }
    }
    if (plan.trivial_move) RC_ASSERT(tables == 1u);
    running_.push_back(plan);
  }

  // Ends one of the running plans. What the merge drops is the engine's business: here all
  // versions stay, or only the newest.
  void Finish(size_t which, bool keep_versions) {
    const CompactionPlan plan = running_[which];
    running_.erase(running_.begin() + static_cast<ptrdiff_t>(which));
    std::set<Entry> merged;
    for (const CompactionInput& input : plan.inputs) {
      for (const uint64_t number : input.tables) {
        const ModelTable* table = Find(input.level, number);
        merged.insert(table->entries.begin(), table->entries.end());
        std::erase_if(levels_[input.level], [&](const auto& t) { return t.number == number; });
      }
    }
    if (!keep_versions) {
      int last = -1;
      std::erase_if(merged, [&](const Entry& e) { return std::exchange(last, e.key) == e.key; });
    }
    Place(plan.output_level, merged, plan.max_table_size);
    Check();
  }

  // One of those that no plan has taken, if there is any.
  void DamageOne(size_t which) {
    for (auto& tables : levels_) {
      for (ModelTable& table : tables) {
        if (!table.busy && which-- == 0) table.damaged = true;
      }
    }
  }

  size_t running() const { return running_.size(); }

  size_t CountTables() const {
    size_t count = 0;
    for (const auto& tables : levels_) count += tables.size();
    return count;
  }

 private:
  ModelTable* Find(int level, uint64_t number) {
    auto& tables = levels_[level];
    const auto found = std::find_if(tables.begin(), tables.end(),
                                    [&](const ModelTable& t) { return t.number == number; });
    RC_ASSERT(found != tables.end());
    return &*found;
  }

  void Place(int level, const std::set<Entry>& entries, uint64_t max_size) {
    ModelTable table;
    auto insert = [&] {
      if (table.entries.empty()) return;
      table.number = next_number_++;
      table.smallest = KeyName(table.entries.begin()->key);
      table.largest = KeyName(table.entries.rbegin()->key);
      levels_[level].push_back(std::exchange(table, {}));
    };
    for (const Entry& entry : entries) {
      const bool new_key = table.entries.empty() || table.entries.rbegin()->key != entry.key;
      if (new_key && table.size() >= max_size) insert();
      table.entries.insert(entry);
    }
    insert();
    std::sort(levels_[level].begin(), levels_[level].end(), [&](const auto& a, const auto& b) {
      return level == 0 ? a.newest() > b.newest() : a.smallest < b.smallest;
    });
  }

  void Check() const {
    std::map<int, int> above;  // key -> the last sequence seen on the way down
    for (int level = 0; level < kNumLevels; ++level) {
      const auto& tables = levels_[level];
      for (size_t i = 0; i < tables.size(); ++i) {
        if (level > 0 && i > 0) RC_ASSERT(tables[i - 1].largest < tables[i].smallest);  // P1
        for (const Entry& entry : tables[i].entries) {
          const auto [seen, first] = above.emplace(entry.key, entry.sequence);
          if (first) continue;
          RC_ASSERT(seen->second > entry.sequence);  // P2
          seen->second = entry.sequence;
        }
      }
    }
  }

  std::vector<ModelTable> levels_[kNumLevels];
  std::vector<CompactionPlan> running_;
  uint64_t next_number_ = 1;
  int sequence_ = 0;
};

Options AnyOptions() {
  Options options;
  options.compaction_style = *rc::gen::element(CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                               CompactionStyle::kSimple);
  options.level0_compaction_trigger = *rc::gen::inRange(1, 6);
  options.target_table_size = *rc::gen::inRange<uint64_t>(1024, 3000);
  options.base_level_size = *rc::gen::inRange<uint64_t>(1024, 6000);
  options.level_size_multiplier = *rc::gen::inRange(2, 6);
  options.tiered_size_ratio_percent = *rc::gen::inRange(0, 100);
  options.tiered_min_merge_width = *rc::gen::inRange(2, 5);
  options.tiered_max_space_amplification_percent = *rc::gen::inRange(1, 300);
  options.simple_size_ratio_percent = *rc::gen::inRange(1, 300);
  options.simple_levels = *rc::gen::inRange(1, 7);
  return options;
}

std::set<int> AnyKeys() {
  const int first = *rc::gen::inRange(0, kKeys);
  const int last = *rc::gen::inRange(first, kKeys);
  const int stride = *rc::gen::inRange(1, 5);
  std::set<int> keys;
  for (int key = first; key <= last; key += stride) keys.insert(key);
  return keys;
}

// Any tree that some policy, with any options, may have left behind.
ModelTree AnyTree() {
  ModelTree tree;
  for (int level = kBottom; level > 0; --level) {
    if (*rc::gen::inRange(0, 2) == 0) continue;
    tree.FillLevel(level, AnyKeys(), *rc::gen::inRange(1, 40));
  }
  const int flushes = *rc::gen::inRange(0, 10);
  for (int i = 0; i < flushes; ++i) tree.Flush(AnyKeys());
  return tree;
}

// P3, policy by policy.
void AssertWithinLimits(const Options& options, const TreeShape& shape) {
  const auto trigger = static_cast<size_t>(options.level0_compaction_trigger);
  if (options.compaction_style == CompactionStyle::kLeveled) {
    const LeveledPolicy policy(options);
    const auto targets = policy.ComputeTargets(shape);
    RC_ASSERT(shape.levels[0].size() < trigger);
    for (int level = 1; level < kBottom; ++level) {
      RC_ASSERT(LevelBytes(shape.levels[level]) <= targets.bytes[level]);
    }
  } else if (options.compaction_style == CompactionStyle::kTiered) {
    size_t runs = shape.levels[0].size();
    for (int level = 1; level < kNumLevels; ++level) runs += !shape.levels[level].empty();
    RC_ASSERT(runs <= std::max<size_t>(trigger, 1));
  } else {
    RC_ASSERT(shape.levels[0].size() < trigger);
    for (int level = 1; level < options.simple_levels; ++level) {
      const uint64_t upper = LevelBytes(shape.levels[level]);
      const uint64_t lower = LevelBytes(shape.levels[level + 1]);
      const auto ratio = static_cast<uint64_t>(options.simple_size_ratio_percent);
      RC_ASSERT(upper == 0 || lower * 100 >= upper * ratio);
    }
  }
}

RC_GTEST_PROP(Policy, KeepsItsLawsWithSeveralPlansRunning, ()) {
  ModelTree tree = AnyTree();
  // Twice, since a policy must cope with what another has left.
  for (int round = 0; round < 2; ++round) {
    const Options options = AnyOptions();
    const auto policy = NewCompactionPolicy(options);
    const int width = *rc::gen::inRange(1, 5);
    int flushes = *rc::gen::inRange(0, 6);
    for (int steps = 0;; ++steps) {
      RC_ASSERT(steps < 2000);  // it comes to rest
      const TreeShape shape = tree.Shape();
      auto plan = tree.running() < static_cast<size_t>(width) ? policy->Pick(shape) : std::nullopt;
      if (tree.running() == 0) {
        // Writers that are slowed down have something to wait for.
        RC_ASSERT(plan.has_value() || policy->PendingBytes(shape) == 0u);
      }
      if (plan) {
        tree.Start(*plan);
      } else if (tree.running() > 0) {
        const auto which = *rc::gen::inRange<size_t>(0, tree.running());
        tree.Finish(which, *rc::gen::arbitrary<bool>());
      } else if (flushes > 0) {
        --flushes;
        tree.Flush(AnyKeys());
      } else {
        AssertWithinLimits(options, shape);
        break;
      }
    }
  }
}

// Flushes land while merges run, which is when an order of age can break.
RC_GTEST_PROP(Policy, FlushesBesideRunningPlansKeepTheOrderOfAge, ()) {
  ModelTree tree = AnyTree();
  const Options options = AnyOptions();
  const auto policy = NewCompactionPolicy(options);
  for (int i = 0; i < 40; ++i) {
    const int what = *rc::gen::inRange(0, 3);
    if (what == 0) {
      tree.Flush(AnyKeys());
    } else if (what == 1 && tree.running() > 0) {
      tree.Finish(*rc::gen::inRange<size_t>(0, tree.running()), *rc::gen::arbitrary<bool>());
    } else if (tree.running() < 4) {
      if (const auto plan = policy->Pick(tree.Shape())) tree.Start(*plan);
    }
  }
}

// P4, with P1 and P2 kept; and it comes to rest, which it would not if it picked in vain for ever.
RC_GTEST_PROP(Policy, DamagedTablesAreLeftAloneAndNothingPassesThem, ()) {
  ModelTree tree = AnyTree();
  const Options options = AnyOptions();
  const auto policy = NewCompactionPolicy(options);
  int flushes = *rc::gen::inRange(0, 8), damages = *rc::gen::inRange(1, 4);
  for (int steps = 0;; ++steps) {
    RC_ASSERT(steps < 2000);
    const bool more = *rc::gen::inRange(0, 3) == 0;
    if (more && damages > 0) {
      --damages;
      tree.DamageOne(*rc::gen::inRange<size_t>(0, tree.CountTables() + 1));
    } else if (more && flushes > 0) {
      --flushes;
      tree.Flush(AnyKeys());
    } else if (const auto plan = tree.running() < 3 ? policy->Pick(tree.Shape()) : std::nullopt) {
      tree.Start(*plan);
    } else if (tree.running() > 0) {
      tree.Finish(*rc::gen::inRange<size_t>(0, tree.running()), *rc::gen::arbitrary<bool>());
    } else if (flushes == 0 && damages == 0) {
      break;
    }
  }
  // On request likewise: it ends, or says that something is in the way.
  int level = 0;
  for (int steps = 0;; ++steps) {
    RC_ASSERT(steps < 100);
    bool blocked = false;
    const auto plan = policy->PickManual(tree.Shape(), nullptr, nullptr, &level, &blocked);
    if (!plan) break;
    tree.Start(*plan);
    tree.Finish(0, false);
  }
}

TEST(LeveledPolicy, WhatIsOlderThanADamagedTableOfLevel0IsMerged) {
  TreeShape shape;
  for (uint64_t number = 6; number > 0; --number) {  // newest first
    shape.levels[0].push_back({.number = number, .size = 1000, .smallest = "a", .largest = "z"});
  }
  shape.levels[0][3].busy = shape.levels[0][3].damaged = true;  // number 3
  const auto plan = NewCompactionPolicy(Options())->Pick(shape);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs.front().tables, (std::vector<uint64_t>{2, 1}));
  // Newer, but of other keys.
  shape.levels[0].resize(4);
  shape.levels[0][0].smallest = shape.levels[0][0].largest = "zz";
  const auto beside = NewCompactionPolicy(Options())->Pick(shape);
  ASSERT_TRUE(beside.has_value());
  EXPECT_EQ(beside->inputs.front().tables, (std::vector<uint64_t>{6}));
}

TEST(TieredPolicy, RunsThatAreNewerThanADamagedOneAreMergedUpToIt) {
  Options options;
  options.compaction_style = CompactionStyle::kTiered;
  options.level0_compaction_trigger = 2;
  TreeShape shape;
  for (uint64_t number = 5; number > 0; --number) {
    shape.levels[0].push_back({.number = number, .size = 1000, .smallest = "a", .largest = "z"});
  }
  shape.levels[0][3].busy = shape.levels[0][3].damaged = true;  // number 2
  const auto plan = NewCompactionPolicy(options)->Pick(shape);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->output_level, 0);
  EXPECT_EQ(plan->inputs.front().tables, (std::vector<uint64_t>{5, 4, 3}));
}

RC_GTEST_PROP(Policy, MergingOnRequestLeavesOneRun, ()) {
  ModelTree tree = AnyTree();
  Options options = AnyOptions();
  if (*rc::gen::inRange(0, 4) == 0) options.compaction_style = CompactionStyle::kNone;
  const auto policy = NewCompactionPolicy(options);
  // Something may be running when the request comes.
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    if (const auto plan = policy->Pick(tree.Shape())) tree.Start(*plan);
  }
  const std::string low = KeyName(*rc::gen::inRange(0, kKeys));
  const std::string high = KeyName(*rc::gen::inRange(0, kKeys));
  const std::string_view begin = low, end = high;
  const bool bounded_below = *rc::gen::arbitrary<bool>();
  const bool bounded_above = *rc::gen::arbitrary<bool>();
  RC_PRE(!bounded_below || !bounded_above || begin <= end);
  const std::string_view* from = bounded_below ? &begin : nullptr;
  const std::string_view* to = bounded_above ? &end : nullptr;

  int level = 0;
  for (int steps = 0;; ++steps) {
    RC_ASSERT(steps < 100);
    bool blocked = false;
    const auto plan = policy->PickManual(tree.Shape(), from, to, &level, &blocked);
    if (plan) {
      RC_ASSERT(!blocked);
      // A move would keep the deleted data that the caller wants gone.
      RC_ASSERT(!plan->trivial_move);
      tree.Start(*plan);
      tree.Finish(tree.running() - 1, false);
      continue;
    }
    if (!blocked) break;
    RC_ASSERT(tree.running() > 0u);
    tree.Finish(0, false);
  }
  while (tree.running() > 0) tree.Finish(0, false);

  const TreeShape shape = tree.Shape();
  size_t runs = 0;
  for (int i = 0; i < kNumLevels; ++i) {
    size_t tables = 0;
    for (const TableSummary& table : shape.levels[i]) {
      tables +=
          (from == nullptr || table.largest >= begin) && (to == nullptr || table.smallest <= end);
    }
    runs += i == 0 ? tables : tables != 0;
  }
  RC_ASSERT(runs <= 1u);
}

// Shapes written by hand: a table of level, key range and size.
class HandMadeShape {
 public:
  HandMadeShape& Add(int level, std::string_view smallest, std::string_view largest, uint64_t size,
                     bool busy = false) {
    shape_.levels[level].push_back({.number = next_number_++,
                                    .size = size,
                                    .smallest = smallest,
                                    .largest = largest,
                                    .busy = busy});
    return *this;
  }
  const TreeShape& shape() const { return shape_; }

 private:
  TreeShape shape_;
  uint64_t next_number_ = 1;
};

constexpr uint64_t kMega = 1000 * 1000;
constexpr uint64_t kGiga = 1000 * kMega;

Options Leveled() {
  Options options;
  options.base_level_size = kGiga;
  options.level_size_multiplier = 10;
  options.target_table_size = 64 * kMega;
  return options;
}

// The example of RocksDB's description of level_compaction_dynamic_level_bytes.
TEST(TreeShape, TablesBehindOneThatEndsExcludedAreFound) {
  const std::vector<TableSummary> tables = {
      {.number = 1, .smallest = "a", .largest = "c", .largest_excluded = true},
      {.number = 2, .smallest = "c", .largest = "d"},
      {.number = 3, .smallest = "e", .largest = "f"}};
  KeyRange range;
  range.Include({.number = 9, .smallest = "c", .largest = "e"});
  const auto found = OverlappingInRun(tables, range);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->number, 2u);
  EXPECT_EQ(found[1]->number, 3u);
}

TEST(LeveledPolicy, KeepsOutOfTheGapsOfARunningMerge) {
  Options options;
  options.base_level_size = 1024;
  TreeShape shape;
  shape.levels[5].push_back({.number = 1, .size = 5000, .smallest = "m", .largest = "n"});
  shape.levels[6].push_back({.number = 2, .size = 1024, .smallest = "x", .largest = "y"});
  const auto policy = NewCompactionPolicy(options);
  ASSERT_TRUE(policy->Pick(shape).has_value());
  KeyRange hull;
  hull.Include({.number = 3, .smallest = "a", .largest = "b"});
  hull.Include({.number = 4, .smallest = "s", .largest = "t"});
  shape.outputs[6].push_back(hull);
  EXPECT_FALSE(policy->Pick(shape).has_value());
}

TEST(LeveledPolicy, TargetsFollowTheLastLevel) {
  const LeveledPolicy policy(Leveled());
  HandMadeShape shape;
  shape.Add(6, "a", "z", 276 * kGiga);
  const auto targets = policy.ComputeTargets(shape.shape());
  EXPECT_EQ(targets.base_level, 3);
  EXPECT_EQ(targets.bytes[3], 276 * kMega);
  EXPECT_EQ(targets.bytes[4], 2760 * kMega);
  EXPECT_EQ(targets.bytes[5], 27600 * kMega);
  EXPECT_EQ(targets.bytes[6], 276 * kGiga);
}

TEST(LeveledPolicy, AnEmptyTreeIsMergedIntoTheBottom) {
  const LeveledPolicy policy(Leveled());
  const auto targets = policy.ComputeTargets(HandMadeShape().shape());
  EXPECT_EQ(targets.base_level, kBottom);
  EXPECT_EQ(targets.bytes[kBottom], kGiga);
}

// Once the last level outgrows the base size, the one above comes into use.
TEST(LeveledPolicy, TheBaseLevelRisesWithTheData) {
  const LeveledPolicy policy(Leveled());
  int last = kBottom;
  for (uint64_t giga = 1; giga <= 100'000; giga *= 10) {
    HandMadeShape shape;
    shape.Add(6, "a", "z", giga * (kGiga + 1));
    const int base = policy.ComputeTargets(shape.shape()).base_level;
    EXPECT_EQ(base, std::max(1, last - 1));
    last = base;
  }
}

// A tree that shrank keeps its first level in use until that is empty.
TEST(LeveledPolicy, ALevelThatHoldsDataIsNotPassedOver) {
  const LeveledPolicy policy(Leveled());
  HandMadeShape shape;
  shape.Add(2, "a", "b", kMega).Add(6, "a", "z", 5 * kGiga);
  EXPECT_EQ(policy.ComputeTargets(shape.shape()).base_level, 2);
}

TEST(LeveledPolicy, ManyTablesOfLevel0GoDownTogether) {
  Options options = Leveled();
  options.level0_compaction_trigger = 3;
  const LeveledPolicy policy(options);
  HandMadeShape shape;
  shape.Add(0, "a", "c", kMega).Add(0, "m", "n", kMega);
  EXPECT_FALSE(policy.Pick(shape.shape()).has_value());
  shape.Add(0, "x", "z", kMega).Add(6, "b", "d", kMega).Add(6, "zz", "zzz", kMega);
  const auto plan = policy.Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->reason, CompactionReason::kLevel0Tables);
  EXPECT_EQ(plan->output_level, 6);
  ASSERT_EQ(plan->inputs.size(), 2u);
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(plan->inputs[1].tables, (std::vector<uint64_t>{4}));
  EXPECT_FALSE(plan->trivial_move);
}

// Level 5 is over its target in each of the following.
HandMadeShape OverfullLevel() {
  HandMadeShape shape;
  shape.Add(6, "a", "c", 4 * kGiga).Add(6, "d", "f", kGiga).Add(6, "x", "z", kMega);
  return shape;
}

TEST(LeveledPolicy, PicksTheTableThatOverlapsLeastForItsSize) {
  HandMadeShape shape = OverfullLevel();
  shape.Add(5, "a", "b", 400 * kMega).Add(5, "e", "f", 400 * kMega).Add(5, "y", "y", 300 * kMega);
  const auto plan = LeveledPolicy(Leveled()).Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->reason, CompactionReason::kLevelSize);
  EXPECT_EQ(plan->inputs[0].level, 5);
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{6}));
  EXPECT_EQ(plan->inputs[1].tables, (std::vector<uint64_t>{3}));
}

TEST(LeveledPolicy, ARunningPlanIsPassedOver) {
  HandMadeShape shape = OverfullLevel();
  shape.Add(5, "a", "b", 900 * kMega).Add(5, "e", "f", 900 * kMega);
  shape.Add(5, "y", "y", 900 * kMega, true);
  const auto plan = LeveledPolicy(Leveled()).Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{5}));
}

TEST(LeveledPolicy, ATableThatOverlapsNothingIsMoved) {
  HandMadeShape shape = OverfullLevel();
  shape.Add(5, "a", "b", 900 * kMega).Add(5, "g", "h", 100 * kMega);
  const auto plan = LeveledPolicy(Leveled()).Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{5}));
  EXPECT_TRUE(plan->trivial_move);
}

// Moving it would make the next merge of the table too large: it is rewritten and cut instead.
TEST(LeveledPolicy, ATableOverManyGrandparentsIsNotMoved) {
  HandMadeShape shape;
  shape.Add(4, "g", "h", 900 * kMega).Add(5, "a", "b", 2 * kGiga);
  shape.Add(6, "g", "g", 650 * kMega).Add(6, "i", "z", 50 * kGiga);
  auto plan = LeveledPolicy(Leveled()).Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->output_level, 5);
  EXPECT_FALSE(plan->trivial_move);
  EXPECT_EQ(plan->max_grandparent_overlap, 640 * kMega);
}

// By one byte, which a score in thousandths would round away.
TEST(LeveledPolicy, ALevelOneByteOverItsTargetIsPicked) {
  HandMadeShape shape;
  shape.Add(6, "a", "z", 10 * kGiga).Add(5, "a", "z", kGiga);
  const LeveledPolicy policy(Leveled());
  EXPECT_FALSE(policy.Pick(shape.shape()).has_value());
  EXPECT_EQ(policy.PendingBytes(shape.shape()), 0u);
  shape.Add(5, "zz", "zz", 1);
  EXPECT_TRUE(policy.Pick(shape.shape()).has_value());
  EXPECT_GT(policy.PendingBytes(shape.shape()), 0u);
}

Options Tiered() {
  Options options;
  options.compaction_style = CompactionStyle::kTiered;
  options.level0_compaction_trigger = 4;
  return options;
}

TEST(TieredPolicy, WaitsForItsTrigger) {
  HandMadeShape shape;
  shape.Add(0, "a", "z", 100).Add(0, "a", "z", 100).Add(0, "a", "z", 100);
  EXPECT_FALSE(TieredPolicy(Tiered()).Pick(shape.shape()).has_value());
}

TEST(TieredPolicy, MergesEverythingWhenTheNewerRunsOutweighTheOldest) {
  HandMadeShape shape;
  shape.Add(0, "a", "z", 100).Add(0, "a", "z", 100).Add(0, "a", "z", 100).Add(6, "a", "z", 150);
  const auto plan = TieredPolicy(Tiered()).Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->reason, CompactionReason::kSpaceAmplification);
  EXPECT_EQ(plan->output_level, kBottom);
  ASSERT_EQ(plan->inputs.size(), 2u);
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(plan->inputs[1].tables, (std::vector<uint64_t>{4}));
}

TEST(TieredPolicy, MergesRunsOfSimilarSizeAboveTheNextOlder) {
  HandMadeShape shape;
  shape.Add(0, "a", "z", 100).Add(0, "a", "z", 100).Add(0, "a", "z", 500).Add(6, "a", "z", 9000);
  const auto plan = TieredPolicy(Tiered()).Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->reason, CompactionReason::kSizeRatio);
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(plan->output_level, 0);  // the third run is of level 0 too
  EXPECT_EQ(plan->max_table_size, UINT64_MAX);

  HandMadeShape deep;
  deep.Add(0, "a", "z", 100).Add(0, "a", "z", 100).Add(5, "a", "z", 800).Add(6, "a", "z", 9000);
  const auto above = TieredPolicy(Tiered()).Pick(deep.shape());
  ASSERT_TRUE(above.has_value());
  EXPECT_EQ(above->output_level, 4);
}

TEST(TieredPolicy, TooManyRunsOfNoSimilarSizeAreMergedFromTheNewest) {
  HandMadeShape shape;
  shape.Add(0, "a", "z", 10).Add(0, "a", "z", 100).Add(0, "a", "z", 1000);
  shape.Add(5, "a", "z", 10000).Add(6, "a", "z", 100000);
  const auto plan = TieredPolicy(Tiered()).Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->reason, CompactionReason::kSortedRuns);
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{1, 2}));
}

TEST(TieredPolicy, OneMergeAtATime) {
  HandMadeShape shape;
  for (int i = 0; i < 6; ++i) shape.Add(0, "a", "z", 100, i == 5);
  EXPECT_FALSE(TieredPolicy(Tiered()).Pick(shape.shape()).has_value());
}

TEST(SimplePolicy, MergesALevelThatIsTooLargeForTheOneBelow) {
  Options options;
  options.compaction_style = CompactionStyle::kSimple;
  options.simple_levels = 2;
  const auto policy = NewCompactionPolicy(options);
  HandMadeShape shape;
  shape.Add(1, "a", "b", 100).Add(2, "a", "z", 200);
  EXPECT_FALSE(policy->Pick(shape.shape()).has_value());
  shape.Add(1, "x", "y", 1);
  const auto plan = policy->Pick(shape.shape());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs[0].tables, (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(plan->inputs[1].tables, (std::vector<uint64_t>{2}));
}

TEST(NoPolicy, MergesOnlyOnRequest) {
  Options options;
  options.compaction_style = CompactionStyle::kNone;
  const auto policy = NewCompactionPolicy(options);
  HandMadeShape shape;
  for (int i = 0; i < 50; ++i) shape.Add(0, "a", "z", kGiga);
  EXPECT_FALSE(policy->Pick(shape.shape()).has_value());
  EXPECT_EQ(policy->PendingBytes(shape.shape()), 0u);
  int level = 0;
  bool blocked = false;
  EXPECT_TRUE(policy->PickManual(shape.shape(), nullptr, nullptr, &level, &blocked).has_value());
}

}  // namespace
}  // namespace shearpin
