#include "sim/trouble.h"

#include <algorithm>
#include <string_view>

#include "faultfs/fault_rule.h"

namespace shearpin::sim {
namespace {

using faultfs::CallKind;
using faultfs::CallKindSet;
using faultfs::EffectKind;
using faultfs::FaultRule;
using faultfs::SetOf;

struct Target {
  std::string_view glob;
  CallKindSet calls;
};

// The calls that the order of durability rests on, each by itself: a rule for any call of any file
// nearly always strikes the log first.
const Target kTargets[] = {
    {"*.wal", SetOf(CallKind::kSync)},
    {"*.wal", SetOf(CallKind::kAppend)},
    {"*.wal", SetOf(CallKind::kOpenWrite) | SetOf(CallKind::kPreallocate)},
    {"*.wal", SetOf(CallKind::kUnlink)},
    {"*.wal", SetOf(CallKind::kRead)},
    {"*MANIFEST*", SetOf(CallKind::kSync)},
    {"*MANIFEST*", SetOf(CallKind::kAppend)},
    {"*MANIFEST*", SetOf(CallKind::kOpenWrite)},
    {"*MANIFEST*", SetOf(CallKind::kRead)},
    {"*CURRENT*", SetOf(CallKind::kSync)},
    {"*CURRENT*", SetOf(CallKind::kAppend) | SetOf(CallKind::kOpenWrite)},
    {"*CURRENT*", SetOf(CallKind::kRename)},
    {"/db", SetOf(CallKind::kSyncDir)},
    {"/db/*.sst", SetOf(CallKind::kSync)},
    {"/db/*.sst", SetOf(CallKind::kAppend)},
    {"/db/*.sst", SetOf(CallKind::kOpenRead) | SetOf(CallKind::kRead)},
    {"/db/*.sst", SetOf(CallKind::kUnlink)},
    {"/outside*", faultfs::kAllCalls},
    {"/checkpoint*", faultfs::kMutatingCalls},
};

FaultRule DrawAimedRule(Rng* rng) {
  const Target& target = kTargets[rng->Uniform(std::size(kTargets))];
  FaultRule rule;
  rule.path_glob = target.glob;
  rule.calls = target.calls;
  // Within the opening, or behind it.
  rule.skip = static_cast<uint32_t>(rng->OneIn(3) ? rng->Uniform(8) : rng->Range(4, 60));
  rule.times = rng->OneIn(6) ? FaultRule::kAlways : static_cast<uint32_t>(rng->Range(1, 2));
  rule.effect = EffectKind::kIoError;
  if (target.calls == SetOf(CallKind::kSync) && !rng->OneIn(4)) {
    rule.effect = EffectKind::kSyncFail;
    rule.sync_failure = rng->OneIn(5)   ? faultfs::SyncFailure::kShutdown
                        : rng->OneIn(2) ? faultfs::SyncFailure::kKeepNewClean
                                        : faultfs::SyncFailure::kRevertOld;
  } else if (target.calls == SetOf(CallKind::kAppend) && !rng->OneIn(3)) {
    rule.effect = rng->OneIn(2) ? EffectKind::kNoSpace : EffectKind::kShortWrite;
    if (rule.effect == EffectKind::kShortWrite) rule.amount = rng->Skewed(10);
  }
  return rule;
}

// Reads of tables that fail take long first: others come to wait for them.
void AddSlowReads(Rng* rng, Plan* plan) {
  FaultRule rule;
  rule.path_glob = "/db/*.sst";
  rule.calls = SetOf(CallKind::kRead);
  rule.times = FaultRule::kAlways;
  rule.effect = EffectKind::kLatency;
  rule.amount = rng->Range(1, 5000);
  plan->faults.push_back(rule.ToString());
}

void Insert(StepKind kind, uint64_t amount, size_t at, std::vector<Step>* steps) {
  Step step;
  step.kind = kind;
  step.amount = amount;
  steps->insert(steps->begin() + static_cast<ptrdiff_t>(at), step);
}

// The disk fills, stays full for a while and is relieved.
void AddFullDisk(Rng* rng, Plan* plan) {
  std::vector<Step>& steps = plan->clients[rng->Uniform(plan->clients.size())];
  const size_t full = rng->Uniform(steps.size() + 1);
  Insert(StepKind::kCapacity, 1000 + rng->Skewed(15), full, &steps);
  const size_t relief = std::min<size_t>(steps.size(), full + rng->Range(2, 16));
  Insert(StepKind::kCapacity, 0, relief, &steps);
}

}  // namespace

void AddTrouble(Rng rng, Plan* plan) {
  if (!rng.OneIn(3)) return;
  const bool full_disk = rng.OneIn(4);
  if (full_disk) AddFullDisk(&rng, plan);
  if (!full_disk || rng.OneIn(3)) {
    for (uint64_t i = rng.Range(1, 2); i > 0; --i) {
      const FaultRule rule = DrawAimedRule(&rng);
      plan->faults.push_back(rule.ToString());
      if ((rule.calls & SetOf(CallKind::kRead)) != 0 && rng.OneIn(2)) AddSlowReads(&rng, plan);
    }
  }
  // A writer that is resumed goes on in the same opening, with what the failure left in memory.
  if (rng.OneIn(4)) return;
  for (std::vector<Step>& steps : plan->clients) {
    const size_t apart = 2 + rng.Uniform(20);
    for (size_t at = rng.Uniform(apart); at < steps.size(); at += apart + 1) {
      Insert(StepKind::kResume, 0, at, &steps);
    }
    Insert(StepKind::kResume, 0, steps.size(), &steps);
  }
}

}  // namespace shearpin::sim
