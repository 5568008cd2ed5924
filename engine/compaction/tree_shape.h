// TreeShape: what a compaction policy is told of a tree, and CompactionPlan, what it answers.
//
// Plain data without files or locks, so that policies are pure functions: tests enumerate shapes,
// and a model of a growing tree runs them without a disk.
//
// Vocabulary. A *sorted run* holds each key at most once per sequence and no two of its tables
// overlap. Every table of level 0 is a run of its own (newest first), every deeper level is one
// run; deeper runs hold older data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/manifest/version_edit.h"

namespace shearpin {

struct TableSummary {
  uint64_t number = 0;
  uint64_t size = 0;          // bytes
  std::string_view smallest;  // user keys; owned by whoever made the shape
  std::string_view largest;
  // Not to be an input: it is one of a running compaction already, or damaged.
  bool busy = false;
  bool damaged = false;           // busy for good: no merge will make it go away
  bool largest_excluded = false;  // `largest` is the end of a range tombstone, not a key within
};

// The hull of some tables' user keys.
struct KeyRange {
  bool empty = true;
  std::string_view smallest;
  std::string_view largest;
  bool largest_excluded = false;

  void Include(const TableSummary& table);
  bool Overlaps(const TableSummary& table) const;
  bool Overlaps(const KeyRange& other) const;
};

struct TreeShape {
  // Level 0: newest data first. Deeper levels: by smallest key, not overlapping.
  std::vector<TableSummary> levels[kNumLevels];
  // By the level they write to, the hulls of the inputs of running compactions. A hull may have
  // gaps that no input covers, but the output may span them.
  std::vector<KeyRange> outputs[kNumLevels];
};

enum class CompactionReason : uint8_t {
  kLevel0Tables,  // too many tables in level 0
  kLevelSize,     // a level is larger than its target
  kSpaceAmplification,
  kSizeRatio,
  kSortedRuns,  // too many sorted runs
  kManual,
};

std::string_view CompactionReasonName(CompactionReason reason);

// The tables of one level, by number.
struct CompactionInput {
  int level = 0;
  std::vector<uint64_t> tables;
};

struct CompactionPlan {
  CompactionReason reason = CompactionReason::kManual;
  // From the newest level to the oldest. Never empty.
  std::vector<CompactionInput> inputs;
  int output_level = 0;
  // Output is cut before it grows beyond this...
  uint64_t max_table_size = UINT64_MAX;
  // ...or before it overlaps more than this many bytes of the level below its own, so that the
  // next compaction of the output stays small.
  uint64_t max_grandparent_overlap = UINT64_MAX;
  // The one input is moved as it is: nothing in the output level overlaps it.
  bool trivial_move = false;
};

uint64_t LevelBytes(const std::vector<TableSummary>& tables);
bool AnyBusy(const std::vector<TableSummary>& tables);

// The tables of a level below 0 that share a key with `range`, in their order. By binary search: a
// policy asks this for each table of the level above, with the database's lock held.
std::vector<const TableSummary*> OverlappingInRun(const std::vector<TableSummary>& tables,
                                                  const KeyRange& range);

}  // namespace shearpin
