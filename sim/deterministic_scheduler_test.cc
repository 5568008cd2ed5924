// Goal: fibers keep what the Scheduler interface promises (exclusion, no lost wake-up, timed
// waits, join), every legal interleaving is within reach, a seed repeats its history, and what
// cannot go on is reported instead of hanging.
// Method: small concurrent programs whose wrong results show one broken promise each, run under
// many seeds; reports are compared word for word. scheduler_backends_test.cc runs random programs.
#include "sim/deterministic_scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sim/fiber_pool.h"
#include "sim/rng.h"
#include "sim/virtual_clock.h"

namespace shearpin::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// One simulated machine: a scheduler with all that it stands on.
struct Machine {
  explicit Machine(uint64_t seed, RandomWalk::Options walk_options = {},
                   DeterministicScheduler::Options options = {})
      : walk(Rng::Stream(seed, "scheduling"), walk_options),
        scheduler(&Pool(), &clock, &walk, &trace, options) {}

  // One for the thread of the tests, as a worker of a soak has.
  static FiberPool& Pool() {
    static FiberPool pool;
    return pool;
  }

  VirtualClock clock;
  Trace trace;
  RandomWalk walk;
  DeterministicScheduler scheduler;
};

using Threads = std::vector<std::unique_ptr<Scheduler::ThreadHandle>>;

void JoinAll(Threads* threads) {
  for (auto& thread : *threads) thread->Join();
  threads->clear();
}

TEST(DeterministicSchedulerTest, RunsMainAndWhatItSpawns) {
  Machine machine(1);
  std::string order;
  const RunReport report = machine.scheduler.Run([&] {
    EXPECT_EQ(machine.scheduler.current_id(), 0u);
    EXPECT_EQ(machine.scheduler.current_name(), "main");
    order += "main ";
    auto child = machine.scheduler.Spawn("child", [&] {
      EXPECT_EQ(machine.scheduler.current_name(), "child");
      order += "child ";
    });
    child->Join();
    order += "end";
  });
  EXPECT_TRUE(report.ok()) << report.description;
  EXPECT_EQ(report.description, "");
  EXPECT_EQ(order, "main child end");
  EXPECT_EQ(machine.scheduler.fibers_spawned(), 2u);
  EXPECT_EQ(machine.scheduler.current_name(), "outside");
}

TEST(DeterministicSchedulerTest, RunsMayFollowEachOther) {
  Machine machine(1);
  int runs = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        machine.scheduler.Run([&] { machine.scheduler.Spawn("child", [&] { ++runs; })->Join(); })
            .ok());
  }
  EXPECT_EQ(runs, 3);
}

// Without locks, increments split by a point get lost, which shows that points do switch; with
// them, never.
int CountTo(uint64_t seed, bool locked) {
  Machine machine(seed);
  DeterministicScheduler& scheduler = machine.scheduler;
  int counter = 0;
  const RunReport report = scheduler.Run([&] {
    Mutex mutex(&scheduler);
    Threads threads;
    for (int t = 0; t < 3; ++t) {
      threads.push_back(scheduler.Spawn("adder", [&] {
        for (int i = 0; i < 10; ++i) {
          if (locked) mutex.lock();
          const int seen = counter;
          scheduler.Yield("between read and write");
          counter = seen + 1;
          if (locked) mutex.unlock();
        }
      }));
    }
    JoinAll(&threads);
  });
  EXPECT_TRUE(report.ok()) << report.description;
  return counter;
}

TEST(DeterministicSchedulerTest, MutexExcludesAndItsAbsenceShows) {
  std::set<int> racy;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    EXPECT_EQ(CountTo(seed, /*locked=*/true), 30) << "seed " << seed;
    racy.insert(CountTo(seed, /*locked=*/false));
  }
  EXPECT_GT(racy.size(), 5u) << "hardly any interleaving";
  EXPECT_LT(*racy.begin(), 30);
}

TEST(DeterministicSchedulerTest, ASeedRepeatsItsHistoryAndAnotherDoesNot) {
  const auto history = [](uint64_t seed, std::string* text) {
    Machine machine(seed);
    DeterministicScheduler& scheduler = machine.scheduler;
    machine.trace.SetSink([&](std::string_view line) { text->append(line).append("\n"); });
    EXPECT_TRUE(scheduler
                    .Run([&] {
                      Threads threads;
                      for (int t = 0; t < 3; ++t) {
                        threads.push_back(scheduler.Spawn("t" + std::to_string(t), [&] {
                          for (int i = 0; i < 20; ++i) scheduler.Point("racy");
                        }));
                      }
                      JoinAll(&threads);
                    })
                    .ok());
    return machine.trace.Digest();
  };
  std::set<uint64_t> digests;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::string first;
    std::string second;
    const uint64_t digest = history(seed, &first);
    EXPECT_EQ(history(seed, &second), digest);
    EXPECT_EQ(first, second);
    EXPECT_THAT(first, HasSubstr(" at racy\n"));
    digests.insert(digest);
  }
  EXPECT_EQ(digests.size(), 50u);
}

// Both orders of two lockers, and a newcomer that overtakes a waiter, must be within reach.
TEST(DeterministicSchedulerTest, EveryOrderOfLockersIsReached) {
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    Machine machine(seed, {.stay_per_1024 = 200});
    DeterministicScheduler& scheduler = machine.scheduler;
    std::string order;
    ASSERT_TRUE(scheduler
                    .Run([&] {
                      Mutex mutex(&scheduler);
                      Threads threads;
                      for (const char* name : {"a", "b", "c"}) {
                        threads.push_back(scheduler.Spawn(name, [&, name] {
                          for (int i = 0; i < 2; ++i) {
                            std::lock_guard<Mutex> guard(mutex);
                            order += name;
                            scheduler.Point("inside");
                          }
                        }));
                      }
                      JoinAll(&threads);
                    })
                    .ok());
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 90u) << "6! / (2! 2! 2!)";
}

TEST(DeterministicSchedulerTest, TryLockDoesNotWait) {
  Machine machine(3);
  DeterministicScheduler& scheduler = machine.scheduler;
  EXPECT_TRUE(scheduler
                  .Run([&] {
                    Mutex mutex(&scheduler);
                    std::lock_guard<Mutex> guard(mutex);
                    bool taken = true;
                    scheduler.Spawn("trier", [&] { taken = mutex.try_lock(); })->Join();
                    EXPECT_FALSE(taken);
                    Mutex free(&scheduler);
                    EXPECT_TRUE(free.try_lock());
                    free.unlock();
                  })
                  .ok());
}

// A bounded queue hangs if a wake-up is lost, and loses items if exclusion fails.
TEST(DeterministicSchedulerTest, NoWakeUpIsLost) {
  uint64_t spurious = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Machine machine(seed, {.stay_per_1024 = 300, .spurious_per_1024 = seed % 2 ? 200u : 0u});
    DeterministicScheduler& scheduler = machine.scheduler;
    int sum = 0;
    const RunReport report = scheduler.Run([&] {
      Mutex mutex(&scheduler);
      CondVar not_empty(&mutex);
      CondVar not_full(&mutex);
      std::deque<int> queue;
      Threads threads;
      for (int t = 0; t < 2; ++t) {
        threads.push_back(scheduler.Spawn("producer", [&] {
          for (int i = 1; i <= 10; ++i) {
            std::lock_guard<Mutex> guard(mutex);
            while (queue.size() == 2) not_full.Wait();
            queue.push_back(i);
            not_empty.NotifyOne();
          }
        }));
        threads.push_back(scheduler.Spawn("consumer", [&] {
          for (int i = 1; i <= 10; ++i) {
            std::lock_guard<Mutex> guard(mutex);
            while (queue.empty()) not_empty.Wait();
            sum += queue.front();
            queue.pop_front();
            not_full.NotifyOne();
          }
        }));
      }
      JoinAll(&threads);
    });
    ASSERT_TRUE(report.ok()) << "seed " << seed << "\n" << report.description;
    ASSERT_EQ(sum, 110);
    if (seed % 2 == 0) {
      ASSERT_EQ(machine.scheduler.spurious_wakeups(), 0u);
    }
    spurious += machine.scheduler.spurious_wakeups();
  }
  EXPECT_GT(spurious, 100u);
}

TEST(DeterministicSchedulerTest, NotifyOneWakesOneAndNotifyAllAll) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Machine machine(seed);
    DeterministicScheduler& scheduler = machine.scheduler;
    ASSERT_TRUE(scheduler
                    .Run([&] {
                      Mutex mutex(&scheduler);
                      CondVar wake(&mutex);
                      int waiting = 0;
                      int woken = 0;
                      Threads threads;
                      for (int t = 0; t < 4; ++t) {
                        threads.push_back(scheduler.Spawn("waiter", [&] {
                          std::lock_guard<Mutex> guard(mutex);
                          ++waiting;
                          wake.Wait();
                          ++woken;
                        }));
                      }
                      const auto settle = [&] { scheduler.SleepUntil(scheduler.NowMicros() + 1); };
                      settle();
                      EXPECT_EQ(waiting, 4);
                      EXPECT_EQ(woken, 0);
                      wake.NotifyOne();
                      settle();
                      EXPECT_EQ(woken, 1);
                      wake.NotifyAll();
                      settle();
                      EXPECT_EQ(woken, 4);
                      JoinAll(&threads);
                    })
                    .ok());
  }
}

TEST(DeterministicSchedulerTest, AnyWaiterMayBeTheOneNotified) {
  std::set<int> first_woken;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Machine machine(seed);
    DeterministicScheduler& scheduler = machine.scheduler;
    ASSERT_TRUE(scheduler
                    .Run([&] {
                      Mutex mutex(&scheduler);
                      CondVar wake(&mutex);
                      std::vector<int> woken;
                      Threads threads;
                      for (int t = 0; t < 3; ++t) {
                        threads.push_back(scheduler.Spawn("waiter", [&, t] {
                          std::lock_guard<Mutex> guard(mutex);
                          wake.Wait();
                          woken.push_back(t);
                        }));
                        scheduler.SleepUntil(scheduler.NowMicros() + 1);
                      }
                      wake.NotifyOne();
                      scheduler.SleepUntil(scheduler.NowMicros() + 1);
                      first_woken.insert(woken.at(0));
                      wake.NotifyAll();
                      JoinAll(&threads);
                    })
                    .ok());
  }
  EXPECT_THAT(first_woken, ElementsAre(0, 1, 2));
}

TEST(DeterministicSchedulerTest, TimeJumpsToTheEarliestDeadline) {
  Machine machine(1);
  DeterministicScheduler& scheduler = machine.scheduler;
  const uint64_t start = scheduler.NowMicros();
  std::vector<uint64_t> woken;
  EXPECT_TRUE(scheduler
                  .Run([&] {
                    Threads threads;
                    for (const uint64_t delay : {5000, 100, 3000, 0, 100}) {
                      threads.push_back(scheduler.Spawn("sleeper", [&, delay] {
                        scheduler.SleepUntil(start + delay);
                        EXPECT_EQ(scheduler.NowMicros(), start + delay);
                        woken.push_back(delay);
                      }));
                    }
                    JoinAll(&threads);
                  })
                  .ok());
  EXPECT_THAT(woken, ElementsAre(0, 100, 100, 3000, 5000));
  EXPECT_EQ(machine.clock.NowMicros(), start + 5000);
}

TEST(DeterministicSchedulerTest, TimedWaitsEndAtTheDeadlineOrAtANotification) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Machine machine(seed);
    DeterministicScheduler& scheduler = machine.scheduler;
    ASSERT_TRUE(scheduler
                    .Run([&] {
                      Mutex mutex(&scheduler);
                      CondVar wake(&mutex);
                      const uint64_t start = scheduler.NowMicros();
                      std::unique_lock<Mutex> lock(mutex);
                      EXPECT_FALSE(wake.WaitUntil(start + 250));
                      EXPECT_EQ(scheduler.NowMicros(), start + 250);
                      EXPECT_FALSE(wake.WaitUntil(start)) << "already past";

                      auto notifier = scheduler.Spawn("notifier", [&] {
                        scheduler.SleepUntil(start + 400);
                        std::lock_guard<Mutex> guard(mutex);
                        wake.NotifyOne();
                      });
                      EXPECT_TRUE(wake.WaitUntil(start + 500));
                      EXPECT_EQ(scheduler.NowMicros(), start + 400);
                      bool taken = true;
                      scheduler.Spawn("trier", [&] { taken = mutex.try_lock(); })->Join();
                      EXPECT_FALSE(taken) << "not held after the wait";
                      lock.unlock();
                      notifier->Join();
                    })
                    .ok());
  }
}

TEST(DeterministicSchedulerTest, ATimedOutWaiterTakesNoNotification) {
  Machine machine(1);
  DeterministicScheduler& scheduler = machine.scheduler;
  EXPECT_TRUE(scheduler
                  .Run([&] {
                    Mutex mutex(&scheduler);
                    CondVar wake(&mutex);
                    const uint64_t start = scheduler.NowMicros();
                    bool patient_woken = false;
                    auto patient = scheduler.Spawn("patient", [&] {
                      std::lock_guard<Mutex> guard(mutex);
                      wake.Wait();
                      patient_woken = true;
                    });
                    auto hasty = scheduler.Spawn("hasty", [&] {
                      std::lock_guard<Mutex> guard(mutex);
                      EXPECT_FALSE(wake.WaitUntil(start + 10));
                    });
                    // The hasty one times out while main has the mutex, and has to wait for it.
                    scheduler.SleepUntil(start + 5);
                    mutex.lock();
                    scheduler.SleepUntil(start + 20);
                    wake.NotifyOne();
                    mutex.unlock();
                    hasty->Join();
                    patient->Join();
                    EXPECT_TRUE(patient_woken);
                  })
                  .ok());
}

TEST(DeterministicSchedulerTest, PointsMayTakeTime) {
  Machine machine(1, {}, {.micros_per_point = 3});
  DeterministicScheduler& scheduler = machine.scheduler;
  EXPECT_TRUE(scheduler
                  .Run([&] {
                    const uint64_t start = scheduler.NowMicros();
                    bool slept = false;
                    auto sleeper = scheduler.Spawn("sleeper", [&] {
                      scheduler.SleepUntil(start + 100);
                      slept = true;
                    });
                    // Never idle, and yet the deadline comes.
                    while (!slept) scheduler.Point("busy");
                    EXPECT_GE(scheduler.NowMicros(), start + 100);
                    sleeper->Join();
                  })
                  .ok());
}

TEST(DeterministicSchedulerTest, DeadlockIsReportedWithWhoWaitsForWhom) {
  Machine machine(1);
  DeterministicScheduler& scheduler = machine.scheduler;
  const RunReport report = scheduler.Run([&] {
    Mutex first(&scheduler);
    Mutex second(&scheduler);
    CondVar never(&second);
    auto taker = scheduler.Spawn("taker", [&] {
      std::lock_guard<Mutex> guard(first);
      scheduler.SleepUntil(scheduler.NowMicros() + 20);
      std::lock_guard<Mutex> both(second);
    });
    auto waiter = scheduler.Spawn("waiter", [&] {
      std::lock_guard<Mutex> guard(second);
      never.Wait();
    });
    auto crossing = scheduler.Spawn("crossing", [&] {
      scheduler.SleepUntil(scheduler.NowMicros() + 10);
      std::lock_guard<Mutex> guard(second);
      std::lock_guard<Mutex> both(first);
    });
    taker->Join();
    ADD_FAILURE() << "joined what never ends";
  });
  EXPECT_EQ(report.outcome, RunOutcome::kDeadlock);
  EXPECT_FALSE(report.ok());
  EXPECT_THAT(report.description, HasSubstr("deadlock at 1000020 us, after "));
  EXPECT_THAT(
      report.description,
      MatchesRegex("deadlock at .*\n"
                   "  fiber 0 \"main\": joins fiber 1 \"taker\"; last at point [0-9]+, join\n"
                   "  fiber 1 \"taker\": waits for mutex 1, held by fiber 3 \"crossing\"; "
                   "last at point [0-9]+, lock\n"
                   "  fiber 2 \"waiter\": waits for condition 0 \\(mutex 1\\); "
                   "last at point [0-9]+, wait\n"
                   "  fiber 3 \"crossing\": waits for mutex 0, held by fiber 1 \"taker\"; "
                   "last at point [0-9]+, lock\n"));
}

TEST(DeterministicSchedulerTest, DeadlockThatOnlySomeOrdersReachIsFound) {
  int deadlocks = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    DeterministicScheduler& scheduler = machine.scheduler;
    const RunReport report = scheduler.Run([&] {
      Mutex a(&scheduler);
      Mutex b(&scheduler);
      auto other = scheduler.Spawn("other", [&] {
        std::lock_guard<Mutex> first(b);
        std::lock_guard<Mutex> second(a);
      });
      {
        std::lock_guard<Mutex> first(a);
        std::lock_guard<Mutex> second(b);
      }
      other->Join();
    });
    deadlocks += report.outcome == RunOutcome::kDeadlock;
  }
  EXPECT_GT(deadlocks, 0);
  EXPECT_LT(deadlocks, 50);
}

TEST(DeterministicSchedulerTest, LivelocksRunIntoABudget) {
  {
    Machine machine(1, {}, {.max_points = 1000});
    const RunReport report = machine.scheduler.Run([&] {
      while (true) machine.scheduler.Point("spin");
    });
    EXPECT_EQ(report.outcome, RunOutcome::kPointBudget);
    EXPECT_EQ(report.description,
              "scheduling-point budget exceeded at 1000000 us, after 1001 points\n"
              "  fiber 0 \"main\": runs; last at point 1001, spin\n");
  }
  {
    Machine machine(1, {}, {.max_virtual_micros = 5'000'000});
    DeterministicScheduler& scheduler = machine.scheduler;
    const RunReport report = scheduler.Run([&] {
      auto ticker = scheduler.Spawn("ticker", [&] {
        while (true) scheduler.SleepUntil(scheduler.NowMicros() + 1'000'000);
      });
      ticker->Join();
    });
    EXPECT_EQ(report.outcome, RunOutcome::kTimeBudget);
    EXPECT_EQ(machine.clock.NowMicros(), VirtualClock::kStartMicros + 5'000'000);
    EXPECT_THAT(report.description,
                HasSubstr("fiber 1 \"ticker\": sleeps until 7000000 us; last at point "));
  }
}

TEST(DeterministicSchedulerTest, BudgetsAreOfWhatIsBetweenTheirRenewals) {
  for (const bool renewed : {false, true}) {
    Machine machine(1, {}, {.max_points = 1000});
    const RunReport report = machine.scheduler.Run([&] {
      for (int part = 0; part < 5; ++part) {
        if (renewed) machine.scheduler.RenewBudgets();
        for (int i = 0; i < 900; ++i) machine.scheduler.Point("work");
      }
    });
    EXPECT_EQ(report.outcome, renewed ? RunOutcome::kCompleted : RunOutcome::kPointBudget);
  }
}

// A disk may be as slow as it likes; what re-arms beside it is found all the same.
TEST(DeterministicSchedulerTest, StallsAreNotOfTheBudgetOfTime) {
  for (const bool ticks : {false, true}) {
    Machine machine(1, {}, {.max_virtual_micros = 5'000'000});
    DeterministicScheduler& scheduler = machine.scheduler;
    const RunReport report = scheduler.Run([&] {
      for (int i = 0; i < 10; ++i) scheduler.Stall(1'000'000);
      while (ticks) scheduler.SleepUntil(scheduler.NowMicros() + 1'000'000);
    });
    EXPECT_EQ(report.outcome, ticks ? RunOutcome::kTimeBudget : RunOutcome::kCompleted);
  }
}

TEST(DeterministicSchedulerTest, FibersThatMainLeavesBehindAreReported) {
  Machine machine(1);
  DeterministicScheduler& scheduler = machine.scheduler;
  Threads leaked;
  const RunReport report = scheduler.Run([&] {
    leaked.push_back(scheduler.Spawn("forgotten", [&] { scheduler.SleepUntil(UINT64_MAX); }));
  });
  EXPECT_EQ(report.outcome, RunOutcome::kUnjoined);
  EXPECT_THAT(report.description, HasSubstr("fiber 1 \"forgotten\": "));
}

TEST(DeterministicSchedulerTest, FreeLocksWorkOutsideRun) {
  Machine machine(1);
  DeterministicScheduler& scheduler = machine.scheduler;
  Mutex mutex(&scheduler);
  CondVar cond(&mutex);
  mutex.lock();
  cond.NotifyAll();
  mutex.unlock();
  scheduler.Point("nothing");
  const uint64_t later = scheduler.NowMicros() + 10;
  scheduler.SleepUntil(later);
  EXPECT_EQ(scheduler.NowMicros(), later);
  EXPECT_EQ(scheduler.points(), 0u);
}

TEST(DeterministicSchedulerTest, StacksAreUsedAgain) {
  FiberPool pool;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    VirtualClock clock;
    Trace trace;
    RandomWalk walk(Rng(seed), {});
    DeterministicScheduler scheduler(&pool, &clock, &walk, &trace, {});
    ASSERT_TRUE(scheduler
                    .Run([&] {
                      for (int round = 0; round < 10; ++round) {
                        Threads threads;
                        for (int t = 0; t < 3; ++t) {
                          threads.push_back(scheduler.Spawn("t", [&] { scheduler.Point("p"); }));
                        }
                        JoinAll(&threads);
                      }
                    })
                    .ok());
  }
  EXPECT_EQ(pool.stacks(), 4u);
}

TEST(DeterministicSchedulerTest, SchedulersOnOtherThreadsAndInsideFibersDoNotMeet) {
  const auto simulate = [](uint64_t seed) {
    FiberPool pool;
    VirtualClock clock;
    Trace trace;
    RandomWalk walk(Rng(seed), {});
    DeterministicScheduler scheduler(&pool, &clock, &walk, &trace, {});
    EXPECT_TRUE(scheduler
                    .Run([&] {
                      Threads threads;
                      for (int t = 0; t < 3; ++t) {
                        threads.push_back(scheduler.Spawn("t", [&] {
                          for (int i = 0; i < 100; ++i) scheduler.Point("p");
                        }));
                      }
                      JoinAll(&threads);
                    })
                    .ok());
    return trace.Digest();
  };
  const uint64_t alone = simulate(1);
  std::vector<uint64_t> digests(4);
  std::vector<std::thread> threads;
  for (uint64_t& digest : digests) threads.emplace_back([&] { digest = simulate(1); });
  for (std::thread& thread : threads) thread.join();
  Machine machine(5);
  EXPECT_TRUE(machine.scheduler
                  .Run([&] {
                    auto child =
                        machine.scheduler.Spawn("c", [&] { digests.push_back(simulate(1)); });
                    digests.push_back(simulate(1));
                    child->Join();
                  })
                  .ok());
  EXPECT_EQ(digests, std::vector<uint64_t>(6, alone));
}

TEST(DeterministicSchedulerDeathTest, MisuseIsNamed) {
  Machine machine(1);
  DeterministicScheduler& scheduler = machine.scheduler;
  const auto run = [&](auto body) { static_cast<void>(scheduler.Run(body)); };
  EXPECT_DEATH(run([&] {
                 Mutex mutex(&scheduler);
                 mutex.lock();
                 mutex.lock();
               }),
               "mutex 0: locked by its own holder; by fiber 0 \"main\", held by fiber 0 \"main\"");
  EXPECT_DEATH(run([&] {
                 Mutex mutex(&scheduler);
                 mutex.lock();
                 scheduler.Spawn("thief", [&] { mutex.unlock(); })->Join();
               }),
               "mutex 0: unlocked by another than its holder; by fiber 1 \"thief\", held by fiber "
               "0 \"main\"");
  EXPECT_DEATH(run([&] {
                 Mutex mutex(&scheduler);
                 mutex.unlock();
               }),
               "mutex 0: unlocked by another.*held by nobody");
  EXPECT_DEATH(run([&] {
                 auto mutex = std::make_unique<Mutex>(&scheduler);
                 mutex->lock();
                 mutex.reset();
               }),
               "mutex 0: destroyed while held");
  EXPECT_DEATH(run([&] {
                 Mutex mutex(&scheduler);
                 CondVar cond(&mutex);
                 cond.Wait();
               }),
               "mutex 0: waited with by another than its holder; by fiber 0 \"main\"");
  EXPECT_DEATH(run([&] { scheduler.Spawn("lost", [] {}).reset(); }), "before Join");
  EXPECT_DEATH(run([&] {
                 LockRep rep = {};
                 scheduler.MutexLock(&rep);
               }),
               "not a mutex");
  EXPECT_DEATH(scheduler.Spawn("early", [] {}), "Spawn outside Run");
}

// Uses stack that a call cannot, until the guard page stops it.
[[gnu::noinline]] int Recurse(int depth) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? frame[0] : Recurse(depth - 1) + frame[0];
}

TEST(DeterministicSchedulerDeathTest, AStackOverflowStopsAtTheGuard) {
  Machine machine(1);
  EXPECT_DEATH(static_cast<void>(machine.scheduler.Run([] { Recurse(1 << 20); })), "");
}

}  // namespace
}  // namespace shearpin::sim
