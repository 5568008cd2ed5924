// Goal: each rule of durability and each failure class, by a history small enough to read.
// Method: a history is told to the model in a few lines; recovered states are then judged.
#include "model/crash_oracle.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/kv_model.h"

namespace shearpin::model {
namespace {

using enum FailureClass;

class CrashOracleTest : public testing::Test {
 protected:
  explicit CrashOracleTest(MayVanish may_vanish = nullptr) : model_(std::move(may_vanish)) {}

  // Issues and acknowledges at the next sequence number.
  uint64_t Write(Batch batch, Durability durability) {
    const uint64_t first = next_;
    next_ += batch.size();
    const KvModel::BatchId id = model_.Issue(std::move(batch), durability);
    EXPECT_TRUE(model_.Acknowledge(id, first).ok());
    return first;
  }
  uint64_t Put(std::string key, std::string value, Durability durability) {
    return Write({Operation::Put(std::move(key), std::move(value))}, durability);
  }
  uint64_t Delete(std::string key, Durability durability) {
    return Write({Operation::Delete(std::move(key))}, durability);
  }
  void FailPut(std::string key, std::string value, Durability durability) {
    const auto id = model_.Issue({Operation::Put(std::move(key), std::move(value))}, durability);
    EXPECT_TRUE(model_.Fail(id, next_++).ok());
  }
  void Sync() { model_.AcknowledgeSync(model_.Now()); }
  void Flush() { model_.AcknowledgeFlush(model_.Now()); }

  Verdict Check(const State& state, CrashKind kind = CrashKind::kPowerLoss) const {
    std::vector<KeyValue> pairs;
    for (const auto& [key, value] : state) pairs.push_back({key, value});
    return oracle_.CheckRecovery(pairs, kind);
  }
  FailureClass ClassOf(const State& state, CrashKind kind = CrashKind::kPowerLoss) const {
    return Check(state, kind).failure_class;
  }

  KvModel model_;
  CrashOracle oracle_{&model_};
  uint64_t next_ = 1;
};

constexpr Durability kNoLog = Durability::kNone;
constexpr Durability kProcess = Durability::kProcess;
constexpr Durability kSync = Durability::kSync;

TEST_F(CrashOracleTest, PowerLossMayTakeWhatWasNotSynced) {
  Put("a", "1", kSync);
  Put("b", "2", kProcess);
  Put("c", "3", kProcess);
  EXPECT_EQ(Check({{"a", "1"}}).n, 1u);
  EXPECT_EQ(Check({{"a", "1"}, {"b", "2"}}).n, 2u);
  EXPECT_EQ(Check({{"a", "1"}, {"b", "2"}, {"c", "3"}}).n, 3u);
  EXPECT_EQ(ClassOf({}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, ProcessDeathTakesNothingThatWasLogged) {
  Put("a", "1", kSync);
  Put("b", "2", kProcess);
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}}, CrashKind::kProcessDeath).ok());
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}}, CrashKind::kClean).ok());
  EXPECT_EQ(ClassOf({{"a", "1"}}, CrashKind::kProcessDeath), kDurableWriteLost);
  EXPECT_EQ(ClassOf({{"a", "1"}}, CrashKind::kClean), kDurableWriteLost);
}

TEST_F(CrashOracleTest, SyncedWriteMakesEarlierOnesDurable) {
  Put("a", "1", kProcess);
  Put("b", "2", kSync);
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}}).ok());
  const Verdict verdict = Check({{"b", "2"}});
  EXPECT_EQ(verdict.failure_class, kHoleBeforeDurable);
  EXPECT_EQ(verdict.message,
            "key \"a\": batch #1 (sequence 1..1, process, acknowledged) put \"1\", found nothing, "
            "although batch #2 (sequence 2..2, sync, acknowledged) is there");
}

TEST_F(CrashOracleTest, SyncMakesDurableWhatWasAcknowledgedBeforeItsStart) {
  Put("a", "1", kProcess);
  const KvModel::Moment begin = model_.Now();
  Put("b", "2", kProcess);
  model_.AcknowledgeSync(begin);
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
  EXPECT_EQ(ClassOf({}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, SyncDoesNotCoverAnEarlierNumberAcknowledgedLater) {
  const auto first = model_.Issue({Operation::Put("a", "1")}, kProcess);
  const auto second = model_.Issue({Operation::Put("b", "2")}, kProcess);
  ASSERT_TRUE(model_.Acknowledge(first, 1).ok());
  const KvModel::Moment begin = model_.Now();
  ASSERT_TRUE(model_.Acknowledge(second, 2).ok());
  model_.AcknowledgeSync(begin);
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
}

TEST_F(CrashOracleTest, SyncCoversALowerNumberOnlyIfItWasAcknowledgedInTime) {
  const auto late = model_.Issue({Operation::Put("a", "1")}, kProcess);
  const auto unlogged = model_.Issue({Operation::Put("b", "2")}, kNoLog);
  ASSERT_TRUE(model_.Acknowledge(unlogged, 2).ok());
  const KvModel::Moment begin = model_.Now();
  ASSERT_TRUE(model_.Acknowledge(late, 1).ok());
  model_.AcknowledgeSync(begin);
  EXPECT_TRUE(Check({}).ok());
  Sync();
  EXPECT_EQ(ClassOf({}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, SyncPromisesNothingForWritesWithoutLog) {
  Put("a", "1", kProcess);
  Put("b", "2", kNoLog);
  Sync();
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}}).ok());
  EXPECT_EQ(ClassOf({{"b", "2"}}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, EmptySyncedBatchIsASync) {
  Put("a", "1", kProcess);
  const auto id = model_.Issue({}, kSync);
  ASSERT_TRUE(model_.Acknowledge(id, 0).ok());
  EXPECT_EQ(ClassOf({}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, FlushMakesEverythingDurable) {
  Put("a", "1", kNoLog);
  Flush();
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
  for (const CrashKind kind :
       {CrashKind::kPowerLoss, CrashKind::kProcessDeath, CrashKind::kClean}) {
    EXPECT_EQ(ClassOf({}, kind), kDurableWriteLost);
  }
}

TEST_F(CrashOracleTest, WritesWithoutLogVanishTogetherFromSomeFlushOn) {
  Put("a", "1", kNoLog);
  Put("b", "2", kProcess);
  Put("c", "3", kNoLog);
  Put("d", "4", kSync);
  EXPECT_TRUE(Check({{"b", "2"}, {"d", "4"}}).ok());
  const Verdict some = Check({{"a", "1"}, {"b", "2"}, {"d", "4"}});
  EXPECT_TRUE(some.ok());
  EXPECT_EQ(some.n, 4u);
  EXPECT_EQ(some.flushed, 2u);
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}).ok());
  // The second memtable cannot be in tables without the first.
  EXPECT_EQ(ClassOf({{"b", "2"}, {"c", "3"}, {"d", "4"}}), kHoleAfterDurable);
}

TEST_F(CrashOracleTest, BatchesInFlightComeBackWholeOrNotAtAll) {
  Put("a", "1", kSync);
  const auto id = model_.Issue({Operation::Put("b", "2"), Operation::Put("c", "3")}, kProcess);
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "2"}, {"c", "3"}}), kWrongData) << "it has no number yet";
  ASSERT_TRUE(model_.Assign(id, 2).ok());
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}, {"c", "3"}}).ok());
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
  const Verdict torn = Check({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(torn.failure_class, kBatchTorn);
  EXPECT_NE(torn.message.find("key \"c\""), std::string::npos) << torn.message;
  EXPECT_NE(torn.message.find("sequence 2..3"), std::string::npos) << torn.message;
}

TEST_F(CrashOracleTest, LastOperationOnAKeyWinsInABatch) {
  Write({Operation::Put("a", "1"), Operation::Delete("a"), Operation::Put("b", "2")}, kSync);
  EXPECT_TRUE(Check({{"b", "2"}}).ok());
  EXPECT_FALSE(Check({{"a", "1"}, {"b", "2"}}).ok());
}

TEST_F(CrashOracleTest, HoleAfterTheLastDurableWrite) {
  Put("a", "1", kSync);
  Put("b", "2", kProcess);
  Put("c", "3", kProcess);
  const Verdict verdict = Check({{"a", "1"}, {"c", "3"}});
  EXPECT_EQ(verdict.failure_class, kHoleAfterDurable);
  EXPECT_NE(verdict.message.find("key \"b\""), std::string::npos) << verdict.message;
}

TEST_F(CrashOracleTest, LostOverwriteShowsTheOlderValue) {
  Put("a", "1", kSync);
  Put("a", "2", kSync);
  const Verdict verdict = Check({{"a", "1"}});
  EXPECT_EQ(verdict.failure_class, kDurableWriteLost);
  EXPECT_NE(verdict.message.find("put \"2\", found \"1\""), std::string::npos) << verdict.message;
}

TEST_F(CrashOracleTest, ResurrectedDelete) {
  Put("a", "1", kSync);
  Delete("a", kSync);
  Put("b", "2", kSync);
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "2"}}), kResurrectedDelete);
  // The tail, with the delete in it, was lost: another mechanism.
  EXPECT_EQ(ClassOf({{"a", "1"}}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, WrongDataIsAValueNobodyWrote) {
  Put("a", "1", kSync);
  Put("b", "2", kProcess);
  EXPECT_EQ(ClassOf({{"a", "7"}}), kWrongData);
  EXPECT_EQ(ClassOf({{"a", "1"}, {"z", "7"}}), kWrongData);
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "1"}}), kWrongData) << "a value of another key";
}

TEST_F(CrashOracleTest, KeysOutOfOrderAreWrongData) {
  Put("a", "1", kSync);
  const std::vector<KeyValue> twice = {{"a", "1"}, {"a", "1"}};
  EXPECT_EQ(oracle_.CheckRecovery(twice, CrashKind::kPowerLoss).failure_class, kWrongData);
}

TEST_F(CrashOracleTest, EqualValuesStillGetAClass) {
  // Every key shows a value it may have, but not all at once.
  Put("a", "1", kProcess);
  Put("b", "1", kProcess);
  Put("a", "2", kProcess);
  Put("a", "1", kProcess);
  Delete("b", kProcess);
  Put("b", "1", kSync);
  const Verdict verdict = Check({{"a", "2"}, {"b", "1"}});
  EXPECT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.failure_class, Check({{"a", "2"}, {"b", "1"}}).failure_class);
  EXPECT_FALSE(verdict.message.empty());
}

TEST_F(CrashOracleTest, FailedBatchesMayBeAtTheEndInOrder) {
  Put("a", "1", kSync);
  FailPut("b", "2", kSync);
  FailPut("c", "3", kSync);
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}}).ok());
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}, {"c", "3"}}).ok());
  EXPECT_EQ(ClassOf({{"a", "1"}, {"c", "3"}}), kHoleAfterDurable);
  EXPECT_TRUE(Check({{"a", "1"}}, CrashKind::kClean).ok());
}

TEST_F(CrashOracleTest, ResumedWriterMayHaveLeftFailedBatchesOut) {
  Put("a", "1", kSync);
  FailPut("b", "2", kSync);
  FailPut("c", "3", kSync);
  model_.Resumed();
  Put("d", "4", kSync);
  EXPECT_TRUE(Check({{"a", "1"}, {"d", "4"}}).ok());
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}, {"d", "4"}}).ok());
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}).ok());
  EXPECT_EQ(ClassOf({{"a", "1"}, {"c", "3"}, {"d", "4"}}), kHoleAfterDurable);
  EXPECT_EQ(ClassOf({{"a", "1"}}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, BatchThatFailedWithoutANumberNeverAppears) {
  Put("a", "1", kSync);
  const auto id = model_.Issue({Operation::Put("b", "2")}, kSync);
  ASSERT_TRUE(model_.Fail(id, 0).ok());
  const Verdict verdict = Check({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(verdict.failure_class, kWrongData);
  EXPECT_NE(verdict.message.find("failed without a sequence number"), std::string::npos);
}

TEST_F(CrashOracleTest, WhatARecoveryLeftOutNeverAppearsAgain) {
  Put("a", "1", kSync);
  Put("b", "2", kProcess);
  const Verdict verdict = Check({{"a", "1"}});
  ASSERT_TRUE(verdict.ok());
  model_.Rebase(verdict);
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "2"}}), kWrongData);
  next_ = 2;  // its number may be used again
  Put("b", "3", kSync);
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "3"}}).ok());
}

TEST_F(CrashOracleTest, WhatWasRecoveredIsDurableFromThenOn) {
  Put("a", "1", kSync);
  Put("a", "2", kProcess);
  Put("b", "1", kNoLog);
  const Verdict verdict = Check({{"a", "2"}, {"b", "1"}});
  ASSERT_TRUE(verdict.ok());
  model_.Rebase(verdict);
  EXPECT_TRUE(Check({{"a", "2"}, {"b", "1"}}).ok());
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "1"}}), kDurableWriteLost);
  EXPECT_EQ(ClassOf({{"a", "2"}}), kDurableWriteLost);
}

TEST_F(CrashOracleTest, DeletedBeforeARecoveryIsResurrectedAfterIt) {
  Put("a", "1", kSync);
  Delete("a", kSync);
  const Verdict verdict = Check({});
  ASSERT_TRUE(verdict.ok());
  model_.Rebase(verdict);
  EXPECT_EQ(ClassOf({{"a", "1"}}), kResurrectedDelete);
}

TEST_F(CrashOracleTest, SecondRecoveryMustAgreeWithTheFirst) {
  Put("a", "1", kSync);
  Put("b", "2", kProcess);
  const Verdict first = Check({{"a", "1"}});
  ASSERT_TRUE(first.ok());
  const std::vector<KeyValue> one = {{"a", "1"}};
  const std::vector<KeyValue> two = {{"a", "1"}, {"b", "2"}};
  EXPECT_TRUE(oracle_.CheckSameRecovery(one, first).ok());
  EXPECT_FALSE(oracle_.CheckSameRecovery(two, first).ok());
  const Verdict lost = oracle_.CheckSameRecovery({}, first);
  EXPECT_EQ(lost.failure_class, kDurableWriteLost);
  EXPECT_EQ(oracle_.StateOf(first), (State{{"a", "1"}}));
}

TEST_F(CrashOracleTest, NumberThatBecomesKnownLateRebuildsTheRows) {
  Put("n", "0", kNoLog);
  const auto late = model_.Issue({Operation::Put("a", "1")}, kProcess);
  const auto early = model_.Issue({Operation::Put("b", "2")}, kProcess);
  ASSERT_TRUE(model_.Acknowledge(early, 3).ok());
  EXPECT_TRUE(Check({{"b", "2"}}).ok());  // fills the cache without the late one
  ASSERT_TRUE(model_.Acknowledge(late, 2).ok());
  EXPECT_EQ(ClassOf({{"b", "2"}}), kHoleAfterDurable);
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}}).ok());
  EXPECT_TRUE(Check({{"a", "1"}}).ok());
}

// Storage that breaks its promises. --------------------------------------------------------------

TEST_F(CrashOracleTest, ARottenLogMayEndWhereNoLaterRecordVouchesForIt) {
  Put("a", "1", kSync);
  Put("b", "2", kProcess);
  Put("c", "3", kSync);
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "2"}}), kDurableWriteLost);
  EXPECT_TRUE(Check({{"a", "1"}, {"b", "2"}}, CrashKind::kRottenLog).ok());
  EXPECT_TRUE(Check({{"a", "1"}}, CrashKind::kRottenLog).ok()) << "the record of b has rotted";
  EXPECT_FALSE(Check({}, CrashKind::kRottenLog).ok()) << "that of c says that a was synced";
  EXPECT_FALSE(Check({{"a", "1"}, {"c", "3"}}, CrashKind::kRottenLog).ok()) << "not a prefix";
  Flush();
  EXPECT_FALSE(Check({{"a", "1"}, {"b", "2"}}, CrashKind::kRottenLog).ok()) << "in tables";
}

TEST_F(CrashOracleTest, ConcurrentSyncsDoNotVouchForEachOther) {
  const auto first = model_.Issue({Operation::Put("a", "1")}, kSync);
  const auto second = model_.Issue({Operation::Put("b", "2")}, kSync);
  ASSERT_TRUE(model_.Acknowledge(first, 1).ok());
  ASSERT_TRUE(model_.Acknowledge(second, 2).ok());
  EXPECT_TRUE(Check({}, CrashKind::kRottenLog).ok());
}

TEST_F(CrashOracleTest, AForgottenSyncTakesNothingFromBeforeIt) {
  Put("a", "1", kSync);
  model_.KeepPast();
  model_.Freeze();
  Put("b", "2", kSync);
  Flush();
  EXPECT_TRUE(Check({{"a", "1"}}, CrashKind::kForgottenSync).ok());
  EXPECT_FALSE(Check({{"b", "2"}}, CrashKind::kForgottenSync).ok());
  EXPECT_FALSE(Check({}, CrashKind::kForgottenSync).ok());
}

TEST_F(CrashOracleTest, WhatWasForgottenMayShowEpochsLater) {
  model_.KeepPast();
  Put("a", "1", kSync);
  model_.Freeze();
  Put("b", "2", kSync);
  // A clean reopening finds everything in the page cache.
  model_.Rebase(Check({{"a", "1"}, {"b", "2"}}, CrashKind::kClean));
  Put("c", "3", kSync);
  EXPECT_FALSE(Check({}, CrashKind::kForgottenSync).ok());
  EXPECT_FALSE(Check({{"a", "1"}}).ok()) << "a recovery settles it where nobody lied";
  const Verdict verdict = Check({{"a", "1"}}, CrashKind::kForgottenSync);
  ASSERT_TRUE(verdict.ok());
  EXPECT_EQ(verdict.epochs_back, 1u);
  EXPECT_EQ(oracle_.StateOf(verdict), (State{{"a", "1"}}));
  model_.Thaw();
  model_.Rebase(verdict);
  next_ = 2;
  Put("d", "4", kSync);
  EXPECT_TRUE(Check({{"a", "1"}, {"d", "4"}}).ok());
  EXPECT_FALSE(Check({{"a", "1"}}, CrashKind::kForgottenSync).ok()) << "it has shown";
  EXPECT_FALSE(Check({{"a", "1"}, {"b", "2"}, {"d", "4"}}, CrashKind::kBrokenStorage).ok());
}

// A manifest that forgot takes a table of writes without a log; the logs before and after that
// table are there, those of the next epoch too.
TEST_F(CrashOracleTest, WhatWasOnlyInTablesMayBeForgottenUnderLaterEpochs) {
  model_.KeepPast();
  Put("a", "1", kSync);
  model_.Freeze();
  Put("t", "2", kNoLog);
  Flush();
  Put("b", "3", kSync);
  model_.Rebase(Check({{"a", "1"}, {"b", "3"}, {"t", "2"}}, CrashKind::kClean));
  Put("c", "4", kSync);
  Put("d", "5", kSync);
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "3"}, {"c", "4"}}, CrashKind::kPowerLoss),
            kDurableWriteLost);
  const Verdict verdict = Check({{"a", "1"}, {"b", "3"}, {"c", "4"}}, CrashKind::kForgottenSync);
  ASSERT_TRUE(verdict.ok()) << verdict.message;
  const State without = {{"a", "1"}, {"b", "3"}, {"c", "4"}};
  EXPECT_EQ(oracle_.StateOf(verdict), without);
  // What is in logs is there without holes, and what was there before the lie is not forgotten.
  EXPECT_FALSE(Check({{"a", "1"}, {"c", "4"}}, CrashKind::kForgottenSync).ok());
  EXPECT_FALSE(Check({{"b", "3"}, {"c", "4"}}, CrashKind::kForgottenSync).ok());
  EXPECT_FALSE(Check({{"a", "1"}, {"b", "3"}, {"d", "5"}}, CrashKind::kForgottenSync).ok());
  model_.Thaw();
  model_.Rebase(verdict);
  EXPECT_TRUE(Check(without).ok());
  EXPECT_FALSE(Check({{"a", "1"}, {"b", "3"}}, CrashKind::kForgottenSync).ok()) << "it has shown";
}

TEST_F(CrashOracleTest, BrokenStorageLeavesAnyStateThatThereEverWas) {
  model_.KeepPast();
  Put("a", "1", kSync);
  Put("b", "2", kNoLog);
  Flush();
  model_.Rebase(Check({{"a", "1"}, {"b", "2"}}));
  Delete("a", kSync);
  Flush();
  for (const State& state :
       {State{}, State{{"a", "1"}}, State{{"a", "1"}, {"b", "2"}}, State{{"b", "2"}}}) {
    EXPECT_TRUE(Check(state, CrashKind::kBrokenStorage).ok());
  }
  EXPECT_EQ(ClassOf({{"a", "2"}}, CrashKind::kBrokenStorage), kWrongData);
}

TEST(CrashKindTest, TwoHarmsAreWorseThanEither) {
  using enum CrashKind;
  EXPECT_EQ(Together(kClean, kPowerLoss), kPowerLoss);
  EXPECT_EQ(Together(kRottenLog, kProcessDeath), kRottenLog);
  EXPECT_EQ(Together(kRottenLog, kRottenLog), kBrokenStorage) << "the voucher may have rotted too";
  EXPECT_EQ(Together(kForgottenSync, kForgottenSync), kForgottenSync);
  EXPECT_EQ(Together(kForgottenSync, kRottenLog), kBrokenStorage);
}

// What a compaction filter drops: the newest value of its key, never to show an older one.
class VanishingTest : public CrashOracleTest {
 protected:
  VanishingTest()
      : CrashOracleTest([](std::string_view, std::string_view v) { return v == "x"; }) {}
};

TEST_F(VanishingTest, ThePairMayBeThereOrNotAndNothingElseMayBeInItsPlace) {
  Put("a", "1", kSync);
  Put("a", "x", kSync);
  Put("b", "2", kSync);
  EXPECT_TRUE(Check({{"a", "x"}, {"b", "2"}}).ok());
  EXPECT_TRUE(Check({{"b", "2"}}).ok());
  EXPECT_EQ(ClassOf({{"a", "1"}, {"b", "2"}}), kDurableWriteLost);
  EXPECT_EQ(ClassOf({{"a", "x"}}), kDurableWriteLost);
  EXPECT_EQ(ClassOf({}), kDurableWriteLost);
  EXPECT_EQ(ClassOf({{"b", "2"}, {"c", "x"}}), kWrongData);
}

TEST_F(VanishingTest, WhatVanishedBeforeARecoveryStaysAway) {
  Put("a", "x", kSync);
  Put("b", "2", kSync);
  const Verdict there = Check({{"a", "x"}, {"b", "2"}});
  const Verdict gone = Check({{"b", "2"}});
  ASSERT_TRUE(gone.ok());
  const KeyValue rest[] = {{"b", "2"}};
  EXPECT_TRUE(oracle_.CheckSameRecovery(rest, there).ok());  // a merge came between
  model_.Rebase(gone);
  EXPECT_TRUE(Check({{"b", "2"}}).ok());
  EXPECT_FALSE(Check({{"a", "x"}, {"b", "2"}}).ok());
}

TEST_F(VanishingTest, ASecondRecoveryMayShowWhatHadVanishedFromTheFirst) {
  Put("b", "2", kSync);
  Put("a", "x", kProcess);
  Put("c", "3", kProcess);
  const Verdict first = Check({{"b", "2"}});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first.n, 1u);
  const KeyValue more[] = {{"a", "x"}, {"b", "2"}};
  EXPECT_TRUE(oracle_.CheckSameRecovery(more, first).ok());
  const KeyValue other[] = {{"b", "2"}, {"c", "3"}};
  EXPECT_FALSE(oracle_.CheckSameRecovery(other, first).ok());
}

// A merge drops the pair, a recovery finds it gone, and then the manifest that knew of the merge is
// forgotten.
TEST_F(VanishingTest, WhatAForgottenMergeHadTakenIsThereAgainEpochsLater) {
  model_.KeepPast();
  Put("b", "2", kSync);
  model_.Freeze();
  Put("a", "x", kSync);
  const Verdict gone = Check({{"b", "2"}}, CrashKind::kClean);
  ASSERT_TRUE(gone.ok());
  model_.Rebase(gone);
  Put("c", "3", kSync);
  EXPECT_FALSE(Check({{"a", "x"}, {"b", "2"}, {"c", "3"}}, CrashKind::kPowerLoss).ok());
  EXPECT_TRUE(Check({{"a", "x"}, {"b", "2"}, {"c", "3"}}, CrashKind::kForgottenSync).ok());
  EXPECT_FALSE(Check({{"a", "y"}, {"b", "2"}, {"c", "3"}}, CrashKind::kForgottenSync).ok());
}

TEST_F(VanishingTest, SoMayWhatWasFlushedWithoutALog) {
  Put("a", "x", kNoLog);
  Put("b", "2", kSync);
  const Verdict first = Check({{"b", "2"}});
  ASSERT_TRUE(first.ok());
  const KeyValue more[] = {{"a", "x"}, {"b", "2"}};
  EXPECT_TRUE(oracle_.CheckSameRecovery(more, first).ok());
}

TEST_F(VanishingTest, ADeleteWithoutALogMayNotHaveBeenWhatTookIt) {
  Put("a", "x", kSync);
  Delete("a", kNoLog);
  Put("b", "2", kSync);
  const Verdict first = Check({{"b", "2"}});
  ASSERT_TRUE(first.ok());
  const KeyValue more[] = {{"a", "x"}, {"b", "2"}};
  EXPECT_TRUE(oracle_.CheckSameRecovery(more, first).ok());
  Flush();
  EXPECT_FALSE(oracle_.CheckSameRecovery(more, Check({{"b", "2"}})).ok());
}

TEST_F(VanishingTest, AnOverwrittenOneCountsNoMore) {
  Put("a", "x", kSync);
  Put("a", "3", kSync);
  EXPECT_TRUE(Check({{"a", "3"}}).ok());
  EXPECT_EQ(ClassOf({}), kDurableWriteLost);
}

TEST(CrashOracleVerdictTest, OtherFailuresHaveTheirClasses) {
  EXPECT_EQ(CrashOracle::WillNotOpen("Corruption: x").failure_class, kWillNotOpen);
  EXPECT_EQ(CrashOracle::NoProgress("deadlock").failure_class, kNoProgress);
  EXPECT_EQ(FailureClassName(kWillNotOpen), "will not open");
}

}  // namespace
}  // namespace shearpin::model
