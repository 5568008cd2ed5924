// Threads, locks and sleeping by the standard library. The standard objects live inside the
// LockRep, so a Mutex costs what a std::mutex costs plus one virtual call.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include "engine/base/check.h"
#include "engine/env/clock.h"
#include "engine/env/scheduler.h"

namespace shearpin {
namespace {

static_assert(sizeof(std::mutex) <= sizeof(LockRep) && alignof(std::mutex) <= alignof(LockRep));
static_assert(sizeof(std::condition_variable) <= sizeof(LockRep) &&
              alignof(std::condition_variable) <= alignof(LockRep));

using SteadyTime = std::chrono::steady_clock::time_point;

std::mutex& MutexOf(LockRep* rep) {
  return *std::launder(reinterpret_cast<std::mutex*>(rep->bytes));
}

std::condition_variable& CondOf(LockRep* rep) {
  return *std::launder(reinterpret_cast<std::condition_variable*>(rep->bytes));
}

// The steady clock counts nanoseconds in 63 bits, so a deadline that means "never" would wrap into
// the past: 250 years is never.
SteadyTime TimeOf(uint64_t deadline_micros) {
  constexpr uint64_t kNever = 250ull * 365 * 24 * 3600 * 1000000;
  return SteadyTime(std::chrono::microseconds(std::min(deadline_micros, kNever)));
}

class RealThread final : public Scheduler::ThreadHandle {
 public:
  RealThread(std::string_view name, std::function<void()> body)
      : thread_([name = std::string(name.substr(0, 15)), body = std::move(body)] {
          pthread_setname_np(pthread_self(), name.c_str());
          body();
        }) {}
  ~RealThread() override {
    SHEARPIN_CHECK(!thread_.joinable(), "a thread was destroyed before Join");
  }
  void Join() override { thread_.join(); }

 private:
  std::thread thread_;
};

class RealSchedulerImpl final : public Scheduler {
 public:
  std::unique_ptr<ThreadHandle> Spawn(std::string_view name, std::function<void()> body) override {
    return std::make_unique<RealThread>(name, std::move(body));
  }
  void SleepUntil(uint64_t deadline_micros) override {
    std::this_thread::sleep_until(TimeOf(deadline_micros));
  }
  void Yield(const char*) override {}
  uint32_t ProcessorHint() override {
    const int processor = sched_getcpu();
    return processor < 0 ? 0 : static_cast<uint32_t>(processor);
  }
  uint64_t NowMicros() override { return RealClock()->NowMicros(); }

  void MutexInit(LockRep* mutex) override { new (mutex->bytes) std::mutex; }
  void MutexDestroy(LockRep* mutex) override { MutexOf(mutex).~mutex(); }
  void MutexLock(LockRep* mutex) override { MutexOf(mutex).lock(); }
  bool MutexTryLock(LockRep* mutex) override { return MutexOf(mutex).try_lock(); }
  void MutexUnlock(LockRep* mutex) override { MutexOf(mutex).unlock(); }

  void CondInit(LockRep* cond) override { new (cond->bytes) std::condition_variable; }
  void CondDestroy(LockRep* cond) override { CondOf(cond).~condition_variable(); }
  void CondWait(LockRep* cond, LockRep* mutex) override {
    std::unique_lock<std::mutex> lock(MutexOf(mutex), std::adopt_lock);
    CondOf(cond).wait(lock);
    lock.release();
  }
  bool CondWaitUntil(LockRep* cond, LockRep* mutex, uint64_t deadline_micros) override {
    std::unique_lock<std::mutex> lock(MutexOf(mutex), std::adopt_lock);
    const std::cv_status status = CondOf(cond).wait_until(lock, TimeOf(deadline_micros));
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void CondNotifyOne(LockRep* cond) override { CondOf(cond).notify_one(); }
  void CondNotifyAll(LockRep* cond) override { CondOf(cond).notify_all(); }
};

}  // namespace

Scheduler* RealScheduler() {
  static Scheduler* const scheduler = new RealSchedulerImpl;
  return scheduler;
}

}  // namespace shearpin
