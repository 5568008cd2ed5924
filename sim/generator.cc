#include "sim/generator.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "faultfs/profile.h"
#include "sim/damage.h"
#include "sim/drawn_crashes.h"
#include "sim/drawn_faults.h"
#include "sim/drawn_knobs.h"
#include "sim/key_space.h"
#include "sim/rng.h"
#include "sim/swarm.h"
#include "sim/trouble.h"

namespace shearpin::sim {
namespace {

class Workload {
 public:
  Workload(const Swarm& swarm, const KeySpace& keys) : swarm_(swarm), keys_(keys) {}

  std::vector<Step> Client(Rng* rng) {
    std::vector<Step> steps;
    snapshots_ = 0;
    iterators_ = 0;
    transactions_ = 0;
    looks_.clear();
    while (steps.size() < swarm_.steps_per_client) {
      if (!looks_.empty() && looks_.front().first <= steps.size()) {
        // What a snapshot sees is most in danger while what it was taken beside is flushed.
        Step& look = steps.emplace_back();
        look.kind = StepKind::kSnapshotCheck;
        look.slot = looks_.front().second;
        looks_.pop_front();
        continue;
      }
      steps.push_back(DrawStep(rng));
      if (steps.back().kind == StepKind::kSnapshotTake && rng->OneIn(2)) {
        looks_.emplace_back(steps.size() + rng->Uniform(10), steps.back().slot);
      }
    }
    return steps;
  }

 private:
  Step DrawStep(Rng* rng);
  Mutation DrawMutation(MutationKind kind, Rng* rng);
  void DrawMutations(uint64_t count, Step* step, Rng* rng);
  void DrawTransactionStep(Step* step, Rng* rng);
  KeyBound DrawBound(Rng* rng);
  void DrawRange(Step* step, Rng* rng);
  void DrawMoves(Step* step, Rng* rng);
  int AnyOf(uint32_t open, Rng* rng) const;

  const Swarm& swarm_;
  const KeySpace& keys_;
  uint64_t neighbourhood_ = 0;
  uint32_t snapshots_ = 0;  // bit i: slot i of this client was taken
  uint32_t iterators_ = 0;
  uint32_t transactions_ = 0;
  std::deque<std::pair<size_t, int>> looks_;  // before which step, at which slot
};

// A slot that is open, or -1.
int Workload::AnyOf(uint32_t open, Rng* rng) const {
  if (open == 0) return -1;
  const auto start = static_cast<int>(rng->Uniform(kMaxSlots));
  for (int i = 0; i < kMaxSlots; ++i) {
    const int slot = (start + i) % kMaxSlots;
    if ((open >> slot) & 1) return slot;
  }
  return -1;
}

Mutation Workload::DrawMutation(MutationKind kind, Rng* rng) {
  Mutation mutation;
  mutation.kind = kind;
  // Tables of few neighbours leave gaps between them, where others come and go.
  if (swarm_.local && rng->OneIn(swarm_.deep ? 24 : 6)) neighbourhood_ = rng->Next() >> 32;
  mutation.key = swarm_.local ? keys_.KeyWithin(neighbourhood_, rng) : keys_.Key(rng);
  if (kind == MutationKind::kPut) mutation.value = keys_.Value(rng);
  if (kind == MutationKind::kDeleteRange) {
    if (swarm_.local && !rng->OneIn(4)) {
      mutation.key = keys_.FirstOf(neighbourhood_);
      mutation.value = keys_.FirstOf(neighbourhood_ + 1);
      return mutation;
    }
    // Mostly from a key to one behind it; sometimes an empty or upside-down range.
    mutation.value = keys_.Target(rng);
    if (mutation.value.Materialise() < mutation.key.Materialise() && !rng->OneIn(8)) {
      std::swap(mutation.key, mutation.value);
    }
  }
  return mutation;
}

void Workload::DrawMutations(uint64_t count, Step* step, Rng* rng) {
  const bool deletes = swarm_.steps[static_cast<size_t>(StepKind::kDelete)] != 0;
  const bool ranges = swarm_.steps[static_cast<size_t>(StepKind::kDeleteRange)] != 0;
  for (uint64_t i = 0; i < count; ++i) {
    const MutationKind kind = ranges && rng->OneIn(8)    ? MutationKind::kDeleteRange
                              : deletes && rng->OneIn(4) ? MutationKind::kDelete
                                                         : MutationKind::kPut;
    step->mutations.push_back(DrawMutation(kind, rng));
  }
}

// Steps of a transaction that is not open open one.
void Workload::DrawTransactionStep(Step* step, Rng* rng) {
  const int slot = AnyOf(transactions_, rng);
  if (slot < 0 || step->kind == StepKind::kTxnBegin) {
    step->kind = StepKind::kTxnBegin;
    step->slot = static_cast<int>(rng->Uniform(kMaxSlots));
    step->serializable = !rng->OneIn(4);
    transactions_ |= 1u << step->slot;
    return;
  }
  step->slot = slot;
  switch (step->kind) {
    case StepKind::kTxnWrite:
      DrawMutations(rng->Range(1, 3), step, rng);
      break;
    case StepKind::kTxnGet:
      step->key = keys_.Target(rng);
      break;
    case StepKind::kTxnScan:
      step->forward = rng->OneIn(2);
      if (rng->OneIn(2)) step->amount = rng->Range(1, 4);
      step->lower = DrawBound(rng);
      step->upper = DrawBound(rng);
      break;
    default:
      transactions_ &= ~(1u << slot);
      break;
  }
}

KeyBound Workload::DrawBound(Rng* rng) {
  const auto kind = static_cast<BoundKind>(rng->Uniform(3));
  if (kind == BoundKind::kUnbounded) return {};
  return {kind, keys_.Target(rng)};
}

// The ends are drawn apart, so empty and upside-down ranges happen too.
void Workload::DrawRange(Step* step, Rng* rng) {
  step->lower = DrawBound(rng);
  step->upper = DrawBound(rng);
  if (rng->OneIn(2)) step->snapshot = AnyOf(snapshots_, rng);
}

void Workload::DrawMoves(Step* step, Rng* rng) {
  const uint64_t count = rng->Range(1, 12);
  // A walk that mostly goes on in its direction, and turns now and then.
  bool forward = rng->OneIn(2);
  for (uint64_t i = 0; i < count; ++i) {
    Move& move = step->moves.emplace_back();
    if (rng->OneIn(5)) {
      constexpr MoveKind kJumps[] = {MoveKind::kFirst, MoveKind::kLast, MoveKind::kSeek,
                                     MoveKind::kSeekForPrev};
      move.kind = kJumps[rng->Uniform(std::size(kJumps))];
      if (move.kind == MoveKind::kSeek || move.kind == MoveKind::kSeekForPrev) {
        move.key = keys_.Target(rng);
      }
      continue;
    }
    if (rng->OneIn(4)) forward = !forward;
    move.kind = forward ? MoveKind::kNext : MoveKind::kPrev;
  }
}

Step Workload::DrawStep(Rng* rng) {
  Step step;
  step.kind = static_cast<StepKind>(rng->Weighted(swarm_.steps));
  step.durability = static_cast<Durability>(rng->Weighted(swarm_.durabilities));
  switch (step.kind) {
    case StepKind::kPut:
      step.mutations.push_back(DrawMutation(MutationKind::kPut, rng));
      return step;
    case StepKind::kDelete:
      step.mutations.push_back(DrawMutation(MutationKind::kDelete, rng));
      return step;
    case StepKind::kDeleteRange:
      step.mutations.push_back(DrawMutation(MutationKind::kDeleteRange, rng));
      return step;
    case StepKind::kTxnCommit:
      DrawTransactionStep(&step, rng);
      if (step.kind == StepKind::kTxnCommit) return step;
      break;
    case StepKind::kTxnBegin:
    case StepKind::kTxnWrite:
    case StepKind::kTxnGet:
    case StepKind::kTxnScan:
    case StepKind::kTxnRollback:
      DrawTransactionStep(&step, rng);
      break;
    case StepKind::kBatch: {
      // Empty batches are legal; some are large enough to span blocks of the log.
      const uint64_t count = rng->OneIn(8) ? rng->Range(0, 30) : rng->Range(1, 5);
      DrawMutations(count, &step, rng);
      return step;
    }
    case StepKind::kIngest:
      for (uint64_t i = rng->OneIn(4) ? rng->Range(1, 30) : rng->Range(1, 6); i > 0; --i) {
        step.mutations.push_back(
            DrawMutation(rng->OneIn(4) ? MutationKind::kDelete : MutationKind::kPut, rng));
      }
      break;
    case StepKind::kGet:
      step.key = keys_.Target(rng);
      if (rng->OneIn(3)) step.snapshot = AnyOf(snapshots_, rng);
      break;
    case StepKind::kScan:
      step.forward = rng->OneIn(2);
      DrawRange(&step, rng);
      break;
    case StepKind::kIteratorOpen:
      step.slot = static_cast<int>(rng->Uniform(kMaxSlots));
      DrawRange(&step, rng);
      iterators_ |= 1u << step.slot;
      break;
    case StepKind::kIteratorWalk:
    case StepKind::kIteratorClose: {
      const int slot = AnyOf(iterators_, rng);
      if (slot < 0) {
        step.kind = StepKind::kIteratorOpen;
        DrawRange(&step, rng);
        iterators_ |= 1u << step.slot;
        break;
      }
      step.slot = slot;
      if (step.kind == StepKind::kIteratorWalk) {
        DrawMoves(&step, rng);
      } else {
        iterators_ &= ~(1u << slot);
      }
      break;
    }
    case StepKind::kSnapshotTake:
      step.slot = static_cast<int>(rng->Uniform(kMaxSlots));
      snapshots_ |= 1u << step.slot;
      break;
    case StepKind::kSnapshotCheck:
    case StepKind::kSnapshotRelease: {
      const int slot = AnyOf(snapshots_, rng);
      if (slot < 0) {
        step.kind = StepKind::kSnapshotTake;
        snapshots_ |= 1u << step.slot;
        break;
      }
      step.slot = slot;
      if (step.kind == StepKind::kSnapshotRelease) snapshots_ &= ~(1u << slot);
      break;
    }
    case StepKind::kProperty: {
      constexpr std::string_view kNames[] = {"levels",        "stats",    "reads",
                                             "last-sequence", "counters", "histogram.flush",
                                             "no-such-name"};
      step.name = kNames[rng->Uniform(std::size(kNames))];
      break;
    }
    case StepKind::kSleep:
      step.amount = rng->Range(1, 2'000'000);
      break;
    case StepKind::kWriteBack:
      step.amount = 1 + rng->Skewed(6);
      break;
    case StepKind::kCompactRange:
      if (rng->OneIn(2)) step.lower = {BoundKind::kInclusive, keys_.Target(rng)};
      if (rng->OneIn(2)) step.upper = {BoundKind::kInclusive, keys_.Target(rng)};
      break;
    default:
      break;
  }
  step.durability = Durability::kProcess;  // only writes have one; the text does not carry it
  return step;
}

// Clients that meet each other in their middles want one of them to stand still there.
void DrawScheduler(const Swarm& swarm, Rng rng, SchedulerSpec* spec) {
  constexpr uint32_t kStay[] = {0, 256, 512, 800, 960, 1008};
  spec->stay_per_1024 = kStay[rng.Uniform(std::size(kStay))];
  if (rng.OneIn(3)) spec->spurious_per_1024 = 32;
  if (rng.OneIn(3)) spec->micros_per_point = rng.Range(1, 50);
  if (rng.OneIn(swarm.tended ? 2 : 4)) {
    spec->strategy = kLaggingStrategy;
    spec->every = static_cast<uint32_t>(4 + rng.Skewed(5));
    spec->steps = uint64_t{256} << rng.Uniform(6);
  } else if (rng.OneIn(3)) {
    spec->strategy = kPctStrategy;
    spec->stay_per_1024 = SchedulerSpec().stay_per_1024;
    spec->depth = static_cast<uint32_t>(rng.Range(1, 5));
    spec->steps = 1 + rng.Skewed(10);
  }
}

}  // namespace

Plan GeneratePlan(uint64_t seed, const GeneratorOptions& options) {
  Plan plan;
  plan.seed = seed;
  Rng sources = Rng::Stream(seed, "sources");
  plan.scheduler.seed = sources.Next();
  plan.entropy_seed = sources.Next();
  plan.crash_seed = sources.Next();
  const auto profiles =
      options.broken_promises ? faultfs::ProfileNames() : faultfs::HonestProfileNames();
  const std::string_view drawn = profiles[sources.Uniform(profiles.size())];
  plan.profile = options.profile.empty() ? std::string(drawn) : options.profile;
  plan.powersafe_overwrite = faultfs::FindProfile(plan.profile)->powersafe_overwrite;

  const Swarm swarm = DrawSwarm(Rng::Stream(seed, "swarm"));
  DrawScheduler(swarm, Rng::Stream(seed, "scheduling"), &plan.scheduler);
  DrawKnobs(Rng::Stream(seed, "knobs"), &plan);
  DrawCompactionKnobs(Rng::Stream(seed, "compaction-knobs"), &plan);
  Rng workload_rng = Rng::Stream(seed, "workload");
  KeySpace keys(options.dataset,
                swarm.deep       ? KeyCount::kMany
                : swarm.few_keys ? KeyCount::kFew
                                 : KeyCount::kUsual,
                &workload_rng);
  if (swarm.local) keys.Partition(swarm.deep ? 16 : workload_rng.Range(2, 10));
  Rng busy = Rng::Stream(seed, "busy-tree");
  if (swarm.deep ? busy.OneIn(2) : swarm.local && !busy.OneIn(4)) DrawBusyTree(busy, &plan);
  Workload workload(swarm, keys);
  for (uint32_t i = 0; i < swarm.clients; ++i)
    plan.clients.push_back(workload.Client(&workload_rng));
  if (options.faults) {
    DrawFaults(Rng::Stream(seed, "faults"), &plan);
    AddTrouble(Rng::Stream(seed, "trouble"), &plan);
    AddSlowCalls(swarm, seed, &plan);
    if (options.broken_promises) AddDamage(Rng::Stream(seed, "damage"), &plan);
  }
  AddKernel(Rng::Stream(seed, "kernel"), &plan);
  AddCrashes(swarm.crashes, Rng::Stream(seed, "crashes"), &plan);
  return plan;
}

}  // namespace shearpin::sim
