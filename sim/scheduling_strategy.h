// SchedulingStrategy: who runs next. The deterministic scheduler asks, the strategy answers, and
// there is no other source of interleaving; so a strategy that replays recorded answers replays a
// run, and one that keeps priorities (PCT) needs no change of the scheduler.
//
// Thread safety: none; called by one fiber at a time. It must not call the scheduler.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/rng.h"

namespace shearpin::sim {

// Numbered in the order of spawning, from 0 (the main fiber), and never used again.
using FiberId = uint32_t;
inline constexpr FiberId kNoFiber = UINT32_MAX;

struct SchedulingPoint {
  // The fiber that came to the point: kNoFiber if it cannot go on (it blocked or ended).
  FiberId current;
  // Who can go on, by id, the current fiber included; two or more.
  std::span<const FiberId> runnable;
  // Where, as a string literal: "lock", "spawn", or what Point and Yield were given.
  const char* tag;
};

class SchedulingStrategy {
 public:
  virtual ~SchedulingStrategy() = default;

  // A new fiber, before it can run. Where PCT draws its priority.
  virtual void OnSpawn(FiberId, std::string_view /*name*/) {}

  // One of `point.runnable`. Not asked where there is only one.
  virtual FiberId PickNext(const SchedulingPoint& point) = 0;

  // Which of the waiters, longest wait first, NotifyOne wakes: an index. Two or more. The standard
  // promises no order.
  virtual size_t PickWaiter(std::span<const FiberId> waiters) = 0;

  // Whether this wait returns without a notification, which the interface allows.
  virtual bool WakeSpuriously(FiberId waiter) = 0;
};

// Goes on with the current fiber at a fixed chance, else picks uniformly among all who can run.
class RandomWalk final : public SchedulingStrategy {
 public:
  struct Options {
    // Of 1024 points, at how many the current fiber goes on undisturbed. High values give long
    // stretches and cheap runs, low ones many switches; draw it per seed.
    uint32_t stay_per_1024 = 512;
    // Of 1024 waits, how many wake spuriously.
    uint32_t spurious_per_1024 = 0;
  };

  RandomWalk(Rng rng, Options options) : rng_(rng), options_(options) {}

  FiberId PickNext(const SchedulingPoint& point) override {
    const bool stay = rng_.Next() >> 54 < options_.stay_per_1024;
    if (stay && point.current != kNoFiber) return point.current;
    return point.runnable[rng_.Uniform(point.runnable.size())];
  }
  size_t PickWaiter(std::span<const FiberId> waiters) override {
    return rng_.Uniform(waiters.size());
  }
  bool WakeSpuriously(FiberId) override { return rng_.Next() >> 54 < options_.spurious_per_1024; }

 private:
  Rng rng_;
  const Options options_;
};

}  // namespace shearpin::sim
