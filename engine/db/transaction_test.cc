// Goal: transactions are what transaction.h says: isolated, atomic, serializable if asked for.
// Method: the textbook anomalies one by one, each allowed or refused by isolation; then RapidCheck:
// random transactions interleaved step by step, with plain writes, flushes and merges between. The
// committed ones are replayed in commit order on a std::map, and each must read there what it read
// when it ran. (A replay that agrees is a serial order, so that is serializability itself.)
#include "engine/transaction.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <thread>

#include "engine/db.h"
#include "engine/event_listener.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using Map = std::map<std::string, std::string, std::less<>>;

struct Store {
  explicit Store(Options options = {}) {
    options.env.file_system = &files;
    auto opened = DB::Open(options, "/db");
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    db = *std::move(opened);
  }
  std::unique_ptr<Transaction> Begin(Isolation isolation = Isolation::kSerializable) {
    return db->BeginTransaction({.isolation = isolation});
  }

  faultfs::MemFileSystem files;
  std::unique_ptr<DB> db;
};

std::string Read(Transaction* transaction, std::string_view key) {
  std::string value;
  const Status status = transaction->Get(key, &value);
  if (status.IsNotFound()) return "-";
  EXPECT_TRUE(status.ok()) << status.ToString();
  return value;
}

std::string Keys(Transaction* transaction, const Bound& lower = {}, const Bound& upper = {}) {
  std::string keys;
  const auto it = transaction->Scan(lower, upper);
  for (; it->Valid(); it->Next()) keys += it->key();
  std::string reversed;
  for (it->SeekToLast(); it->Valid(); it->Prev()) reversed.insert(0, it->key());
  EXPECT_EQ(keys, reversed);
  return keys;
}

TEST(Transaction, ReadsItsWritesOverItsSnapshot) {
  Store store;
  for (const char* key : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(store.db->Put(key, "1").ok());
  const auto transaction = store.Begin();
  ASSERT_TRUE(store.db->Put("f", "later").ok());
  ASSERT_TRUE(transaction->Put("bb", "2").ok());
  ASSERT_TRUE(transaction->Delete("a").ok());
  ASSERT_TRUE(transaction->DeleteRange("c", "e").ok());
  ASSERT_TRUE(transaction->Put("d", "3").ok());
  EXPECT_EQ(Read(transaction.get(), "a"), "-");
  EXPECT_EQ(Read(transaction.get(), "b"), "1");
  EXPECT_EQ(Read(transaction.get(), "bb"), "2");
  EXPECT_EQ(Read(transaction.get(), "c"), "-");
  EXPECT_EQ(Read(transaction.get(), "d"), "3");
  EXPECT_EQ(Read(transaction.get(), "f"), "-");
  EXPECT_EQ(Keys(transaction.get()), "bbbde");
  EXPECT_EQ(Keys(transaction.get(), Bound::Exclusive("b"), Bound::Inclusive("d")), "bbd");
  std::string outside;
  EXPECT_TRUE(store.db->Get("bb", &outside).IsNotFound());
}

TEST(Transaction, CommitsAsOneBatchInTheOrderOfItsCalls) {
  Store store;
  ASSERT_TRUE(store.db->Put("k", "old").ok());
  const auto transaction = store.Begin();
  ASSERT_TRUE(transaction->Put("a", "1").ok());
  ASSERT_TRUE(transaction->DeleteRange("a", "z").ok());
  ASSERT_TRUE(transaction->Put("m", "2").ok());
  ASSERT_TRUE(transaction->Commit({.durability = Durability::kSync}).ok());
  EXPECT_EQ(transaction->first_sequence(), 2u);
  EXPECT_EQ(store.db->LatestSequence(), 4u);
  const auto after = store.Begin();
  EXPECT_EQ(Keys(after.get()), "m");
}

TEST(Transaction, EndsOnce) {
  Store store;
  const auto committed = store.Begin();
  ASSERT_TRUE(committed->Put("k", "v").ok());
  ASSERT_TRUE(committed->Commit().ok());
  std::string value;
  EXPECT_TRUE(committed->Commit().IsAborted());
  EXPECT_TRUE(committed->Rollback().IsAborted());
  EXPECT_TRUE(committed->Put("k", "w").IsAborted());
  EXPECT_TRUE(committed->Get("k", &value).IsAborted());
  const auto it = committed->Scan({}, {});
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsAborted());
  const auto undone = store.Begin();
  ASSERT_TRUE(undone->Put("k", "w").ok());
  ASSERT_TRUE(undone->Rollback().ok());
  ASSERT_TRUE(store.db->Get("k", &value).ok());
  EXPECT_EQ(value, "v");
}

TEST(Transaction, LosesNoUpdate) {
  for (const Isolation isolation : {Isolation::kSnapshot, Isolation::kSerializable}) {
    Store store;
    ASSERT_TRUE(store.db->Put("n", "1").ok());
    const auto one = store.Begin(isolation), two = store.Begin(isolation);
    EXPECT_EQ(Read(one.get(), "n") + Read(two.get(), "n"), "11");
    ASSERT_TRUE(one->Put("n", "2").ok());
    ASSERT_TRUE(two->Put("n", "2").ok());
    EXPECT_TRUE(one->Commit().ok());
    EXPECT_TRUE(two->Commit().IsBusy());
  }
}

TEST(Transaction, SeesPlainWritesAsConflicts) {
  Store store;
  const auto transaction = store.Begin();
  EXPECT_EQ(Read(transaction.get(), "k"), "-");
  ASSERT_TRUE(store.db->Put("k", "v").ok());
  ASSERT_TRUE(transaction->Put("l", "v").ok());
  EXPECT_TRUE(transaction->Commit().IsBusy());
}

TEST(Transaction, WriteSkewNeedsSerializable) {
  for (const Isolation isolation : {Isolation::kSnapshot, Isolation::kSerializable}) {
    Store store;
    ASSERT_TRUE(store.db->Put("x", "on").ok());
    ASSERT_TRUE(store.db->Put("y", "on").ok());
    const auto one = store.Begin(isolation), two = store.Begin(isolation);
    EXPECT_EQ(Read(one.get(), "y"), "on");
    ASSERT_TRUE(one->Put("x", "off").ok());
    EXPECT_EQ(Read(two.get(), "x"), "on");
    ASSERT_TRUE(two->Put("y", "off").ok());
    EXPECT_TRUE(one->Commit().ok());
    EXPECT_EQ(two->Commit().IsBusy(), isolation == Isolation::kSerializable);
  }
}

TEST(Transaction, PhantomsAreConflicts) {
  for (const bool forward : {true, false}) {
    Store store;
    ASSERT_TRUE(store.db->Put("a", "1").ok());
    const auto transaction = store.Begin();
    const auto it = transaction->NewIterator(Bound::Inclusive("a"), Bound::Exclusive("n"));
    int found = 0;
    if (forward) {
      for (it->SeekToFirst(); it->Valid(); it->Next()) ++found;
    } else {
      for (it->SeekToLast(); it->Valid(); it->Prev()) ++found;
    }
    EXPECT_EQ(found, 1);
    ASSERT_TRUE(transaction->Put("count", "1").ok());
    ASSERT_TRUE(store.db->Put("m", "phantom").ok());
    EXPECT_TRUE(transaction->Commit().IsBusy());
  }
}

// What lies beyond the place where a scan stopped was not read.
TEST(Transaction, OnlyTheStretchThatWasPassedCounts) {
  struct Case {
    const char* key;
    bool conflict;
  };
  for (const Case& each :
       {Case{"a", false}, Case{"b", true}, Case{"bx", true}, Case{"c", true}, Case{"cx", true},
        Case{"d", true}, Case{"dx", false}, Case{"e", false}}) {
    for (const bool forward : {true, false}) {
      Store store;
      for (const char* key : {"a", "c", "d", "e"}) ASSERT_TRUE(store.db->Put(key, "1").ok());
      const auto transaction = store.Begin();
      const auto it = transaction->NewIterator();
      if (forward) {
        it->Seek("b");  // passes [b, c]
        it->Next();     // and up to d
      } else {
        it->SeekForPrev("d");
        it->Prev();  // back to c: b and bx were not passed
      }
      ASSERT_TRUE(transaction->Put("z", "1").ok());
      ASSERT_TRUE(store.db->Put(each.key, "2").ok());
      const bool expected = each.conflict && (forward || each.key[0] != 'b');
      EXPECT_EQ(transaction->Commit().IsBusy(), expected) << each.key << forward;
    }
  }
}

TEST(Transaction, ADeletedRangeConflictsWithWhatItHolds) {
  for (const char* key : {"a", "b", "c"}) {
    Store store;
    const auto reader = store.Begin();
    EXPECT_EQ(Read(reader.get(), key), "-");
    ASSERT_TRUE(reader->Put("z", "1").ok());
    ASSERT_TRUE(store.db->DeleteRange("b", "c").ok());
    EXPECT_EQ(reader->Commit().IsBusy(), std::string(key) == "b") << key;
    // And the other way round: its own range against a key written meanwhile.
    const auto writer = store.Begin(Isolation::kSnapshot);
    ASSERT_TRUE(writer->DeleteRange("b", "c").ok());
    ASSERT_TRUE(store.db->Put(key, "1").ok());
    EXPECT_EQ(writer->Commit().IsBusy(), std::string(key) == "b") << key;
  }
}

// Fekete, O'Neil, O'Neil (2004): with snapshot isolation a transaction that only reads can see a
// state that no serial order has.
TEST(Transaction, TheReadOnlyAnomalyIsRefused) {
  Store store;
  ASSERT_TRUE(store.db->Put("x", "0").ok());
  ASSERT_TRUE(store.db->Put("y", "0").ok());
  const auto withdraw = store.Begin();
  EXPECT_EQ(Read(withdraw.get(), "x") + Read(withdraw.get(), "y"), "00");
  const auto deposit = store.Begin();
  EXPECT_EQ(Read(deposit.get(), "y"), "0");
  ASSERT_TRUE(deposit->Put("y", "20").ok());
  EXPECT_TRUE(deposit->Commit().ok());
  const auto report = store.Begin();
  EXPECT_EQ(Read(report.get(), "x") + Read(report.get(), "y"), "020");
  EXPECT_TRUE(report->Commit().ok());
  ASSERT_TRUE(withdraw->Put("x", "-11").ok());
  EXPECT_TRUE(withdraw->Commit().IsBusy());
}

TEST(Transaction, BlindWritesDoNotConflictWhenSerializable) {
  Store store;
  const auto one = store.Begin(), two = store.Begin();
  ASSERT_TRUE(one->Put("k", "1").ok());
  ASSERT_TRUE(two->Put("k", "2").ok());
  EXPECT_TRUE(one->Commit().ok());
  EXPECT_TRUE(two->Commit().ok());
  std::string value;
  ASSERT_TRUE(store.db->Get("k", &value).ok());
  EXPECT_EQ(value, "2");
}

// The tombstone that tells of the change is dropped at the bottom before the commit.
TEST(Transaction, AForgottenTombstoneIsStillAConflict) {
  Options options;
  options.compaction_style = CompactionStyle::kNone;
  Store store(options);
  ASSERT_TRUE(store.db->Put("other", "1").ok());
  const auto transaction = store.Begin();
  EXPECT_EQ(Read(transaction.get(), "k"), "-");
  ASSERT_TRUE(store.db->Put("k", "v").ok());
  ASSERT_TRUE(store.db->Delete("k").ok());
  ASSERT_TRUE(store.db->CompactRange(nullptr, nullptr).ok());
  ASSERT_TRUE(transaction->Put("l", "v").ok());
  EXPECT_TRUE(transaction->Commit().IsBusy());
}

TEST(Transaction, OneThatOutlivesTheHistoryIsRefused) {
  Options options;
  options.transaction_history_bytes = 1024;
  Store store(options);
  const auto old = store.Begin();
  EXPECT_EQ(Read(old.get(), "never written"), "-");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(store.db->Put(std::to_string(i), "v").ok());
  const auto young = store.Begin();
  EXPECT_EQ(Read(young.get(), "never written"), "-");
  ASSERT_TRUE(old->Put("k", "v").ok());
  ASSERT_TRUE(young->Put("l", "v").ok());
  EXPECT_TRUE(old->Commit().IsBusy());
  EXPECT_TRUE(young->Commit().ok());
}

// A counter that real threads raise by transactions, tried again on conflict.
TEST(Transaction, ThreadsThatTryAgainLoseNothing) {
  Store store;
  constexpr int kThreads = 4, kRounds = 100;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&store] {
      for (int done = 0; done < kRounds;) {
        const auto transaction = store.Begin();
        const std::string text = Read(transaction.get(), "n");
        const int n = text == "-" ? 0 : std::stoi(text);
        ASSERT_TRUE(transaction->Put("n", std::to_string(n + 1)).ok());
        const Status status = transaction->Commit();
        ASSERT_TRUE(status.ok() || status.IsBusy()) << status.ToString();
        done += status.ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto check = store.Begin();
  EXPECT_EQ(Read(check.get(), "n"), std::to_string(kThreads * kRounds));
}

// --- Random transactions -----------------------------------------------------------------------

// What one of them did and saw, to be done again.
struct Recorded {
  enum class Kind { kPut, kDelete, kDeleteRange, kGet, kWalk };
  struct Step {
    Kind kind;
    std::string key;
    std::string value;  // or the end of the range
    std::vector<std::string> moves;
    std::string seen;
  };
  std::vector<Step> steps;
};

void Erase(Map* map, const std::string& begin, const std::string& end) {
  if (begin < end) map->erase(map->lower_bound(begin), map->lower_bound(end));
}

std::string AnyKey() { return std::string(1, static_cast<char>(*rc::gen::inRange<int>('a', 'i'))); }

Recorded::Step AnyStep() {
  Recorded::Step step;
  step.kind = *rc::gen::element(Recorded::Kind::kPut, Recorded::Kind::kPut, Recorded::Kind::kDelete,
                                Recorded::Kind::kDeleteRange, Recorded::Kind::kGet,
                                Recorded::Kind::kGet, Recorded::Kind::kWalk);
  step.key = AnyKey();
  step.value = AnyKey();
  if (step.kind == Recorded::Kind::kWalk) {
    const int count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i) {
      step.moves.push_back(*rc::gen::element<std::string>("first", "last", "next", "next", "prev",
                                                          "prev", "seek", "seek-prev"));
    }
  }
  return step;
}

// A walk between [key, value] over anything with an iterator's interface.
template <typename Cursor>
std::string Walk(const Recorded::Step& step, Cursor* it) {
  std::string seen;
  bool placed = false;
  for (const std::string& move : step.moves) {
    if (move == "first") {
      it->SeekToFirst();
    } else if (move == "last") {
      it->SeekToLast();
    } else if (move == "seek") {
      it->Seek("d");
    } else if (move == "seek-prev") {
      it->SeekForPrev("e");
    } else if (!placed || !it->Valid()) {
      continue;
    } else if (move == "next") {
      it->Next();
    } else {
      it->Prev();
    }
    placed = true;
    seen += it->Valid() ? std::string(it->key()) + "=" + std::string(it->value()) + " " : "end ";
  }
  return seen;
}

// The same, over a map.
class MapCursor {
 public:
  MapCursor(const Map& map, const std::string& first, const std::string& last) {
    for (const auto& [key, value] : map) {
      if (key >= first && key <= last) range_.emplace(key, value);
    }
    at_ = range_.end();
  }
  bool Valid() const { return at_ != range_.end(); }
  void SeekToFirst() { at_ = range_.begin(); }
  void SeekToLast() { at_ = range_.empty() ? range_.end() : std::prev(range_.end()); }
  void Seek(const std::string& key) { at_ = range_.lower_bound(key); }
  void SeekForPrev(const std::string& key) {
    at_ = range_.upper_bound(key);
    Prev();
  }
  void Next() { ++at_; }
  void Prev() { at_ = at_ == range_.begin() ? range_.end() : std::prev(at_); }
  std::string key() const { return at_->first; }
  std::string value() const { return at_->second; }

 private:
  Map range_;
  Map::iterator at_;
};

void Run(Recorded::Step* step, Transaction* transaction) {
  switch (step->kind) {
    case Recorded::Kind::kPut:
      RC_ASSERT(transaction->Put(step->key, step->value).ok());
      break;
    case Recorded::Kind::kDelete:
      RC_ASSERT(transaction->Delete(step->key).ok());
      break;
    case Recorded::Kind::kDeleteRange:
      RC_ASSERT(transaction->DeleteRange(step->key, step->value).ok());
      break;
    case Recorded::Kind::kGet:
      step->seen = Read(transaction, step->key);
      break;
    case Recorded::Kind::kWalk: {
      const auto it =
          transaction->NewIterator(Bound::Inclusive(step->key), Bound::Inclusive(step->value));
      step->seen = Walk(*step, it.get());
      break;
    }
  }
}

// False if it would see something else there.
bool Replay(const Recorded& recorded, Map* state) {
  for (const Recorded::Step& step : recorded.steps) {
    switch (step.kind) {
      case Recorded::Kind::kPut:
        (*state)[step.key] = step.value;
        break;
      case Recorded::Kind::kDelete:
        state->erase(step.key);
        break;
      case Recorded::Kind::kDeleteRange:
        Erase(state, step.key, step.value);
        break;
      case Recorded::Kind::kGet: {
        const auto at = state->find(step.key);
        if (step.seen != (at == state->end() ? "-" : at->second)) return false;
        break;
      }
      case Recorded::Kind::kWalk: {
        MapCursor cursor(*state, step.key, step.value);
        if (step.seen != Walk(step, &cursor)) return false;
        break;
      }
    }
  }
  return true;
}

bool Writes(const Recorded& recorded) {
  for (const Recorded::Step& step : recorded.steps) {
    if (step.kind == Recorded::Kind::kPut || step.kind == Recorded::Kind::kDelete) return true;
    if (step.kind == Recorded::Kind::kDeleteRange && step.key < step.value) return true;
  }
  return false;
}

RC_GTEST_PROP(TransactionProperty, CommittedOnesAreSerialInTheOrderOfTheirCommits, ()) {
  Options options;
  options.compaction_style = CompactionStyle::kNone;
  Store store(options);
  Map state;
  for (const char* key : {"b", "d", "f"}) {
    RC_ASSERT(store.db->Put(key, "0").ok());
    state[key] = "0";
  }
  struct Running {
    std::unique_ptr<Transaction> transaction;
    Recorded recorded;
    Map snapshot;  // the state that it began with
  };
  std::vector<Running> running(3);
  const int steps = *rc::gen::inRange(5, 60);
  for (int i = 0; i < steps; ++i) {
    Running& one = running[*rc::gen::inRange<size_t>(0, running.size())];
    if (one.transaction == nullptr) {
      one.transaction = store.Begin();
      one.recorded = {};
      one.snapshot = state;
      continue;
    }
    switch (*rc::gen::weightedElement<int>({{8, 0}, {3, 1}, {1, 2}, {1, 3}, {1, 4}})) {
      case 0:
        one.recorded.steps.push_back(AnyStep());
        Run(&one.recorded.steps.back(), one.transaction.get());
        break;
      case 1: {
        const Status status = one.transaction->Commit();
        RC_ASSERT((status.ok() || status.IsBusy()));
        if (status.ok()) {
          // One that wrote nothing has its place at its snapshot.
          RC_ASSERT(Replay(one.recorded, Writes(one.recorded) ? &state : &one.snapshot));
        } else {
          // Nobody is refused for nothing: it would see something else now. (It may have seen the
          // same all the same, if a change put back what was there; so only this much.)
          RC_ASSERT(one.transaction->sequence() < store.db->LatestSequence());
        }
        one.transaction.reset();
        break;
      }
      case 2: {
        const std::string key = AnyKey(), value = AnyKey();
        RC_ASSERT(store.db->Put(key, value).ok());
        state[key] = value;
        break;
      }
      case 3: {
        const std::string begin = AnyKey(), end = AnyKey();
        RC_ASSERT(store.db->DeleteRange(begin, end).ok());
        Erase(&state, begin, end);
        break;
      }
      case 4:
        RC_ASSERT(store.db->CompactRange(nullptr, nullptr).ok());
        break;
    }
  }
  running.clear();
  Map found;
  const auto it = store.db->Scan({}, {});
  for (; it->Valid(); it->Next()) found.emplace(it->key(), it->value());
  RC_ASSERT(found == state);
}

}  // namespace
}  // namespace shearpin
