// RateLimiter: a token bucket for bytes that background work writes.
//
// Thread safety: all methods from many threads at once. Ownership: borrows the scheduler, whose
// clock it goes by.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "engine/env/scheduler.h"

namespace shearpin {

class RateLimiter {
 public:
  // How much time the bucket holds: so much may be written at once after a pause, and no debt is
  // larger.
  static constexpr uint64_t kDepthMicros = 100 * 1000;

  // Bytes a second; 0: without limit.
  RateLimiter(Scheduler* scheduler, uint64_t rate)
      : scheduler_(scheduler), rate_(rate), mutex_(scheduler) {}

  // For a flush, on which writers wait: takes the bytes, into debt if need be, and does not wait.
  void Take(uint64_t bytes) { Reserve(bytes); }

  // For a merge: waits until there are so many bytes.
  void TakeAndWait(uint64_t bytes) {
    const uint64_t deadline = Reserve(bytes);
    if (deadline > scheduler_->NowMicros()) scheduler_->SleepUntil(deadline);
  }

 private:
  // When the bytes are paid for.
  uint64_t Reserve(uint64_t bytes) {
    if (rate_ == 0) return 0;
    const std::lock_guard lock(mutex_);
    const uint64_t now = scheduler_->NowMicros();
    const uint64_t full = now > kDepthMicros ? now - kDepthMicros : 0;
    paid_until_ = std::max(paid_until_, full) + bytes * 1000000 / rate_;
    paid_until_ = std::min(paid_until_, now + std::max(kDepthMicros, bytes * 1000000 / rate_));
    return paid_until_;
  }

  Scheduler* const scheduler_;
  const uint64_t rate_;
  Mutex mutex_;
  uint64_t paid_until_ = 0;  // guarded by mutex_
};

}  // namespace shearpin
