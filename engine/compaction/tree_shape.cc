#include "engine/compaction/tree_shape.h"

#include <algorithm>

namespace shearpin {

std::string_view CompactionReasonName(CompactionReason reason) {
  switch (reason) {
    case CompactionReason::kLevel0Tables:
      return "level0-tables";
    case CompactionReason::kLevelSize:
      return "level-size";
    case CompactionReason::kSpaceAmplification:
      return "space-amplification";
    case CompactionReason::kSizeRatio:
      return "size-ratio";
    case CompactionReason::kSortedRuns:
      return "sorted-runs";
    case CompactionReason::kManual:
      return "manual";
  }
  return "unknown";
}

uint64_t LevelBytes(const std::vector<TableSummary>& tables) {
  uint64_t bytes = 0;
  for (const TableSummary& table : tables) bytes += table.size;
  return bytes;
}

bool AnyBusy(const std::vector<TableSummary>& tables) {
  return std::any_of(tables.begin(), tables.end(), [](const auto& table) { return table.busy; });
}

void KeyRange::Include(const TableSummary& table) {
  if (empty || table.smallest < smallest) smallest = table.smallest;
  if (empty || table.largest > largest || (table.largest == largest && !table.largest_excluded)) {
    largest = table.largest;
    largest_excluded = table.largest_excluded;
  }
  empty = false;
}

bool KeyRange::Overlaps(const TableSummary& table) const {
  const auto reaches = [](std::string_view end, bool excluded, std::string_view begin) {
    return excluded ? end > begin : end >= begin;
  };
  return !empty && reaches(largest, largest_excluded, table.smallest) &&
         reaches(table.largest, table.largest_excluded, smallest);
}

bool KeyRange::Overlaps(const KeyRange& other) const {
  const TableSummary as_table{.smallest = other.smallest,
                              .largest = other.largest,
                              .largest_excluded = other.largest_excluded};
  return !other.empty && Overlaps(as_table);
}

std::vector<const TableSummary*> OverlappingInRun(const std::vector<TableSummary>& tables,
                                                  const KeyRange& range) {
  std::vector<const TableSummary*> found;
  auto table = std::partition_point(tables.begin(), tables.end(), [&](const TableSummary& each) {
    return each.largest_excluded ? each.largest <= range.smallest : each.largest < range.smallest;
  });
  for (; table != tables.end() && range.Overlaps(*table); ++table) found.push_back(&*table);
  return found;
}

}  // namespace shearpin
