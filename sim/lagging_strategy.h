// LaggingStrategy: a random walk in which fibers fall behind. Now and then whoever runs *lags*: it
// is picked again only after some number of steps, or where nobody but laggards can run. What a
// thread was just about to do then meets a world in which the others did a great deal meanwhile.
// Akin to delay bounding (Emmi, Qadeer, Rakamaric, "Delay-Bounded Scheduling", POPL 2011), with
// delays that have a length.
//
// PCT does the same at a handful of points of a run; this at every `every`-th one, which finds a
// window of one point that a run passes through a few times only.
//
// A step is a question of the scheduler. How long a lag lasts is drawn from 1 to `steps`, each
// order of magnitude alike, so that some fibers run on while others still lag.
//
// Thread safety: none; one scheduler's.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "sim/rng.h"
#include "sim/scheduling_strategy.h"

namespace shearpin::sim {

class LaggingStrategy final : public SchedulingStrategy {
 public:
  struct Options {
    uint32_t stay_per_1024 = 512;  // of those that do not lag, as in a random walk
    uint32_t every = 32;           // one in so many steps makes its fiber lag; at least 1
    uint64_t steps = 256;          // the longest lag; at least 1
    uint32_t spurious_per_1024 = 0;
  };

  LaggingStrategy(Rng rng, Options options);

  FiberId PickNext(const SchedulingPoint& point) override;
  size_t PickWaiter(std::span<const FiberId> waiters) override {
    return rng_.Uniform(waiters.size());
  }
  bool WakeSpuriously(FiberId) override { return rng_.Next() >> 54 < options_.spurious_per_1024; }

 private:
  uint64_t DrawLag();

  Rng rng_;
  const Options options_;
  std::map<FiberId, uint64_t> lags_until_;  // the step at which it keeps up again
  std::vector<FiberId> keeping_up_;         // of one question
  uint64_t now_ = 0;                        // steps
};

}  // namespace shearpin::sim
