// Goal: no plan of a few operations, crashed anywhere, leaves a state that the engine does not
// recover as it must; and the search behind that claim is as exhaustive as it says, and can fail.
// Method: the bounded tier of `explore --exhaustive` on the engine, and on toys with a bug that
// needs just so many operations.
#include "sim/short_plans.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "sim/explorer.h"
#include "sim/fiber_pool.h"
#include "sim/subject/shearpin_subject.h"
#include "sim/subject/toy_subject.h"

namespace shearpin::sim {
namespace {

ExploreReport ExploreAll(SubjectFactory* factory, uint64_t operations, const std::string& profile) {
  FiberPool fibers;
  ExploreOptions options;
  options.depth = 0;
  options.budget = UINT64_MAX;
  return Explorer(factory, &fibers).ExploreShortPlans(operations, profile, options);
}

uint64_t PlansUpTo(uint64_t operations) {
  uint64_t sum = 1;
  for (uint64_t i = 0, power = 1; i < operations; ++i) sum += power *= ShortPlans::AlphabetSize();
  return sum;
}

TEST(ShortPlansTest, EveryPlanComesOnceAndRoundTrips) {
  ShortPlans plans(2, "posix-min");
  std::set<std::string> seen;
  for (Plan plan; plans.Next(&plan);) {
    const std::string text = FormatPlan(plan);
    EXPECT_TRUE(seen.insert(text).second) << text;
    const StatusOr<Plan> parsed = ParsePlan(text, "short.plan");
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_TRUE(*parsed == plan) << text;
  }
  EXPECT_EQ(seen.size(), ShortPlans::AlphabetSize() * ShortPlans::AlphabetSize());
}

TEST(ShortPlansTest, TheEngineSurvivesEveryPlanOfTwoOperations) {
  for (const char* profile : {"ext4-ordered", "posix-min"}) {
    ShearpinFactory factory;
    const ExploreReport report = ExploreAll(&factory, 2, profile);
    EXPECT_FALSE(report.run.failure);
    EXPECT_EQ(report.failures, 0) << report.findings[0].message;
    EXPECT_TRUE(report.all);
    EXPECT_EQ(report.plans, PlansUpTo(2));
    EXPECT_GT(report.checked, 5 * report.plans);
  }
}

TEST(ShortPlansTest, ABugIsFoundByThePlanThatIsJustLongEnough) {
  const struct {
    ToyBug bug;
    uint64_t operations;
    FailureClass failure_class;
  } cases[] = {
      {ToyBug::kNoSync, 1, FailureClass::kDurableWriteLost},
      {ToyBug::kTornBatch, 1, FailureClass::kBatchTorn},
      {ToyBug::kForgetsDelete, 2, FailureClass::kDurableWriteLost},
  };
  for (const auto& [bug, operations, failure_class] : cases) {
    ToyFactory factory(bug);
    const ExploreReport shorter = ExploreAll(&factory, operations - 1, "posix-min");
    EXPECT_EQ(shorter.failures, 0) << shorter.findings[0].message;
    const ExploreReport report = ExploreAll(&factory, operations, "posix-min");
    ASSERT_GT(report.failures, 0);
    bool found = false;
    for (const ExploreFinding& finding : report.findings) {
      found |= finding.failure_class == failure_class && finding.replays;
    }
    EXPECT_TRUE(found) << report.findings[0].message;
  }
}

}  // namespace
}  // namespace shearpin::sim
