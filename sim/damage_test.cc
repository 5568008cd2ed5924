// Goal: disks break every promise there is a name for, in plans that anybody may draw; the kernel's
// background work follows the clock; rot in a log is refused or ends it, by what vouches for it.
// Method: many drawn plans; one small plan with and without a kernel; one with a bit to place.
#include "sim/damage.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "faultfs/fault_rule.h"
#include "sim/fiber_pool.h"
#include "sim/generator.h"
#include "sim/simulator.h"
#include "sim/subject/shearpin_subject.h"
#include "sim/subject/toy_subject.h"

namespace shearpin::sim {
namespace {

TEST(AddDamageTest, EveryBrokenPromiseIsDrawn) {
  std::set<std::string_view> drawn;
  size_t without = 0;
  constexpr uint64_t kSeeds = 1000;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Plan plan;
    plan.clients.emplace_back();
    AddDamage(Rng::Stream(seed, "damage"), &plan);
    without += plan.faults.empty() ? 1 : 0;
    for (const std::string& text : plan.faults) {
      const StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
      ASSERT_TRUE(rule.ok()) << text;
      const bool lies = rule->sync_failure == faultfs::SyncFailure::kReportNext;
      EXPECT_TRUE(faultfs::BreaksPromise(rule->effect) || lies) << text;
      drawn.insert(lies ? "report_next" : faultfs::EffectKindName(rule->effect));
    }
  }
  EXPECT_EQ(drawn,
            (std::set<std::string_view>{"bit_rot", "lost_write", "misdirected_write", "stale_read",
                                        "short_read", "lying_flush", "report_next"}));
  EXPECT_GT(without, kSeeds / 2) << "most disks keep their promises";
}

RunResult RunToy(const Plan& plan) {
  ToyFactory factory(ToyBug::kNone);
  FiberPool fibers;
  return Simulator(&factory, &fibers).Run(plan, {});
}

TEST(KernelTest, WritesBackOnItsClockOnly) {
  constexpr std::string_view kPlan =
      "shearpin-plan 1\nseed 1\nprofile posix-min\nkernel commit=1000 expiry=2000 evict=0\n"
      "client\n  put \"a\" \"1\" process\n  sleep 100\n  put \"b\" \"2\" process\n"
      "  sleep 5000\n  put \"c\" \"3\" process\n  sleep 5000\n  put \"d\" \"4\" process\n";
  Plan plan = *ParsePlan(kPlan, "kernel.plan");
  RunResult result = RunToy(plan);
  EXPECT_FALSE(result.failure.has_value()) << result.failure->message;
  EXPECT_GT(result.faults["write_back"], 0u);
  const uint64_t digest = result.digest;
  EXPECT_EQ(RunToy(plan).digest, digest);
  plan.kernel = {};
  result = RunToy(plan);
  EXPECT_EQ(result.faults.count("write_back") + result.faults.count("journal_commit"), 0u);
}

// Three synced writes in a log, of which one bit has rotted when the recovery reads it.
RunResult RunWithRotAt(uint64_t byte) {
  const std::string text =
      "shearpin-plan 1\nseed 1\nprofile posix-min\n"
      "fault ops=read path=*.wal times=once effect=bit_rot:" +
      std::to_string(byte * 8) +
      "\nclient\n  put \"a\" \"1\" sync\n  put \"b\" \"2\" sync\n  put \"c\" \"3\" sync\n"
      "crash after=step:0.2 calls=0 kind=power image=\"power keep=all\"\n";
  ShearpinFactory factory;
  FiberPool fibers;
  return Simulator(&factory, &fibers).Run(*ParsePlan(text, "rot.plan"), {});
}

// Each synced record fills its sector; the header has the first.
TEST(BrokenPromisesTest, ALogIsRefusedWhereALaterRecordVouchesForWhatRotted) {
  const RunResult result = RunWithRotAt(512 + 20);
  EXPECT_FALSE(result.failure.has_value()) << result.failure->message;
  EXPECT_EQ(result.faults.at("bit_rot"), 1u);
  EXPECT_EQ(result.refusals, 1u);
}

TEST(BrokenPromisesTest, TheLastRecordOfALogMayBeGivenUpAndNoOther) {
  const RunResult result = RunWithRotAt(512 + 2 * 512 + 20);
  EXPECT_FALSE(result.failure.has_value()) << result.failure->message;
  EXPECT_EQ(result.faults.at("bit_rot"), 1u);
}

}  // namespace
}  // namespace shearpin::sim
