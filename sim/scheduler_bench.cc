// What a scheduling point, a switch, a lock and a fiber's life cost: the floor under every
// simulated operation. Run: bazel run -c opt //sim:scheduler_bench
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/env/env.h"
#include "sim/deterministic_scheduler.h"
#include "sim/fiber_pool.h"
#include "sim/rng.h"
#include "sim/virtual_clock.h"

namespace shearpin::sim {
namespace {

// Runs `body` with a fresh scheduler several times and prints the best nanoseconds for each of
// the operations that it says it made.
void Measure(const char* what, FiberPool* pool, RandomWalk::Options options,
             const std::function<uint64_t(DeterministicScheduler*)>& body) {
  double best = 1e9;
  for (int round = 0; round < 7; ++round) {
    VirtualClock clock;
    Trace trace;
    RandomWalk walk(Rng(1), options);
    DeterministicScheduler scheduler(pool, &clock, &walk, &trace, {});
    uint64_t operations = 1;
    const uint64_t start = RealClock()->NowMicros();
    const RunReport report = scheduler.Run([&] { operations = body(&scheduler); });
    const uint64_t micros = RealClock()->NowMicros() - start;
    if (!report.ok()) std::fputs(report.description.c_str(), stderr);
    best = std::min(best, 1000.0 * static_cast<double>(micros) / static_cast<double>(operations));
  }
  std::printf("%-52s %8.1f ns\n", what, best);
}

uint64_t PointsOf(DeterministicScheduler* scheduler, int fibers) {
  constexpr uint64_t kPoints = 1'000'000;
  std::vector<std::unique_ptr<Scheduler::ThreadHandle>> threads;
  for (int t = 0; t < fibers; ++t) {
    threads.push_back(scheduler->Spawn("t", [&] {
      for (uint64_t i = 0; i < kPoints / static_cast<uint64_t>(fibers); ++i) scheduler->Point("p");
    }));
  }
  for (auto& thread : threads) thread->Join();
  return kPoints;
}

uint64_t SwitchesOf(DeterministicScheduler* scheduler, int fibers) {
  const uint64_t before = scheduler->switches();
  PointsOf(scheduler, fibers);
  return scheduler->switches() - before;
}

uint64_t HandOffs(DeterministicScheduler* scheduler) {
  constexpr uint64_t kRounds = 200'000;
  Mutex mutex(scheduler);
  CondVar changed(&mutex);
  uint64_t turn = 0;
  const auto play = [&](uint64_t mine) {
    for (uint64_t i = 0; i < kRounds; ++i) {
      std::lock_guard<Mutex> guard(mutex);
      while (turn % 2 != mine) changed.Wait();
      ++turn;
      changed.NotifyOne();
    }
  };
  auto other = scheduler->Spawn("other", [&] { play(1); });
  play(0);
  other->Join();
  return 2 * kRounds;
}

void MeasureAll() {
  FiberPool pool;
  const RandomWalk::Options always = {.stay_per_1024 = 0};
  Measure("point, one fiber (no decision)", &pool, always,
          [](auto* scheduler) { return PointsOf(scheduler, 1); });
  Measure("point, 4 fibers, current stays 7 times of 8", &pool, {.stay_per_1024 = 896},
          [](auto* scheduler) { return PointsOf(scheduler, 4); });
  for (const int fibers : {2, 4, 16}) {
    const std::string what = "switch with its decision, " + std::to_string(fibers) + " fibers";
    Measure(what.c_str(), &pool, always,
            [&](auto* scheduler) { return SwitchesOf(scheduler, fibers); });
  }
  Measure("mutex lock + unlock, one fiber", &pool, always, [](auto* scheduler) {
    Mutex mutex(scheduler);
    for (int i = 0; i < 1'000'000; ++i) std::lock_guard<Mutex> guard(mutex);
    return 1'000'000;
  });
  Measure("condition-variable hand-off", &pool, {.stay_per_1024 = 512}, HandOffs);
  Measure("spawn + join", &pool, always, [](auto* scheduler) {
    for (int i = 0; i < 200'000; ++i) scheduler->Spawn("child", [] {})->Join();
    return 200'000;
  });
  Measure("sleep that the clock jumps over", &pool, always, [](auto* scheduler) {
    for (int i = 0; i < 1'000'000; ++i) scheduler->SleepUntil(scheduler->NowMicros() + 1);
    return 1'000'000;
  });
}

}  // namespace
}  // namespace shearpin::sim

int main() {
  shearpin::sim::MeasureAll();
  return 0;
}
