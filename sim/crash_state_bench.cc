// Crash states recovered and fully verified per second, on one core: opened, read by forward scan,
// backward scan and a Get for each key, held against the model, closed. All that an exploration
// does is counted: the run itself, enumerating what crashes leave, images, hashes.
//
//   bazel run -c opt //sim:crash_state_bench [-- --seconds=S --operations=N --json]
//
// By CPU time, so that a busy machine does not blur it. Best of the rounds that fit into the
// seconds for each history: what disturbs only slows down.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "sim/explorer.h"
#include "sim/fiber_pool.h"
#include "sim/fixed_workload.h"
#include "sim/subject/shearpin_subject.h"

namespace shearpin::sim {
namespace {

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Nothing if some state is wrong.
std::optional<nlohmann::json> Measure(uint64_t operations, double seconds) {
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
    std::fprintf(stderr, "a state is wrong: see it with explore\n");
    return std::nullopt;
  }
  std::printf(
      "history of %4llu operations: %6.0f crash states a second "
      "(last round: %llu plans, %llu images, %llu checked)\n",
      static_cast<unsigned long long>(operations), best,
      static_cast<unsigned long long>(report.legal),
      static_cast<unsigned long long>(report.distinct),
      static_cast<unsigned long long>(report.checked));
  return nlohmann::json{{"operations", operations},
                        {"crash_states_per_second", best},
                        {"crash_states", report.legal},
                        {"distinct_states", report.distinct},
                        {"checked", report.checked}};
}

}  // namespace
}  // namespace shearpin::sim

int main(int argc, char** argv) {
  double seconds = 5;
  std::vector<uint64_t> histories = {100, 1500};
  bool print_json = false;
  CLI::App app("Crash states recovered and fully verified per second of one core.",
               "crash_state_bench");
  app.option_defaults()->always_capture_default();
  app.add_option("--seconds", seconds, "CPU seconds for each history")->check(CLI::PositiveNumber);
  app.add_option("--operations", histories, "Lengths of the histories")->check(CLI::PositiveNumber);
  app.add_flag("--json", print_json, "Print one JSON object as the last line");
  CLI11_PARSE(app, argc, argv);
  nlohmann::json json = {{"histories", nlohmann::json::array()}};
  for (const uint64_t operations : histories) {
    const auto measured = shearpin::sim::Measure(operations, seconds);
    if (!measured) return 1;
    json["histories"].push_back(*measured);
  }
  if (print_json) std::printf("%s\n", json.dump().c_str());
  return 0;
}
