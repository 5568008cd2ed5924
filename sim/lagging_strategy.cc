#include "sim/lagging_strategy.h"

#include <algorithm>

#include "engine/base/check.h"

namespace shearpin::sim {

LaggingStrategy::LaggingStrategy(Rng rng, Options options) : rng_(rng), options_(options) {
  SHEARPIN_CHECK(options.every > 0 && options.steps > 0, "lags need a frequency and a length");
}

uint64_t LaggingStrategy::DrawLag() {
  constexpr uint64_t kMagnitudes = 6;
  return 1 + rng_.Uniform(std::max<uint64_t>(1, options_.steps >> rng_.Uniform(kMagnitudes)));
}

FiberId LaggingStrategy::PickNext(const SchedulingPoint& point) {
  ++now_;
  if (point.current != kNoFiber && rng_.OneIn(options_.every)) {
    lags_until_[point.current] = now_ + DrawLag();
  }
  keeping_up_.clear();
  FiberId first_back = kNoFiber;
  uint64_t earliest = UINT64_MAX;
  for (const FiberId fiber : point.runnable) {
    const auto lag = lags_until_.find(fiber);
    if (lag == lags_until_.end() || lag->second <= now_) {
      keeping_up_.push_back(fiber);
    } else if (lag->second < earliest) {
      earliest = lag->second;
      first_back = fiber;
    }
  }
  if (keeping_up_.empty()) {
    lags_until_.erase(first_back);
    return first_back;
  }
  const bool stay = rng_.Next() >> 54 < options_.stay_per_1024;
  const bool may_stay =
      std::find(keeping_up_.begin(), keeping_up_.end(), point.current) != keeping_up_.end();
  if (stay && may_stay) return point.current;
  return keeping_up_[rng_.Uniform(keeping_up_.size())];
}

}  // namespace shearpin::sim
