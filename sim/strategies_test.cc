// Goal: PCT finds what only long stretches in one order show, where a random walk does not; it
// runs by priorities and nothing else; laggards find what only a narrow window shows, and starve
// nobody; and a recorded schedule replays the history it was taken
// from, keeps a meaning when it does not fit any more, and says so.
// Method: programs with one bug, under each strategy with hundreds of seeds, the runs to the first
// hit measured; random programs under random walks, PCT and laggards, recorded and replayed, digest
// against digest; recordings with decisions taken out or spoilt.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sim/deterministic_scheduler.h"
#include "sim/fiber_pool.h"
#include "sim/lagging_strategy.h"
#include "sim/pct_strategy.h"
#include "sim/recorded_schedule.h"
#include "sim/rng.h"
#include "sim/virtual_clock.h"

namespace shearpin::sim {
namespace {

using Program = std::function<void(DeterministicScheduler*)>;
using Threads = std::vector<std::unique_ptr<Scheduler::ThreadHandle>>;

struct History {
  RunReport report;
  uint64_t digest = 0;
  uint64_t switches = 0;
};

History RunProgram(const Program& program, SchedulingStrategy* strategy) {
  static FiberPool pool;
  VirtualClock clock;
  Trace trace;
  DeterministicScheduler scheduler(&pool, &clock, strategy, &trace, {});
  History history;
  history.report = scheduler.Run([&] { program(&scheduler); });
  history.digest = trace.Digest();
  history.switches = scheduler.switches();
  return history;
}

// ---- What PCT is for ----

// A bug of depth 2: it shows if all of the writer's long work happens between two of the reader's
// steps, the first of which is not its very first. Any two threads that take turns miss it.
constexpr int kLongWork = 1000;

bool LongWorkWithin(SchedulingStrategy* strategy) {
  bool found = false;
  RunProgram(
      [&](DeterministicScheduler* scheduler) {
        int written = 0;
        auto reader = scheduler->Spawn("reader", [&] {
          for (int i = 0; i < 500; ++i) {
            const int before = written;
            scheduler->Yield("read");
            if (before == 0 && i > 0 && written == kLongWork) found = true;
          }
        });
        auto writer = scheduler->Spawn("writer", [&] {
          for (int i = 0; i < kLongWork; ++i) {
            scheduler->Yield("write");
            ++written;
          }
        });
        reader->Join();
        writer->Join();
      },
      strategy);
  return found;
}

// A bug of depth 3: within one step of the first thread, in its first half, the second does more
// than half of its work; and within one step of the second the first does the rest of its own.
constexpr int kWork = 1000;

bool TwoWindows(SchedulingStrategy* strategy) {
  bool found = false;
  RunProgram(
      [&](DeterministicScheduler* scheduler) {
        int first_at = 0;
        int second_at = 0;
        bool passed = false;
        auto first = scheduler->Spawn("first", [&] {
          for (; first_at < kWork; ++first_at) {
            const int before = second_at;
            scheduler->Yield("first");
            if (first_at > 0 && before == 0 && second_at > kWork / 2) passed = true;
          }
        });
        auto second = scheduler->Spawn("second", [&] {
          for (; second_at < kWork; ++second_at) {
            const int before = first_at;
            scheduler->Yield("second");
            if (passed && before < kWork / 2 && first_at == kWork) found = true;
          }
        });
        first->Join();
        second->Join();
      },
      strategy);
  return found;
}

constexpr int kSeeds = 600;

template <typename MakeStrategy>
int Hits(bool (*program)(SchedulingStrategy*), const MakeStrategy& make) {
  int hits = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    auto strategy = make(Rng::Stream(seed, "scheduling"));
    hits += program(&strategy);
  }
  return hits;
}

TEST(PctTest, FindsWhatNeedsALongStretchAndARandomWalkDoesNot) {
  const auto pct = [](uint32_t depth) {
    return [depth](Rng rng) { return PctStrategy(rng, {.depth = depth, .steps = 2 * kWork}); };
  };
  const auto walk = [](uint32_t stay) {
    return [stay](Rng rng) { return RandomWalk(rng, {.stay_per_1024 = stay}); };
  };
  const struct {
    const char* name;
    bool (*program)(SchedulingStrategy*);
  } programs[] = {{"long work", LongWorkWithin}, {"two windows", TwoWindows}};
  int hits[2][5];
  for (int i = 0; i < 2; ++i) {
    int* const row = hits[i];
    row[0] = Hits(programs[i].program, pct(1));
    row[1] = Hits(programs[i].program, pct(2));
    row[2] = Hits(programs[i].program, pct(3));
    row[3] = Hits(programs[i].program, walk(512));
    row[4] = Hits(programs[i].program, walk(1008));
    std::printf("%-12s of %d runs: pct d=1 %d, d=2 %d, d=3 %d; walk stay=512 %d, stay=1008 %d\n",
                programs[i].name, kSeeds, row[0], row[1], row[2], row[3], row[4]);
  }
  // The long work: one change point finds it, none cannot, and no random walk gets there.
  EXPECT_EQ(hits[0][0], 0);
  EXPECT_GT(hits[0][1], kSeeds / 50);
  EXPECT_EQ(hits[0][3], 0);
  EXPECT_LT(10 * hits[0][4], hits[0][1]);
  // The two windows: it takes two.
  EXPECT_EQ(hits[1][0], 0);
  EXPECT_EQ(hits[1][1], 0);
  EXPECT_GT(hits[1][2], 0);
  EXPECT_EQ(hits[1][3], 0);
  EXPECT_LT(3 * hits[1][4], hits[1][2]);
}

// ---- What laggards are for ----

// A window of one point that a thread passes ten times in a long life. It shows if the others do
// much within.
bool MuchInANarrowWindow(SchedulingStrategy* strategy) {
  bool found = false;
  RunProgram(
      [&](DeterministicScheduler* scheduler) {
        int written = 0;
        auto reader = scheduler->Spawn("reader", [&] {
          for (int i = 0; i < 10; ++i) {
            for (int j = 0; j < 200; ++j) scheduler->Yield("think");
            const int before = written;
            scheduler->Yield("window");
            if (written - before >= 400) found = true;
          }
        });
        Threads writers;
        for (int writer = 0; writer < 4; ++writer) {
          writers.push_back(scheduler->Spawn("writer", [&] {
            for (int i = 0; i < 1500; ++i) {
              scheduler->Yield("write");
              ++written;
            }
          }));
        }
        reader->Join();
        for (auto& writer : writers) writer->Join();
      },
      strategy);
  return found;
}

TEST(LaggingTest, FindsANarrowWindowPassedRarely) {
  const int lagging = Hits(MuchInANarrowWindow, [](Rng rng) {
    return LaggingStrategy(rng, {.every = 32, .steps = 4096});
  });
  const int pct = Hits(MuchInANarrowWindow,
                       [](Rng rng) { return PctStrategy(rng, {.depth = 3, .steps = 8000}); });
  const int walk =
      Hits(MuchInANarrowWindow, [](Rng rng) { return RandomWalk(rng, {.stay_per_1024 = 960}); });
  std::printf("narrow window of %d runs: lagging %d, pct d=3 %d, walk stay=960 %d\n", kSeeds,
              lagging, pct, walk);
  EXPECT_GT(lagging, kSeeds / 50);
  EXPECT_GT(lagging, 4 * pct);
  EXPECT_GT(lagging, 4 * walk);
}

// All of them lag nearly all of the time, one for ever; and yet everybody gets to the end.
TEST(LaggingTest, WhoeverLagsRunsWhereNobodyElseCan) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    LaggingStrategy strategy(Rng(seed), {.every = 1, .steps = uint64_t{1} << 60});
    const History history = RunProgram(
        [](DeterministicScheduler* scheduler) {
          bool ready = false;
          auto poller = scheduler->Spawn("poller", [&] {
            while (!ready) scheduler->Yield("poll");
          });
          auto setter = scheduler->Spawn("setter", [&] {
            for (int i = 0; i < 20; ++i) scheduler->Yield("work");
            ready = true;
          });
          poller->Join();
          setter->Join();
        },
        &strategy);
    EXPECT_TRUE(history.report.ok()) << history.report.description;
    EXPECT_LT(history.switches, 10'000u);
  }
}

TEST(PctTest, WithoutChangePointsOneFiberRunsToItsEnd) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::string order;
    PctStrategy strategy(Rng(seed), {.depth = 1, .steps = 100});
    const History history = RunProgram(
        [&](DeterministicScheduler* scheduler) {
          Threads threads;
          for (const char* name : {"a", "b", "c"}) {
            threads.push_back(scheduler->Spawn(name, [&order, scheduler, name] {
              for (int i = 0; i < 5; ++i) {
                order += name;
                scheduler->Yield("work");
              }
            }));
          }
          for (auto& thread : threads) thread->Join();
        },
        &strategy);
    ASSERT_TRUE(history.report.ok());
    EXPECT_EQ(order.size(), 15u);
    // Priorities are strict, so once a fiber with a higher one exists nobody returns to a lower
    // one before that has ended.
    int changes = 0;
    for (size_t i = 1; i < order.size(); ++i) changes += order[i] != order[i - 1];
    EXPECT_LE(changes, 4) << order;
  }
}

TEST(PctTest, WhoPollsDoesNotStarveTheOthers) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    PctStrategy strategy(Rng(seed), {.depth = 1, .steps = 100});
    const History history = RunProgram(
        [](DeterministicScheduler* scheduler) {
          bool ready = false;
          auto poller = scheduler->Spawn("poller", [&] {
            while (!ready) scheduler->Yield("poll");
          });
          auto setter = scheduler->Spawn("setter", [&] {
            scheduler->Yield("work");
            ready = true;
          });
          poller->Join();
          setter->Join();
        },
        &strategy);
    EXPECT_TRUE(history.report.ok()) << history.report.description;
  }
}

// ---- Recording and replay ----

// Locks, conditions, sleeps and spawns in an order that depends on who comes first.
void Brawl(uint64_t shape, DeterministicScheduler* scheduler) {
  Mutex mutex(scheduler);
  CondVar changed(&mutex);
  int tokens = 0;
  Threads threads;
  for (uint64_t t = 0; t < 3 + shape % 3; ++t) {
    threads.push_back(scheduler->Spawn(t % 2 == 0 ? "even" : "odd", [&, t] {
      for (uint64_t i = 0; i < 4 + (shape >> t) % 5; ++i) {
        if ((shape >> i) % 4 == 0) scheduler->SleepUntil(scheduler->NowMicros() + 1 + t);
        std::lock_guard<Mutex> lock(mutex);
        ++tokens;
        if ((shape + i) % 3 == 0) {
          changed.NotifyOne();
        } else if (tokens % 4 == 1) {
          changed.WaitUntil(scheduler->NowMicros() + 20);
        }
      }
      if (shape % 2 == 0) scheduler->Spawn("late", [&] { scheduler->Yield("late"); })->Join();
    }));
  }
  for (auto& thread : threads) thread->Join();
}

class Recorded {
 public:
  Recorded(uint64_t shape, SchedulingStrategy* strategy) : shape_(shape) {
    ScheduleRecorder recorder;
    recorder.Begin("phase", 0, strategy);
    history_ = Run(&recorder);
    schedule_ = recorder.Take();
  }

  History Run(SchedulingStrategy* strategy) const {
    return RunProgram([this](DeterministicScheduler* s) { Brawl(shape_, s); }, strategy);
  }
  History Replay(RecordedSchedule* replay) const {
    replay->Begin("phase", 0);
    const History history = Run(replay);
    replay->Begin("", 0);
    return history;
  }
  const History& history() const { return history_; }
  const Schedule& schedule() const { return schedule_; }

 private:
  const uint64_t shape_;
  History history_;
  Schedule schedule_;
};

RC_GTEST_PROP(RecordedScheduleTest, ReplaysTheHistoryItWasTakenFrom,
              (uint64_t shape, uint64_t seed)) {
  std::unique_ptr<SchedulingStrategy> strategy;
  const auto spurious = *rc::gen::element(0u, 100u);
  const int kind = *rc::gen::inRange(0, 3);
  if (kind == 2) {
    strategy = std::make_unique<LaggingStrategy>(
        Rng(seed), LaggingStrategy::Options{*rc::gen::inRange(0u, 1024u), *rc::gen::inRange(1u, 9u),
                                            60, spurious});
  } else if (kind == 1) {
    strategy = std::make_unique<RandomWalk>(
        Rng(seed), RandomWalk::Options{*rc::gen::inRange(0u, 1024u), spurious});
  } else {
    strategy = std::make_unique<PctStrategy>(
        Rng(seed), PctStrategy::Options{*rc::gen::inRange(1u, 6u), 60, spurious});
  }
  const Recorded recorded(shape, strategy.get());
  RC_ASSERT(recorded.history().report.ok());
  RecordedSchedule replay(&recorded.schedule());
  const History again = recorded.Replay(&replay);
  RC_ASSERT(again.digest == recorded.history().digest);
  RC_ASSERT(replay.divergences() == 0u);
}

// Any decisions may be taken away or be nonsense: the run still ends, the same way each time.
RC_GTEST_PROP(RecordedScheduleTest, WhatDoesNotFitFallsBackAndIsTold,
              (uint64_t shape, uint64_t seed)) {
  RandomWalk walk(Rng(seed), {.stay_per_1024 = 300, .spurious_per_1024 = 50});
  const Recorded recorded(shape, &walk);
  RC_PRE(!recorded.schedule().empty());
  Schedule spoilt = recorded.schedule();
  std::vector<Decision>& decisions = spoilt.front().decisions;
  std::erase_if(decisions, [](const Decision&) { return *rc::gen::inRange(0, 4) == 0; });
  const bool nonsense = !decisions.empty() && *rc::gen::arbitrary<bool>();
  if (nonsense) {
    Decision& decision = *rc::gen::arbitrary<bool>() ? decisions.front() : decisions.back();
    if (decision.kind == DecisionKind::kRun) decision.fiber = "nobody";
    if (decision.kind == DecisionKind::kNotify) decision.waiter = 1000;
  }
  RecordedSchedule first(&spoilt);
  RecordedSchedule second(&spoilt);
  const History one = recorded.Replay(&first);
  const History two = recorded.Replay(&second);
  RC_ASSERT(one.report.ok());
  RC_ASSERT(one.digest == two.digest);
  RC_ASSERT(first.divergences() == second.divergences());
  RC_ASSERT(first.first_divergence().empty() == (first.divergences() == 0));
}

TEST(RecordedScheduleTest, SaysWhatDidNotFit) {
  const auto replay = [](std::vector<Decision> decisions) {
    const Schedule schedule = {{"phase", 3, std::move(decisions)}};
    RecordedSchedule strategy(&schedule);
    strategy.Begin("phase", 3);
    RunProgram(
        [](DeterministicScheduler* scheduler) {
          auto child = scheduler->Spawn("child", [&] { scheduler->Yield("work"); });
          child->Join();
        },
        &strategy);
    strategy.Begin("", 0);
    return strategy.first_divergence();
  };
  EXPECT_EQ(replay({{.at = 0, .fiber = "child"}}), "");
  EXPECT_EQ(replay({{.at = 0, .fiber = "nobody"}}), "phase 3: at choice 0 nobody could not run");
  EXPECT_EQ(replay({{.at = 99, .fiber = "child"}}), "phase 3: it ended before decision 99:child");
  EXPECT_EQ(replay({{.kind = DecisionKind::kNotify, .at = 0, .fiber = "", .waiter = 2}}),
            "phase 3: it ended before decision 0^2");
}

TEST(RecordedScheduleTest, WithoutDecisionsFibersRunOnUntilTheyBlock) {
  const Schedule nothing;
  RecordedSchedule strategy(&nothing);
  strategy.Begin("phase", 0);
  std::string order;
  RunProgram(
      [&](DeterministicScheduler* scheduler) {
        Threads threads;
        for (const char* name : {"a", "b", "c"}) {
          threads.push_back(scheduler->Spawn(name, [&order, scheduler, name] {
            for (int i = 0; i < 3; ++i) {
              order += name;
              scheduler->Yield("work");
            }
          }));
        }
        for (auto& thread : threads) thread->Join();
      },
      &strategy);
  EXPECT_EQ(order, "aaabbbccc");
  EXPECT_EQ(strategy.divergences(), 0u);
}

}  // namespace
}  // namespace shearpin::sim
