#include "engine/compaction/simple_policy.h"

namespace shearpin {
namespace {

CompactionInput WholeLevel(const TreeShape& shape, int level) {
  CompactionInput input{level, {}};
  for (const TableSummary& table : shape.levels[level]) input.tables.push_back(table.number);
  return input;
}

}  // namespace

bool SimplePolicy::Due(const TreeShape& shape, int level) const {
  if (level == 0) return shape.levels[0].size() >= trigger_;
  // Another policy may have left data below this one's last level; it stays there and is read.
  if (level >= levels_) return false;
  const uint64_t upper = LevelBytes(shape.levels[level]);
  const uint64_t lower = LevelBytes(shape.levels[level + 1]);
  return upper != 0 && static_cast<unsigned __int128>(lower) * 100 <
                           static_cast<unsigned __int128>(upper) * ratio_percent_;
}

std::optional<CompactionPlan> SimplePolicy::MergeDown(const TreeShape& shape, int level,
                                                      CompactionReason reason) const {
  if (shape.levels[level].empty() || AnyBusy(shape.levels[level]) ||
      AnyBusy(shape.levels[level + 1]) || !shape.outputs[level + 1].empty()) {
    return std::nullopt;
  }
  CompactionPlan plan;
  plan.reason = reason;
  plan.inputs.push_back(WholeLevel(shape, level));
  plan.output_level = level + 1;
  plan.max_table_size = table_size_;
  if (!shape.levels[level + 1].empty()) {
    plan.inputs.push_back(WholeLevel(shape, level + 1));
  } else if (reason != CompactionReason::kManual) {
    // On request even a lone table is rewritten: a move would keep its tombstones.
    plan.trivial_move = plan.inputs.front().tables.size() == 1;
  }
  return plan;
}

std::optional<CompactionPlan> SimplePolicy::Pick(const TreeShape& shape) const {
  for (int level = 0; level < levels_; ++level) {
    if (!Due(shape, level)) continue;
    auto plan = MergeDown(
        shape, level, level == 0 ? CompactionReason::kLevel0Tables : CompactionReason::kSizeRatio);
    if (plan) return plan;
  }
  return std::nullopt;
}

uint64_t SimplePolicy::PendingBytes(const TreeShape& shape) const {
  uint64_t pending = 0;
  for (int level = 0; level < levels_; ++level) {
    if (Due(shape, level)) {
      pending += LevelBytes(shape.levels[level]) + LevelBytes(shape.levels[level + 1]);
    }
  }
  return pending;
}

std::optional<CompactionPlan> SimplePolicy::PickManual(const TreeShape& shape,
                                                       const std::string_view* begin,
                                                       const std::string_view* end, int* level,
                                                       bool* blocked) const {
  *blocked = false;
  for (; *level + 1 < kNumLevels; ++*level) {
    bool wanted = false;
    for (const TableSummary& table : shape.levels[*level]) {
      wanted |= (begin == nullptr || table.largest >= *begin) &&
                (end == nullptr || table.smallest <= *end);
    }
    if (!wanted) continue;
    // Data at rest in the last level of this policy has nowhere to go.
    bool below = false;
    for (int deeper = *level + 1; deeper < kNumLevels; ++deeper) {
      below |= !shape.levels[deeper].empty();
    }
    if (*level >= levels_ && !below) return std::nullopt;
    auto plan = MergeDown(shape, *level, CompactionReason::kManual);
    *blocked = !plan;
    if (plan) ++*level;
    return plan;
  }
  return std::nullopt;
}

}  // namespace shearpin
