// Tiered compaction, as RocksDB's universal: runs of similar size are merged, oldest last.
#pragma once

#include <optional>
#include <vector>

#include "engine/compaction/policy.h"

namespace shearpin {

class TieredPolicy : public CompactionPolicy {
 public:
  explicit TieredPolicy(const Options& options)
      : trigger_(static_cast<size_t>(options.level0_compaction_trigger)),
        min_width_(static_cast<size_t>(options.tiered_min_merge_width)),
        size_ratio_percent_(static_cast<uint64_t>(options.tiered_size_ratio_percent)),
        max_space_percent_(static_cast<uint64_t>(options.tiered_max_space_amplification_percent)),
        table_size_(options.target_table_size) {}

  std::optional<CompactionPlan> Pick(const TreeShape& shape) const override;
  uint64_t PendingBytes(const TreeShape& shape) const override;
  std::optional<CompactionPlan> PickManual(const TreeShape& shape, const std::string_view* begin,
                                           const std::string_view* end, int* level,
                                           bool* blocked) const override;

 private:
  // A table of level 0, or a whole deeper level.
  struct Run {
    int level = 0;
    uint64_t size = 0;
    std::vector<uint64_t> tables;
    bool damaged = false;
  };
  // Newest first.
  static std::vector<Run> Runs(const TreeShape& shape);
  static size_t CountWhole(const std::vector<Run>& runs);
  CompactionPlan Merge(const std::vector<Run>& runs, size_t begin, size_t end,
                       CompactionReason reason) const;

  const size_t trigger_;
  const size_t min_width_;
  const uint64_t size_ratio_percent_;
  const uint64_t max_space_percent_;
  const uint64_t table_size_;
};

}  // namespace shearpin
