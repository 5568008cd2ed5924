#include "sim/swarm.h"

#include <algorithm>

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
  swarm->few_keys = true;
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
  swarm->few_keys = rng->OneIn(2);
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

}  // namespace

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

}  // namespace shearpin::sim
