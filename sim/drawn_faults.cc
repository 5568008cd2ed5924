#include "sim/drawn_faults.h"

#include <string>
#include <string_view>

#include "faultfs/fault_rule.h"

namespace shearpin::sim {
namespace {

// Where faults strike.
constexpr std::string_view kFaultPaths[] = {"*", "*.wal", "*.sst", "*MANIFEST*", "*CURRENT*"};

faultfs::FaultRule DrawRule(Rng* rng) {
  using faultfs::CallKind;
  using faultfs::EffectKind;
  using faultfs::SetOf;
  faultfs::FaultRule rule;
  rule.path_glob = kFaultPaths[rng->Uniform(std::size(kFaultPaths))];
  rule.skip = static_cast<uint32_t>(rng->Skewed(7));
  rule.times =
      rng->OneIn(4) ? faultfs::FaultRule::kAlways : static_cast<uint32_t>(rng->Range(1, 3));
  switch (rng->Uniform(6)) {
    case 0:
      rule.calls = SetOf(CallKind::kSync);
      rule.effect = EffectKind::kSyncFail;
      // A shut-down file system stays so until the machine restarts: kept rarer than the others.
      rule.sync_failure = rng->OneIn(6)   ? faultfs::SyncFailure::kShutdown
                          : rng->OneIn(2) ? faultfs::SyncFailure::kKeepNewClean
                                          : faultfs::SyncFailure::kRevertOld;
      break;
    case 1:
      rule.calls = SetOf(CallKind::kAppend);
      rule.effect = EffectKind::kShortWrite;
      rule.amount = rng->Skewed(10);
      break;
    case 2:
      rule.calls = rng->OneIn(2) ? SetOf(CallKind::kAppend) | SetOf(CallKind::kSync)
                                 : faultfs::kMutatingCalls;
      rule.effect = EffectKind::kLatency;
      rule.amount = rng->Skewed(rng->OneIn(4) ? 26 : 21);  // a stall takes up to a minute
      break;
    case 3:
      rule.calls = SetOf(CallKind::kAppend) | SetOf(CallKind::kPreallocate);
      rule.effect = EffectKind::kNoSpace;
      break;
    case 4:
      rule.calls = SetOf(CallKind::kRead) | SetOf(CallKind::kOpenRead);
      rule.effect = EffectKind::kIoError;
      break;
    default: {
      constexpr CallKind kMutating[] = {
          CallKind::kOpenWrite, CallKind::kAppend, CallKind::kSync,  CallKind::kSyncDir,
          CallKind::kRename,    CallKind::kUnlink, CallKind::kClose, CallKind::kPreallocate};
      rule.calls = SetOf(kMutating[rng->Uniform(std::size(kMutating))]);
      rule.effect = EffectKind::kIoError;
      break;
    }
  }
  return rule;
}

// Merges that take long are overtaken by others: all of them slow, or some that stand still in
// their middle until nothing else is left to do.
void AddSlowMerges(Rng rng, Plan* plan) {
  const std::string writes = "ops=append path=/db/*.sst skip=";
  if (rng.OneIn(2)) {
    plan->faults.push_back(writes +
                           "0 times=always effect=latency:" + std::to_string(rng.Range(1, 5000)));
    return;
  }
  for (uint64_t i = rng.Range(1, 4); i > 0; --i) {
    plan->faults.push_back(writes + std::to_string(rng.Skewed(9)) + " times=once effect=latency:" +
                           std::to_string(rng.Range(100'000, 5'000'000)));
  }
}

}  // namespace

void DrawFaults(Rng rng, Plan* plan) {
  // Half of the runs have no fault but crashes: an error poisons the writer, and what comes after
  // the first one is another part of the engine's life.
  if (rng.OneIn(2)) return;
  for (uint64_t i = rng.Range(1, 3); i > 0; --i) plan->faults.push_back(DrawRule(&rng).ToString());
  const auto place = [&](StepKind kind, uint64_t amount) {
    std::vector<Step>& steps = plan->clients[rng.Uniform(plan->clients.size())];
    Step step;
    step.kind = kind;
    step.amount = amount;
    steps.insert(steps.begin() + static_cast<ptrdiff_t>(rng.Uniform(steps.size() + 1)), step);
  };
  // With a step ahead that resumes, an error does not end the opening.
  if (rng.OneIn(2)) {
    for (uint64_t i = rng.Range(1, 6); i > 0; --i) place(StepKind::kResume, 0);
    for (auto& steps : plan->clients) steps.emplace_back().kind = StepKind::kResume;
  }
  if (rng.OneIn(3)) place(StepKind::kEvict, 0);
  if (rng.OneIn(4)) {
    place(StepKind::kCapacity, rng.Range(1000, 100000));
    place(StepKind::kCapacity, 0);
  }
}

void AddSlowCalls(const Swarm& swarm, uint64_t seed, Plan* plan) {
  if (swarm.contended) {
    // Leaders that take long make groups.
    plan->faults.push_back("ops=append,sync path=*.wal skip=0 times=always effect=latency:" +
                           std::to_string(Rng::Stream(seed, "slow-log").Range(1, 5000)));
  }
  if (swarm.tended && plan->scheduler.seed % 2 == 0) {
    // What changes the set of tables takes long, and so does what looks at it.
    const uint64_t micros = Rng::Stream(seed, "slow-edits").Range(1, 5000);
    for (const char* calls : {"ops=append,sync path=*MANIFEST*", "ops=read path=/db/*.sst"}) {
      plan->faults.push_back(std::string(calls) +
                             " skip=0 times=always effect=latency:" + std::to_string(micros));
    }
  }
  if (swarm.deep ? plan->scheduler.seed % 2 == 0 : swarm.local) {
    AddSlowMerges(Rng::Stream(seed, "slow-tables"), plan);
  }
}

}  // namespace shearpin::sim
