// Goal: the production scheduler, clock and entropy keep their interfaces' promises on real
// threads. Method: contended counters and hand-offs that lose updates or hang if a lock or a
// notification does not work; run under ThreadSanitizer as well. Times are checked from below only
// (a busy machine may be late, never early).
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/env/env.h"

namespace shearpin {
namespace {

using Threads = std::vector<std::unique_ptr<Scheduler::ThreadHandle>>;

TEST(RealSchedulerTest, MutexExcludes) {
  Scheduler* const scheduler = RealScheduler();
  Mutex mutex(scheduler);
  uint64_t counter = 0;
  Threads threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(scheduler->Spawn("adder", [&] {
      for (int i = 0; i < 20000; ++i) {
        std::lock_guard<Mutex> guard(mutex);
        ++counter;
      }
    }));
  }
  for (auto& thread : threads) thread->Join();
  EXPECT_EQ(counter, 80000u);
}

TEST(RealSchedulerTest, TryLockFailsWhileAnotherThreadHolds) {
  Scheduler* const scheduler = RealScheduler();
  Mutex mutex(scheduler);
  mutex.lock();
  bool taken = true;
  scheduler->Spawn("trier", [&] { taken = mutex.try_lock(); })->Join();
  EXPECT_FALSE(taken);
  mutex.unlock();
  ASSERT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(RealSchedulerTest, CondVarHandsOverEveryItem) {
  Scheduler* const scheduler = RealScheduler();
  Mutex mutex(scheduler);
  CondVar changed(&mutex);
  std::deque<int> queue;
  constexpr int kItems = 5000;
  int64_t sum = 0;
  auto consumer = scheduler->Spawn("consumer", [&] {
    for (int i = 0; i < kItems; ++i) {
      std::lock_guard<Mutex> guard(mutex);
      while (queue.empty()) changed.Wait();
      sum += queue.front();
      queue.pop_front();
      changed.NotifyAll();
    }
  });
  for (int i = 0; i < kItems; ++i) {
    std::lock_guard<Mutex> guard(mutex);
    while (queue.size() >= 3) changed.Wait();
    queue.push_back(i);
    changed.NotifyOne();
  }
  consumer->Join();
  EXPECT_EQ(sum, int64_t{kItems} * (kItems - 1) / 2);
}

TEST(RealSchedulerTest, TimedWaitTimesOutAndKeepsTheLock) {
  Scheduler* const scheduler = RealScheduler();
  Mutex mutex(scheduler);
  CondVar never(&mutex);
  std::lock_guard<Mutex> guard(mutex);
  const uint64_t deadline = scheduler->NowMicros() + 20000;
  while (never.WaitUntil(deadline)) {
  }
  EXPECT_GE(scheduler->NowMicros(), deadline);
  EXPECT_FALSE(never.WaitUntil(0)) << "a deadline long past";
  bool taken = true;
  scheduler->Spawn("trier", [&] { taken = mutex.try_lock(); })->Join();
  EXPECT_FALSE(taken) << "the lock was lost in the wait";
}

TEST(RealSchedulerTest, DeadlineOfNeverWaitsForTheNotification) {
  Scheduler* const scheduler = RealScheduler();
  Mutex mutex(scheduler);
  CondVar changed(&mutex);
  bool ready = false;
  auto notifier = scheduler->Spawn("notifier", [&] {
    scheduler->SleepUntil(scheduler->NowMicros() + 5000);
    std::lock_guard<Mutex> guard(mutex);
    ready = true;
    changed.NotifyOne();
  });
  bool timed_out = false;
  {
    std::lock_guard<Mutex> guard(mutex);
    while (!ready && !timed_out) timed_out = !changed.WaitUntil(UINT64_MAX);
  }
  EXPECT_FALSE(timed_out);
  notifier->Join();
}

TEST(RealSchedulerTest, SleepIsNotShorterThanAsked) {
  Scheduler* const scheduler = RealScheduler();
  const uint64_t deadline = scheduler->NowMicros() + 3000;
  scheduler->SleepUntil(deadline);
  EXPECT_GE(scheduler->NowMicros(), deadline);
  scheduler->SleepUntil(0);
}

TEST(RealSchedulerTest, JoinSeesWhatTheThreadWroteAndItsName) {
  Scheduler* const scheduler = RealScheduler();
  std::string name;
  scheduler
      ->Spawn("a name of more than fifteen bytes",
              [&] {
                char buffer[32] = {};
                pthread_getname_np(pthread_self(), buffer, sizeof(buffer));
                name = buffer;
              })
      ->Join();
  EXPECT_EQ(name, "a name of more ");
}

TEST(RealSchedulerDeathTest, DestroyingAnUnjoinedThreadIsACheck) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(RealScheduler()->Spawn("lost", [] {}).reset(), "before Join");
}

TEST(RealClockTest, MonotonicAndInMicroseconds) {
  Clock* const clock = RealClock();
  uint64_t last = clock->NowMicros();
  for (int i = 0; i < 1000; ++i) {
    const uint64_t now = clock->NowMicros();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(clock->WallMicros(), 1'600'000'000'000'000u) << "September 2020";
  EXPECT_LT(clock->WallMicros(), 16'000'000'000'000'000u) << "the year 2477";
}

TEST(RealEntropyTest, DoesNotRepeat) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(RealEntropy()->Next());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(RealEnvTest, DefaultsToTheMachineItself) {
  const Env env;
  EXPECT_EQ(env.file_system, PosixFileSystem());
  EXPECT_EQ(env.clock, RealClock());
  EXPECT_EQ(env.scheduler, RealScheduler());
  EXPECT_EQ(env.entropy, RealEntropy());
}

}  // namespace
}  // namespace shearpin
