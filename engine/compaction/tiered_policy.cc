#include "engine/compaction/tiered_policy.h"

#include <algorithm>

namespace shearpin {
namespace {

constexpr int kBottom = kNumLevels - 1;

bool AnyMergeRuns(const TreeShape& shape) {
  return std::any_of(std::begin(shape.levels), std::end(shape.levels), [](const auto& tables) {
    return std::any_of(tables.begin(), tables.end(),
                       [](const auto& table) { return table.busy && !table.damaged; });
  });
}

}  // namespace

std::vector<TieredPolicy::Run> TieredPolicy::Runs(const TreeShape& shape) {
  std::vector<Run> runs;
  for (const TableSummary& table : shape.levels[0]) {
    runs.push_back({0, table.size, {table.number}, table.damaged});
  }
  for (int level = 1; level < kNumLevels; ++level) {
    if (shape.levels[level].empty()) continue;
    Run& run = runs.emplace_back();
    run.level = level;
    for (const TableSummary& table : shape.levels[level]) {
      run.size += table.size;
      run.damaged |= table.damaged;
      run.tables.push_back(table.number);
    }
  }
  return runs;
}

// How many of the newest runs are not damaged.
size_t TieredPolicy::CountWhole(const std::vector<Run>& runs) {
  const auto damaged =
      std::find_if(runs.begin(), runs.end(), [](const Run& run) { return run.damaged; });
  return static_cast<size_t>(damaged - runs.begin());
}

// Merges runs [begin, end). The result must stand, in age, where they stood: in the bottom level
// if nothing older remains, else right above the next older run; between two runs of level 0 that
// is level 0 again, as one table.
CompactionPlan TieredPolicy::Merge(const std::vector<Run>& runs, size_t begin, size_t end,
                                   CompactionReason reason) const {
  CompactionPlan plan;
  plan.reason = reason;
  for (size_t i = begin; i < end; ++i) {
    if (plan.inputs.empty() || plan.inputs.back().level != runs[i].level) {
      plan.inputs.push_back({runs[i].level, {}});
    }
    auto& tables = plan.inputs.back().tables;
    tables.insert(tables.end(), runs[i].tables.begin(), runs[i].tables.end());
  }
  if (end == runs.size()) {
    plan.output_level = kBottom;
  } else {
    plan.output_level = std::max(runs[end].level - 1, 0);
  }
  plan.max_table_size = plan.output_level == 0 ? UINT64_MAX : table_size_;
  return plan;
}

std::optional<CompactionPlan> TieredPolicy::Pick(const TreeShape& shape) const {
  // One merge at a time: where a run belongs is only known once its neighbours stand still.
  if (AnyMergeRuns(shape)) return std::nullopt;
  const std::vector<Run> runs = Runs(shape);
  // P4: only what is newer than all damage can grow without limit.
  const size_t whole = CountWhole(runs);
  if (runs.size() < trigger_ || whole < 2) return std::nullopt;

  uint64_t newer = 0;
  for (size_t i = 0; i + 1 < runs.size(); ++i) newer += runs[i].size;
  if (whole == runs.size() &&
      static_cast<unsigned __int128>(newer) * 100 >=
          static_cast<unsigned __int128>(max_space_percent_) * runs.back().size) {
    return Merge(runs, 0, runs.size(), CompactionReason::kSpaceAmplification);
  }

  for (size_t begin = 0; begin + 1 < whole; ++begin) {
    uint64_t size = runs[begin].size;
    size_t end = begin + 1;
    while (end < whole && static_cast<unsigned __int128>(size) * (100 + size_ratio_percent_) >=
                              static_cast<unsigned __int128>(runs[end].size) * 100) {
      size += runs[end++].size;
    }
    if (end - begin >= std::max<size_t>(min_width_, 2)) {
      return Merge(runs, begin, end, CompactionReason::kSizeRatio);
    }
  }

  if (runs.size() <= trigger_) return std::nullopt;
  // Nothing fits together by size: merge the newest, just enough of them.
  const size_t width = std::max<size_t>(runs.size() - trigger_ + 1, 2);
  return Merge(runs, 0, std::min(width, whole), CompactionReason::kSortedRuns);
}

uint64_t TieredPolicy::PendingBytes(const TreeShape& shape) const {
  const std::vector<Run> runs = Runs(shape);
  if (runs.size() <= trigger_) return 0;
  uint64_t pending = 0;
  for (size_t i = 0; i < runs.size() - trigger_ + 1; ++i) pending += runs[i].size;
  return pending;
}

// Whole runs only, so a range is merged by merging everything.
std::optional<CompactionPlan> TieredPolicy::PickManual(const TreeShape& shape,
                                                       const std::string_view* begin,
                                                       const std::string_view* end, int* level,
                                                       bool* blocked) const {
  *blocked = false;
  if (*level != 0) return std::nullopt;
  bool wanted = false;
  for (const auto& tables : shape.levels) {
    for (const TableSummary& table : tables) {
      wanted |= (begin == nullptr || table.largest >= *begin) &&
                (end == nullptr || table.smallest <= *end);
    }
  }
  const std::vector<Run> runs = Runs(shape);
  if (!wanted || (runs.size() == 1 && runs.front().level == kBottom)) return std::nullopt;
  if (AnyMergeRuns(shape) || CountWhole(runs) < runs.size()) {
    *blocked = true;
    return std::nullopt;
  }
  *level = kBottom;
  return Merge(runs, 0, runs.size(), CompactionReason::kManual);
}

}  // namespace shearpin
