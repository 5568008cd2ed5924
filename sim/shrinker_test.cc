// Goal: a plan that fails is shrunk to what its failure needs: toys whose bugs need a known handful
// of steps come out with exactly that many; the class stays; nothing grows; a shrunk plan cannot be
// shrunk; processes and candidates that crash do no harm; the budget binds, and the same budget
// gives the same plan.
// Method: broken toys under the general workload, shrunk in this process and, for what kills or
// abandons it, in forked ones; RapidCheck over predicates on plans, where the smallest plan is
// known by construction.
#include "sim/shrinker.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "sim/fiber_pool.h"
#include "sim/forked_trials.h"
#include "sim/generator.h"
#include "sim/nearby_plans.h"
#include "sim/plan_size.h"
#include "sim/rng.h"
#include "sim/simulator.h"
#include "sim/subject/toy_subject.h"

namespace shearpin::sim {
namespace {

// Runs candidates in this process, as many at a time as it likes to say.
class LocalTrials : public PlanTrials {
 public:
  using Judge = std::function<std::optional<Finding>(const Plan& plan, Recording recording)>;
  LocalTrials(Judge judge, size_t width) : judge_(std::move(judge)), width_(width) {}

  std::vector<std::optional<Finding>> Run(std::span<const Plan> plans,
                                          Recording recording) override {
    std::vector<std::optional<Finding>> findings;
    for (const Plan& plan : plans) findings.push_back(judge_(plan, recording));
    return findings;
  }
  size_t width() const override { return width_; }
  bool called_off() const override { return false; }

 private:
  const Judge judge_;
  const size_t width_;
};

bool HasReader(const Plan& plan) {
  return std::any_of(plan.clients.begin(), plan.clients.end(), [](const auto& steps) {
    return std::any_of(steps.begin(), steps.end(),
                       [](const Step& step) { return step.kind == StepKind::kReadOnly; });
  });
}

class Toy {
 public:
  explicit Toy(ToyBug bug) : factory_(bug) {}

  SeedReport Run(const Plan& plan, Recording recording) {
    return MakeSeedReport(Simulator(&factory_, &fibers_).Run(plan, {}, nullptr, recording), plan,
                          {});
  }

  // The first generated plan that fails, in the class if one is given, from `first_seed` on. None
  // with a reader beside the writer: what he sees too early takes a schedule and the steps for it,
  // where a crash takes none.
  Plan Failing(std::optional<FailureClass> failure_class = std::nullopt, uint64_t first_seed = 1) {
    for (uint64_t seed = first_seed; seed < 4000; ++seed) {
      Plan plan = GeneratePlan(seed, {});
      if (HasReader(plan)) continue;
      plan.powersafe_overwrite = true;  // the toy asks for it
      const auto finding = Run(plan, Recording::kOff).finding;
      if (!finding) continue;
      if (!failure_class || finding->failure_class == *failure_class) return plan;
    }
    ADD_FAILURE() << "no plan fails";
    return {};
  }

  Shrunk Shrink(const Plan& plan, uint64_t runs = 20'000, size_t width = 4) {
    LocalTrials trials([this](const Plan& candidate,
                              Recording recording) { return Run(candidate, recording).finding; },
                       width);
    const auto shrunk =
        Shrinker(&trials, {.most_runs = runs}, [](const Plan&, uint64_t) {}).Shrink(plan);
    EXPECT_TRUE(shrunk.has_value()) << FormatPlan(plan);
    return shrunk.value_or(Shrunk{});
  }

 private:
  ToyFactory factory_;
  FiberPool fibers_;
};

Step Verify() {
  Step step;
  step.kind = StepKind::kVerify;
  return step;
}

// What is needed is a matter of the class: half a batch is wrong data by itself, and a deleted key
// come back only if it was written and deleted before.
struct Minimal {
  const char* name;
  ToyBug bug;
  FailureClass failure_class;
  uint64_t most_steps;
};

void PrintTo(const Minimal& minimal, std::ostream* out) { *out << minimal.name; }

class MinimalPlanTest : public testing::TestWithParam<Minimal> {};

// Of three plans the one in the middle: where one of them fails in another way than the others it
// may be without a smaller neighbour.
TEST_P(MinimalPlanTest, HasOnlyTheStepsThatTheBugNeeds) {
  Toy toy(GetParam().bug);
  std::vector<Shrunk> all;
  uint64_t seed = 0;
  for (int i = 0; i < 3; ++i) {
    const Plan plan = toy.Failing(GetParam().failure_class, seed + 1);
    seed = plan.seed;
    all.push_back(toy.Shrink(plan));
    const Shrunk& shrunk = all.back();
    std::printf("%-18s %s\n%18s %s, %llu runs\n", GetParam().name,
                DescribeSize(shrunk.original).c_str(), "", DescribeSize(shrunk.plan).c_str(),
                static_cast<unsigned long long>(shrunk.runs));
    EXPECT_TRUE(shrunk.finished);
    EXPECT_EQ(shrunk.failure_class, GetParam().failure_class);
    EXPECT_LE(SizeOf(shrunk.plan), SizeOf(shrunk.original));
    // Through its text it still fails in the same class, with the same words.
    const StatusOr<Plan> parsed = ParsePlan(FormatPlan(shrunk.plan), "p");
    ASSERT_TRUE(parsed.ok());
    const auto again = toy.Run(*parsed, Recording::kOff).finding;
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->failure_class, shrunk.failure_class);
    EXPECT_EQ(again->message, shrunk.message);
    // And it is a fixpoint.
    EXPECT_EQ(toy.Shrink(shrunk.plan).plan, shrunk.plan);
  }
  std::sort(all.begin(), all.end(),
            [](const Shrunk& a, const Shrunk& b) { return SizeOf(a.plan) < SizeOf(b.plan); });
  const Plan& middle = all[1].plan;
  EXPECT_LE(middle.StepCount(), GetParam().most_steps) << FormatPlan(middle);
  EXPECT_LE(middle.options.size(), 0u);
  EXPECT_LE(middle.clients.size(), 1u);
}

// The error is invented for the tenth number: nine writes take those before it.
INSTANTIATE_TEST_SUITE_P(
    All, MinimalPlanTest,
    testing::Values(
        Minimal{"NoSync", ToyBug::kNoSync, FailureClass::kDurableWriteLost, 1},
        Minimal{"TornBatch", ToyBug::kTornBatch, FailureClass::kBatchTorn, 1},
        Minimal{"WrongValue", ToyBug::kWrongValue, FailureClass::kWrongData, 1},
        Minimal{"StaleRead", ToyBug::kStaleRead, FailureClass::kWrongRead, 1},
        Minimal{"LeavesFiles", ToyBug::kLeavesFiles, FailureClass::kOrphanFile, 0},
        Minimal{"RefusesTornTail", ToyBug::kRefusesTornTail, FailureClass::kWillNotOpen, 2},
        Minimal{"InventsError", ToyBug::kInventsError, FailureClass::kUnexpectedError, 10}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ShrinkerTest, DoesNotDependOnHowManyRunAtATime) {
  Toy toy(ToyBug::kTornBatch);
  const Plan plan = toy.Failing();
  for (const uint64_t runs : {20u, 20'000u}) {
    const Shrunk one = toy.Shrink(plan, runs, 1);
    const Shrunk many = toy.Shrink(plan, runs, 7);
    EXPECT_EQ(one.plan, many.plan) << runs;
    EXPECT_EQ(one.runs, many.runs);
    EXPECT_LE(one.runs, runs + 1);
    EXPECT_EQ(one.finished, runs == 20'000u);
  }
}

TEST(ShrinkerTest, APlanThatDoesNotFailIsNotShrunk) {
  LocalTrials trials([](const Plan&, Recording) { return std::nullopt; }, 4);
  EXPECT_FALSE(Shrinker(&trials, {}, [](const Plan&, uint64_t) {}).Shrink(GeneratePlan(1, {})));
}

// A deadlock abandons fibers, so its candidates run in processes of their own.
TEST(ShrinkerTest, ADeadlockIsShrunkToTwoClientsOfOneStep) {
  Toy toy(ToyBug::kDeadlock);
  ForkedTrials trials(
      [&toy](const Plan& plan, Recording recording) { return toy.Run(plan, recording); }, 2, 60);
  std::optional<Shrunk> shrunk;
  for (uint64_t seed = 1; seed < 100 && !shrunk; ++seed) {
    Plan plan = GeneratePlan(seed, {});
    plan.powersafe_overwrite = true;  // the toy asks for it
    shrunk = Shrinker(&trials, {}, [](const Plan&, uint64_t) {}).Shrink(plan);
  }
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_EQ(shrunk->failure_class, FailureClass::kDeadlock);
  EXPECT_EQ(shrunk->plan.clients.size(), 2u);
  EXPECT_EQ(shrunk->plan.StepCount(), 2u) << FormatPlan(shrunk->plan);
  EXPECT_EQ(shrunk->plan.crashes.size(), 0u);
  // What is left of the schedule is the switch between the two locks, written down.
  EXPECT_EQ(shrunk->plan.scheduler.strategy, kRecordedStrategy);
  EXPECT_EQ(SizeOf(shrunk->plan).switches, 1u) << FormatPlan(shrunk->plan);
}

TEST(ShrinkerTest, ACrashOfTheProcessIsAFailureLikeOthers) {
  const auto has_verify = [](const Plan& plan) {
    return std::any_of(plan.clients.begin(), plan.clients.end(), [](const auto& steps) {
      return std::any_of(steps.begin(), steps.end(),
                         [](const Step& step) { return step.kind == StepKind::kVerify; });
    });
  };
  ForkedTrials trials(
      [&](const Plan& plan, Recording) {
        if (has_verify(plan)) std::abort();
        return SeedReport();
      },
      2, 60);
  Plan plan = GeneratePlan(3, {});
  plan.clients[0].insert(plan.clients[0].begin() + 2, Verify());
  const auto shrunk = Shrinker(&trials, {}, [](const Plan&, uint64_t) {}).Shrink(plan);
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_EQ(shrunk->failure_class, FailureClass::kProcessCrashed);
  EXPECT_EQ(shrunk->plan.StepCount(), 1u);
  EXPECT_TRUE(has_verify(shrunk->plan));
  EXPECT_EQ(shrunk->plan.crashes.size() + shrunk->plan.faults.size(), 0u);
}

// Where the failure is a property of the plan, what is needed is known: `wanted` steps of one kind,
// so many crashes, and one option. Everything else goes, and nothing else.
class KnownNeedTest : public testing::TestWithParam<uint64_t> {};

TEST_P(KnownNeedTest, KeepsExactlyThat) {
  const Plan plan = GeneratePlan(GetParam(), {});
  Rng rng(GetParam());
  const auto puts = [](const Plan& p) {
    uint64_t count = 0;
    for (const auto& steps : p.clients) {
      for (const Step& step : steps) count += step.kind == StepKind::kPut;
    }
    return count;
  };
  const uint64_t wanted_puts = rng.Uniform(puts(plan) + 1);
  const uint64_t wanted_crashes = rng.Uniform(plan.crashes.size() + 1);
  const std::string wanted_option = plan.options.empty() ? "" : plan.options.back().first;
  const auto fails = [&](const Plan& p) {
    const bool has_option =
        wanted_option.empty() ||
        std::any_of(p.options.begin(), p.options.end(),
                    [&](const auto& option) { return option.first == wanted_option; });
    return puts(p) >= wanted_puts && p.crashes.size() >= wanted_crashes && has_option;
  };
  LocalTrials trials(
      [&](const Plan& p, Recording) -> std::optional<Finding> {
        if (!fails(p)) return std::nullopt;
        return Finding{p.seed, FailureClass::kWrongRead, "", {}, FormatPlan(p), ""};
      },
      rng.Range(1, 8));
  const auto shrunk =
      Shrinker(&trials, {.most_runs = 100'000}, [](const Plan&, uint64_t) {}).Shrink(plan);
  ASSERT_TRUE(shrunk.has_value());
  ASSERT_TRUE(shrunk->finished);
  ASSERT_TRUE(fails(shrunk->plan));
  ASSERT_TRUE(SizeOf(shrunk->plan) <= SizeOf(plan));
  ASSERT_TRUE(shrunk->plan.StepCount() == wanted_puts);
  ASSERT_TRUE(shrunk->plan.crashes.size() == wanted_crashes);
  ASSERT_TRUE(shrunk->plan.options.size() == (wanted_option.empty() ? 0u : 1u));
  ASSERT_TRUE(shrunk->plan.faults.empty());
  const auto again =
      Shrinker(&trials, {.most_runs = 100'000}, [](const Plan&, uint64_t) {}).Shrink(shrunk->plan);
  ASSERT_TRUE(again->plan == shrunk->plan);
}

INSTANTIATE_TEST_SUITE_P(Seeds, KnownNeedTest, testing::Range<uint64_t>(1, 11));

// Every edit of a legal plan is a legal plan: it is its text, and its crashes follow steps it has.
RC_GTEST_PROP(PlanEditsProperty, EditsKeepPlansLegal, ()) {
  Plan plan = GeneratePlan(*rc::gen::arbitrary<uint64_t>(), {});
  for (CrashSpec& crash : plan.crashes) {
    crash.choice.siblings = {"power keep=list:0110 tears=1:0x0f", "power keep=except:1,2"};
  }
  const auto check = [](const Plan& edited) {
    const StatusOr<Plan> parsed = ParsePlan(FormatPlan(edited), "edited");
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == edited);
  };
  for (const PlanList& list : {StepsOf(), ClientsOf(), CrashesOf(), NestedOf(), SiblingsOf(),
                               FaultsOf(), OptionsOf(), ChangesOf(), ImageTermsOf()}) {
    const size_t count = list.count(plan);
    if (count == 0) continue;
    const size_t begin = *rc::gen::inRange<size_t>(0, count);
    const size_t end = *rc::gen::inRange<size_t>(begin, count) + 1;
    const Plan edited = list.without(plan, begin, end);
    check(edited);
    RC_ASSERT(SizeOf(edited) < SizeOf(plan));
    // What goes counts down, by as much as it took; a client without steps goes with them.
    RC_ASSERT(list.count(edited) == count - (end - begin));
  }
  for (const auto& simpler :
       {FewerClients(plan), SimplerImages(plan), PromotedSiblings(plan), SimplerStrikes(plan),
        SimplerFaults(plan), ShorterBytes(plan), SimplerHeaders(plan), SimplerSchedules(plan)}) {
    if (simpler.empty()) continue;
    Plan edited = plan;
    simpler[*rc::gen::inRange<size_t>(0, simpler.size())](&edited);
    check(edited);
  }
  const std::vector<Plan> nearby = Nearby(plan);
  if (!nearby.empty()) check(nearby[*rc::gen::inRange<size_t>(0, nearby.size())]);
}

}  // namespace
}  // namespace shearpin::sim
