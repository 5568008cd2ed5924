#include "sim/damage.h"

#include <iterator>
#include <string_view>

#include "faultfs/fault_rule.h"

namespace shearpin::sim {

// Promises that the disk breaks without telling. Tables most of all, and logs: what is in them was
// acknowledged.
void AddDamage(Rng rng, Plan* plan) {
  using faultfs::CallKind;
  using faultfs::EffectKind;
  using faultfs::SetOf;
  if (!rng.OneIn(5)) return;
  constexpr std::string_view kPaths[] = {"*.sst", "*.sst", "*.sst",     "*.wal",
                                         "*.wal", "*",     "*MANIFEST*"};
  for (uint64_t i = rng.Range(1, 2); i > 0; --i) {
    faultfs::FaultRule rule;
    rule.path_glob = kPaths[rng.Uniform(std::size(kPaths))];
    rule.skip = static_cast<uint32_t>(rng.Skewed(5));
    rule.times = rng.OneIn(3) ? static_cast<uint32_t>(rng.Range(2, 4)) : 1;
    rule.amount = rng.Next();
    rule.calls = SetOf(CallKind::kSync);
    switch (rng.Uniform(8)) {
      case 0:
      case 1:
        rule.effect = EffectKind::kBitRot;
        rule.calls = rng.OneIn(2) ? SetOf(CallKind::kSync) | SetOf(CallKind::kClose)
                                  : SetOf(CallKind::kRead);
        break;
      case 2:
        rule.effect = EffectKind::kLostWrite;
        break;
      case 3:
        rule.effect = EffectKind::kMisdirectedWrite;
        break;
      case 4:
        rule.effect = EffectKind::kStaleRead;
        rule.calls = SetOf(CallKind::kRead);
        break;
      case 5:
        rule.effect = EffectKind::kShortRead;
        rule.calls = SetOf(CallKind::kRead);
        rule.amount = rng.Skewed(12);
        break;
      case 6:
        rule.effect = EffectKind::kLyingFlush;
        if (rng.OneIn(3)) {
          rule.calls = SetOf(CallKind::kSyncDir);
          rule.path_glob = "*";
        }
        break;
      default:
        rule.effect = EffectKind::kSyncFail;
        rule.sync_failure = faultfs::SyncFailure::kReportNext;
        break;
    }
    plan->faults.push_back(rule.ToString());
  }
  // What rots where it lies shows when it is read from there again.
  for (uint64_t i = rng.Range(0, 4); i > 0; --i) {
    std::vector<Step>& steps = plan->clients[rng.Uniform(plan->clients.size())];
    const auto at = static_cast<ptrdiff_t>(rng.Uniform(steps.size() + 1));
    Step step;
    step.kind = rng.OneIn(2) ? StepKind::kEvict : StepKind::kVerify;
    steps.insert(steps.begin() + at, step);
  }
}

// Five seconds, thirty seconds on a machine that people use: here a run ends sooner.
void AddKernel(Rng rng, Plan* plan) {
  if (rng.OneIn(3)) return;
  KernelSpec& kernel = plan->kernel;
  kernel.commit = rng.OneIn(8) ? 5'000'000 : 100 + rng.Skewed(22);
  kernel.expiry = kernel.commit * rng.Range(1, 6);
  if (rng.OneIn(2)) kernel.evict = 1000 + rng.Skewed(22);
}

}  // namespace shearpin::sim
