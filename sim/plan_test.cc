// Goal: a plan is its text: FormatPlan and ParsePlan are inverses, and a mistake in a plan is told
// with its file, line and reason.
// Method: RapidCheck over arbitrary plans and over generated ones; a table of malformed plans; a
// fixed plan that must keep its meaning, comments and all.
#include "sim/plan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/generator.h"
#include "sim/knobs.h"

namespace shearpin::sim {
namespace {

Bytes AnyBytes() {
  if (*rc::gen::inRange(0, 3) == 0) {
    return Bytes::Fill(*rc::gen::inRange<uint32_t>(0, 100'000), *rc::gen::arbitrary<uint64_t>());
  }
  const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  return Bytes(bytes);
}

KeyBound AnyBound() {
  const auto kind = static_cast<BoundKind>(*rc::gen::inRange(0, 3));
  return kind == BoundKind::kUnbounded ? KeyBound() : KeyBound{kind, AnyBytes()};
}

Mutation AnyMutation(MutationKind kind) {
  return {kind, AnyBytes(), kind == MutationKind::kDelete ? Bytes() : AnyBytes()};
}

std::vector<Mutation> AnyMutations() {
  std::vector<Mutation> mutations;
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    mutations.push_back(AnyMutation(static_cast<MutationKind>(*rc::gen::inRange(0, 3))));
  }
  return mutations;
}

Step AnyStep() {
  Step step;
  step.kind = static_cast<StepKind>(*rc::gen::inRange(0, kNumStepKinds));
  const auto slot = [] { return *rc::gen::inRange(0, kMaxSlots); };
  switch (step.kind) {
    case StepKind::kPut:
      step.mutations = {AnyMutation(MutationKind::kPut)};
      step.durability = static_cast<Durability>(*rc::gen::inRange(0, 3));
      break;
    case StepKind::kDelete:
      step.mutations = {AnyMutation(MutationKind::kDelete)};
      step.durability = static_cast<Durability>(*rc::gen::inRange(0, 3));
      break;
    case StepKind::kDeleteRange:
      step.mutations = {AnyMutation(MutationKind::kDeleteRange)};
      step.durability = static_cast<Durability>(*rc::gen::inRange(0, 3));
      break;
    case StepKind::kBatch:
      step.mutations = AnyMutations();
      step.durability = static_cast<Durability>(*rc::gen::inRange(0, 3));
      break;
    case StepKind::kIngest:
      for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
        step.mutations.push_back(AnyMutation(static_cast<MutationKind>(*rc::gen::inRange(0, 2))));
      }
      break;
    case StepKind::kTxnBegin:
      step.slot = slot();
      step.serializable = *rc::gen::arbitrary<bool>();
      break;
    case StepKind::kTxnWrite:
      step.slot = slot();
      step.mutations = AnyMutations();
      break;
    case StepKind::kTxnGet:
      step.slot = slot();
      step.key = AnyBytes();
      break;
    case StepKind::kTxnScan:
      step.slot = slot();
      step.forward = *rc::gen::arbitrary<bool>();
      step.amount = *rc::gen::inRange<uint64_t>(0, 10);
      step.lower = AnyBound();
      step.upper = AnyBound();
      break;
    case StepKind::kTxnCommit:
      step.slot = slot();
      step.durability = static_cast<Durability>(*rc::gen::inRange(0, 3));
      break;
    case StepKind::kTxnRollback:
      step.slot = slot();
      break;
    case StepKind::kGet:
      step.key = AnyBytes();
      step.snapshot = slot() - 1;
      break;
    case StepKind::kScan:
      step.forward = *rc::gen::arbitrary<bool>();
      [[fallthrough]];
    case StepKind::kIteratorOpen:
      if (step.kind == StepKind::kIteratorOpen) step.slot = slot();
      step.lower = AnyBound();
      step.upper = AnyBound();
      step.snapshot = slot() - 1;
      break;
    case StepKind::kIteratorWalk:
      step.slot = slot();
      for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
        Move move;
        move.kind = static_cast<MoveKind>(*rc::gen::inRange(0, 6));
        if (move.kind >= MoveKind::kSeek) move.key = AnyBytes();
        step.moves.push_back(move);
      }
      break;
    case StepKind::kIteratorClose:
    case StepKind::kSnapshotTake:
    case StepKind::kSnapshotCheck:
    case StepKind::kSnapshotRelease:
      step.slot = slot();
      break;
    case StepKind::kProperty:
      step.name = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
      break;
    case StepKind::kCompactRange:
      if (*rc::gen::arbitrary<bool>()) step.lower = {BoundKind::kInclusive, AnyBytes()};
      if (*rc::gen::arbitrary<bool>()) step.upper = {BoundKind::kInclusive, AnyBytes()};
      break;
    case StepKind::kSleep:
    case StepKind::kCapacity:
    case StepKind::kWriteBack:
      step.amount = *rc::gen::inRange<uint64_t>(0, 1'000'000);
      break;
    default:
      break;
  }
  return step;
}

Strike AnyStrike() {
  Strike strike;
  strike.calls = *rc::gen::inRange<uint64_t>(1, 100);
  if (*rc::gen::arbitrary<bool>()) {
    strike.of = *rc::gen::element(faultfs::CallKind::kRename, faultfs::CallKind::kSync,
                                  faultfs::CallKind::kUnlink, faultfs::CallKind::kAppend);
  }
  if (*rc::gen::arbitrary<bool>()) strike.path = *rc::gen::element<std::string>("*.wal", "/db");
  strike.moment = static_cast<faultfs::CrashMoment>(*rc::gen::inRange(0, 3));
  strike.bytes = *rc::gen::inRange<uint64_t>(0, 5000);
  return strike;
}

CrashChoice AnyChoice() {
  CrashChoice choice;
  choice.process = *rc::gen::arbitrary<bool>();
  if (*rc::gen::arbitrary<bool>()) choice.image = "power keep=prefix:3 tears=1:0x0f";
  choice.draw_siblings = *rc::gen::inRange<uint32_t>(0, 5);
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) choice.siblings.push_back("power keep=all");
  return choice;
}

SchedulerSpec AnyScheduler() {
  SchedulerSpec spec;
  spec.micros_per_point = *rc::gen::inRange<uint64_t>(0, 1000);
  const auto kind = *rc::gen::inRange(0, 4);
  if (kind < 3) {
    spec.seed = *rc::gen::arbitrary<uint64_t>();
    spec.spurious_per_1024 = *rc::gen::inRange<uint32_t>(0, 1025);
  }
  if (kind == 0) {
    spec.stay_per_1024 = *rc::gen::inRange<uint32_t>(0, 1025);
  } else if (kind == 1) {
    spec.strategy = kPctStrategy;
    spec.depth = *rc::gen::inRange<uint32_t>(1, 10);
    spec.steps = *rc::gen::inRange<uint64_t>(1, 10'000);
  } else if (kind == 2) {
    spec.strategy = kLaggingStrategy;
    spec.stay_per_1024 = *rc::gen::inRange<uint32_t>(0, 1025);
    spec.every = *rc::gen::inRange<uint32_t>(1, 1000);
    spec.steps = *rc::gen::inRange<uint64_t>(1, 10'000);
  } else {
    spec.strategy = kRecordedStrategy;
    for (uint64_t number = *rc::gen::inRange<uint64_t>(0, 3); number > 0; --number) {
      PhaseSchedule& phase = spec.schedule.emplace_back();
      phase.phase = *rc::gen::element<std::string>("opening", "image");
      phase.number = number;
      for (uint64_t at = *rc::gen::inRange<uint64_t>(1, 60); at > 0; --at) {
        Decision& decision = phase.decisions.emplace_back();
        decision.kind = static_cast<DecisionKind>(*rc::gen::inRange(0, kDecisionKinds));
        decision.at = 100 * phase.decisions.size();
        if (decision.kind == DecisionKind::kRun) decision.fiber = "client1.2";
        if (decision.kind == DecisionKind::kNotify) decision.waiter = at;
      }
    }
  }
  return spec;
}

Plan AnyPlan() {
  Plan plan;
  plan.seed = *rc::gen::arbitrary<uint64_t>();
  plan.profile = *rc::gen::element<std::string>("posix-min", "ext4-ordered", "xfs", "lying-disk");
  plan.powersafe_overwrite = *rc::gen::arbitrary<bool>();
  plan.scheduler = AnyScheduler();
  plan.entropy_seed = *rc::gen::arbitrary<uint64_t>();
  plan.crash_seed = *rc::gen::arbitrary<uint64_t>();
  plan.capacity = *rc::gen::arbitrary<uint64_t>();
  plan.kernel = {*rc::gen::arbitrary<uint64_t>(), *rc::gen::arbitrary<uint64_t>(),
                 *rc::gen::arbitrary<uint64_t>()};
  for (const Knob& knob : kKnobs) {
    if (*rc::gen::arbitrary<bool>()) plan.options.emplace_back(knob.name, knob.highest);
  }
  if (*rc::gen::arbitrary<bool>()) {
    plan.faults = {"ops=append,sync path=*.wal skip=3 times=once effect=eio"};
  }
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    auto& steps = plan.clients.emplace_back();
    for (int j = *rc::gen::inRange(0, 6); j > 0; --j) steps.push_back(AnyStep());
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    CrashSpec& crash = plan.crashes.emplace_back();
    if (!plan.clients.empty() && !plan.clients[0].empty()) {
      crash.start = {CrashStart::After::kStep, 0,
                     *rc::gen::inRange<uint32_t>(0, static_cast<uint32_t>(plan.clients[0].size()))};
    }
    if (*rc::gen::inRange(0, 4) == 0) crash.start = {CrashStart::After::kBoot, 0, 0};
    crash.strike = AnyStrike();
    crash.choice = AnyChoice();
    for (int j = *rc::gen::inRange(0, 3); j > 0; --j) {
      crash.nested.push_back({AnyStrike(), AnyChoice()});
    }
  }
  return plan;
}

void ExpectRoundTrip(const Plan& plan) {
  const std::string text = FormatPlan(plan);
  const StatusOr<Plan> parsed = ParsePlan(text, "a.plan");
  RC_ASSERT(parsed.ok());
  RC_ASSERT(*parsed == plan);
  RC_ASSERT(FormatPlan(*parsed) == text);
}

RC_GTEST_PROP(PlanTest, ArbitraryPlansRoundTrip, ()) { ExpectRoundTrip(AnyPlan()); }

RC_GTEST_PROP(PlanTest, GeneratedPlansRoundTrip, ()) {
  ExpectRoundTrip(GeneratePlan(*rc::gen::arbitrary<uint64_t>(), {}));
}

// Every truncation and every changed byte of a plan is either a plan or an error with a line.
RC_GTEST_PROP(PlanTest, DamagedTextNeverCrashes, ()) {
  std::string text = FormatPlan(AnyPlan());
  const size_t at = *rc::gen::inRange<size_t>(0, text.size());
  if (*rc::gen::arbitrary<bool>()) {
    text.resize(at);
  } else {
    text[at] = *rc::gen::arbitrary<char>();
  }
  const StatusOr<Plan> parsed = ParsePlan(text, "a.plan");
  if (!parsed.ok()) RC_ASSERT(parsed.status().message().starts_with("a.plan:"));
}

TEST(PlanTest, ReadsByHandWrittenTextWithComments) {
  const StatusOr<Plan> plan = ParsePlan(
      "# The story on top.\n"
      "shearpin-plan 1\n"
      "\n"
      "profile ext4-ordered   # the disk\n"
      "option write_buffer_size 2048\n"
      "fault ops=sync path=*.wal effect=sync_fail:revert_old   # one failed sync\n"
      "client\n"
      "  put \"a#b\" fill(100,7) sync\n"
      "  batch none put \"x\" \"\\x00\\xff\" delete \"y\"\n"
      "  scan backward lower=excluding:\"a\" snapshot=2\n"
      "crash after=step:0.1 calls=4 moment=midway bytes=10 kind=power image=draw siblings=2\n"
      "    sibling \"power keep=none\"\n"
      "  nested calls=1 kind=process\n",
      "hand.plan");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(plan->profile, "ext4-ordered");
  ASSERT_EQ(plan->clients.size(), 1u);
  ASSERT_EQ(plan->clients[0].size(), 3u);
  EXPECT_EQ(plan->clients[0][0].mutations[0].key.literal(), "a#b");
  EXPECT_EQ(plan->clients[0][0].mutations[0].value.Materialise().size(), 100u);
  EXPECT_EQ(plan->clients[0][1].mutations[0].value.literal(), std::string_view("\0\xff", 2));
  EXPECT_EQ(plan->clients[0][2].snapshot, 2);
  ASSERT_EQ(plan->crashes.size(), 1u);
  EXPECT_EQ(plan->crashes[0].strike.moment, faultfs::CrashMoment::kMidway);
  EXPECT_EQ(plan->crashes[0].choice.siblings.size(), 1u);
  ASSERT_EQ(plan->crashes[0].nested.size(), 1u);
  EXPECT_TRUE(plan->crashes[0].nested[0].choice.process);
  EXPECT_EQ(plan->faults[0], "ops=sync path=*.wal effect=sync_fail:revert_old");
}

// The filling is part of every plan ever written.
TEST(PlanTest, FillingIsFrozen) {
  EXPECT_EQ(Bytes::Fill(20, 1).Materialise(), "bmmfcajimonckabjhgmo");
  EXPECT_EQ(Bytes::Fill(0, 1).Materialise(), "");
}

struct Mistake {
  const char* name;
  const char* text;  // after "shearpin-plan 1\n"
  const char* message;
};

class PlanMistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(PlanMistakeTest, IsToldWithLineAndReason) {
  const StatusOr<Plan> plan =
      ParsePlan(std::string("shearpin-plan 1\n") + GetParam().text, "bad.plan");
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.status().message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, PlanMistakeTest,
    testing::Values(
        Mistake{"Keyword", "seed 1\nsede 2\n",
                "bad.plan:3: unknown keyword 'sede' (expected a header, 'client', a step, 'crash', "
                "'nested' or 'sibling')"},
        Mistake{"Number", "seed many\n", "bad.plan:2: expected the seed (a number), found 'many'"},
        Mistake{"Overflow", "seed 99999999999999999999\n",
                "bad.plan:2: the seed does not fit in 64 bits"},
        Mistake{"Trailing", "seed 1 2\n", "bad.plan:2: expected the end of the line, found '2'"},
        Mistake{"Option", "option colour 3\n", "bad.plan:2: unknown option 'colour'"},
        Mistake{"OptionRange", "option write_buffer_size 10\n",
                "bad.plan:2: option write_buffer_size is 10, at least 1024 is needed"},
        Mistake{"OptionTwice", "option block_size 64\noption block_size 65\n",
                "bad.plan:3: option block_size is given twice"},
        Mistake{"StepBeforeClient", "sync\n",
                "bad.plan:2: step 'sync' stands before the first 'client' line"},
        Mistake{"Durability", "client\nput \"a\" \"b\" maybe\n",
                "bad.plan:3: expected a durability (none, process or sync), found 'maybe'"},
        Mistake{"Unquoted", "client\nput a \"b\" sync\n",
                "bad.plan:3: expected \"bytes\" or fill(length,seed), found 'a'"},
        Mistake{"Unclosed", "client\nput \"a\n",
                "bad.plan:3: a quoted string is not closed, found '\"a'"},
        Mistake{"Slot", "client\nsnapshot-take 99\n",
                "bad.plan:3: a slot is 99, at most 7 is allowed"},
        Mistake{"Move", "client\niterator-walk 0 jump\n",
                "bad.plan:3: unknown move 'jump' (expected first, last, next, prev, seek or "
                "seek-prev)"},
        Mistake{"CrashStep", "client\nsync\ncrash after=step:0.5 calls=1\n",
                "bad.plan: crash 0 comes after step 0.5, which is not in the plan"},
        Mistake{"Strategy", "scheduler dice\n",
                "bad.plan:2: unknown strategy 'dice' (expected random-walk, pct, lagging or "
                "recorded)"},
        Mistake{"OtherStrategysWord", "scheduler pct seed=1 stay=2\n",
                "bad.plan:2: expected seed=, depth=, steps=, spurious= or micros="},
        Mistake{"LaggardsWord", "scheduler lagging seed=1 depth=2\n",
                "bad.plan:2: expected seed=, stay=, every=, steps=, spurious= or micros="},
        Mistake{"Depth", "scheduler pct depth=0\n", "bad.plan:2: depth is at least 1"},
        Mistake{"ScheduleAlone", "schedule opening 0 1:main\n",
                "bad.plan:2: 'schedule' stands without 'scheduler recorded' before it"},
        Mistake{"ScheduleOrder", "scheduler recorded\nschedule opening 0 7:main 3^1 7:main\n",
                "bad.plan:3: decision 7 stands behind decision 7 of its kind"},
        Mistake{"ScheduleTwice",
                "scheduler recorded\nschedule opening 0 7:a\nschedule image 0 1:a\n"
                "schedule opening 0 9:a\n",
                "bad.plan:5: the schedule of this phase stands in two places"},
        Mistake{"Decision", "scheduler recorded\nschedule opening 0 7\n",
                "bad.plan:3: expected ':FIBER', '^WAITER' or '!' after the number of a decision"},
        Mistake{"NestedFirst", "nested calls=1\n",
                "bad.plan:2: 'nested' stands before the first 'crash' line"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(PlanTest, NamesProfilesAndVersionsItDoesNotKnow) {
  const auto message = [](std::string_view text) {
    const StatusOr<Plan> plan = ParsePlan(text, "p");
    return plan.ok() ? std::string() : std::string(plan.status().message());
  };
  EXPECT_EQ(message(""), "p:1: expected 'shearpin-plan 1', found the end of the file");
  EXPECT_EQ(message("hello\n"), "p:1: expected 'shearpin-plan 1', found 'hello'");
  EXPECT_EQ(message("shearpin-plan 9\n"), "p:1: version 9 is unknown, this build reads 1");
  EXPECT_TRUE(message("shearpin-plan 1\nprofile floppy\n")
                  .starts_with("p:2: unknown profile 'floppy' (expected one of "));
  EXPECT_TRUE(message("shearpin-plan 1\nfault ops=fly effect=eio\n").starts_with("p:2: fault: "));
  EXPECT_TRUE(message("shearpin-plan 1\ncrash after=previous calls=1 image=\"melt\"\n")
                  .starts_with("p:2: image: "));
}

}  // namespace
}  // namespace shearpin::sim
