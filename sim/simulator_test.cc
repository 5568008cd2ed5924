// Goal: the simulator passes an honest store and catches each class of dishonesty, by the class
// that the mistake belongs to and with a plan that shows it again; its runs repeat exactly.
// Method: a toy store behind the Subject interface, honest and with one bug at a time, under the
// general workload: nothing below was made for any of the bugs.
#include "sim/simulator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "sim/fiber_pool.h"
#include "sim/generator.h"
#include "sim/subject/toy_subject.h"

namespace shearpin::sim {
namespace {

// The toy appends into synced sectors, so it claims nothing on a disk without powersafe overwrite;
// nor on one that breaks its promises (damage_test.cc).
Plan ToyPlan(uint64_t seed) {
  GeneratorOptions options;
  options.broken_promises = false;
  Plan plan = GeneratePlan(seed, options);
  plan.powersafe_overwrite = true;
  return plan;
}

class ToyRuns {
 public:
  explicit ToyRuns(ToyBug bug) : factory_(bug) {}

  RunResult Run(const Plan& plan, const Trace::Sink& sink = {}) {
    return Simulator(&factory_, &fibers_).Run(plan, sink);
  }

  RunResult Record(const Plan& plan) {
    return Simulator(&factory_, &fibers_).Run(plan, {}, nullptr, Recording::kOn);
  }

  // The first of `seeds` that fails.
  std::optional<RunResult> FirstFailure(uint64_t seeds) {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      RunResult result = Run(ToyPlan(seed));
      if (result.failure) return result;
    }
    return std::nullopt;
  }

 private:
  ToyFactory factory_;
  FiberPool fibers_;
};

std::string Describe(const RunResult& result) {
  if (!result.failure) return "no failure";
  return "seed " + std::to_string(result.seed) + ": " +
         std::string(FailureClassName(result.failure->failure_class)) + ": " +
         result.failure->message;
}

TEST(SimulatorTest, AnHonestStorePasses) {
  ToyRuns runs(ToyBug::kNone);
  RunResult sum;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    const RunResult result = runs.Run(ToyPlan(seed));
    ASSERT_FALSE(result.failure) << Describe(result);
    EXPECT_EQ(result.crashes - result.nested_crashes, ToyPlan(seed).crashes.size());
    sum.crash_states += result.crash_states;
    sum.nested_crashes += result.nested_crashes;
    sum.reopenings += result.reopenings;
    for (const auto& [kind, count] : result.faults) sum.faults[kind] += count;
  }
  // What is configured has to happen.
  EXPECT_GT(sum.crash_states, 500u);
  EXPECT_GT(sum.nested_crashes, 20u);
  EXPECT_GT(sum.reopenings, 20u);
  for (const char* kind :
       {"eio", "enospc", "short_write", "latency", "disk_full", "sync_fail:keep_new_clean",
        "sync_fail:revert_old", "sync_fail:shutdown"}) {
    EXPECT_GT(sum.faults[kind], 0u) << kind;
  }
}

TEST(SimulatorTest, RunsRepeatExactly) {
  ToyRuns one(ToyBug::kNone);
  ToyRuns two(ToyBug::kNone);
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const Plan plan = ToyPlan(seed);
    std::string first_text;
    std::string second_text;
    const auto into = [](std::string* text) {
      return [text](std::string_view line) { (*text += line) += '\n'; };
    };
    const RunResult silent = one.Run(plan);
    const RunResult first = one.Run(plan, into(&first_text));
    const RunResult second = two.Run(plan, into(&second_text));
    EXPECT_EQ(silent.digest, first.digest);
    EXPECT_EQ(first.digest, second.digest);
    ASSERT_EQ(first_text, second_text);
    // Through its text, a plan is still the same run.
    const StatusOr<Plan> parsed = ParsePlan(FormatPlan(plan), "p");
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(two.Run(*parsed).digest, first.digest);
  }
}

TEST(SimulatorTest, ARecordedScheduleIsTheSameRun) {
  ToyRuns runs(ToyBug::kNone);
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const RunResult drawn = runs.Record(ToyPlan(seed));
    ASSERT_EQ(drawn.plan.scheduler.strategy, kRecordedStrategy);
    const StatusOr<Plan> parsed = ParsePlan(FormatPlan(drawn.plan), "p");
    ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
    ASSERT_EQ(*parsed, drawn.plan);
    const RunResult replayed = runs.Run(*parsed);
    EXPECT_EQ(replayed.digest, drawn.digest);
    EXPECT_EQ(replayed.schedule_divergences, 0u) << replayed.first_divergence;
    EXPECT_EQ(replayed.scheduling_points, drawn.scheduling_points);
    EXPECT_EQ(replayed.simulated_micros, drawn.simulated_micros);
    // Recorded again it is the same recording.
    EXPECT_EQ(runs.Record(*parsed).plan, drawn.plan);
  }
}

TEST(SimulatorTest, ARecordingThatDoesNotFitIsTold) {
  ToyRuns runs(ToyBug::kNone);
  Plan plan = runs.Record(ToyPlan(4)).plan;
  plan.scheduler.schedule = {{"opening", 0, {{.at = 0, .fiber = "nobody"}}}};
  const RunResult result = runs.Run(plan);
  EXPECT_FALSE(result.failure) << Describe(result);
  EXPECT_EQ(result.schedule_divergences, 1u);
  EXPECT_EQ(result.first_divergence.substr(0, 11), "opening 0: ");
}

TEST(SimulatorTest, OtherPlansHaveOtherDigests) {
  ToyRuns runs(ToyBug::kNone);
  std::vector<uint64_t> digests;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    digests.push_back(runs.Run(ToyPlan(seed)).digest);
  }
  std::sort(digests.begin(), digests.end());
  EXPECT_EQ(std::unique(digests.begin(), digests.end()), digests.end());
}

struct Broken {
  const char* name;
  ToyBug bug;
  std::vector<FailureClass> classes;  // any of these is the right word for it
  uint64_t seeds;
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

class BrokenStoreTest : public testing::TestWithParam<Broken> {};

TEST_P(BrokenStoreTest, IsCaughtAndItsPlanShowsItAgain) {
  ToyRuns runs(GetParam().bug);
  const std::optional<RunResult> caught = runs.FirstFailure(GetParam().seeds);
  ASSERT_TRUE(caught.has_value()) << "not within " << GetParam().seeds << " seeds";
  const auto& classes = GetParam().classes;
  EXPECT_NE(std::find(classes.begin(), classes.end(), caught->failure->failure_class),
            classes.end())
      << Describe(*caught);
  RecordProperty("seeds_to_catch", std::to_string(caught->seed));

  // The written-down plan, which draws nothing any more, fails in the same way.
  const std::string text = FormatPlan(caught->plan);
  const StatusOr<Plan> plan = ParsePlan(text, "caught.plan");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  const RunResult again = runs.Run(*plan);
  ASSERT_TRUE(again.failure.has_value());
  EXPECT_EQ(again.failure->failure_class, caught->failure->failure_class);
  EXPECT_EQ(again.failure->message, caught->failure->message);
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenStoreTest,
    testing::Values(
        Broken{"NoSync", ToyBug::kNoSync, {FailureClass::kDurableWriteLost}, 50},
        Broken{"NoDirectorySync",
               ToyBug::kNoDirectorySync,
               {FailureClass::kDurableWriteLost, FailureClass::kHoleBeforeDurable},
               50},
        Broken{
            "TornBatch",
            ToyBug::kTornBatch,
            // A half that leaves values which others wrote too does not show to be there: then
            // the other half is merely missing.
            {FailureClass::kBatchTorn, FailureClass::kWrongData, FailureClass::kHoleAfterDurable},
            100},
        Broken{"ForgetsDelete",
               ToyBug::kForgetsDelete,
               {FailureClass::kResurrectedDelete, FailureClass::kDurableWriteLost,
                FailureClass::kWrongData, FailureClass::kBatchTorn},
               50},
        Broken{"WrongValue", ToyBug::kWrongValue, {FailureClass::kWrongData}, 50},
        Broken{"SkipsDamage",
               ToyBug::kSkipsDamage,
               {FailureClass::kHoleAfterDurable, FailureClass::kResurrectedDelete,
                FailureClass::kBatchTorn},
               2000},
        Broken{"RefusesTornTail", ToyBug::kRefusesTornTail, {FailureClass::kWillNotOpen}, 100},
        Broken{"StaleRead",
               ToyBug::kStaleRead,
               {FailureClass::kWrongRead, FailureClass::kWrongData},
               50},
        Broken{"InventsError",
               ToyBug::kInventsError,
               {FailureClass::kUnexpectedError, FailureClass::kNoProgress},
               50},
        Broken{"SwallowsSyncError",
               ToyBug::kSwallowsSyncError,
               {FailureClass::kDurableWriteLost, FailureClass::kHoleBeforeDurable},
               600},
        Broken{"LeavesFiles", ToyBug::kLeavesFiles, {FailureClass::kOrphanFile}, 50}),
    [](const auto& test) { return std::string(test.param.name); });

// What cannot end leaves fibers behind for good, so these run in processes of their own.
struct Stuck {
  ToyBug bug;
  uint64_t seeds;
  FailureClass failure_class;
  const char* story;
};

class StuckStoreTest : public testing::TestWithParam<Stuck> {};

TEST_P(StuckStoreTest, IsReportedWithWhatEverybodyDoes) {
  const auto [bug, seeds, failure_class, story] = GetParam();
  EXPECT_EXIT(
      {
        ToyRuns runs(bug);
        const std::optional<RunResult> caught = runs.FirstFailure(seeds);
        const bool right = caught && caught->abandoned &&
                           caught->failure->failure_class == failure_class &&
                           caught->failure->message.find(story) != std::string::npos;
        if (caught && !right) std::fprintf(stderr, "%s\n", Describe(*caught).c_str());
        _exit(right ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(
    All, StuckStoreTest,
    testing::Values(
        Stuck{ToyBug::kDeadlock, 200, FailureClass::kDeadlock, "\": waits for mutex "},
        Stuck{ToyBug::kHangsOnClose, 50, FailureClass::kDeadlock, "\"main\": waits for condition "},
        Stuck{ToyBug::kSpins, 50, FailureClass::kLivelock, ", poll\n  client 0 is at step "},
        Stuck{ToyBug::kRearmsTimer, 50, FailureClass::kLivelock, "\"main\": sleeps until "}));

}  // namespace
}  // namespace shearpin::sim
