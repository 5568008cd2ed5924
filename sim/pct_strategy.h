// PctStrategy: probabilistic concurrency testing. Source: Burckhardt, Kothari, Musuvathi,
// Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS
// 2010.
//
// Each fiber has a random priority, and of those that can run the highest always runs. At d - 1
// *change points*, steps drawn uniformly from the k that the run is estimated to take, whoever
// would run falls below all others. So a bug that needs d orderings between events of n fibers
// is found with a chance of at least 1 / (n * k^(d-1)), however long the stretches are that those
// orderings ask for; a random walk has a chance that falls exponentially with their length.
//
// A step is a question of the scheduler: a point at which two or more can run. Which waiter is
// notified is drawn uniformly, spurious wake-ups as in a random walk.
//
// A strict priority starves whoever polls for another's work. So a fiber that was picked
// kFairSteps times without a break falls below all others too; no engine code polls, and this is
// never reached where it does not.
//
// Thread safety: none; one scheduler's.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "sim/rng.h"
#include "sim/scheduling_strategy.h"

namespace shearpin::sim {

class PctStrategy final : public SchedulingStrategy {
 public:
  struct Options {
    uint32_t depth = 2;    // d, at least 1: with 1, priorities never change
    uint64_t steps = 256;  // k, at least 1
    uint32_t spurious_per_1024 = 0;
  };
  static constexpr uint64_t kFairSteps = 100'000;

  PctStrategy(Rng rng, Options options);

  void OnSpawn(FiberId fiber, std::string_view name) override;
  FiberId PickNext(const SchedulingPoint& point) override;
  size_t PickWaiter(std::span<const FiberId> waiters) override {
    return rng_.Uniform(waiters.size());
  }
  bool WakeSpuriously(FiberId) override { return rng_.Next() >> 54 < spurious_per_1024_; }

  // Questions so far: the estimate for a run of the same kind.
  uint64_t steps() const { return steps_; }

 private:
  uint64_t& PriorityOf(FiberId fiber);
  FiberId Highest(const SchedulingPoint& point);

  Rng rng_;
  const uint32_t spurious_per_1024_;
  // Steps, in order, and the priority that whoever runs then falls to.
  std::vector<std::pair<uint64_t, uint64_t>> changes_;
  size_t next_change_ = 0;
  std::map<FiberId, uint64_t> priorities_;
  uint64_t lowest_;  // below all given so far
  uint64_t steps_ = 0;
  FiberId last_ = kNoFiber;
  uint64_t streak_ = 0;
};

}  // namespace shearpin::sim
