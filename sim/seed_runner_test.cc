// Goal: the engine passes the general workload, and two runs of a seed are one history.
// Method: the first seeds, each twice, every disk profile among them; the soak does the rest.
#include "sim/seed_runner.h"

#include <gtest/gtest.h>

#include "sim/subject/shearpin_subject.h"

namespace shearpin::sim {
namespace {

TEST(SeedRunnerTest, TheEnginePassesTheSameWayTwice) {
  ShearpinFactory factory;
  SeedRunner runner(&factory);
  Figures sum;
  Figures events;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const SeedReport report = runner.Run(GeneratePlan(seed, {}), Repeat::kTwice);
    ASSERT_FALSE(report.finding.has_value())
        << "seed " << seed << ": " << FailureClassName(report.finding->failure_class) << ": "
        << report.finding->message;
    for (const auto& [name, value] : report.figures) sum[name] += value;
    for (const auto& [name, value] : report.events) events[name] += value;
  }
  EXPECT_GT(sum["crash_states"], 500u);
  EXPECT_GT(sum["nested_crashes"], 10u);
  // What recovery has to decide must have come up.
  for (const char* name : {"opened", "recovered-log", "torn-tail", "flush-done", "manifest-rotated",
                           "orphan-removed", "writer-poisoned"}) {
    EXPECT_GT(events[name], 0u) << name;
  }
}

// A report does not depend on what the same process ran before.
TEST(SeedRunnerTest, RunsDoNotInfluenceEachOther) {
  ShearpinFactory factory;
  SeedRunner warm(&factory);
  for (uint64_t seed = 1; seed <= 10; ++seed) warm.Run(GeneratePlan(seed, {}), Repeat::kOnce);
  for (uint64_t seed = 11; seed <= 20; ++seed) {
    SeedRunner fresh(&factory);
    EXPECT_EQ(warm.Run(GeneratePlan(seed, {}), Repeat::kOnce).digest,
              fresh.Run(GeneratePlan(seed, {}), Repeat::kOnce).digest);
  }
}

}  // namespace
}  // namespace shearpin::sim
