// Crash states recovered and fully verified per second, on one core: opened, read by forward scan,
// backward scan and a Get for each key, held against the model, closed. All that an exploration
// does is counted: the run itself, enumerating what crashes leave, images, hashes.
//
//   bazel run -c opt //sim:crash_state_bench [-- SECONDS [OPERATIONS]]
//
// By CPU time, so that a busy machine does not blur it. Best of the rounds that fit into SECONDS
// for each history: what disturbs only slows down.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "sim/explorer.h"
#include "sim/fiber_pool.h"
#include "sim/fixed_workload.h"
#include "sim/subject/shearpin_subject.h"

namespace shearpin::sim {
namespace {

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void Measure(uint64_t operations, double seconds) {
  ShearpinFactory factory;
  FiberPool fibers;
  ExploreOptions options;
  options.depth = 0;
  options.budget = UINT64_MAX;
  double best = 0;
  ExploreReport report;
  const double begin = CpuSeconds();
  for (uint64_t seed = 1; seed == 1 || CpuSeconds() - begin < seconds; ++seed) {
    const double round = CpuSeconds();
    report = Explorer(&factory, &fibers).Explore(FixedWorkload(operations, seed), options);
    best = std::max(best, static_cast<double>(report.checked) / (CpuSeconds() - round));
    if (report.failures == 0 && !report.run.failure) continue;
    std::printf("a state is wrong: see it with explore\n");
    std::exit(1);
  }
  std::printf(
      "history of %4llu operations: %6.0f crash states a second "
      "(last round: %llu plans, %llu images, %llu checked)\n",
      static_cast<unsigned long long>(operations), best,
      static_cast<unsigned long long>(report.legal),
      static_cast<unsigned long long>(report.distinct),
      static_cast<unsigned long long>(report.checked));
}

}  // namespace
}  // namespace shearpin::sim

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  if (argc > 2) {
    shearpin::sim::Measure(std::strtoull(argv[2], nullptr, 10), seconds);
  } else {
    shearpin::sim::Measure(100, seconds);
    shearpin::sim::Measure(1500, seconds);
  }
}
