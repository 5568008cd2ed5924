// Goal: what was due in enough runs and never happened fails a campaign, in words that say what,
// where and in how many runs; with fewer runs it is silent; and every event has its expectation.
// Method: the toy store, which tells of no event (so it never flushes, as far as anybody knows),
// and plans whose fault rule matches no file, through workers and tally as in a soak.
#include "sim/coverage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/event_listener.h"
#include "sim/campaign.h"
#include "sim/generator.h"
#include "sim/knobs.h"
#include "sim/seed_runner.h"
#include "sim/subject/toy_subject.h"
#include "sim/tally.h"

namespace shearpin::sim {
namespace {

using Json = nlohmann::json;

Plan MostPlans(uint64_t seed) {
  // The toy claims nothing on a disk that breaks its promises, or without powersafe overwrite.
  GeneratorOptions options;
  options.broken_promises = false;
  Plan plan = GeneratePlan(seed, options);
  plan.powersafe_overwrite = true;
  return plan;
}

// As many seeds as given, in two worker processes, added up as a soak does it.
Tally Soak(uint64_t seeds, const std::function<Plan(uint64_t)>& plan_of) {
  ToyFactory factory(ToyBug::kNone);
  SeedRunner runner(&factory);
  Tally tally;
  CampaignOptions options;
  options.most_seeds = seeds;
  options.jobs = 2;
  Campaign(
      options, [&](uint64_t seed) { return runner.Run(plan_of(seed), Repeat::kOnce); },
      [&](const SeedReport& report) { tally.Add(report); }, [](double) {})
      .Run();
  return tally;
}

bool Names(const std::vector<std::string>& missing, const std::string& text) {
  return std::any_of(missing.begin(), missing.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

TEST(CoverageTest, AnEventThatNeverHappensFailsEnoughRunsAndNotFewer) {
  const Tally few = Soak(4, MostPlans);
  EXPECT_EQ(few.seeds(), 4u);
  EXPECT_EQ(few.failures(), 0u);

  const Tally many = Soak(60, MostPlans);
  const std::vector<std::string> missing = many.coverage().Missing();
  EXPECT_TRUE(Names(missing, "event:opened never happened in 60 runs of: any plan"));
  EXPECT_EQ(many.failures(), missing.size());
  EXPECT_FALSE(Names(missing, "step:put"));  // what did happen is not missing
  EXPECT_FALSE(Names(missing, "crash:"));
  // In both reports, with its class.
  EXPECT_NE(many.Summary(1, 1).find("never happened: event:opened"), std::string::npos);
  const Json json = Json::parse(many.ToJson(1, 1, 61));
  EXPECT_EQ(json["failures"], missing.size());
  EXPECT_EQ(json["findings"][0]["class"], "never happened");
}

TEST(CoverageTest, AFaultRuleThatNeverMatchesFailsEnoughRuns) {
  const auto nowhere = [](uint64_t seed) {
    Plan plan = MostPlans(seed);
    plan.faults = {"ops=sync path=/no/such/file* skip=0 times=always effect=sync_fail:revert_old"};
    return plan;
  };
  const auto everywhere = [](uint64_t seed) {
    Plan plan = MostPlans(seed);
    plan.faults = {"ops=sync path=* skip=0 times=always effect=sync_fail:revert_old"};
    return plan;
  };
  const std::string words = "fault:sync_fail:revert_old never happened";
  EXPECT_FALSE(Names(Soak(50, nowhere).coverage().Missing(), words));
  EXPECT_TRUE(Names(Soak(210, nowhere).coverage().Missing(), words));
  EXPECT_FALSE(Names(Soak(210, everywhere).coverage().Missing(), words));
}

TEST(CoverageTest, TheMatrixSaysWhichCallWasStruckByWhat) {
  const Tally tally = Soak(10, [](uint64_t seed) {
    Plan plan = MostPlans(seed);
    plan.faults = {"ops=sync path=* skip=0 times=once effect=eio"};
    return plan;
  });
  const Json matrix = Json::parse(tally.ToJson(1, 1, 11))["matrix"];
  EXPECT_GE(matrix["sync"]["eio"], 10);
  EXPECT_GE(matrix["sync"]["calls"], matrix["sync"]["eio"]);
  EXPECT_FALSE(matrix["append"].contains("eio"));
  EXPECT_NE(tally.Summary(1, 1).find("faults by call"), std::string::npos);
}

TEST(CoverageTest, OperationsAreBrokenDownByProfileAndPolicy) {
  const Tally tally = Soak(30, MostPlans);
  const Json json = Json::parse(tally.ToJson(1, 1, 31));
  uint64_t sum = 0;
  std::set<std::string> policies;
  for (const auto& [profile, by_policy] : json["operations_by_profile"].items()) {
    for (const auto& [policy, operations] : by_policy.items()) {
      policies.insert(policy);
      sum += operations.get<uint64_t>();
    }
  }
  EXPECT_EQ(sum, json["operations"]);
  EXPECT_GE(policies.size(), 3u);
}

// An event without an expectation could stop happening and nobody would hear of it.
TEST(CoverageTest, EveryEventFaultAndStepHasAnExpectation) {
  std::set<std::string> probes;
  std::set<std::pair<std::string, std::string>> rows;
  for (const Expectation& expectation : StandardExpectations()) {
    probes.insert(expectation.probe);
    EXPECT_TRUE(rows.emplace(expectation.probe, expectation.configuration).second)
        << expectation.probe << " twice for: " << expectation.configuration;
    EXPECT_GE(expectation.least_seeds, 30u) << expectation.probe;
  }
  for (int i = 0; i < static_cast<int>(EventKind::kNumEventKinds); ++i) {
    const std::string name(EventKindName(static_cast<EventKind>(i)));
    EXPECT_TRUE(probes.count("event:" + name)) << name;
  }
  for (int i = 0; i < kNumStepKinds; ++i) {
    EXPECT_TRUE(probes.count("step:" + std::string(StepKindName(static_cast<StepKind>(i)))));
  }
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    for (const std::string& rule : GeneratePlan(seed, {}).faults) {
      EXPECT_TRUE(probes.count("fault:" + FaultName(rule))) << rule;
    }
  }
}

TEST(CoverageTest, EveryKnobIsDrawn) {
  std::set<std::string> drawn;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    for (const auto& [name, value] : GeneratePlan(seed, {}).options) drawn.insert(name);
  }
  for (const Knob& knob : kKnobs) EXPECT_TRUE(drawn.count(std::string(knob.name))) << knob.name;
}

}  // namespace
}  // namespace shearpin::sim
