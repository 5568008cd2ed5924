// PhasedWalk: a random walk that starts afresh at each phase of a run, so that one recovery more
// or less (a shrinker leaves out siblings) does not shift the schedule of what comes after.
//
// Thread safety: none; one scheduler's.
#pragma once

#include <optional>
#include <span>

#include "sim/plan.h"
#include "sim/scheduling_strategy.h"

namespace shearpin::sim {

class PhasedWalk final : public SchedulingStrategy {
 public:
  explicit PhasedWalk(const SchedulerSpec& spec)
      : seed_(spec.seed),
        options_{.stay_per_1024 = spec.stay_per_1024, .spurious_per_1024 = spec.spurious_per_1024} {
    Begin("run", 0);
  }

  // `name` and `number` tell this phase from all others.
  void Begin(std::string_view name, uint64_t number) {
    walk_.emplace(Rng::Stream(seed_, name, number), options_);
  }

  FiberId PickNext(const SchedulingPoint& point) override { return walk_->PickNext(point); }
  size_t PickWaiter(std::span<const FiberId> waiters) override {
    return walk_->PickWaiter(waiters);
  }
  bool WakeSpuriously(FiberId waiter) override { return walk_->WakeSpuriously(waiter); }

 private:
  const uint64_t seed_;
  const RandomWalk::Options options_;
  std::optional<RandomWalk> walk_;
};

}  // namespace shearpin::sim
