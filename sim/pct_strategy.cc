#include "sim/pct_strategy.h"

#include <algorithm>

#include "engine/base/check.h"

namespace shearpin::sim {
namespace {

// Priorities: first come the random ones, which have the top bit; below them those of change
// points; below all, in falling order, those of fibers that would not let go.
constexpr uint64_t kRandom = uint64_t{1} << 63;
constexpr uint64_t kChanged = uint64_t{1} << 62;

}  // namespace

PctStrategy::PctStrategy(Rng rng, Options options)
    : rng_(rng), spurious_per_1024_(options.spurious_per_1024), lowest_(kChanged) {
  SHEARPIN_CHECK(options.depth > 0 && options.steps > 0, "PCT needs a depth and a length");
  for (uint32_t i = 1; i < options.depth; ++i) {
    changes_.emplace_back(rng_.Uniform(options.steps), kChanged + i);
  }
  std::sort(changes_.begin(), changes_.end());
}

void PctStrategy::OnSpawn(FiberId fiber, std::string_view) { PriorityOf(fiber); }

uint64_t& PctStrategy::PriorityOf(FiberId fiber) {
  const auto [at, is_new] = priorities_.try_emplace(fiber, 0);
  if (is_new) at->second = kRandom | rng_.Next();
  return at->second;
}

// Equal priorities: the older fiber, which comes first.
FiberId PctStrategy::Highest(const SchedulingPoint& point) {
  FiberId best = kNoFiber;
  uint64_t highest = 0;
  for (const FiberId fiber : point.runnable) {
    const uint64_t priority = PriorityOf(fiber);
    if (best != kNoFiber && priority <= highest) continue;
    best = fiber;
    highest = priority;
  }
  return best;
}

FiberId PctStrategy::PickNext(const SchedulingPoint& point) {
  const uint64_t step = steps_++;
  FiberId picked = Highest(point);
  for (; next_change_ < changes_.size() && changes_[next_change_].first == step; ++next_change_) {
    PriorityOf(picked) = changes_[next_change_].second;
    picked = Highest(point);
  }
  streak_ = picked == last_ ? streak_ + 1 : 0;
  last_ = picked;
  if (streak_ < kFairSteps) return picked;
  streak_ = 0;
  PriorityOf(picked) = --lowest_;
  return Highest(point);
}

}  // namespace shearpin::sim
