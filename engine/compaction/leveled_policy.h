// Leveled compaction, as RocksDB's: one sorted run a level, each larger by a factor.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/compaction/policy.h"

namespace shearpin {

class LeveledPolicy : public CompactionPolicy {
 public:
  explicit LeveledPolicy(const Options& options)
      : level0_trigger_(options.level0_compaction_trigger),
        table_size_(options.target_table_size),
        base_size_(options.base_level_size),
        multiplier_(static_cast<uint64_t>(options.level_size_multiplier)) {}

  std::optional<CompactionPlan> Pick(const TreeShape& shape) const override;
  uint64_t PendingBytes(const TreeShape& shape) const override;
  std::optional<CompactionPlan> PickManual(const TreeShape& shape, const std::string_view* begin,
                                           const std::string_view* end, int* level,
                                           bool* blocked) const override;

  // Where level 0 is merged to, and how many bytes each level may hold.
  struct Targets {
    int base_level = 0;
    uint64_t bytes[kNumLevels] = {};
  };
  Targets ComputeTargets(const TreeShape& shape) const;

 private:
  std::optional<CompactionPlan> PlanLevel0(const TreeShape& shape, int base_level,
                                           CompactionReason reason) const;
  std::optional<CompactionPlan> PlanLevel(const TreeShape& shape, int level) const;
  // Adds the tables of the output level that `upper`, whose hull is `range`, must be merged with.
  std::optional<CompactionPlan> Finish(const TreeShape& shape, CompactionPlan plan,
                                       const std::vector<const TableSummary*>& upper,
                                       const KeyRange& range) const;

  const int level0_trigger_;
  const uint64_t table_size_;
  const uint64_t base_size_;
  const uint64_t multiplier_;
};

}  // namespace shearpin
