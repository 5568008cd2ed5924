// Simple leveled compaction, as MiniLSM's: whole neighbouring levels are merged.
#pragma once

#include <optional>

#include "engine/compaction/policy.h"

namespace shearpin {

class SimplePolicy : public CompactionPolicy {
 public:
  explicit SimplePolicy(const Options& options)
      : trigger_(static_cast<size_t>(options.level0_compaction_trigger)),
        ratio_percent_(static_cast<uint64_t>(options.simple_size_ratio_percent)),
        levels_(options.simple_levels),
        table_size_(options.target_table_size) {}

  std::optional<CompactionPlan> Pick(const TreeShape& shape) const override;
  uint64_t PendingBytes(const TreeShape& shape) const override;
  std::optional<CompactionPlan> PickManual(const TreeShape& shape, const std::string_view* begin,
                                           const std::string_view* end, int* level,
                                           bool* blocked) const override;

 private:
  // Whether `level` is due to be merged into the next.
  bool Due(const TreeShape& shape, int level) const;
  std::optional<CompactionPlan> MergeDown(const TreeShape& shape, int level,
                                          CompactionReason reason) const;

  const size_t trigger_;
  const uint64_t ratio_percent_;
  const int levels_;
  const uint64_t table_size_;
};

}  // namespace shearpin
