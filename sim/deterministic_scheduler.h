// DeterministicScheduler: the engine's threads as fibers that take turns, in an order that a
// SchedulingStrategy decides and a seed repeats.
//
//   FiberPool pool;                       // once for each OS thread, kept across simulations
//   VirtualClock clock;
//   Trace trace;
//   RandomWalk walk(Rng::Stream(seed, "scheduling"), {.stay_per_1024 = 700});
//   DeterministicScheduler scheduler(&pool, &clock, &walk, &trace, {});
//   RunReport report = scheduler.Run([&] { ... open the engine, spawn clients, join them ... });
//
// Scheduling points: every lock, unlock, wait, notification, spawn, join and sleep, Yield, and
// Point, which whoever simulates devices calls once for each call. Between two points a fiber runs
// alone. At a point where more than one fiber can run, the strategy picks; where only one can,
// nothing happens at all.
//
// Time passes when nobody can run: the clock jumps to the earliest deadline. If there is none
// either, that is a deadlock. With `micros_per_point` time also passes at every point, so that
// deadlines expire while others are busy.
//
// Locks: a waiter can run as soon as the mutex is free, and whoever runs first gets it, be it a
// waiter or a newcomer, as with the standard mutex. Which waiter NotifyOne wakes is the strategy's
// choice; so are spurious wake-ups.
//
// What ends a run other than its own end (deadlock, a budget, fibers that nobody joined) is a
// finding: Run returns with a report of every fiber, what it waits for and who holds it. The
// unfinished fibers are abandoned: they never run again, what lives on their stacks is never
// destroyed, and the memory behind is not reused. Report, and end the process, or accept the leak
// (a test that expects the finding). No further Run is possible.
//
// Misuse is a CHECK that names fiber and lock: unlocking what another holds, locking what one
// holds, destroying a lock that is held or waited for, destroying a thread before Join.
//
// Outside Run (before and after, on the thread that calls it) locks may be made, destroyed, and
// taken if they are free, and points do nothing: so an engine object can be built or destroyed
// there as long as it starts no thread.
//
// Thread safety: a scheduler, its pool, clock, strategy and trace belong to one OS thread. There
// is no global state: schedulers on several OS threads, one after another or within a fiber of
// another do not know of each other. thread_local data is shared by all fibers. Exceptions must
// not leave a fiber's body, nor be in flight at a point.
//
// Cost: see sim/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/env/scheduler.h"
#include "sim/execution_backend.h"
#include "sim/scheduling_strategy.h"
#include "sim/trace.h"
#include "sim/virtual_clock.h"

namespace shearpin::sim {

enum class RunOutcome : unsigned char {
  kCompleted,
  kDeadlock,     // nobody can run and no deadline is to come
  kPointBudget,  // more scheduling points than allowed: a livelock, or a plan too long
  kTimeBudget,   // more virtual time than allowed: timers that re-arm for ever
  kUnjoined,     // main ended and left fibers behind
};

// "completed", "deadlock", ...
std::string_view RunOutcomeName(RunOutcome outcome);

struct RunReport {
  RunOutcome outcome = RunOutcome::kCompleted;
  // Empty if completed; else one line for the outcome and one for each fiber that had not ended:
  //   deadlock at 1000250 us, after 713 points
  //     fiber 0 "main": joins fiber 2 "flush"; last at point 102, join
  //     fiber 2 "flush": waits for mutex 5, held by fiber 3 "client1"; last at point 713, lock
  //     fiber 3 "client1": waits for condition 1 (mutex 5); last at point 640, wait
  std::string description;

  bool ok() const { return outcome == RunOutcome::kCompleted; }
};

class DeterministicScheduler final : public Scheduler {
 public:
  struct Options {
    // Budgets of one Run, or of what is between two renewals.
    uint64_t max_points = 50'000'000;
    uint64_t max_virtual_micros = uint64_t{24} * 3600 * 1'000'000;
    // Virtual time that every scheduling point takes.
    uint64_t micros_per_point = 0;
    // Who runs goes on until he waits: only then is the strategy asked.
    bool run_to_wait = false;
  };

  // Nothing is owned; all of it outlives the scheduler.
  DeterministicScheduler(ExecutionBackend* backend, VirtualClock* clock,
                         SchedulingStrategy* strategy, Trace* trace, const Options& options);
  ~DeterministicScheduler() override;
  DeterministicScheduler(const DeterministicScheduler&) = delete;
  DeterministicScheduler& operator=(const DeterministicScheduler&) = delete;

  // Runs `main` as a fiber until it ends. It joins what it spawns.
  RunReport Run(std::function<void()> main);

  // A scheduling point. `tag` is a string literal.
  void Point(const char* tag);

  // What comes is a part of its own, which ends by itself or not: a plan of many openings may be
  // long without being endless.
  void RenewBudgets();

  // Sleeps for time that is asked for from outside, a disk's latency. It is not of the budget of
  // virtual time, which is for timers that re-arm: what waits so for ever runs out of points.
  void Stall(uint64_t micros);

  // The fiber that is running: kNoFiber and "outside" outside Run.
  FiberId current_id() const;
  std::string_view current_name() const;

  uint64_t points() const { return points_; }
  uint64_t switches() const { return switches_; }
  uint64_t fibers_spawned() const { return next_fiber_id_; }
  uint64_t spurious_wakeups() const { return spurious_wakeups_; }

  std::unique_ptr<ThreadHandle> Spawn(std::string_view name, std::function<void()> body) override;
  void SleepUntil(uint64_t deadline_micros) override;
  void Yield(const char* tag) override { Point(tag); }
  uint64_t NowMicros() override { return clock_->NowMicros(); }

  void MutexInit(LockRep* mutex) override;
  void MutexDestroy(LockRep* mutex) override;
  void MutexLock(LockRep* mutex) override;
  bool MutexTryLock(LockRep* mutex) override;
  void MutexUnlock(LockRep* mutex) override;

  void CondInit(LockRep* cond) override;
  void CondDestroy(LockRep* cond) override;
  void CondWait(LockRep* cond, LockRep* mutex) override;
  bool CondWaitUntil(LockRep* cond, LockRep* mutex, uint64_t deadline_micros) override;
  void CondNotifyOne(LockRep* cond) override;
  void CondNotifyAll(LockRep* cond) override;

 private:
  struct Fiber;
  struct WaitQueue;
  struct MutexState;
  struct CondState;
  class Handle;

  static constexpr uint64_t kNoDeadline = UINT64_MAX;

  static MutexState* MutexOf(LockRep* rep);
  static CondState* CondOf(LockRep* rep);

  // Fibers.
  Fiber* NewFiber(std::string_view name, std::function<void()> body);
  static void Entry(void* fiber);
  void End(Fiber* fiber);
  void Join(Fiber* fiber);
  void Retire(Fiber* fiber);

  // Who can run.
  void MakeRunnable(Fiber* fiber);
  void MakeUnrunnable(Fiber* fiber);
  Fiber* PickNext(FiberId current, const char* tag);
  void Block(const char* tag);
  void SwitchTo(Fiber* next, const char* tag);
  void CountPoint(const char* tag);

  // Time.
  void SetDeadline(Fiber* fiber, uint64_t deadline);
  void ClearDeadline(Fiber* fiber);
  void Advance(uint64_t micros);
  void WakeDue();

  // Locks.
  void Take(MutexState* mutex);
  void Release(MutexState* mutex);
  void QueueForMutex(Fiber* fiber, MutexState* mutex);
  bool Wait(CondState* cond, MutexState* mutex, uint64_t deadline);
  void Wake(Fiber* fiber, bool timed_out);

  // Findings.
  [[noreturn]] void Stop(RunOutcome outcome);
  std::string Describe(RunOutcome outcome) const;
  static std::string NameOf(const Fiber& fiber);
  std::string DescribeWait(const Fiber& fiber) const;
  [[noreturn]] void Misuse(const char* what, const MutexState* mutex) const;
  void AbandonAll();

  ExecutionBackend* const backend_;
  VirtualClock* const clock_;
  SchedulingStrategy* const strategy_;
  Trace* const trace_;
  const Options options_;

  // The fiber that stands for whoever calls from outside Run.
  std::unique_ptr<Fiber> outside_;
  Fiber* current_;
  Fiber* main_ = nullptr;
  ExecutionBackend::Context* home_ = nullptr;

  // All fiber objects ever made, for reports, and those free for reuse.
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_fibers_;
  // Who can run, ordered by id; the two run in parallel, so that strategies see ids alone.
  std::vector<FiberId> runnable_ids_;
  std::vector<Fiber*> runnable_;
  // Who has a deadline, in no order, and a lower bound of those deadlines.
  std::vector<Fiber*> timed_;
  uint64_t next_deadline_ = kNoDeadline;
  std::vector<FiberId> waiter_ids_;

  bool stopped_ = false;
  RunReport report_;
  uint64_t last_point_ = 0;
  uint64_t last_micros_ = 0;

  FiberId next_fiber_id_ = 0;
  uint32_t next_mutex_id_ = 0;
  uint32_t next_cond_id_ = 0;
  uint64_t points_ = 0;
  uint64_t switches_ = 0;
  uint64_t spurious_wakeups_ = 0;
};

}  // namespace shearpin::sim
