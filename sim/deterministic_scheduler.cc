#include "sim/deterministic_scheduler.h"

#include <algorithm>
#include <new>
#include <utility>

#include "engine/base/check.h"

namespace shearpin::sim {

// Waiters in the order in which they came, linked through the fibers: nothing is allocated, and
// no order depends on an address.
struct DeterministicScheduler::WaitQueue {
  Fiber* first = nullptr;
  Fiber* last = nullptr;

  bool empty() const { return first == nullptr; }
  void PushBack(Fiber* fiber);
  void Remove(Fiber* fiber);
};

struct DeterministicScheduler::MutexState {
  static constexpr uint64_t kMagic = 0x6d75746578206f6b;
  uint64_t magic = kMagic;
  Fiber* owner = nullptr;
  // They can run exactly while there is no owner.
  WaitQueue waiters;
  uint32_t id = 0;
};

struct DeterministicScheduler::CondState {
  static constexpr uint64_t kMagic = 0x636f6e64206f6b21;
  uint64_t magic = kMagic;
  WaitQueue waiters;
  uint32_t id = 0;
};

struct DeterministicScheduler::Fiber {
  enum class State : unsigned char { kReady, kMutex, kCond, kSleep, kJoin, kEnded };

  FiberId id = kNoFiber;
  State state = State::kReady;
  bool runnable = false;
  bool timed_out = false;
  std::string name;
  std::function<void()> body;
  DeterministicScheduler* scheduler = nullptr;
  ExecutionBackend::Context* context = nullptr;

  // What it waits for, as far as its state says so.
  MutexState* mutex = nullptr;
  CondState* cond = nullptr;
  Fiber* joins = nullptr;
  uint64_t deadline = kNoDeadline;

  // Its place in a wait queue and among those with a deadline.
  Fiber* previous = nullptr;
  Fiber* next = nullptr;
  size_t timed_index = 0;

  Fiber* joiner = nullptr;

  // Where it came to a point last, for reports.
  uint64_t last_point = 0;
  const char* last_tag = "";
};

void DeterministicScheduler::WaitQueue::PushBack(Fiber* fiber) {
  fiber->previous = last;
  fiber->next = nullptr;
  (last != nullptr ? last->next : first) = fiber;
  last = fiber;
}

void DeterministicScheduler::WaitQueue::Remove(Fiber* fiber) {
  (fiber->previous != nullptr ? fiber->previous->next : first) = fiber->next;
  (fiber->next != nullptr ? fiber->next->previous : last) = fiber->previous;
  fiber->previous = fiber->next = nullptr;
}

class DeterministicScheduler::Handle final : public ThreadHandle {
 public:
  Handle(DeterministicScheduler* scheduler, Fiber* fiber) : scheduler_(scheduler), fiber_(fiber) {}
  ~Handle() override {
    SHEARPIN_CHECK(fiber_ == nullptr || scheduler_->stopped_,
                   "a fiber's handle was destroyed before Join");
  }
  void Join() override {
    SHEARPIN_CHECK(fiber_ != nullptr, "a fiber was joined twice");
    scheduler_->Join(std::exchange(fiber_, nullptr));
  }

 private:
  DeterministicScheduler* const scheduler_;
  Fiber* fiber_;
};

std::string_view RunOutcomeName(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kCompleted:
      return "completed";
    case RunOutcome::kDeadlock:
      return "deadlock";
    case RunOutcome::kPointBudget:
      return "scheduling-point budget exceeded";
    case RunOutcome::kTimeBudget:
      return "virtual-time budget exceeded";
    case RunOutcome::kUnjoined:
      return "fibers left behind by main";
  }
  return "unknown";
}

DeterministicScheduler::DeterministicScheduler(ExecutionBackend* backend, VirtualClock* clock,
                                               SchedulingStrategy* strategy, Trace* trace,
                                               const Options& options)
    : backend_(backend),
      clock_(clock),
      strategy_(strategy),
      trace_(trace),
      options_(options),
      outside_(std::make_unique<Fiber>()),
      current_(outside_.get()) {
  static_assert(sizeof(MutexState) <= sizeof(LockRep) && alignof(MutexState) <= alignof(LockRep));
  static_assert(sizeof(CondState) <= sizeof(LockRep) && alignof(CondState) <= alignof(LockRep));
  outside_->name = "outside";
}

DeterministicScheduler::~DeterministicScheduler() {
  SHEARPIN_CHECK(current_ == outside_.get(), "a scheduler was destroyed by its own fiber");
}

FiberId DeterministicScheduler::current_id() const { return current_->id; }
std::string_view DeterministicScheduler::current_name() const { return current_->name; }

// ---- A fiber's life ----

RunReport DeterministicScheduler::Run(std::function<void()> main) {
  SHEARPIN_CHECK(current_ == outside_.get(), "Run within Run");
  SHEARPIN_CHECK(!stopped_, "Run after a finding");
  RenewBudgets();

  home_ = backend_->Adopt();
  Fiber* const fiber = NewFiber("main", std::move(main));
  main_ = current_ = fiber;
  backend_->Switch(home_, fiber->context);
  current_ = outside_.get();
  if (stopped_) {
    AbandonAll();
  } else {
    Retire(fiber);
  }
  backend_->Recycle(std::exchange(home_, nullptr));
  return report_;
}

DeterministicScheduler::Fiber* DeterministicScheduler::NewFiber(std::string_view name,
                                                                std::function<void()> body) {
  if (free_fibers_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>());
    fibers_.back()->scheduler = this;
    free_fibers_.push_back(fibers_.back().get());
  }
  Fiber* const fiber = free_fibers_.back();
  free_fibers_.pop_back();
  fiber->id = next_fiber_id_++;
  fiber->state = Fiber::State::kReady;
  fiber->last_point = points_;
  fiber->last_tag = "spawn";
  fiber->name = name;
  fiber->body = std::move(body);
  fiber->context = backend_->Create(&Entry, fiber);
  strategy_->OnSpawn(fiber->id, name);
  trace_->Record("spawn", fiber->id, name);
  MakeRunnable(fiber);
  return fiber;
}

void DeterministicScheduler::Entry(void* argument) {
  auto* const fiber = static_cast<Fiber*>(argument);
  fiber->body();
  // Here and not at Retire: the destructors of what it captured may come to scheduling points.
  fiber->body = nullptr;
  fiber->scheduler->End(fiber);
}

void DeterministicScheduler::End(Fiber* fiber) {
  CountPoint("end");
  fiber->state = Fiber::State::kEnded;
  MakeUnrunnable(fiber);
  if (fiber == main_) {
    if (free_fibers_.size() + 1 != fibers_.size()) Stop(RunOutcome::kUnjoined);
    backend_->Finish(fiber->context, home_);
    return;
  }
  if (Fiber* const joiner = std::exchange(fiber->joiner, nullptr)) {
    joiner->state = Fiber::State::kReady;
    MakeRunnable(joiner);
  }
  Fiber* const next = PickNext(kNoFiber, "end");
  ++switches_;
  trace_->Note("run", next->id, next->name, "after", fiber->name, "at", "end");
  current_ = next;
  backend_->Finish(fiber->context, next->context);
}

std::unique_ptr<Scheduler::ThreadHandle> DeterministicScheduler::Spawn(std::string_view name,
                                                                       std::function<void()> body) {
  SHEARPIN_CHECK(current_ != outside_.get(), "Spawn outside Run");
  auto handle = std::make_unique<Handle>(this, NewFiber(name, std::move(body)));
  Point("spawn");
  return handle;
}

void DeterministicScheduler::Join(Fiber* fiber) {
  SHEARPIN_CHECK(fiber != current_, "a fiber joins itself");
  if (fiber->state == Fiber::State::kEnded) {
    Point("join");
  } else {
    current_->state = Fiber::State::kJoin;
    current_->joins = fiber;
    fiber->joiner = current_;
    MakeUnrunnable(current_);
    Block("join");
  }
  Retire(fiber);
}

void DeterministicScheduler::Retire(Fiber* fiber) {
  backend_->Recycle(std::exchange(fiber->context, nullptr));
  free_fibers_.push_back(fiber);
}

// ---- Who runs ----

void DeterministicScheduler::MakeRunnable(Fiber* fiber) {
  if (fiber->runnable) return;
  fiber->runnable = true;
  size_t place = runnable_.size();
  while (place > 0 && runnable_ids_[place - 1] > fiber->id) --place;
  runnable_ids_.insert(runnable_ids_.begin() + static_cast<ptrdiff_t>(place), fiber->id);
  runnable_.insert(runnable_.begin() + static_cast<ptrdiff_t>(place), fiber);
}

void DeterministicScheduler::MakeUnrunnable(Fiber* fiber) {
  if (!fiber->runnable) return;
  fiber->runnable = false;
  size_t place = 0;
  while (runnable_[place] != fiber) ++place;
  runnable_ids_.erase(runnable_ids_.begin() + static_cast<ptrdiff_t>(place));
  runnable_.erase(runnable_.begin() + static_cast<ptrdiff_t>(place));
}

void DeterministicScheduler::CountPoint(const char* tag) {
  current_->last_point = ++points_;
  current_->last_tag = tag;
  if (points_ > last_point_) Stop(RunOutcome::kPointBudget);
  if (options_.micros_per_point > 0) Advance(clock_->NowMicros() + options_.micros_per_point);
}

void DeterministicScheduler::RenewBudgets() {
  const uint64_t now = clock_->NowMicros();
  last_point_ = points_ + std::min(options_.max_points, UINT64_MAX - points_);
  last_micros_ = now + std::min(options_.max_virtual_micros, UINT64_MAX - now);
}

void DeterministicScheduler::Stall(uint64_t micros) {
  last_micros_ += std::min(micros, UINT64_MAX - last_micros_);
  SleepUntil(NowMicros() + micros);
}

void DeterministicScheduler::Point(const char* tag) {
  if (current_ == outside_.get()) return;
  CountPoint(tag);
  if (runnable_.size() == 1 || options_.run_to_wait) return;
  Fiber* const next = PickNext(current_->id, tag);
  if (next != current_) SwitchTo(next, tag);
}

// Gives up the processor until somebody can and shall run; the caller has said what it waits for.
void DeterministicScheduler::Block(const char* tag) {
  CountPoint(tag);
  Fiber* const next = PickNext(kNoFiber, tag);
  if (next != current_) SwitchTo(next, tag);
}

DeterministicScheduler::Fiber* DeterministicScheduler::PickNext(FiberId current, const char* tag) {
  while (runnable_.empty()) {
    uint64_t earliest = kNoDeadline;
    for (const Fiber* fiber : timed_) earliest = std::min(earliest, fiber->deadline);
    if (earliest == kNoDeadline) Stop(RunOutcome::kDeadlock);
    Advance(earliest);
    trace_->Record("time", earliest);
  }
  if (runnable_.size() == 1) return runnable_.front();
  const FiberId id = strategy_->PickNext({current, runnable_ids_, tag});
  trace_->Mix(id);
  size_t place = 0;
  while (place < runnable_.size() && runnable_ids_[place] != id) ++place;
  SHEARPIN_CHECK(place < runnable_.size(), "the strategy picked a fiber that cannot run");
  return runnable_[place];
}

void DeterministicScheduler::SwitchTo(Fiber* next, const char* tag) {
  ++switches_;
  Fiber* const from = current_;
  trace_->Note("run", next->id, next->name, "after", from->name, "at", tag);
  current_ = next;
  backend_->Switch(from->context, next->context);
}

// ---- Time ----

void DeterministicScheduler::SleepUntil(uint64_t deadline_micros) {
  if (current_ == outside_.get()) {
    clock_->AdvanceTo(std::max(deadline_micros, clock_->NowMicros()));
    return;
  }
  if (deadline_micros <= clock_->NowMicros()) {
    Point("sleep");
    return;
  }
  current_->state = Fiber::State::kSleep;
  MakeUnrunnable(current_);
  SetDeadline(current_, deadline_micros);
  Block("sleep");
}

void DeterministicScheduler::SetDeadline(Fiber* fiber, uint64_t deadline) {
  fiber->deadline = deadline;
  if (deadline == kNoDeadline) return;
  fiber->timed_index = timed_.size();
  timed_.push_back(fiber);
  next_deadline_ = std::min(next_deadline_, deadline);
}

void DeterministicScheduler::ClearDeadline(Fiber* fiber) {
  if (fiber->deadline == kNoDeadline) return;
  fiber->deadline = kNoDeadline;
  timed_.back()->timed_index = fiber->timed_index;
  timed_[fiber->timed_index] = timed_.back();
  timed_.pop_back();
}

void DeterministicScheduler::Advance(uint64_t micros) {
  if (micros > last_micros_) Stop(RunOutcome::kTimeBudget);
  clock_->AdvanceTo(micros);
  if (micros >= next_deadline_) WakeDue();
}

// In the order of deadlines, and of ids where those are equal: the order of `timed_` itself
// depends on who left it.
void DeterministicScheduler::WakeDue() {
  const uint64_t now = clock_->NowMicros();
  while (true) {
    Fiber* due = nullptr;
    for (Fiber* const fiber : timed_) {
      if (due == nullptr || fiber->deadline < due->deadline ||
          (fiber->deadline == due->deadline && fiber->id < due->id)) {
        due = fiber;
      }
    }
    next_deadline_ = due != nullptr ? due->deadline : kNoDeadline;
    if (next_deadline_ > now) return;
    if (due->state == Fiber::State::kCond) {
      Wake(due, /*timed_out=*/true);
    } else {
      ClearDeadline(due);
      due->state = Fiber::State::kReady;
      MakeRunnable(due);
    }
  }
}

// ---- Mutexes ----

DeterministicScheduler::MutexState* DeterministicScheduler::MutexOf(LockRep* rep) {
  auto* const mutex = std::launder(reinterpret_cast<MutexState*>(rep->bytes));
  SHEARPIN_CHECK(mutex->magic == MutexState::kMagic, "not a mutex, or one already destroyed");
  return mutex;
}

void DeterministicScheduler::MutexInit(LockRep* mutex) {
  auto* const state = new (mutex->bytes) MutexState;
  state->id = next_mutex_id_++;
}

void DeterministicScheduler::MutexDestroy(LockRep* rep) {
  MutexState* const mutex = MutexOf(rep);
  // After a finding, locks are destroyed whose holders were abandoned.
  if (!stopped_) {
    if (mutex->owner != nullptr) Misuse("destroyed while held", mutex);
    if (!mutex->waiters.empty()) Misuse("destroyed while waited for", mutex);
  }
  mutex->magic = 0;
}

void DeterministicScheduler::MutexLock(LockRep* rep) {
  MutexState* const mutex = MutexOf(rep);
  if (mutex->owner == current_) Misuse("locked by its own holder", mutex);
  Point("lock");
  if (mutex->owner != nullptr) {
    if (current_ == outside_.get()) Misuse("locked outside Run while held", mutex);
    QueueForMutex(current_, mutex);
    Block("lock");
  }
  Take(mutex);
}

bool DeterministicScheduler::MutexTryLock(LockRep* rep) {
  MutexState* const mutex = MutexOf(rep);
  if (mutex->owner == current_) Misuse("tried by its own holder", mutex);
  Point("try_lock");
  if (mutex->owner != nullptr) return false;
  Take(mutex);
  return true;
}

void DeterministicScheduler::MutexUnlock(LockRep* rep) {
  MutexState* const mutex = MutexOf(rep);
  if (mutex->owner != current_) Misuse("unlocked by another than its holder", mutex);
  Release(mutex);
  Point("unlock");
}

void DeterministicScheduler::QueueForMutex(Fiber* fiber, MutexState* mutex) {
  fiber->state = Fiber::State::kMutex;
  fiber->mutex = mutex;
  mutex->waiters.PushBack(fiber);
  if (mutex->owner == nullptr) {
    MakeRunnable(fiber);
  } else {
    MakeUnrunnable(fiber);
  }
}

void DeterministicScheduler::Take(MutexState* mutex) {
  SHEARPIN_CHECK(mutex->owner == nullptr, "a fiber ran into a mutex that is held");
  mutex->owner = current_;
  if (current_->state == Fiber::State::kMutex) {
    mutex->waiters.Remove(current_);
    current_->state = Fiber::State::kReady;
  }
  for (Fiber* waiter = mutex->waiters.first; waiter != nullptr; waiter = waiter->next) {
    MakeUnrunnable(waiter);
  }
}

void DeterministicScheduler::Release(MutexState* mutex) {
  mutex->owner = nullptr;
  for (Fiber* waiter = mutex->waiters.first; waiter != nullptr; waiter = waiter->next) {
    MakeRunnable(waiter);
  }
}

// ---- Condition variables ----

DeterministicScheduler::CondState* DeterministicScheduler::CondOf(LockRep* rep) {
  auto* const cond = std::launder(reinterpret_cast<CondState*>(rep->bytes));
  SHEARPIN_CHECK(cond->magic == CondState::kMagic,
                 "not a condition variable, or one already destroyed");
  return cond;
}

void DeterministicScheduler::CondInit(LockRep* cond) {
  auto* const state = new (cond->bytes) CondState;
  state->id = next_cond_id_++;
}

void DeterministicScheduler::CondDestroy(LockRep* rep) {
  CondState* const cond = CondOf(rep);
  if (!stopped_ && !cond->waiters.empty()) {
    Misuse("its condition was destroyed while waited for", cond->waiters.first->mutex);
  }
  cond->magic = 0;
}

void DeterministicScheduler::CondWait(LockRep* cond, LockRep* mutex) {
  Wait(CondOf(cond), MutexOf(mutex), kNoDeadline);
}

bool DeterministicScheduler::CondWaitUntil(LockRep* cond, LockRep* mutex,
                                           uint64_t deadline_micros) {
  return Wait(CondOf(cond), MutexOf(mutex), deadline_micros);
}

bool DeterministicScheduler::Wait(CondState* cond, MutexState* mutex, uint64_t deadline) {
  SHEARPIN_CHECK(current_ != outside_.get(), "a wait outside Run");
  if (mutex->owner != current_) Misuse("waited with by another than its holder", mutex);
  current_->timed_out = deadline <= clock_->NowMicros();
  const bool spurious = strategy_->WakeSpuriously(current_->id);
  if (spurious) {
    ++spurious_wakeups_;
    trace_->Record("spurious-wakeup", current_->id);
  }
  Release(mutex);
  if (spurious || current_->timed_out) {
    QueueForMutex(current_, mutex);
  } else {
    current_->state = Fiber::State::kCond;
    current_->cond = cond;
    current_->mutex = mutex;
    cond->waiters.PushBack(current_);
    MakeUnrunnable(current_);
    SetDeadline(current_, deadline);
  }
  Block("wait");
  Take(mutex);
  return !current_->timed_out;
}

// From the condition's queue straight to the mutex's: the waiter runs next when it can have it.
void DeterministicScheduler::Wake(Fiber* fiber, bool timed_out) {
  fiber->cond->waiters.Remove(fiber);
  ClearDeadline(fiber);
  fiber->timed_out = timed_out;
  QueueForMutex(fiber, fiber->mutex);
}

void DeterministicScheduler::CondNotifyOne(LockRep* rep) {
  CondState* const cond = CondOf(rep);
  if (Fiber* waiter = cond->waiters.first) {
    if (waiter->next != nullptr) {
      waiter_ids_.clear();
      for (Fiber* fiber = waiter; fiber != nullptr; fiber = fiber->next) {
        waiter_ids_.push_back(fiber->id);
      }
      const size_t index = strategy_->PickWaiter(waiter_ids_);
      SHEARPIN_CHECK(index < waiter_ids_.size(), "the strategy picked a waiter that is not there");
      trace_->Mix(waiter_ids_[index]);
      for (size_t i = 0; i < index; ++i) waiter = waiter->next;
    }
    Wake(waiter, /*timed_out=*/false);
  }
  Point("notify_one");
}

void DeterministicScheduler::CondNotifyAll(LockRep* rep) {
  CondState* const cond = CondOf(rep);
  while (!cond->waiters.empty()) Wake(cond->waiters.first, /*timed_out=*/false);
  Point("notify_all");
}

// ---- Findings ----

void DeterministicScheduler::Stop(RunOutcome outcome) {
  report_ = {outcome, Describe(outcome)};
  stopped_ = true;
  trace_->Record("stop", RunOutcomeName(outcome));
  backend_->Switch(current_->context, home_);
  SHEARPIN_CHECK(false, "an abandoned fiber went on");
}

// The fiber objects are let go of with the stacks: what their bodies captured is as unfinished as
// what lies there.
void DeterministicScheduler::AbandonAll() {
  for (std::unique_ptr<Fiber>& fiber : fibers_) {
    if (fiber->context != nullptr) {
      backend_->Abandon(fiber->context);
      static_cast<void>(fiber.release());
    }
  }
  fibers_.clear();
  free_fibers_.clear();
  runnable_.clear();
  runnable_ids_.clear();
  timed_.clear();
}

std::string DeterministicScheduler::NameOf(const Fiber& fiber) {
  if (fiber.id == kNoFiber) return "the caller outside Run";
  return "fiber " + std::to_string(fiber.id) + " \"" + fiber.name + "\"";
}

std::string DeterministicScheduler::Describe(RunOutcome outcome) const {
  std::vector<const Fiber*> left;
  for (const auto& fiber : fibers_) {
    if (fiber->context != nullptr && fiber->state != Fiber::State::kEnded) {
      left.push_back(fiber.get());
    }
  }
  std::sort(left.begin(), left.end(), [](const Fiber* a, const Fiber* b) { return a->id < b->id; });
  std::string text(RunOutcomeName(outcome));
  text += " at " + std::to_string(clock_->NowMicros()) + " us, after " + std::to_string(points_) +
          " points\n";
  for (const Fiber* fiber : left) {
    text += "  " + NameOf(*fiber) + ": " + DescribeWait(*fiber) + "; last at point " +
            std::to_string(fiber->last_point) + ", " + fiber->last_tag + "\n";
  }
  return text;
}

std::string DeterministicScheduler::DescribeWait(const Fiber& fiber) const {
  const auto until = [&] {
    return fiber.deadline == kNoDeadline ? std::string()
                                         : " until " + std::to_string(fiber.deadline) + " us";
  };
  switch (fiber.state) {
    case Fiber::State::kReady:
      return &fiber == current_ ? "runs" : "can run";
    case Fiber::State::kMutex: {
      const Fiber* const owner = fiber.mutex->owner;
      return "waits for mutex " + std::to_string(fiber.mutex->id) +
             (owner != nullptr ? ", held by " + NameOf(*owner) : ", which is free");
    }
    case Fiber::State::kCond:
      return "waits for condition " + std::to_string(fiber.cond->id) + " (mutex " +
             std::to_string(fiber.mutex->id) + ")" + until();
    case Fiber::State::kSleep:
      return "sleeps" + until();
    case Fiber::State::kJoin:
      return "joins " + NameOf(*fiber.joins);
    case Fiber::State::kEnded:
      return "has ended";
  }
  return "unknown";
}

void DeterministicScheduler::Misuse(const char* what, const MutexState* mutex) const {
  std::string message =
      "mutex " + std::to_string(mutex->id) + ": " + what + "; by " + NameOf(*current_);
  message += mutex->owner != nullptr ? ", held by " + NameOf(*mutex->owner) : ", held by nobody";
  CheckFailed(__FILE__, __LINE__, "lock misuse", message.c_str());
}

}  // namespace shearpin::sim
