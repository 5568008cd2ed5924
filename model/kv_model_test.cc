// Goal: each rule of order (O1-O4) and visibility (V1, V2), and reads against a naive replay.
// Method: short hand-made histories; a property replays random ones into a plain map.
#include "model/kv_model.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/cursor.h"
#include "rapidcheck/gtest.h"

namespace shearpin::model {
namespace {

using enum Durability;

Batch Put(std::string key, std::string value) {
  return {Operation::Put(std::move(key), std::move(value))};
}

TEST(KvModelTest, ReadsAtEverySequence) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Acknowledge(a, 5).ok());
  const auto b = model.Issue({Operation::Delete("k"), Operation::Put("l", "2")}, kProcess);
  ASSERT_TRUE(model.Acknowledge(b, 7).ok());
  EXPECT_EQ(model.Get("k", 4), std::nullopt);
  EXPECT_EQ(model.Get("k", 5), "1");
  EXPECT_EQ(model.Get("k", 6), "1");
  EXPECT_EQ(model.Get("k", 7), "1") << "half of a batch is not visible (V1)";
  EXPECT_EQ(model.Get("l", 7), std::nullopt);
  EXPECT_EQ(model.Get("k", 8), std::nullopt);
  EXPECT_EQ(model.Get("l", 8), "2");
  EXPECT_EQ(model.LatestAcknowledged(), 8u);
}

TEST(KvModelTest, WhatMayVanishMayBeMissingInReadsAndNothingOlderShows) {
  KvModel model([](std::string_view, std::string_view value) { return value == "x"; });
  ASSERT_TRUE(model.Acknowledge(model.Issue(Put("k", "1"), kProcess), 1).ok());
  ASSERT_TRUE(model.Acknowledge(model.Issue(Put("k", "x"), kProcess), 2).ok());
  ASSERT_TRUE(model.Acknowledge(model.Issue(Put("l", "2"), kProcess), 3).ok());
  const auto now = model.Now();
  const std::string_view old = "1", current = "x";
  EXPECT_TRUE(model.CheckGet("k", &current, now).ok());
  EXPECT_TRUE(model.CheckGet("k", nullptr, now).ok());
  EXPECT_FALSE(model.CheckGet("k", &old, now).ok());
  EXPECT_FALSE(model.CheckGet("l", nullptr, now).ok());
  const KeyValue all[] = {{"k", "x"}, {"l", "2"}}, rest[] = {{"l", "2"}},
                 stale[] = {{"k", "1"}, {"l", "2"}};
  EXPECT_TRUE(model.CheckScan({}, all, now).ok());
  EXPECT_TRUE(model.CheckScan({}, rest, now).ok());
  EXPECT_FALSE(model.CheckScan({}, stale, now).ok());
  EXPECT_FALSE(model.CheckScan({}, std::span(all, 1), now).ok());
}

TEST(KvModelTest, OverlappingSequencesBreakO1) {
  KvModel model;
  const auto a = model.Issue({Operation::Put("k", "1"), Operation::Put("l", "1")}, kProcess);
  const auto b = model.Issue(Put("k", "2"), kProcess);
  const auto c = model.Issue({Operation::Put("k", "3"), Operation::Put("l", "3")}, kProcess);
  ASSERT_TRUE(model.Assign(a, 5).ok());
  const Violation violation = model.Acknowledge(b, 6);
  EXPECT_EQ(violation.failure_class, FailureClass::kOrderBroken);
  EXPECT_NE(violation.message.find("overlaps batch #1 at 5..6"), std::string::npos)
      << violation.message;
  EXPECT_FALSE(model.Assign(c, 4).ok());
  EXPECT_TRUE(model.Assign(c, 3).ok());
  EXPECT_TRUE(model.Acknowledge(b, 7).ok());
}

TEST(KvModelTest, WhatADropTookNeverComesBackAndItsNumbersStayUsed) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kNone);
  ASSERT_TRUE(model.Acknowledge(a, 1).ok());
  const auto b = model.Issue(Put("k", "2"), kSync);
  ASSERT_TRUE(model.Fail(b, 2).ok());
  EXPECT_TRUE(model.log().any_failed());
  model.Resumed();
  model.DropFailed(1);
  ASSERT_EQ(model.log().entries().size(), 1u) << "the failed one is out";
  EXPECT_EQ(model.flushed_sequence(), 1u) << "and what was acknowledged is durable, unlogged too";
  const auto c = model.Issue(Put("k", "3"), kProcess);
  EXPECT_FALSE(model.Assign(c, 2).ok()) << "the number of the dropped one";
  EXPECT_TRUE(model.Acknowledge(c, 3).ok());
  EXPECT_EQ(model.Get("k", 2), "1");
  EXPECT_EQ(model.Get("k", 3), "3");
}

TEST(KvModelTest, WithoutADropWhatFailedStaysPossible) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Fail(a, 1).ok());
  model.Resumed();
  ASSERT_EQ(model.log().entries().size(), 1u);
  EXPECT_EQ(model.log().entries().front().fate, CommitLog::Fate::kFailed);
  EXPECT_EQ(model.flushed_sequence(), 0u);
}

// A batch that had its number before the drop, and hears of its failure only after it.
TEST(KvModelTest, AFailureThatIsToldAfterTheDropIsDroppedToo) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Assign(a, 1).ok());
  const auto b = model.Issue(Put("l", "1"), kProcess);
  ASSERT_TRUE(model.Fail(b, 2).ok());
  model.Resumed();
  model.DropFailed(0);
  const auto c = model.Issue(Put("m", "1"), kProcess);
  ASSERT_TRUE(model.Acknowledge(c, 3).ok());
  EXPECT_EQ(model.Get("k", 3), std::nullopt) << "gone already, whoever knows it";
  EXPECT_EQ(model.Get("m", 3), "1");
  ASSERT_TRUE(model.Fail(a, 1).ok());
  for (const CommitLog::Entry& entry : model.log().entries()) {
    EXPECT_NE(entry.fate, CommitLog::Fate::kFailed);
  }
}

TEST(KvModelTest, WhatWasVisibleAtTheDropMayStillBeAcknowledgedAndNothingElse) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Assign(a, 1).ok());
  const auto b = model.Issue(Put("k", "2"), kProcess);
  ASSERT_TRUE(model.Assign(b, 2).ok());
  model.Resumed();
  model.DropFailed(1);
  EXPECT_EQ(model.Get("k", 2), "1");
  EXPECT_TRUE(model.Acknowledge(a, 1).ok());
  EXPECT_FALSE(model.Acknowledge(b, 2).ok());
}

TEST(KvModelTest, BurntSequencesAreNotUsedAgain) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Fail(a, 1).ok());
  model.Resumed();
  const auto b = model.Issue(Put("k", "2"), kProcess);
  EXPECT_FALSE(model.Acknowledge(b, 1).ok());
}

TEST(KvModelTest, RealTimeOrderIsO2) {
  KvModel model;
  const auto concurrent = model.Issue(Put("k", "0"), kProcess);
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Acknowledge(a, 9).ok());
  const auto b = model.Issue(Put("k", "2"), kProcess);
  EXPECT_EQ(model.Assign(b, 8).failure_class, FailureClass::kOrderBroken);
  EXPECT_TRUE(model.Acknowledge(concurrent, 7).ok()) << "issued before the other was acknowledged";
  EXPECT_TRUE(model.Acknowledge(b, 10).ok());
}

TEST(KvModelTest, NothingIsAcknowledgedAfterAFailureO3) {
  KvModel model;
  const auto concurrent = model.Issue(Put("c", "1"), kProcess);
  const auto a = model.Issue(Put("k", "1"), kSync);
  ASSERT_TRUE(model.Assign(concurrent, 1).ok());
  ASSERT_TRUE(model.Fail(a, 2).ok());
  EXPECT_TRUE(model.Acknowledge(concurrent, 1).ok());
  const auto b = model.Issue(Put("k", "2"), kSync);
  EXPECT_EQ(model.Acknowledge(b, 3).failure_class, FailureClass::kOrderBroken);
  model.Resumed();
  const auto c = model.Issue(Put("k", "3"), kSync);
  EXPECT_TRUE(model.Acknowledge(c, 4).ok());
}

TEST(KvModelTest, ARejectedBatchDoesNotPoison) {
  KvModel model;
  ASSERT_TRUE(model.Fail(model.Issue(Put("k", "1"), kSync), 0).ok());
  EXPECT_TRUE(model.Acknowledge(model.Issue(Put("k", "2"), kSync), 1).ok());
}

TEST(KvModelTest, ABatchKeepsItsNumberO4) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Assign(a, 1).ok());
  ASSERT_TRUE(model.Assign(a, 1).ok());
  EXPECT_FALSE(model.Acknowledge(a, 2).ok());
  EXPECT_FALSE(model.Fail(a, 0).ok());
  EXPECT_TRUE(model.Acknowledge(a, 1).ok());
  EXPECT_FALSE(model.Acknowledge(model.Issue(Put("k", "1"), kProcess), 0).ok());
  EXPECT_FALSE(model.Acknowledge(model.Issue({}, kProcess), 5).ok());
}

TEST(KvModelTest, FailedBatchesAreNotSeenV2) {
  KvModel model;
  const auto a = model.Issue(Put("k", "1"), kProcess);
  ASSERT_TRUE(model.Acknowledge(a, 1).ok());
  const auto b = model.Issue(Put("k", "2"), kProcess);
  const KvModel::Moment begin = model.Now();
  ASSERT_TRUE(model.Fail(b, 2).ok());
  EXPECT_EQ(model.Get("k", 10), "1");
  const std::string_view seen = "2";
  const Violation violation = model.CheckGet("k", &seen, begin);
  EXPECT_EQ(violation.failure_class, FailureClass::kWrongRead);
  EXPECT_NE(violation.message.find("which failed"), std::string::npos) << violation.message;
  EXPECT_FALSE(model.CheckScan({}, std::vector<KeyValue>{{"k", "2"}}, begin).ok());
}

TEST(KvModelTest, ConcurrentGetSeesOldOrNewButNotOlder) {
  KvModel model;
  ASSERT_TRUE(model.Acknowledge(model.Issue(Put("k", "0"), kProcess), 1).ok());
  ASSERT_TRUE(model.Acknowledge(model.Issue(Put("k", "1"), kProcess), 2).ok());
  const KvModel::Moment begin = model.Now();
  const auto flying = model.Issue({Operation::Put("k", "x"), Operation::Put("k", "2")}, kProcess);
  const auto check = [&](std::string_view value) {
    return model.CheckGet("k", &value, begin).ok();
  };
  EXPECT_FALSE(check("0"));
  EXPECT_TRUE(check("1"));
  EXPECT_TRUE(check("2"));
  EXPECT_FALSE(check("x")) << "a value inside a batch is never visible";
  EXPECT_FALSE(model.CheckGet("k", nullptr, begin).ok());
  ASSERT_TRUE(model.Acknowledge(flying, 3).ok());
  EXPECT_TRUE(check("1"));
  EXPECT_TRUE(check("2"));
  const std::string_view old = "1";
  EXPECT_FALSE(model.CheckGet("k", &old, model.Now()).ok());
}

TEST(KvModelTest, ConcurrentScanIsOfOneMoment) {
  KvModel model;
  ASSERT_TRUE(model.Acknowledge(model.Issue(Put("a", "0"), kProcess), 1).ok());
  const KvModel::Moment begin = model.Now();
  const auto batch = model.Issue({Operation::Put("a", "1"), Operation::Put("b", "1")}, kProcess);
  ASSERT_TRUE(model.Assign(batch, 2).ok());
  const auto check = [&](std::vector<KeyValue> found) {
    return model.CheckScan({}, found, begin).ok();
  };
  EXPECT_TRUE(check({{"a", "0"}}));
  EXPECT_TRUE(check({{"a", "1"}, {"b", "1"}}));
  EXPECT_FALSE(check({{"a", "1"}}));
  EXPECT_FALSE(check({{"a", "0"}, {"b", "1"}}));
  EXPECT_FALSE(check({}));
  const Range only_b = {Bound::Exclusive("a"), Bound::Inclusive("b")};
  EXPECT_TRUE(model.CheckScan(only_b, {}, begin).ok());
  EXPECT_TRUE(model.CheckScan(only_b, std::vector<KeyValue>{{"b", "1"}}, begin).ok());
}

// A batch in flight may be seen or not; but once one read has seen it, time does not run back.
TEST(KvModelTest, WhatOneReadHasSeenTheNextSeesTooV3) {
  const std::string_view old_value = "0";
  const std::string_view new_value = "1";
  for (const char* how : {"get", "scan", "snapshot", "cursor"}) {
    KvModel model;
    ASSERT_TRUE(model.Acknowledge(model.Issue(Put("k", "0"), kProcess), 1).ok());
    const auto flying = model.Issue(Put("k", "1"), kProcess);
    ASSERT_TRUE(model.Assign(flying, 2).ok());
    const KvModel::Moment before = model.Now();
    if (how == std::string_view("get")) {
      EXPECT_TRUE(model.CheckGet("k", &old_value, before).ok());
      EXPECT_EQ(model.Now().visible, 1u) << "the old value says nothing";
      EXPECT_TRUE(model.CheckGet("k", &new_value, before).ok());
    } else if (how == std::string_view("scan")) {
      EXPECT_TRUE(model.CheckScan({}, std::vector<KeyValue>{{"k", "1"}}, before).ok());
    } else if (how == std::string_view("snapshot")) {
      EXPECT_TRUE(model.CheckSnapshot(2, before).ok());
    } else {
      model.Observe(2);
    }
    // A read that had begun before may still be at the old state, a later one may not.
    EXPECT_TRUE(model.CheckGet("k", &old_value, before).ok()) << how;
    const Violation get = model.CheckGet("k", &old_value, model.Now());
    EXPECT_EQ(get.failure_class, FailureClass::kWrongRead) << how;
    EXPECT_NE(get.message.find("seen by a read before"), std::string::npos) << get.message;
    EXPECT_FALSE(model.CheckScan({}, std::vector<KeyValue>{{"k", "0"}}, model.Now()).ok()) << how;
    EXPECT_FALSE(model.CheckSnapshot(1, model.Now()).ok()) << how;
    EXPECT_TRUE(model.CheckSnapshot(2, model.Now()).ok()) << how;
    // What is issued now comes after what was seen, though that is not acknowledged yet.
    const auto next = model.Issue(Put("k", "2"), kProcess);
    EXPECT_EQ(model.Acknowledge(next, 2).failure_class, FailureClass::kOrderBroken) << how;
  }
}

TEST(KvModelDeathTest, MisuseEndsTheProcess) {
  KvModel model;
  EXPECT_DEATH((void)model.Acknowledge(7, 1), "no such batch is in flight");
}

// Random writes with gaps between numbers, acknowledged out of order; every read at every
// sequence, and every cursor walk in every range, equals that of a replayed map.
RC_GTEST_PROP(KvModelProperty, ReadsEqualAReplay, (const std::vector<uint8_t>& tape)) {
  static const std::vector<std::string> keys = {"", "a", "aa", "b", std::string("\xff\0", 2)};
  size_t at = 0;
  const auto below = [&](size_t bound) { return at < tape.size() ? tape[at++] % bound : 0; };
  KvModel model;
  struct Numbered {
    KvModel::BatchId id;
    uint64_t first;
    Batch batch;
  };
  std::vector<Numbered> written;
  uint64_t next = 1;
  while (at < tape.size()) {
    std::vector<Numbered> group(1 + below(3));
    for (Numbered& w : group) {
      const size_t operations = 1 + below(3);
      for (size_t i = 0; i < operations; ++i) {
        const std::string& key = keys[below(keys.size())];
        // A range from the key on: of this one, or of many.
        const auto kind = below(5);
        w.batch.push_back(kind == 0   ? Operation::DeleteRange(key, key + "\x01")
                          : kind == 1 ? Operation::DeleteRange(key, key < "zz" ? "zz" : "\xff\xff")
                          : kind == 2 ? Operation::Delete(key)
                                      : Operation::Put(key, std::to_string(next + i)));
      }
      next += below(2);
      w.first = next;
      next += w.batch.size();
      w.id = model.Issue(w.batch, kProcess);
    }
    std::rotate(group.begin(), group.begin() + static_cast<long>(below(group.size())), group.end());
    for (Numbered& w : group) {
      RC_ASSERT(model.Acknowledge(w.id, w.first).ok());
      written.push_back(std::move(w));
    }
  }
  std::sort(written.begin(), written.end(),
            [](const Numbered& a, const Numbered& b) { return a.first < b.first; });
  const Bound bounds[] = {Bound::Unbounded(), Bound::Inclusive("a"), Bound::Exclusive("a"),
                          Bound::Inclusive("b")};
  State state;
  size_t applied = 0;
  for (uint64_t sequence = 0; sequence <= next; ++sequence) {
    if (applied < written.size() &&
        written[applied].first + written[applied].batch.size() - 1 == sequence) {
      for (const Operation& o : written[applied].batch) {
        if (o.kind == Operation::Kind::kPut) {
          state[o.key] = o.value;
        } else if (o.kind == Operation::Kind::kDeleteRange) {
          state.erase(state.lower_bound(o.key), state.lower_bound(o.value));
        } else {
          state.erase(o.key);
        }
      }
      ++applied;
    }
    RC_ASSERT(model.StateAt(sequence) == state);
    for (const std::string& key : keys) {
      const auto found = state.find(key);
      const auto value = model.Get(key, sequence);
      RC_ASSERT(value.has_value() == (found != state.end()));
      if (value.has_value()) RC_ASSERT(*value == found->second);
    }
    for (const Bound& lower : bounds) {
      for (const Bound& upper : bounds) {
        std::vector<std::string> expected;
        for (const auto& [key, value] : state) {
          if (IsAboveLower(key, lower) && IsBelowUpper(key, upper)) expected.push_back(key);
        }
        Cursor cursor(&model, {lower, upper}, sequence);
        std::vector<std::string> forward;
        for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next())
          forward.emplace_back(cursor.key());
        RC_ASSERT(forward == expected);
        std::vector<std::string> backward;
        for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev())
          backward.emplace_back(cursor.key());
        std::reverse(backward.begin(), backward.end());
        RC_ASSERT(backward == expected);
        for (const std::string& key : keys) {
          const auto after = std::lower_bound(expected.begin(), expected.end(), key);
          cursor.Seek(key);
          RC_ASSERT(cursor.Valid() == (after != expected.end()));
          if (cursor.Valid()) RC_ASSERT(cursor.key() == *after);
          const auto upto = std::upper_bound(expected.begin(), expected.end(), key);
          cursor.SeekForPrev(key);
          RC_ASSERT(cursor.Valid() == (upto != expected.begin()));
          if (cursor.Valid()) RC_ASSERT(cursor.key() == *std::prev(upto));
        }
      }
    }
  }
}

}  // namespace
}  // namespace shearpin::model
