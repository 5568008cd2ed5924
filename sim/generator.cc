#include "sim/generator.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "faultfs/fault_rule.h"
#include "faultfs/profile.h"
#include "sim/damage.h"
#include "sim/drawn_crashes.h"
#include "sim/key_space.h"
#include "sim/rng.h"
#include "sim/trouble.h"

namespace shearpin::sim {
namespace {

// Relative frequency of each step kind where the swarm leaves it in. Steps that wait for the disk
// or stop the world are rare, so that much happens between two of them.
constexpr std::array<uint32_t, kNumStepKinds> kStepWeights = {
    40,  // put
    14,  // delete
    12,  // batch
    14,  // get
    5,   // scan
    3,   // iterator-open
    8,   // iterator-walk
    2,   // iterator-close
    3,   // snapshot-take
    4,   // snapshot-check
    2,   // snapshot-release
    3,   // sync
    2,   // flush
    2,   // reopen
    1,   // verify
    1,   // property
    1,   // sleep
    0,   // capacity: see DrawFaults
    0,   // evict: see DrawFaults
    2,   // write-back
    1,   // compact-range
    1,   // checkpoint
    0,   // resume: see DrawFaults
    5,   // delete-range
    6,   // txn-begin
    14,  // txn-write
    10,  // txn-get
    6,   // txn-scan
    7,   // txn-commit
    1,   // txn-rollback
    3,   // ingest
    1,   // wait
    1,   // read-only
};

// Where faults strike.
constexpr std::string_view kFaultPaths[] = {"*", "*.wal", "*.sst", "*MANIFEST*", "*CURRENT*"};

struct Swarm {
  std::array<uint32_t, kNumStepKinds> steps{};
  std::array<uint32_t, 3> durabilities{};  // by model::Durability
  uint32_t clients = 1;
  uint64_t steps_per_client = 0;
  CrashSwarm crashes;
  bool deep = false;       // thousands of steps over many keys
  bool local = false;      // writes to one neighbourhood of keys after another
  bool contended = false;  // several clients at a few keys, with transactions
  bool tended = false;     // several clients, and much that is asked of the whole store
};

// One in so many runs is a deep one: such a run takes as long as thirty others.
constexpr uint64_t kDeepOdds = 80;

// Many more writes than anything else, since only they make a tree grow; and few images, since each
// takes as long as the state is large.
void Deepen(Swarm* swarm) {
  for (const StepKind kind : {StepKind::kReopen, StepKind::kVerify, StepKind::kCheckpoint,
                              StepKind::kCompactRange, StepKind::kReadOnly}) {
    if (swarm->steps[static_cast<size_t>(kind)] != 0) swarm->steps[static_cast<size_t>(kind)] = 1;
  }
  swarm->steps[static_cast<size_t>(StepKind::kPut)] = 160;
  swarm->steps[static_cast<size_t>(StepKind::kBatch)] = 40;
  if (swarm->steps[static_cast<size_t>(StepKind::kDeleteRange)] > 1) {
    swarm->steps[static_cast<size_t>(StepKind::kDeleteRange)] = 2;
  }
  swarm->crashes.most_siblings = 4;
}

// One in so many runs is contended: groups of writers with conflicts inside them.
constexpr uint64_t kContendedOdds = 16;

void Contend(Rng* rng, Swarm* swarm) {
  swarm->clients = static_cast<uint32_t>(rng->Range(3, 4));
  swarm->steps.fill(0);
  const auto weigh = [&](StepKind kind, uint32_t weight) {
    swarm->steps[static_cast<size_t>(kind)] = weight;
  };
  weigh(StepKind::kPut, 10);
  weigh(StepKind::kBatch, 4);
  weigh(StepKind::kDelete, rng->OneIn(2) ? 4 : 0);
  weigh(StepKind::kDeleteRange, rng->OneIn(2) ? 3 : 0);
  weigh(StepKind::kTxnBegin, 6);
  weigh(StepKind::kTxnGet, 8);
  weigh(StepKind::kTxnScan, 4);
  weigh(StepKind::kTxnWrite, 10);
  weigh(StepKind::kTxnCommit, 10);
  weigh(StepKind::kIngest, rng->OneIn(3) ? 2 : 0);
  weigh(StepKind::kGet, 2);
  const bool snapshots = rng->OneIn(2);
  weigh(StepKind::kSnapshotTake, snapshots ? 6 : 0);
  weigh(StepKind::kSnapshotCheck, snapshots ? 4 : 0);
  weigh(StepKind::kFlush, rng->OneIn(3) ? 1 : 0);
  swarm->durabilities = {0, 3, 5};
}

// One in so many runs is tended: several clients flush, merge, take tables in, copy, verify and
// read beside the writer all at once, so that each of these meets each other in its middle.
constexpr uint64_t kTendedOdds = 16;

void Tend(Rng* rng, Swarm* swarm) {
  swarm->clients = static_cast<uint32_t>(rng->Range(2, 4));
  swarm->steps.fill(0);
  const auto weigh = [&](StepKind kind, uint32_t weight) {
    swarm->steps[static_cast<size_t>(kind)] = weight;
  };
  weigh(StepKind::kPut, 16);
  weigh(StepKind::kBatch, 6);
  weigh(StepKind::kDelete, rng->OneIn(2) ? 4 : 0);
  weigh(StepKind::kDeleteRange, rng->OneIn(2) ? 3 : 0);
  weigh(StepKind::kGet, 6);
  weigh(StepKind::kScan, 4);
  weigh(StepKind::kSnapshotTake, rng->OneIn(2) ? 2 : 0);
  weigh(StepKind::kSnapshotCheck, 2);
  weigh(StepKind::kSnapshotRelease, 1);
  for (const StepKind kind :
       {StepKind::kFlush, StepKind::kCompactRange, StepKind::kIngest, StepKind::kSync}) {
    weigh(kind, rng->OneIn(4) ? 0 : 4);
  }
  for (const StepKind kind :
       {StepKind::kCheckpoint, StepKind::kWait, StepKind::kVerify, StepKind::kReadOnly}) {
    weigh(kind, rng->OneIn(2) ? 0 : 2);
  }
}

// One in so many other runs is local: small tables that meet at the bounds of neighbourhoods, leave
// gaps between them and are merged side by side.
constexpr uint64_t kLocalOdds = 6;

void Localise(Rng* rng, Swarm* swarm) {
  const auto weigh = [&](StepKind kind, uint32_t weight) {
    swarm->steps[static_cast<size_t>(kind)] = weight;
  };
  if (!rng->OneIn(3)) swarm->clients = static_cast<uint32_t>(rng->Range(2, 4));
  weigh(StepKind::kFlush, 10);
  weigh(StepKind::kDeleteRange, rng->OneIn(3) ? 0 : 10);
  weigh(StepKind::kCompactRange, rng->OneIn(3) ? 0 : 6);
  weigh(StepKind::kIngest, rng->OneIn(2) ? 8 : 0);
}

// In some runs a few steps are drawn much more often than usual: what needs many of them between
// two others.
void Favour(Rng* rng, Swarm* swarm) {
  constexpr uint32_t kTimes = 5;
  constexpr struct {
    StepKind first;
    StepKind last;
  } kFamilies[] = {
      {StepKind::kSnapshotTake, StepKind::kSnapshotRelease},
      {StepKind::kIteratorOpen, StepKind::kIteratorClose},
      {StepKind::kDelete, StepKind::kDelete},
      {StepKind::kDeleteRange, StepKind::kDeleteRange},
      {StepKind::kFlush, StepKind::kFlush},
      {StepKind::kCompactRange, StepKind::kCompactRange},
      {StepKind::kIngest, StepKind::kIngest},
  };
  const auto& family = kFamilies[rng->Uniform(std::size(kFamilies))];
  for (auto i = static_cast<size_t>(family.first); i <= static_cast<size_t>(family.last); ++i) {
    swarm->steps[i] = std::max(swarm->steps[i], kStepWeights[i]) * kTimes;
  }
}

Swarm DrawSwarm(Rng rng) {
  Swarm swarm;
  swarm.steps = kStepWeights;
  for (int i = 1; i < kNumStepKinds; ++i) {  // puts stay: without them nothing happens
    if (rng.OneIn(3)) swarm.steps[static_cast<size_t>(i)] = 0;
  }
  // Transactions come with all of their steps or not at all.
  if (rng.OneIn(2)) {
    for (int i = static_cast<int>(StepKind::kTxnBegin);
         i <= static_cast<int>(StepKind::kTxnRollback); ++i) {
      swarm.steps[static_cast<size_t>(i)] = 0;
    }
  }
  swarm.durabilities = {rng.OneIn(3) ? 2u : 0u, rng.OneIn(6) ? 0u : 4u,
                        static_cast<uint32_t>(rng.Range(1, 6))};
  // Half of the runs have one client: then the order of everything is known and the oracle sharp.
  swarm.clients = rng.OneIn(2) ? 1 : static_cast<uint32_t>(rng.Range(2, 4));
  // A few runs are long: deep trees, many rotations, writers that outrun merges.
  swarm.deep = rng.OneIn(kDeepOdds);
  const uint64_t steps = swarm.deep     ? rng.Range(1000, 4000)
                         : rng.OneIn(3) ? rng.Range(5, 30)
                                        : rng.Range(30, 160);
  swarm.steps_per_client = std::max<uint64_t>(3, steps / swarm.clients);
  swarm.crashes.crashes = rng.Range(1, 5);
  swarm.crashes.most_siblings = rng.Range(4, 24);
  swarm.crashes.process_odds = rng.OneIn(3) ? 0 : 3;
  swarm.crashes.nested_odds = rng.OneIn(2) ? 2 : 6;
  if (swarm.deep) Deepen(&swarm);
  swarm.local = swarm.deep && rng.OneIn(2);
  swarm.contended = !swarm.deep && rng.OneIn(kContendedOdds);
  if (swarm.contended) Contend(&rng, &swarm);
  swarm.tended = !swarm.deep && !swarm.contended && rng.OneIn(kTendedOdds);
  if (swarm.tended) Tend(&rng, &swarm);
  if (!swarm.deep && rng.OneIn(4)) Favour(&rng, &swarm);
  if (!swarm.deep && !swarm.contended && !swarm.tended && rng.OneIn(kLocalOdds)) {
    swarm.local = true;
    Localise(&rng, &swarm);
  }
  return swarm;
}

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

void DrawKnobs(Rng rng, Plan* plan) {
  const auto set = [&](std::string_view name, uint64_t value) {
    plan->options.emplace_back(name, value);
  };
  // Each knob stays at its default now and then: defaults are what people run.
  if (!rng.OneIn(6)) set("write_buffer_size", 1024 + rng.Skewed(15));
  if (!rng.OneIn(3)) set("max_write_buffers", rng.Range(2, 5));
  if (rng.OneIn(2)) set("wal_preallocate_size", rng.Range(0, 4) * 4096 + rng.Skewed(12));
  if (!rng.OneIn(4)) set("block_size", 64 + rng.Skewed(12));
  if (!rng.OneIn(4)) set("block_restart_interval", rng.Range(1, 20));
  if (!rng.OneIn(3)) set("manifest_rotate_size", rng.Range(256, 3000));
  if (rng.OneIn(3)) set("flush_on_close", 1);
  if (rng.OneIn(4)) set("transaction_history_bytes", rng.Range(1024, 4096));
  if (rng.OneIn(6)) set("background_write_rate", 1024 + rng.Skewed(20));
  if (!rng.OneIn(3)) set("compression", rng.Uniform(4));
  if (!rng.OneIn(3)) set("filter_bits_per_key", rng.OneIn(4) ? 0 : rng.Range(1, 20));
  if (!rng.OneIn(4)) set("block_cache_size", rng.OneIn(5) ? 0 : 1024 + rng.Skewed(16));
  if (rng.OneIn(3)) set("memory_budget", 4096 + rng.Skewed(16));
  if (rng.OneIn(4)) set("max_open_files", rng.Range(1, 4));
  if (rng.OneIn(6)) {
    set("verify_on_open", 1);
    set("max_file_opening_threads", rng.Range(1, 4));
  }
  if (rng.OneIn(4)) {
    set("info_log", 1);
    set("info_log_rotate_size", 1024 + rng.Skewed(12));
  }
  if (rng.OneIn(4)) set("enable_latency_histograms", 1);
  if (rng.OneIn(5)) set("compaction_filter", rng.Range(1, 3));
  if (rng.OneIn(4)) set("bottommost_compression", rng.Uniform(3));
}

// Levels of a few tables of a few blocks, so that a hundred writes reach the bottom.
void DrawCompactionKnobs(Rng rng, Plan* plan) {
  const auto set = [&](std::string_view name, uint64_t value) {
    plan->options.emplace_back(name, value);
  };
  const uint64_t style = rng.Weighted(std::array<uint32_t, 4>{6, 4, 3, 1});
  if (style != 0 || rng.OneIn(2)) set("compaction_style", style);
  if (!rng.OneIn(3)) set("max_compactions", rng.Range(1, 3));
  if (!rng.OneIn(8)) {
    const uint64_t trigger = rng.Range(1, 4);
    set("level0_compaction_trigger", trigger);
    if (!rng.OneIn(3)) {
      const uint64_t slowdown = trigger + rng.Range(0, 4);
      set("level0_slowdown_trigger", slowdown);
      set("level0_stop_trigger", slowdown + rng.Range(1, 6));
    }
  }
  if (rng.OneIn(4)) {
    const uint64_t soft = rng.Skewed(16);
    set("soft_pending_compaction_bytes", soft);
    set("hard_pending_compaction_bytes", soft + 1 + rng.Skewed(16));
  }
  if (rng.OneIn(3)) set("delayed_write_rate", 1024 + rng.Skewed(20));
  if (!rng.OneIn(6)) set("target_table_size", 1024 + rng.Skewed(12));
  if (!rng.OneIn(6)) set("base_level_size", 1024 + rng.Skewed(14));
  if (!rng.OneIn(3)) set("level_size_multiplier", rng.Range(2, 6));
  if (rng.OneIn(2)) set("tiered_size_ratio_percent", rng.Skewed(8));
  if (rng.OneIn(2)) set("tiered_min_merge_width", rng.Range(2, 5));
  if (rng.OneIn(2)) set("tiered_max_space_amplification_percent", 1 + rng.Skewed(9));
  if (rng.OneIn(2)) set("simple_size_ratio_percent", 1 + rng.Skewed(9));
  if (rng.OneIn(2)) set("simple_levels", rng.Range(1, 6));
}

void SetOption(std::string_view name, uint64_t value, Plan* plan) {
  for (auto& [option, current] : plan->options) {
    if (option == name) {
      current = value;
      return;
    }
  }
  plan->options.emplace_back(name, value);
}

// Half of the deep and most local runs: many small tables, levels of one or two, merges side by
// side. Tables come and go in the gaps between the inputs of merges at work.
void DrawBusyTree(Rng rng, Plan* plan) {
  SetOption("write_buffer_size", rng.Range(1024, 4096), plan);
  SetOption("max_compactions", rng.Range(2, 4), plan);
  uint64_t highest = 3;  // not above the slowdown that was drawn
  for (const auto& [option, value] : plan->options) {
    if (option == "level0_slowdown_trigger") highest = std::min(highest, value);
  }
  SetOption("level0_compaction_trigger", rng.OneIn(2) ? 1 : rng.Range(1, highest), plan);
  SetOption("target_table_size", 1024, plan);
  SetOption("base_level_size", rng.Range(1024, 3000), plan);
  SetOption("level_size_multiplier", rng.Range(2, 3), plan);
  SetOption("compaction_style", 0, plan);
}

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

  Rng scheduling = Rng::Stream(seed, "scheduling");
  constexpr uint32_t kStay[] = {0, 256, 512, 800, 960, 1008};
  plan.scheduler.stay_per_1024 = kStay[scheduling.Uniform(std::size(kStay))];
  if (scheduling.OneIn(3)) plan.scheduler.spurious_per_1024 = 32;
  if (scheduling.OneIn(3)) plan.scheduler.micros_per_point = scheduling.Range(1, 50);
  if (scheduling.OneIn(4)) {
    plan.scheduler.strategy = kLaggingStrategy;
    plan.scheduler.every = static_cast<uint32_t>(4 + scheduling.Skewed(5));
    plan.scheduler.steps = uint64_t{256} << scheduling.Uniform(6);
  } else if (scheduling.OneIn(3)) {
    plan.scheduler.strategy = kPctStrategy;
    plan.scheduler.stay_per_1024 = SchedulerSpec().stay_per_1024;
    plan.scheduler.depth = static_cast<uint32_t>(scheduling.Range(1, 5));
    plan.scheduler.steps = 1 + scheduling.Skewed(10);
  }

  const Swarm swarm = DrawSwarm(Rng::Stream(seed, "swarm"));
  DrawKnobs(Rng::Stream(seed, "knobs"), &plan);
  DrawCompactionKnobs(Rng::Stream(seed, "compaction-knobs"), &plan);
  Rng workload_rng = Rng::Stream(seed, "workload");
  KeySpace keys(options.dataset,
                swarm.deep        ? KeyCount::kMany
                : swarm.contended ? KeyCount::kFew
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
    if (swarm.contended) {
      // Leaders that take long make groups.
      plan.faults.push_back("ops=append,sync path=*.wal skip=0 times=always effect=latency:" +
                            std::to_string(Rng::Stream(seed, "slow-log").Range(1, 5000)));
    }
    if (swarm.tended && plan.scheduler.seed % 2 == 0) {
      // What changes the set of tables takes long, and so does what looks at it.
      const uint64_t micros = Rng::Stream(seed, "slow-edits").Range(1, 5000);
      for (const char* calls : {"ops=append,sync path=*MANIFEST*", "ops=read path=/db/*.sst"}) {
        plan.faults.push_back(std::string(calls) +
                              " skip=0 times=always effect=latency:" + std::to_string(micros));
      }
    }
    if (swarm.deep ? plan.scheduler.seed % 2 == 0 : swarm.local) {
      // Merges that take long are overtaken by others.
      plan.faults.push_back("ops=append path=/db/*.sst skip=0 times=always effect=latency:" +
                            std::to_string(Rng::Stream(seed, "slow-tables").Range(1, 5000)));
    }
    if (options.broken_promises) AddDamage(Rng::Stream(seed, "damage"), &plan);
  }
  AddKernel(Rng::Stream(seed, "kernel"), &plan);
  AddCrashes(swarm.crashes, Rng::Stream(seed, "crashes"), &plan);
  return plan;
}

}  // namespace shearpin::sim
