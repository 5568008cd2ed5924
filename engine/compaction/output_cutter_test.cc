// Goal: outputs are cut where size or the level below asks for it, and nowhere else.
// Method: RapidCheck draws the level below and the keys of a merge; each table that results is
// compared with what the two limits say of it.
#include "engine/compaction/output_cutter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/base/internal_key.h"

namespace shearpin {
namespace {

constexpr uint64_t kEntryBytes = 10;

std::string KeyName(int key) { return std::to_string(1000 + key); }

Version::TablePtr TableOf(uint64_t number, int smallest, int largest, uint64_t size) {
  FileMeta meta;
  meta.number = number;
  meta.size = size;
  AppendInternalKey(&meta.smallest, KeyName(smallest), 1, ValueType::kValue);
  AppendInternalKey(&meta.largest, KeyName(largest), 1, ValueType::kValue);
  return std::make_shared<TableFile>(PosixFileSystem(), RealScheduler(), "unused", meta);
}

// Bytes of the grandparents that end in [first, before).
uint64_t PassedBytes(const Version::Tables& grandparents, int first, int before) {
  uint64_t bytes = 0;
  for (const auto& table : grandparents) {
    const std::string_view largest = UserKey(table->meta().largest);
    if (largest >= KeyName(first) && largest < KeyName(before)) bytes += table->meta().size;
  }
  return bytes;
}

RC_GTEST_PROP(OutputCutter, CutsWhereALimitAsksAndNowhereElse, ()) {
  Version::Tables grandparents;
  for (int at = *rc::gen::inRange(0, 10); at < 200;) {
    const int end = at + *rc::gen::inRange(0, 10);
    grandparents.push_back(
        TableOf(grandparents.size() + 1, at, end, *rc::gen::inRange<uint64_t>(1, 100)));
    at = end + *rc::gen::inRange(1, 10);
  }
  const auto drawn = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 220));
  const std::set<int> keys(drawn.begin(), drawn.end());
  CompactionPlan plan;
  plan.max_table_size = *rc::gen::inRange<uint64_t>(1, 200);
  plan.max_grandparent_overlap = *rc::gen::inRange<uint64_t>(1, 300);
  OutputCutter cutter(plan, &grandparents);

  std::vector<int> table;
  for (const int key : keys) {
    const uint64_t size = table.size() * kEntryBytes;
    const bool cut = cutter.CutBefore(KeyName(key), size);
    if (!table.empty()) {
      const bool full = size >= plan.max_table_size;
      const uint64_t passed = PassedBytes(grandparents, table.front(), key);
      RC_ASSERT(cut == (full || passed > plan.max_grandparent_overlap));
    }
    if (cut && !table.empty()) {
      table.clear();
      // A writer asks again for the key that begins the next table.
      cutter.CutBefore(KeyName(key), 0);
    }
    table.push_back(key);
  }
}

TEST(OutputCutter, WithoutGrandparentsOnlyTheSizeCounts) {
  CompactionPlan plan;
  plan.max_table_size = 100;
  const Version::Tables none;
  OutputCutter cutter(plan, &none);
  EXPECT_FALSE(cutter.CutBefore("a", 0));
  EXPECT_FALSE(cutter.CutBefore("b", 99));
  EXPECT_TRUE(cutter.CutBefore("c", 100));
}

}  // namespace
}  // namespace shearpin
