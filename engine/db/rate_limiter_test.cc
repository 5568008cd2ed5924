// Goal: merges keep to the rate, flushes do not wait but are paid for by merges, a pause fills the
// bucket only so far. What a database makes of it: background_rate_test.cc.
// Method: a scheduler whose clock only sleeping moves.
#include "engine/db/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>

#include "engine/env/scheduler.h"

namespace shearpin {
namespace {

class SleepingScheduler : public Scheduler {
 public:
  std::unique_ptr<ThreadHandle> Spawn(std::string_view, std::function<void()>) override {
    return nullptr;
  }
  void SleepUntil(uint64_t deadline) override { now = std::max(now, deadline); }
  void Yield(const char*) override {}
  uint64_t NowMicros() override { return now; }
  void MutexInit(LockRep*) override {}
  void MutexDestroy(LockRep*) override {}
  void MutexLock(LockRep*) override {}
  bool MutexTryLock(LockRep*) override { return true; }
  void MutexUnlock(LockRep*) override {}
  void CondInit(LockRep*) override {}
  void CondDestroy(LockRep*) override {}
  void CondWait(LockRep*, LockRep*) override {}
  bool CondWaitUntil(LockRep*, LockRep*, uint64_t) override { return false; }
  void CondNotifyOne(LockRep*) override {}
  void CondNotifyAll(LockRep*) override {}

  uint64_t now = 10'000'000;
};

TEST(RateLimiter, MergesKeepToTheRate) {
  SleepingScheduler scheduler;
  RateLimiter limiter(&scheduler, 1 << 20);
  const uint64_t begin = scheduler.now;
  for (int i = 0; i < 256 * 10; ++i) limiter.TakeAndWait(4096);
  // 10 MiB at 1 MiB/s, less what was in the bucket, give or take the rounding of each call.
  EXPECT_NEAR(static_cast<double>(scheduler.now - begin), 10e6 - 100e3, 10e3);
}

TEST(RateLimiter, FlushesDoNotWaitAndMergesPayForThemUpToTheDepth) {
  SleepingScheduler scheduler;
  RateLimiter limiter(&scheduler, 1 << 20);
  const uint64_t begin = scheduler.now;
  for (int i = 0; i < 1000; ++i) limiter.Take(4096);
  EXPECT_EQ(scheduler.now, begin);
  limiter.TakeAndWait(1);
  EXPECT_EQ(scheduler.now, begin + RateLimiter::kDepthMicros);
}

TEST(RateLimiter, APauseFillsTheBucketOnlySoFar) {
  SleepingScheduler scheduler;
  RateLimiter limiter(&scheduler, 1 << 20);
  limiter.TakeAndWait(1 << 20);
  scheduler.now += 60'000'000;
  const uint64_t begin = scheduler.now;
  limiter.TakeAndWait(1 << 20);
  EXPECT_EQ(scheduler.now, begin + 1'000'000 - RateLimiter::kDepthMicros);
}

TEST(RateLimiter, WithoutALimitNothingWaits) {
  SleepingScheduler scheduler;
  RateLimiter limiter(&scheduler, 0);
  const uint64_t begin = scheduler.now;
  limiter.TakeAndWait(uint64_t{1} << 40);
  EXPECT_EQ(scheduler.now, begin);
}

}  // namespace
}  // namespace shearpin
