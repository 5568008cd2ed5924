// Goal: the scheduler's history depends on its strategy alone. If a fiber's stack, its address or
// the way of switching reached a decision, two ways of running the same program would part.
// Method: random concurrent programs (locks in any order, nested, so that some deadlock; waits
// with and without deadline; notifications, sleeps, try-locks, children) run over fibers and over
// OS threads that pass a baton. Digest, report, observations and final time must be the same, and
// mutual exclusion must hold. Without deadlock every operation must have been made.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sim/deterministic_scheduler.h"
#include "sim/fiber_pool.h"
#include "sim/rng.h"
#include "sim/virtual_clock.h"

namespace shearpin::sim {
namespace {

// A thread for each context; the one that has the baton runs.
class BatonThreads final : public ExecutionBackend {
 public:
  Context* Adopt() override { return new Thread; }

  Context* Create(Entry entry, void* argument) override {
    auto* const thread = new Thread;
    thread->body = std::thread([thread, entry, argument] {
      thread->Await();
      entry(argument);
    });
    return thread;
  }
  void Switch(Context* from, Context* to) override {
    static_cast<Thread*>(to)->Pass();
    static_cast<Thread*>(from)->Await();
  }
  void Finish(Context*, Context* to) override { static_cast<Thread*>(to)->Pass(); }
  void Recycle(Context* context) override {
    std::unique_ptr<Thread> thread(static_cast<Thread*>(context));
    if (thread->body.joinable()) thread->body.join();
  }
  // It waits until the process ends.
  void Abandon(Context* context) override { static_cast<Thread*>(context)->body.detach(); }

 private:
  struct Thread : Context {
    void Pass() {
      std::lock_guard<std::mutex> guard(mutex);
      has_baton = true;
      changed.notify_one();
    }
    void Await() {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [this] { return has_baton; });
      has_baton = false;
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool has_baton = false;
    std::thread body;
  };
};

enum class Op : unsigned char {
  kLock,  // with the operations inside it, down to its unlock
  kTryLock,
  kWait,
  kTimedWait,
  kNotifyOne,
  kNotifyAll,
  kSleep,
  kPoint,
  kSpawn,
  kCount,
};

// A program is drawn on the fly from one stream for each fiber, so that the same seed is the same
// program whatever the interleaving.
class Program {
 public:
  static constexpr int kLocks = 3;

  Program(uint64_t seed, bool ordered, DeterministicScheduler* scheduler)
      : seed_(seed), ordered_(ordered), scheduler_(scheduler) {
    for (int i = 0; i < kLocks; ++i) {
      guarded_[i].mutex = std::make_unique<Mutex>(scheduler);
      guarded_[i].cond = std::make_unique<CondVar>(guarded_[i].mutex.get());
    }
  }

  void Main() {
    std::vector<std::unique_ptr<Scheduler::ThreadHandle>> threads;
    for (uint64_t t = 0; t < 3; ++t) {
      threads.push_back(scheduler_->Spawn("fiber" + std::to_string(t), [this, t] { Fiber(t, 0); }));
    }
    for (auto& thread : threads) thread->Join();
  }

  std::string log() const { return log_; }
  uint64_t violations() const { return violations_; }
  uint64_t operations() const { return operations_; }

 private:
  struct Guarded {
    std::unique_ptr<Mutex> mutex;
    std::unique_ptr<CondVar> cond;
    FiberId holder = kNoFiber;
  };

  void Note(const char* what, uint64_t detail) {
    log_ += std::to_string(scheduler_->current_id()) + what + std::to_string(detail) + "@" +
            std::to_string(scheduler_->NowMicros()) + "\n";
  }

  void Fiber(uint64_t number, int depth) {
    Rng rng = Rng::Stream(seed_, "program", number);
    for (int i = 0; i < 6; ++i) Step(&rng, number, depth, /*lowest=*/0);
  }

  // Holding `lock`, whoever comes in finds no other holder.
  void Enter(int lock) {
    if (guarded_[lock].holder != kNoFiber) ++violations_;
    guarded_[lock].holder = scheduler_->current_id();
  }
  void Leave(int lock) {
    if (guarded_[lock].holder != scheduler_->current_id()) ++violations_;
    guarded_[lock].holder = kNoFiber;
  }

  // Locks below `lowest` are not taken: they may be held by this fiber, and in an ordered program
  // (which cannot deadlock over locks) they always come first.
  void Step(Rng* rng, uint64_t number, int depth, int lowest) {
    ++operations_;
    const Op op = static_cast<Op>(rng->Uniform(static_cast<uint64_t>(Op::kCount)));
    const int lock = static_cast<int>(rng->Uniform(kLocks));
    const uint64_t micros = rng->Skewed(5);
    switch (op) {
      case Op::kLock:
      case Op::kWait:
      case Op::kTimedWait:
        Locked(rng, op, PickLock(lock, lowest), number, depth, micros);
        break;
      case Op::kTryLock:
        Try(PickLock(lock, lowest));
        break;
      case Op::kNotifyOne:
        guarded_[lock].cond->NotifyOne();
        break;
      case Op::kNotifyAll:
        guarded_[lock].cond->NotifyAll();
        break;
      case Op::kSleep:
        scheduler_->SleepUntil(scheduler_->NowMicros() + micros);
        Note(" slept ", micros);
        break;
      case Op::kPoint:
      case Op::kCount:
        scheduler_->Point("program");
        break;
      case Op::kSpawn:
        if (depth < 2 && lowest == 0) {
          auto child = scheduler_->Spawn("child", [=, this] { Fiber(number * 7 + 11, depth + 1); });
          child->Join();
          Note(" joined ", number);
        }
        break;
    }
  }

  int PickLock(int lock, int lowest) const { return ordered_ ? std::max(lock, lowest) : lock; }

  void Locked(Rng* rng, Op op, int lock, uint64_t number, int depth, uint64_t micros) {
    if (lock >= kLocks || guarded_[lock].holder == scheduler_->current_id()) return;
    Guarded& guarded = guarded_[lock];
    guarded.mutex->lock();
    Enter(lock);
    Note(" locked ", static_cast<uint64_t>(lock));
    Step(rng, number, depth, lock + 1);
    if (op != Op::kLock) {
      Leave(lock);
      // An ordered program must end, so nobody in it waits for ever.
      if (op == Op::kTimedWait || ordered_) {
        const bool woken = guarded.cond->WaitUntil(scheduler_->NowMicros() + micros);
        Note(" waited ", woken);
      } else {
        guarded.cond->Wait();
        Note(" woke ", 0);
      }
      Enter(lock);
    }
    Leave(lock);
    guarded.mutex->unlock();
  }

  void Try(int lock) {
    if (lock >= kLocks || guarded_[lock].holder == scheduler_->current_id()) return;
    const bool taken = guarded_[lock].mutex->try_lock();
    Note(" tried ", taken);
    if (!taken) return;
    Enter(lock);
    scheduler_->Point("inside");
    Leave(lock);
    guarded_[lock].mutex->unlock();
  }

  const uint64_t seed_;
  const bool ordered_;
  DeterministicScheduler* const scheduler_;
  Guarded guarded_[kLocks];
  std::string log_;
  uint64_t violations_ = 0;
  uint64_t operations_ = 0;
};

struct History {
  uint64_t digest;
  std::string log;
  RunReport report;
  uint64_t violations;
  uint64_t operations;
  uint64_t switches;
  uint64_t end_micros;
};

struct Variant {
  uint64_t program_seed;
  uint64_t schedule_seed;
  bool ordered;
  uint32_t stay;
  uint32_t spurious;
  uint64_t micros_per_point;
};

History RunProgram(const Variant& variant, ExecutionBackend* backend) {
  VirtualClock clock;
  Trace trace;
  RandomWalk walk(Rng::Stream(variant.schedule_seed, "scheduling"),
                  {.stay_per_1024 = variant.stay, .spurious_per_1024 = variant.spurious});
  DeterministicScheduler scheduler(backend, &clock, &walk, &trace,
                                   {.micros_per_point = variant.micros_per_point});
  Program program(variant.program_seed, variant.ordered, &scheduler);
  RunReport report = scheduler.Run([&] { program.Main(); });
  return {trace.Digest(),       program.log(),        std::move(report), program.violations(),
          program.operations(), scheduler.switches(), clock.NowMicros()};
}

Variant DrawVariant(bool ordered) {
  return {*rc::gen::arbitrary<uint64_t>(),
          *rc::gen::arbitrary<uint64_t>(),
          ordered,
          *rc::gen::element(0u, 300u, 900u),
          *rc::gen::element(0u, 300u),
          *rc::gen::element<uint64_t>(0, 3)};
}

void ExpectSame(const History& a, const History& b) {
  RC_ASSERT(a.log == b.log);
  RC_ASSERT(a.report.description == b.report.description);
  RC_ASSERT(a.digest == b.digest);
  RC_ASSERT(a.end_micros == b.end_micros);
  RC_ASSERT(a.switches == b.switches);
}

RC_GTEST_PROP(SchedulerBackendsTest, FibersAndThreadsMakeOneHistory, ()) {
  const Variant variant = DrawVariant(*rc::gen::arbitrary<bool>());
  FiberPool fibers;
  BatonThreads threads;
  const History over_fibers = RunProgram(variant, &fibers);
  const History over_threads = RunProgram(variant, &threads);
  RC_TAG(std::string(RunOutcomeName(over_fibers.report.outcome)));
  ExpectSame(over_fibers, over_threads);
}

RC_GTEST_PROP(SchedulerBackendsTest, ExclusionHoldsAndOrderedProgramsEnd, ()) {
  const Variant variant = DrawVariant(/*ordered=*/true);
  FiberPool fibers;
  const History history = RunProgram(variant, &fibers);
  RC_ASSERT(history.violations == 0u);
  RC_ASSERT(history.report.ok());
  RC_ASSERT(history.operations >= 18u);
  ExpectSame(history, RunProgram(variant, &fibers));
}

// The programs above would prove little if they never met, waited or deadlocked.
TEST(SchedulerBackendsTest, TheProgramsAreInteresting) {
  FiberPool fibers;
  int deadlocks = 0;
  int completed = 0;
  uint64_t switches = 0;
  for (uint64_t seed = 0; seed < 80; ++seed) {
    const History history = RunProgram({seed, seed, false, 300, 0, 0}, &fibers);
    EXPECT_EQ(history.violations, 0u);
    deadlocks += history.report.outcome == RunOutcome::kDeadlock;
    completed += history.report.ok();
    switches += history.switches;
  }
  EXPECT_EQ(deadlocks + completed, 80);
  EXPECT_GT(deadlocks, 10);
  EXPECT_GT(completed, 3);
  EXPECT_GT(switches, 80u * 20);
}

}  // namespace
}  // namespace shearpin::sim
