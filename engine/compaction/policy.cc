#include "engine/compaction/policy.h"

#include "engine/compaction/leveled_policy.h"
#include "engine/compaction/simple_policy.h"
#include "engine/compaction/tiered_policy.h"

namespace shearpin {
namespace {

// Merges on request only, and then as the leveled policy would.
class ManualPolicy : public LeveledPolicy {
 public:
  using LeveledPolicy::LeveledPolicy;
  std::optional<CompactionPlan> Pick(const TreeShape&) const override { return std::nullopt; }
  uint64_t PendingBytes(const TreeShape&) const override { return 0; }
};

}  // namespace

std::unique_ptr<CompactionPolicy> NewCompactionPolicy(const Options& options) {
  switch (options.compaction_style) {
    case CompactionStyle::kLeveled:
      return std::make_unique<LeveledPolicy>(options);
    case CompactionStyle::kTiered:
      return std::make_unique<TieredPolicy>(options);
    case CompactionStyle::kSimple:
      return std::make_unique<SimplePolicy>(options);
    case CompactionStyle::kNone:
      break;
  }
  return std::make_unique<ManualPolicy>(options);
}

}  // namespace shearpin
