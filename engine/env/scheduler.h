// Scheduler: threads, locks, condition variables and sleeping behind one interface.
//
// In production these are the standard ones (RealScheduler). In simulation every thread is a
// fiber on one OS thread and each call here is a scheduling point at which a seed decides who
// runs next. Engine code uses Thread, Mutex, MutexLock and CondVar below and never the standard
// library's (the tidy test enforces it), so the code that is simulated is the code that ships.
//
// Thread safety: a Scheduler may be used from all of its threads at once.
// Ownership: the Scheduler outlives every Thread, Mutex and CondVar made with it.
// Cost: a lock is one virtual call around the standard lock (see docs in sim/README.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace shearpin {

// Storage for an implementation's own lock. Large enough for pthread's mutex and condition
// variable; the implementation constructs what it wants inside (MutexInit, CondInit).
struct alignas(16) LockRep {
  std::byte bytes[64];
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // A running thread; Join() waits for it to end and must be called before destruction.
  class ThreadHandle {
   public:
    virtual ~ThreadHandle() = default;
    virtual void Join() = 0;
  };

  // Starts `body` on a new thread. `name` shows in reports and debuggers (15 bytes are kept).
  virtual std::unique_ptr<ThreadHandle> Spawn(std::string_view name,
                                              std::function<void()> body) = 0;

  // Sleeps until the Clock's NowMicros() reaches `deadline_micros`.
  virtual void SleepUntil(uint64_t deadline_micros) = 0;

  // Nothing in production, a scheduling point in simulation: put it around lock-free
  // publication. `tag` is a string literal that names the place in traces.
  virtual void Yield(const char* tag) = 0;

  // Near which processor the caller runs, or 0: tells threads where to spread over shared memory so
  // that they seldom meet. Nothing that shows outside may depend on it.
  virtual uint32_t ProcessorHint() { return 0; }

  // Current time on the clock that deadlines below are measured with (microseconds).
  virtual uint64_t NowMicros() = 0;

  // The lock operations. Locks are not recursive.
  virtual void MutexInit(LockRep* mutex) = 0;
  virtual void MutexDestroy(LockRep* mutex) = 0;
  virtual void MutexLock(LockRep* mutex) = 0;
  virtual bool MutexTryLock(LockRep* mutex) = 0;
  virtual void MutexUnlock(LockRep* mutex) = 0;

  virtual void CondInit(LockRep* cond) = 0;
  virtual void CondDestroy(LockRep* cond) = 0;
  // May wake without a notification; callers loop over their predicate.
  virtual void CondWait(LockRep* cond, LockRep* mutex) = 0;
  // As CondWait, and returns false once `deadline_micros` has passed.
  virtual bool CondWaitUntil(LockRep* cond, LockRep* mutex, uint64_t deadline_micros) = 0;
  virtual void CondNotifyOne(LockRep* cond) = 0;
  virtual void CondNotifyAll(LockRep* cond) = 0;
};

// Standard threads, mutexes and condition variables. One object for the process.
Scheduler* RealScheduler();

// Meets Lockable, so std::lock_guard and std::unique_lock work on it.
class Mutex {
 public:
  explicit Mutex(Scheduler* scheduler) : scheduler_(scheduler) { scheduler_->MutexInit(&rep_); }
  ~Mutex() { scheduler_->MutexDestroy(&rep_); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() { scheduler_->MutexLock(&rep_); }
  bool try_lock() { return scheduler_->MutexTryLock(&rep_); }
  void unlock() { scheduler_->MutexUnlock(&rep_); }

 private:
  friend class CondVar;
  Scheduler* const scheduler_;
  LockRep rep_;
};

// Bound to the one mutex that every waiter holds.
class CondVar {
 public:
  explicit CondVar(Mutex* mutex) : mutex_(mutex), scheduler_(mutex->scheduler_) {
    scheduler_->CondInit(&rep_);
  }
  ~CondVar() { scheduler_->CondDestroy(&rep_); }
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void Wait() { scheduler_->CondWait(&rep_, &mutex_->rep_); }
  bool WaitUntil(uint64_t deadline_micros) {
    return scheduler_->CondWaitUntil(&rep_, &mutex_->rep_, deadline_micros);
  }
  void NotifyOne() { scheduler_->CondNotifyOne(&rep_); }
  void NotifyAll() { scheduler_->CondNotifyAll(&rep_); }

 private:
  Mutex* const mutex_;
  Scheduler* const scheduler_;
  LockRep rep_;
};

}  // namespace shearpin
