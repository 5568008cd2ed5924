// Goal: exploration passes an honest store, finds a dishonest one by the class of its mistake with
// a plan that replays, names the weakest profile, and says truly how much it looked at. Method: a
// toy store with one bug at a time under small fixed plans; the enumeration of states is held
// against faultfs' own exhaustive one.
#include "sim/explorer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
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
  ExploreOptions options;
  options.budget = 3'000;
  const ExploreReport first = Explore(ToyBug::kNone, SmallPlan(), options);
  const ExploreReport second = Explore(ToyBug::kNone, SmallPlan(), options);
  EXPECT_GT(first.checked_by_depth[1], 0);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.checked, second.checked);
  EXPECT_EQ(first.run.digest, second.run.digest);
}

// To be looked at changes nothing.
TEST(ExplorerTest, TheRunIsWhatItIsWithoutAProbe) {
  ToyFactory factory(ToyBug::kNone);
  FiberPool fibers;
  const RunResult alone = Simulator(&factory, &fibers).Run(SmallPlan());
  ExploreOptions options;
  options.budget = 3'000;
  EXPECT_EQ(Explore(ToyBug::kNone, SmallPlan(), options).run.digest, alone.digest);
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

Plan ParsedPlan(const std::string& text) {
  StatusOr<Plan> plan = ParsePlan("shearpin-plan 1\nseed 1\n" + text, "test.plan");
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return *std::move(plan);
}

// Besides the six above: every class that a recovery can show has a store that shows it.
TEST(ExplorerTest, HolesAndStoresThatAreStuckAreFoundByTheirClasses) {
  const struct {
    ToyBug bug;
    FailureClass failure_class;
    int depth;
    std::string plan;
  } cases[] = {
      {ToyBug::kForgetsUnsynced, FailureClass::kHoleBeforeDurable, 0,
       "client\n  put \"a\" \"1\" process\n  put \"b\" \"2\" sync\n  put \"c\" \"3\" sync\n"},
      {ToyBug::kSkipsDamage, FailureClass::kHoleAfterDurable, 0,
       "client\n  put \"a\" \"1\" sync\n  put \"b\" fill(9000,1) process\n"
       "  put \"c\" fill(600,2) process\n  put \"d\" \"4\" process\n"},
      {ToyBug::kStuckOnDamage, FailureClass::kNoProgress, 1,
       "client\n  put \"a\" \"1\" sync\n  put \"b\" fill(5000,1) process\n"
       "  put \"c\" \"3\" sync\n"},
  };
  for (const auto& [bug, failure_class, depth, text] : cases) {
    const std::string_view name = FailureClassName(failure_class);
    ExploreOptions options;
    options.depth = depth;
    const Plan plan = ParsedPlan("profile posix-min\n" + text);
    EXPECT_EQ(Explore(ToyBug::kNone, plan, options).failures, 0) << name;
    const ExploreReport report = Explore(bug, plan, options);
    const ExploreFinding* finding = FindingOf(report, failure_class);
    ASSERT_NE(finding, nullptr) << name << ", not "
                                << (report.findings.empty() ? "" : report.findings[0].message);
    EXPECT_TRUE(finding->replays) << name;
    EXPECT_FALSE(finding->weakest_profile.empty()) << name;
  }
}

// What a process leaves in the page cache when it dies is lost by a loss of power that follows.
// A store that goes on with it unsynced has acknowledged by its recovery what can still go.
TEST(ExplorerTest, WhatADeadProcessLeftPendingCanStillBeLost) {
  const Plan plan = ParsedPlan(
      "profile posix-min\nclient\n  put \"a\" \"1\" process\n  put \"b\" \"2\" process\n");
  for (const int depth : {0, 1, 2}) {
    ExploreOptions options;
    options.depth = depth;
    const ExploreReport honest = Explore(ToyBug::kNone, plan, options);
    EXPECT_EQ(honest.failures, 0) << honest.findings[0].message;
    EXPECT_TRUE(honest.all);
    const ExploreReport report = Explore(ToyBug::kTrustsCache, plan, options);
    if (depth == 0) {
      EXPECT_EQ(report.failures, 0) << report.findings[0].message;
      continue;
    }
    ASSERT_GT(report.failures, 0) << depth;
    const ExploreFinding& finding = report.findings[0];
    EXPECT_TRUE(finding.replays) << FormatPlan(finding.plan);
    ASSERT_EQ(finding.plan.crashes.size(), 2) << FormatPlan(finding.plan);
    EXPECT_TRUE(finding.plan.crashes[0].choice.process);
    EXPECT_FALSE(finding.plan.crashes[1].choice.process);
  }
}

TEST(ExplorerTest, OnADiskThatLiesAStoreMayRefuseButMustNotReturnWhatNeverWas) {
  for (const char* disk : {"profile lying-disk\n",
                           "profile posix-min\nfault ops=sync path=*/log-* skip=2 times=always "
                           "effect=lost_write:1\n"}) {
    const Plan plan = ParsedPlan(std::string(disk) +
                                 "client\n  put \"a\" fill(5000,1) sync\n"
                                 "  put \"b\" fill(5000,2) sync\n  put \"a\" fill(5000,3) sync\n"
                                 "  put \"c\" fill(5000,4) sync\n  put \"d\" \"5\" sync\n");
    ExploreOptions options;
    options.depth = 1;
    options.budget = 3'000;
    const ExploreReport honest = Explore(ToyBug::kNone, plan, options);
    EXPECT_FALSE(honest.run.failure) << honest.run.failure->message;
    EXPECT_EQ(honest.failures, 0) << disk << honest.findings[0].message << "\n"
                                  << FormatPlan(honest.findings[0].plan);
    EXPECT_GT(honest.points, 5) << disk;
    EXPECT_GT(honest.checked_by_depth[1], 5) << disk;
    EXPECT_EQ(honest.refused, 0) << disk;

    // Before the first promise is broken a store has no excuse, and this one is at fault.
    options.depth = 0;
    options.budget = 500;
    const ExploreReport refusing = Explore(ToyBug::kRefusesTornTail, plan, options);
    EXPECT_EQ(refusing.failures == 0, plan.profile == "lying-disk") << disk;
    EXPECT_GT(refusing.refused, 0) << disk;

    const ExploreReport wrong = Explore(ToyBug::kWrongValue, plan, options);
    const ExploreFinding* finding = FindingOf(wrong, FailureClass::kWrongData);
    ASSERT_NE(finding, nullptr) << disk;
    EXPECT_TRUE(finding->replays) << disk;
  }
}

TEST(ExplorerTest, CopiesOfTheStoreAreReadInImages) {
  const Plan plan = ParsedPlan(
      "profile posix-min\nclient\n  put \"a\" \"1\" process\n  checkpoint\n"
      "  put \"a\" \"2\" process\n  checkpoint\n  put \"a\" \"3\" process\n");
  for (const int depth : {0, 1}) {
    ExploreOptions options;
    options.depth = depth;
    const ExploreReport honest = Explore(ToyBug::kNone, plan, options);
    EXPECT_FALSE(honest.run.failure) << honest.run.failure->message;
    EXPECT_EQ(honest.failures, 0) << honest.findings[0].message;
    const ExploreReport report = Explore(ToyBug::kCopyNotSynced, plan, options);
    ASSERT_GT(report.failures, 0);
    EXPECT_NE(report.findings[0].message.find("checkpoint-"), std::string::npos)
        << report.findings[0].message;
    EXPECT_TRUE(report.findings[0].replays);
  }
}

// The rule strikes the first sync of a log in each opening: a recovery's, after a crash.
TEST(ExplorerTest, RecoveriesAreExploredUnderThePlansFaults) {
  const Plan plan = ParsedPlan(
      "profile posix-min\nfault ops=sync path=*/log-* skip=0 times=once effect=eio\n"
      "client\n  put \"a\" \"1\" sync\n");
  ExploreOptions options;
  options.depth = 1;
  const ExploreReport honest = Explore(ToyBug::kNone, plan, options);
  EXPECT_EQ(honest.failures, 0) << honest.findings[0].message;
  const ExploreReport report = Explore(ToyBug::kCleansUp, plan, options);
  ASSERT_GT(report.failures, 0);
  EXPECT_TRUE(report.findings[0].replays) << report.findings[0].message;
  options.with_faults = false;
  EXPECT_EQ(Explore(ToyBug::kCleansUp, plan, options).failures, 0);
}

// Explores in another process, as the command does; what became of it comes back by its result.
TEST(ExplorerTest, AStateThatKillsOrHangsTheProcessIsNamed) {
  const Plan plan = ParsedPlan(
      "profile posix-min\nclient\n  put \"a\" \"1\" sync\n  put \"b\" fill(5000,1) process\n");
  const struct {
    ToyBug bug;
    FailureClass failure_class;
  } cases[] = {{ToyBug::kAbortsOnDamage, FailureClass::kProcessCrashed},
               {ToyBug::kHangsOnDamage, FailureClass::kProcessHung}};
  for (const auto& [bug, failure_class] : cases) {
    ExploreOptions given;
    given.depth = 0;
    given.hang_seconds = 0.2;
    bool told_elsewhere = false;
    const bool clean = ExploreGuarded(
        given,
        [bug, failure_class, &plan](const ExploreOptions& options) {
          const ExploreReport report = Explore(bug, plan, options);
          const ExploreFinding* finding = FindingOf(report, failure_class);
          if (finding == nullptr || !finding->replays || finding->weakest_profile.empty()) {
            std::_Exit(9);  // not what the test waits for
          }
          return report.failures == 0;
        },
        [&](const Defect&) { told_elsewhere = true; });
    EXPECT_FALSE(clean);
    EXPECT_FALSE(told_elsewhere) << FailureClassName(failure_class);
  }
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
