// Goal: exploration passes an honest store, finds a dishonest one by the class of its mistake with
// a plan that replays, names the weakest profile, and says truly how much it looked at. Method: a
// toy store with one bug at a time under small fixed plans; the enumeration of states is held
// against faultfs' own exhaustive one.
#include "sim/explorer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "sim/crash_states.h"
#include "sim/fiber_pool.h"
#include "sim/fixed_workload.h"
#include "sim/simulator.h"
#include "sim/subject/toy_subject.h"

namespace shearpin::sim {
namespace {

Plan SmallPlan() {
  Plan plan = FixedWorkload(25, 1);
  plan.clients[0].emplace_back().kind = StepKind::kReopen;
  return plan;
}

ExploreReport Explore(ToyBug bug, const Plan& plan, ExploreOptions options = {}) {
  ToyFactory factory(bug);
  FiberPool fibers;
  options.budget = std::min<uint64_t>(options.budget, 20'000);
  return Explorer(&factory, &fibers).Explore(plan, options);
}

const ExploreFinding* FindingOf(const ExploreReport& report, FailureClass failure_class) {
  for (const ExploreFinding& finding : report.findings) {
    if (finding.failure_class == failure_class) return &finding;
  }
  return nullptr;
}

TEST(ExplorerTest, AnHonestStorePassesAtEveryDepth) {
  for (const char* profile : {"ext4-ordered", "posix-min", "adversarial"}) {
    Plan plan = SmallPlan();
    plan.profile = profile;
    ExploreOptions options;
    options.depth = 1;
    const ExploreReport report = Explore(ToyBug::kNone, plan, options);
    EXPECT_FALSE(report.run.failure);
    EXPECT_EQ(report.failures, 0) << report.findings[0].message;
    EXPECT_GT(report.checked_by_depth[0], 20);
    EXPECT_GT(report.checked_by_depth[1], 20);
    EXPECT_GE(report.legal, report.distinct);
    EXPECT_TRUE(report.all);
  }
}

TEST(ExplorerTest, TwoExplorationsAgree) {
  const ExploreReport first = Explore(ToyBug::kNone, SmallPlan());
  const ExploreReport second = Explore(ToyBug::kNone, SmallPlan());
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.checked, second.checked);
  EXPECT_EQ(first.run.digest, second.run.digest);
}

// To be looked at changes nothing.
TEST(ExplorerTest, TheRunIsWhatItIsWithoutAProbe) {
  ToyFactory factory(ToyBug::kNone);
  FiberPool fibers;
  const RunResult alone = Simulator(&factory, &fibers).Run(SmallPlan());
  EXPECT_EQ(Explore(ToyBug::kNone, SmallPlan()).run.digest, alone.digest);
}

TEST(ExplorerTest, EachMistakeIsFoundByItsClassAndItsPlanReplays) {
  const struct {
    ToyBug bug;
    FailureClass failure_class;
    std::string_view weakest_profile;
  } cases[] = {
      {ToyBug::kNoSync, FailureClass::kDurableWriteLost, "ext4-journal"},
      {ToyBug::kNoDirectorySync, FailureClass::kDurableWriteLost, "posix-min"},
      {ToyBug::kTornBatch, FailureClass::kBatchTorn, "ext4-journal"},
      {ToyBug::kForgetsDelete, FailureClass::kResurrectedDelete, "ext4-journal"},
      {ToyBug::kRefusesTornTail, FailureClass::kWillNotOpen, "ext4-writeback"},
      {ToyBug::kWrongValue, FailureClass::kWrongData, "ext4-journal"},
  };
  for (const auto& [bug, failure_class, weakest_profile] : cases) {
    const std::string_view name = FailureClassName(failure_class);
    ExploreOptions options;
    options.depth = 0;
    const ExploreReport report = Explore(bug, SmallPlan(), options);
    ASSERT_GT(report.failures, 0) << name;
    const ExploreFinding* finding = FindingOf(report, failure_class);
    ASSERT_NE(finding, nullptr) << name << ", not "
                                << FailureClassName(report.findings[0].failure_class);
    EXPECT_TRUE(finding->replays) << name;
    EXPECT_EQ(finding->weakest_profile, weakest_profile) << name;

    const StatusOr<Plan> parsed = ParsePlan(FormatPlan(finding->plan), "found.plan");
    ASSERT_TRUE(parsed.ok());
    ToyFactory factory(bug);
    FiberPool fibers;
    const RunResult replayed = Simulator(&factory, &fibers).Run(*parsed);
    ASSERT_TRUE(replayed.failure) << name;
    EXPECT_EQ(replayed.failure->failure_class, failure_class);
  }
}

// The store hangs where it holds so much, also in recoveries, each of which leaves its fibers
// behind.
TEST(ExplorerTest, ARecoveryThatHangsIsToldAndTheNextOneGoesOn) {
  Plan plan = SmallPlan();
  CrashSpec& crash = plan.crashes.emplace_back();
  crash.start = {CrashStart::After::kStep, 0, 20};
  ExploreOptions options;
  options.depth = 0;
  const ExploreReport report = Explore(ToyBug::kHangsOnClose, plan, options);
  EXPECT_GT(report.failures, 1);
  EXPECT_NE(FindingOf(report, FailureClass::kDeadlock), nullptr);
}

TEST(ExplorerTest, ABudgetEndsItAndIsTold) {
  ExploreOptions options;
  options.budget = 50;
  const ExploreReport report = Explore(ToyBug::kNone, SmallPlan(), options);
  EXPECT_EQ(report.checked, 50);
  EXPECT_FALSE(report.all);
  EXPECT_GT(report.legal, 50);
}

TEST(ExplorerTest, PlansWithCrashesOfTheirOwnAreExploredAroundThem) {
  Plan plan = SmallPlan();
  CrashSpec& crash = plan.crashes.emplace_back();
  crash.start = {CrashStart::After::kStep, 0, 10};
  crash.choice.image = "power keep=none";
  ExploreOptions options;
  options.depth = 0;
  const ExploreReport honest = Explore(ToyBug::kNone, plan, options);
  EXPECT_EQ(honest.failures, 0);
  EXPECT_EQ(honest.run.crashes, 1);
  const ExploreReport report = Explore(ToyBug::kTornBatch, plan, options);
  const ExploreFinding* finding = FindingOf(report, FailureClass::kBatchTorn);
  ASSERT_NE(finding, nullptr);
  EXPECT_TRUE(finding->replays);
}

// What every_subset enumerates, tears left aside, is what faultfs' own enumeration finds, once
// each.
TEST(CrashStatesTest, EverySubsetIsEveryLegalChoiceOnce) {
  for (const std::string_view name : faultfs::ProfileNames()) {
    faultfs::SimDisk disk(*faultfs::FindProfile(name));
    ASSERT_TRUE(disk.CreateDir("/d").ok());
    {
      auto file = disk.Open("/d/a.log", faultfs::OpenHow::kCreateNew);
      ASSERT_TRUE(file.ok());
      disk.Write(*file, 0, std::string(700, 'x'));
      disk.Write(*file, 700, std::string(4000, 'y'));
      disk.Resize(*file, 100);
    }
    ASSERT_TRUE(disk.Rename("/d/a.log", "/d/b.log").ok());
    std::set<std::string> expected;
    for (const faultfs::CrashPlan& plan : faultfs::AllLegalChoices(disk)) {
      expected.insert(plan.bits);
    }
    CrashStates states(disk, {.random = 0, .every_subset = true}, Rng(1));
    std::vector<std::string> found;
    for (faultfs::CrashPlan plan; states.Next(&plan);) {
      if (plan.keep == faultfs::KeepRule::kList && plan.tears.empty()) found.push_back(plan.bits);
    }
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), expected);
    EXPECT_EQ(found.size(), expected.size());
  }
}

}  // namespace
}  // namespace shearpin::sim
