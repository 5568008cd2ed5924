// Goal: a plan that was written once means the same for ever, whatever becomes of the generator:
// every word of the language is understood, is written back as it was, and has the effect it had.
// Method: plans frozen as text. One has every word there is; one is a whole run on an honest toy
// whose outcome is known in figures, under each kind of schedule; one fails on a broken toy in a
// known class with known words. None comes from the generator.
#include <gtest/gtest.h>

#include <set>

#include "faultfs/fault_rule.h"
#include "sim/fiber_pool.h"
#include "sim/plan.h"
#include "sim/simulator.h"
#include "sim/subject/toy_subject.h"

namespace shearpin::sim {
namespace {

constexpr std::string_view kEveryWord = R"(shearpin-plan 1
seed 42
profile ext4-ordered
powersafe-overwrite 0
scheduler random-walk seed=1 stay=512 spurious=32 micros=7
entropy 2
crash-stream 3
kernel commit=5000000 expiry=30000000 evict=1000
capacity 65536
option write_buffer_size 1024
option compression 2
fault ops=append,sync path=*.wal skip=3 times=once effect=eio
fault ops=sync path=* skip=0 times=2 effect=sync_fail:keep_new_clean
fault ops=append path=* skip=1 times=always effect=short_write:7
fault ops=any path=*.sst skip=0 times=once effect=latency:250
fault ops=sync path=* skip=0 times=once effect=sync_fail:revert_old
fault ops=sync path=* skip=0 times=once effect=sync_fail:report_next
fault ops=sync_dir path=* skip=0 times=once effect=sync_fail:shutdown
fault ops=mutating path=* skip=0 times=once effect=enospc
fault ops=read path=*.sst skip=2 times=once effect=short_read:100
fault ops=read path=* skip=0 times=3 effect=stale_read:7
fault ops=read,sync,close path=*.sst skip=0 times=once effect=bit_rot:1234567890123
fault ops=sync path=*.wal skip=0 times=once effect=lost_write:5
fault ops=sync path=*MANIFEST* skip=0 times=once effect=misdirected_write:3
fault ops=sync,sync_dir path=* skip=0 times=always effect=lying_flush
client
  put "key" fill(100,7) sync
  put "\x00\xff \"\\\n\t" "" none
  batch process put "a" "b" delete "c" delete-range "d" "e"
  delete "key" none
  delete-range "a" "k" process
  txn-begin 2 serializable
  txn-begin 3 snapshot
  txn-get 2 "key"
  txn-scan 2 forward 3 lower=including:"a"
  txn-scan 2 backward 0 upper=excluding:"z"
  txn-write 2 put "a" "b" delete "c" delete-range "d" "f"
  txn-commit 2 sync
  txn-rollback 3
  get "key" snapshot=1
  scan backward lower=including:"a" upper=excluding:"q"
  scan forward snapshot=0
  iterator-open 0 lower=excluding:"a" snapshot=1
  iterator-walk 0 first next seek "k" prev last seek-prev "b"
  iterator-close 0
  snapshot-take 1
  snapshot-check 1
  snapshot-release 1
client
  sync
  flush
  reopen
  verify
  property "stats"
  sleep 1000
  capacity 50000
  evict
  write-back 10
  compact-range lower=including:"b" upper=including:"d"
  checkpoint
  resume
  ingest put "x" "y" delete "z"
  wait
  read-only
crash after=boot calls=3 of=open_write kind=process image=draw
crash after=step:0.3 calls=17 moment=midway bytes=100 kind=power image=draw siblings=4
    sibling "power keep=none"
    sibling "power keep=prefix:7 tears=5:0x0f,6:0x01@2!0x80 fills=9:stale:3,10:garbage"
  nested calls=5 kind=process image=draw
  nested calls=1 of=rename moment=after kind=power image=draw
  nested calls=1 of=sync path="*MANIFEST*" moment=midway kind=power image=draw
crash after=previous calls=0 kind=power image="power keep=all"
crash after=step:1.2 calls=2 moment=after kind=power image="power keep=list:1011"
crash after=previous calls=1 kind=power image="power keep=except:1,2"
crash after=previous calls=1 kind=power image="power keep=only:1,2"
crash after=previous calls=1 kind=power image="power keep=need:1"
)";

TEST(FrozenPlanTest, EveryWordIsWrittenBackAsItWas) {
  const StatusOr<Plan> plan = ParsePlan(kEveryWord, "frozen.plan");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(FormatPlan(*plan), kEveryWord);
  // A word that was added since belongs in here.
  std::set<StepKind> kinds;
  for (const auto& steps : plan->clients) {
    for (const Step& step : steps) kinds.insert(step.kind);
  }
  EXPECT_EQ(kinds.size(), static_cast<size_t>(kNumStepKinds));
  std::set<faultfs::EffectKind> effects;
  for (const std::string& fault : plan->faults) {
    effects.insert(faultfs::FaultRule::Parse(fault)->effect);
  }
  EXPECT_EQ(effects.size(), static_cast<size_t>(faultfs::kEffectKinds));
}

// What a line that is left out means has been frozen with the rest.
TEST(FrozenPlanTest, WhatIsLeftOutIsAsItWas) {
  const StatusOr<Plan> plan = ParsePlan("shearpin-plan 1\n", "frozen.plan");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(FormatPlan(*plan),
            "shearpin-plan 1\nseed 0\nprofile posix-min\n"
            "scheduler random-walk seed=0 stay=512 spurious=0 micros=0\n"
            "entropy 0\ncrash-stream 0\ncapacity 0\n");
}

constexpr std::string_view kSchedules[] = {
    "scheduler random-walk seed=5 stay=300 spurious=32 micros=3\n",
    "scheduler pct seed=5 depth=3 steps=40 spurious=0 micros=0\n",
    "scheduler lagging seed=5 stay=300 every=4 steps=40 spurious=32 micros=3\n",
    "scheduler recorded micros=0\n"
    "schedule opening 0 1:client1 4:client0 9:client1\n"
    "schedule opening 1 0:client1\n",
};

constexpr std::string_view kRun = R"(client
  put "a" "1" sync
  put "b" "2" process
  batch sync delete "a" put "c" fill(20,3)
  get "c"
  snapshot-take 0
  put "c" "4" process
  snapshot-check 0
  reopen
  delete-range "a" "z" sync
  scan forward
client
  put "k" "1" sync
  get "a"
  iterator-open 1
  iterator-walk 1 first next prev
  put "l" "2" process
crash after=step:0.2 calls=0 kind=power image="power keep=none"
    sibling "power keep=all"
    sibling "power keep=prefix:1"
crash after=previous calls=3 moment=after kind=process image=draw
  nested calls=2 kind=power image="power keep=need:0"
)";

TEST(FrozenPlanTest, ARunHasTheOutcomeItHad) {
  ToyFactory factory(ToyBug::kNone);
  FiberPool fibers;
  for (const std::string_view schedule : kSchedules) {
    const std::string text =
        "shearpin-plan 1\nseed 1\n" + std::string(schedule) + std::string(kRun);
    const StatusOr<Plan> plan = ParsePlan(text, "frozen.plan");
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    const RunResult result = Simulator(&factory, &fibers).Run(*plan);
    EXPECT_FALSE(result.failure.has_value()) << result.failure->message;
    EXPECT_EQ(result.operations, 15u);
    EXPECT_EQ(result.crashes, 3u);
    EXPECT_EQ(result.nested_crashes, 1u);
    EXPECT_GE(result.crash_states, 3u);
    // Everything is written down already: the plan of the result is the plan.
    EXPECT_EQ(result.plan, *plan);
  }
}

constexpr std::string_view kFailure = R"(shearpin-plan 1
client
  put "a" "1" sync
  delete "a" sync
crash after=step:0.1 calls=0 kind=process
)";

TEST(FrozenPlanTest, AFailureIsTheFailureItWas) {
  ToyFactory factory(ToyBug::kForgetsDelete);
  FiberPool fibers;
  const StatusOr<Plan> plan = ParsePlan(kFailure, "frozen.plan");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  const RunResult result = Simulator(&factory, &fibers).Run(*plan);
  ASSERT_TRUE(result.failure.has_value());
  EXPECT_EQ(result.failure->failure_class, FailureClass::kDurableWriteLost);
  EXPECT_EQ(result.failure->message,
            "key \"a\": batch #2 (sequence 2..2, sync, acknowledged) deleted it, found \"1\"");
}

}  // namespace
}  // namespace shearpin::sim
