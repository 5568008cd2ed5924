#include "engine/compaction/leveled_policy.h"

#include <algorithm>

namespace shearpin {
namespace {

constexpr int kBottom = kNumLevels - 1;
// A job's output should not make the next job of a neighbour larger than this many tables.
constexpr uint64_t kGrandparentTables = 10;

CompactionInput InputOf(int level, const std::vector<const TableSummary*>& tables) {
  CompactionInput input{level, {}};
  for (const TableSummary* table : tables) input.tables.push_back(table->number);
  return input;
}

bool AnyBusy(const std::vector<const TableSummary*>& tables) {
  return std::any_of(tables.begin(), tables.end(), [](const auto* table) { return table->busy; });
}

uint64_t TotalBytes(const std::vector<const TableSummary*>& tables) {
  uint64_t bytes = 0;
  for (const TableSummary* table : tables) bytes += table->size;
  return bytes;
}

}  // namespace

// RocksDB's dynamic targets: the last level that holds data sets the scale, each level above may
// hold a multiplier less, and the levels that would hold less than base_level_size / multiplier
// stay empty: level 0 is merged into the first that does not.
LeveledPolicy::Targets LeveledPolicy::ComputeTargets(const TreeShape& shape) const {
  Targets targets;
  int first = 0;
  uint64_t largest = 0;
  for (int level = 1; level < kNumLevels; ++level) {
    if (shape.levels[level].empty()) continue;
    if (first == 0) first = level;
    largest = std::max(largest, LevelBytes(shape.levels[level]));
  }
  if (first == 0) {
    targets.base_level = kBottom;
    targets.bytes[kBottom] = base_size_;
    return targets;
  }
  uint64_t size = largest;
  for (int level = kBottom; level > first; --level) size /= multiplier_;
  int base = first;
  const uint64_t least = base_size_ / multiplier_;
  if (size <= least) {
    size = least + 1;
  } else {
    while (base > 1 && size > base_size_) {
      --base;
      size /= multiplier_;
    }
    size = std::min(std::max<uint64_t>(size, 1), base_size_);
  }
  targets.base_level = base;
  for (int level = base; level < kNumLevels; ++level) {
    targets.bytes[level] = size;
    size = size > UINT64_MAX / multiplier_ ? UINT64_MAX : size * multiplier_;
  }
  return targets;
}

std::optional<CompactionPlan> LeveledPolicy::Finish(const TreeShape& shape, CompactionPlan plan,
                                                    const std::vector<const TableSummary*>& upper,
                                                    const KeyRange& range) const {
  const int output = plan.output_level;
  const auto lower = OverlappingInRun(shape.levels[output], range);
  if (AnyBusy(lower)) return std::nullopt;
  KeyRange whole = range;
  for (const TableSummary* table : lower) whole.Include(*table);
  // A table may have come into a gap of a running merge's inputs since that began; merged down on
  // its own it would land in the midst of what that merge writes.
  for (const KeyRange& running : shape.outputs[output]) {
    if (whole.Overlaps(running)) return std::nullopt;
  }
  for (const TableSummary* table : upper) plan.inputs.front().tables.push_back(table->number);
  if (!lower.empty()) plan.inputs.push_back(InputOf(output, lower));
  plan.max_table_size = table_size_;
  plan.max_grandparent_overlap = kGrandparentTables * table_size_;
  // Who asks for a merge wants the tombstones and old versions gone that a move would keep.
  if (lower.empty() && upper.size() == 1 && plan.reason != CompactionReason::kManual) {
    const uint64_t grandparents =
        output + 1 < kNumLevels ? TotalBytes(OverlappingInRun(shape.levels[output + 1], whole)) : 0;
    plan.trivial_move = grandparents <= plan.max_grandparent_overlap;
  }
  return plan;
}

// All of level 0, but for what damage keeps there: its tables overlap each other as a rule, and
// leaving an older one behind while a newer one moves down would put old versions above new ones.
std::optional<CompactionPlan> LeveledPolicy::PlanLevel0(const TreeShape& shape, int base_level,
                                                        CompactionReason reason) const {
  std::vector<const TableSummary*> upper;
  KeyRange range;
  // P4: oldest first, so that what has to stay is known when something newer is looked at.
  std::vector<const TableSummary*> staying;
  for (const TableSummary& table : shape.levels[base_level]) {
    if (table.damaged) staying.push_back(&table);
  }
  for (size_t i = shape.levels[0].size(); i-- > 0;) {
    const TableSummary& table = shape.levels[0][i];
    if (table.busy && !table.damaged) return std::nullopt;
    KeyRange wider = range;
    wider.Include(table);
    const bool stays =
        table.damaged || std::any_of(staying.begin(), staying.end(),
                                     [&](const auto* older) { return wider.Overlaps(*older); });
    if (stays) {
      staying.push_back(&table);
    } else {
      upper.push_back(&table);
      range = wider;
    }
  }
  if (upper.empty()) return std::nullopt;
  std::reverse(upper.begin(), upper.end());
  CompactionPlan plan;
  plan.reason = reason;
  plan.inputs.push_back({0, {}});
  plan.output_level = base_level;
  return Finish(shape, std::move(plan), upper, range);
}

// The table that costs least to merge for what it frees: fewest bytes below it per byte of its own.
std::optional<CompactionPlan> LeveledPolicy::PlanLevel(const TreeShape& shape, int level) const {
  if (level == kBottom) return std::nullopt;
  std::optional<CompactionPlan> best;
  uint64_t best_overlap = 0, best_size = 1;
  for (const TableSummary& table : shape.levels[level]) {
    if (table.busy) continue;
    KeyRange range;
    range.Include(table);
    const auto lower = OverlappingInRun(shape.levels[level + 1], range);
    const uint64_t overlap = TotalBytes(lower);
    const uint64_t size = std::max<uint64_t>(table.size, 1);
    // overlap / size < best_overlap / best_size, without rounding.
    if (best && static_cast<unsigned __int128>(overlap) * best_size >=
                    static_cast<unsigned __int128>(best_overlap) * size) {
      continue;
    }
    CompactionPlan plan;
    plan.reason = CompactionReason::kLevelSize;
    plan.inputs.push_back({level, {}});
    plan.output_level = level + 1;
    auto finished = Finish(shape, std::move(plan), {&table}, range);
    if (!finished) continue;
    best = std::move(finished);
    best_overlap = overlap;
    best_size = size;
  }
  return best;
}

std::optional<CompactionPlan> LeveledPolicy::Pick(const TreeShape& shape) const {
  const Targets targets = ComputeTargets(shape);
  // Scores in thousandths; ties go to the upper level.
  struct Candidate {
    uint64_t score;
    int level;
    bool due;
  };
  std::vector<Candidate> candidates;
  const uint64_t tables = shape.levels[0].size();
  // Few but large tables in level 0 are as much of a burden as many.
  const uint64_t level0 =
      std::max(tables * 1000 / static_cast<uint64_t>(level0_trigger_),
               tables > 1 ? LevelBytes(shape.levels[0]) * 1000 / base_size_ : 0);
  candidates.push_back({level0, 0, level0 >= 1000});
  for (int level = targets.base_level; level < kBottom; ++level) {
    uint64_t bytes = 0;
    for (const TableSummary& table : shape.levels[level]) bytes += table.busy ? 0 : table.size;
    const auto score = static_cast<unsigned __int128>(bytes) * 1000 / targets.bytes[level];
    candidates.push_back({static_cast<uint64_t>(std::min<unsigned __int128>(score, 1000000)), level,
                          bytes > targets.bytes[level]});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  for (const Candidate& candidate : candidates) {
    // By bytes, not by the rounded score: what PendingBytes counts must be picked, or writers that
    // it delays would wait for nothing.
    if (!candidate.due) continue;
    auto plan = candidate.level == 0
                    ? PlanLevel0(shape, targets.base_level, CompactionReason::kLevel0Tables)
                    : PlanLevel(shape, candidate.level);
    if (plan) return plan;
  }
  return std::nullopt;
}

uint64_t LeveledPolicy::PendingBytes(const TreeShape& shape) const {
  const Targets targets = ComputeTargets(shape);
  uint64_t pending = 0, incoming = 0;
  if (shape.levels[0].size() >= static_cast<size_t>(level0_trigger_)) {
    incoming = LevelBytes(shape.levels[0]);
    pending = incoming + LevelBytes(shape.levels[targets.base_level]);
  }
  for (int level = targets.base_level; level < kBottom; ++level) {
    const uint64_t bytes = LevelBytes(shape.levels[level]) + incoming;
    if (bytes <= targets.bytes[level]) {
      incoming = 0;
      continue;
    }
    incoming = bytes - targets.bytes[level];
    const uint64_t below = LevelBytes(shape.levels[level + 1]);
    pending += incoming + static_cast<uint64_t>(static_cast<unsigned __int128>(incoming) * below /
                                                std::max<uint64_t>(bytes, 1));
  }
  return pending;
}

std::optional<CompactionPlan> LeveledPolicy::PickManual(const TreeShape& shape,
                                                        const std::string_view* begin,
                                                        const std::string_view* end, int* level,
                                                        bool* blocked) const {
  *blocked = false;
  const Targets targets = ComputeTargets(shape);
  for (; *level < kBottom; ++*level) {
    KeyRange range;
    std::vector<const TableSummary*> upper;
    for (const TableSummary& table : shape.levels[*level]) {
      const bool wanted = (begin == nullptr || table.largest >= *begin) &&
                          (end == nullptr || table.smallest <= *end);
      if (wanted) range.Include(table);
    }
    if (range.empty) continue;
    if (*level == 0) {
      auto plan = PlanLevel0(shape, targets.base_level, CompactionReason::kManual);
      *blocked = !plan;
      if (plan) *level = targets.base_level;
      return plan;
    }
    upper = OverlappingInRun(shape.levels[*level], range);
    CompactionPlan plan;
    plan.reason = CompactionReason::kManual;
    plan.inputs.push_back({*level, {}});
    plan.output_level = *level + 1;
    if (AnyBusy(upper)) {
      *blocked = true;
      return std::nullopt;
    }
    auto finished = Finish(shape, std::move(plan), upper, range);
    *blocked = !finished;
    if (finished) ++*level;
    return finished;
  }
  return std::nullopt;
}

}  // namespace shearpin
