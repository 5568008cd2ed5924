// Goal: DeleteRange is what deleting each key in the range would be: to Get, to iterators both
// ways, to snapshots, in memtables and tables, through flushes, merges of every style and reopens;
// and its tombstones go when nobody needs them.
// Method: a RapidCheck property that runs random operations beside a std::map for the newest state
// and for each snapshot, with tables so small that merges cut ranges apart; and examples of the
// mistakes that other engines made.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "engine/db.h"
#include "engine/event_listener.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using Map = std::map<std::string, std::string>;

class Counter : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    counts_[static_cast<size_t>(event.kind)].fetch_add(1);
  }
  uint64_t operator[](EventKind kind) const { return counts_[static_cast<size_t>(kind)].load(); }

 private:
  std::atomic<uint64_t> counts_[static_cast<size_t>(EventKind::kNumEventKinds)] = {};
};

struct Store {
  explicit Store(Options with = {}) : options(with) {
    options.env.file_system = &files;
    options.listener = &events;
    Open();
  }
  void Open() {
    db.reset();
    auto opened = DB::Open(options, "/db");
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    db = *std::move(opened);
  }

  faultfs::MemFileSystem files;
  Counter events;
  Options options;
  std::unique_ptr<DB> db;
};

ReadOptions At(const Snapshot* snapshot) {
  ReadOptions options;
  options.snapshot = snapshot;
  return options;
}

std::optional<std::string> Get(DB* db, std::string_view key, const Snapshot* snapshot = nullptr) {
  std::string value;
  const Status status = db->Get(key, &value, At(snapshot));
  if (status.IsNotFound()) return std::nullopt;
  EXPECT_TRUE(status.ok()) << status.ToString();
  return value;
}

Map All(DB* db, const Snapshot* snapshot = nullptr) {
  Map forward, backward;
  const auto it = db->NewIterator(At(snapshot));
  for (it->SeekToFirst(); it->Valid(); it->Next()) forward.emplace(it->key(), it->value());
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  for (it->SeekToLast(); it->Valid(); it->Prev()) backward.emplace(it->key(), it->value());
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  EXPECT_EQ(forward, backward);
  return forward;
}

void Fill(DB* db, int count) {
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(db->Put("k" + std::to_string(1000 + i), "v").ok());
  }
}

TEST(RangeDelete, HidesWhatIsOlderAndNothingElse) {
  Store store;
  DB* db = store.db.get();
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(db->Put(key, key).ok());
  const auto before = db->GetSnapshot();
  ASSERT_TRUE(db->DeleteRange("b", "d").ok());
  ASSERT_TRUE(db->Put("c", "again").ok());
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(All(db), (Map{{"a", "a"}, {"c", "again"}, {"d", "d"}}));
    EXPECT_EQ(Get(db, "b"), std::nullopt);
    EXPECT_EQ(Get(db, "c"), "again");
    EXPECT_EQ(Get(db, "d"), "d");
    EXPECT_EQ(All(db, before.get()).size(), 4u);
    EXPECT_EQ(Get(db, "b", before.get()), "b");
    if (round == 0) {
      ASSERT_TRUE(db->Flush().ok());
    }
    if (round == 1) {
      ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
    }
  }
}

TEST(RangeDelete, AnEmptyRangeIsNothing) {
  Store store;
  ASSERT_TRUE(store.db->Put("k", "v").ok());
  WriteBatch batch;
  batch.DeleteRange("k", "k");
  batch.DeleteRange("z", "a");
  batch.DeleteRange("a", "");
  EXPECT_TRUE(batch.empty());
  ASSERT_TRUE(store.db->DeleteRange("z", "a").ok());
  EXPECT_EQ(store.db->LatestSequence(), 1u);
  EXPECT_EQ(Get(store.db.get(), "k"), "v");
}

TEST(RangeDelete, TheEmptyKeyCanBeginARange) {
  Store store;
  ASSERT_TRUE(store.db->Put("", "v").ok());
  ASSERT_TRUE(store.db->Put("b", "v").ok());
  ASSERT_TRUE(store.db->Flush().ok());
  ASSERT_TRUE(store.db->DeleteRange("", "b").ok());
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(All(store.db.get()), (Map{{"b", "v"}}));
    EXPECT_EQ(Get(store.db.get(), ""), std::nullopt);
    if (round == 0) {
      ASSERT_TRUE(store.db->Flush().ok());
    }
    if (round == 1) store.Open();
  }
}

TEST(RangeDelete, OrderWithinABatchCounts) {
  Store store;
  WriteBatch batch;
  batch.Put("a", "1");
  batch.DeleteRange("a", "c");
  batch.Put("b", "2");
  ASSERT_TRUE(store.db->Write(&batch).ok());
  EXPECT_EQ(batch.count(), 3u);
  EXPECT_EQ(store.db->LatestSequence(), 3u);
  EXPECT_EQ(All(store.db.get()), (Map{{"b", "2"}}));
  store.Open();
  EXPECT_EQ(All(store.db.get()), (Map{{"b", "2"}}));
}

// Ranges alone make a memtable, a log and a table worth keeping.
TEST(RangeDelete, SurvivesWithoutAnyKeyBesideIt) {
  for (const bool flush : {false, true}) {
    Store store;
    ASSERT_TRUE(store.db->Put("m", "v").ok());
    ASSERT_TRUE(store.db->Flush().ok());
    ASSERT_TRUE(store.db->DeleteRange("a", "z").ok());
    if (flush) {
      ASSERT_TRUE(store.db->Flush().ok());
    }
    store.Open();
    EXPECT_TRUE(All(store.db.get()).empty());
    EXPECT_EQ(Get(store.db.get(), "m"), std::nullopt);
    EXPECT_TRUE(store.db->VerifyChecksums().ok());
  }
}

TEST(RangeDelete, TombstonesAndTheirKeysGoAtTheBottom) {
  Options options;
  options.compaction_style = CompactionStyle::kNone;
  Store store(options);
  Fill(store.db.get(), 200);
  ASSERT_TRUE(store.db->CompactRange(nullptr, nullptr).ok());
  ASSERT_TRUE(store.db->DeleteRange("k1050", "k1150").ok());
  ASSERT_TRUE(store.db->CompactRange(nullptr, nullptr).ok());
  EXPECT_EQ(All(store.db.get()).size(), 100u);
  EXPECT_GT(store.events[EventKind::kCoveredDropped], 0u);
  EXPECT_GT(store.events[EventKind::kRangeDeleteDropped], 0u);
  EXPECT_TRUE(store.db->VerifyChecksums().ok());
}

TEST(RangeDelete, ASnapshotKeepsWhatItSees) {
  Options options;
  options.compaction_style = CompactionStyle::kNone;
  Store store(options);
  Fill(store.db.get(), 50);
  auto snapshot = store.db->GetSnapshot();
  ASSERT_TRUE(store.db->DeleteRange("k", "l").ok());
  ASSERT_TRUE(store.db->CompactRange(nullptr, nullptr).ok());
  EXPECT_TRUE(All(store.db.get()).empty());
  EXPECT_EQ(All(store.db.get(), snapshot.get()).size(), 50u);
  snapshot.reset();
}

// A range as wide as the level, with outputs of a few keys: each table holds its own part.
TEST(RangeDelete, IsCutWhereTablesAreCut) {
  Options options;
  options.compaction_style = CompactionStyle::kNone;
  options.target_table_size = 1024;
  options.block_size = 64;
  Store store(options);
  Fill(store.db.get(), 300);
  auto snapshot = store.db->GetSnapshot();  // keeps keys and tombstone
  ASSERT_TRUE(store.db->DeleteRange("k1000", "k1299").ok());
  ASSERT_TRUE(store.db->CompactRange(nullptr, nullptr).ok());
  EXPECT_EQ(All(store.db.get()), (Map{{"k1299", "v"}}));
  EXPECT_EQ(All(store.db.get(), snapshot.get()).size(), 300u);
  for (int i = 0; i < 300; ++i) {
    const std::string key = "k" + std::to_string(1000 + i);
    EXPECT_EQ(Get(store.db.get(), key).has_value(), i == 299) << key;
    EXPECT_TRUE(Get(store.db.get(), key, snapshot.get()).has_value()) << key;
  }
  EXPECT_TRUE(store.db->VerifyChecksums().ok());
  snapshot.reset();
  store.Open();
  EXPECT_EQ(All(store.db.get()), (Map{{"k1299", "v"}}));
  // Part by part.
  const std::string_view begin = "k1100", end = "k1110";
  ASSERT_TRUE(store.db->CompactRange(&begin, &end).ok());
  EXPECT_EQ(All(store.db.get()), (Map{{"k1299", "v"}}));
}

struct World {
  Map now;
  struct Kept {
    std::unique_ptr<Snapshot> snapshot;
    Map state;
  };
  std::vector<Kept> kept;
};

std::string AnyKey() {
  // Some keys are prefixes of others, one is empty.
  const int i = *rc::gen::inRange(0, 40);
  if (i == 0) return "";
  return std::string(1, static_cast<char>('a' + i % 8)) +
         std::string(static_cast<size_t>(i / 8), 'x');
}

void CheckWalk(DB* db, const Map& expected, const Snapshot* snapshot) {
  const auto it = db->NewIterator(At(snapshot));
  auto at = expected.end();
  for (int i = 0; i < 12; ++i) {
    const int move = *rc::gen::inRange(0, 6);
    const std::string key = AnyKey();
    if (move == 0) {
      it->Seek(key);
      at = expected.lower_bound(key);
    } else if (move == 1) {
      it->SeekForPrev(key);
      at = expected.upper_bound(key);
      at = at == expected.begin() ? expected.end() : std::prev(at);
    } else if (!it->Valid()) {
      continue;
    } else if (move % 2 == 0) {
      it->Next();
      ++at;
    } else {
      it->Prev();
      at = at == expected.begin() ? expected.end() : std::prev(at);
    }
    RC_ASSERT(it->status().ok());
    RC_ASSERT(it->Valid() == (at != expected.end()));
    if (it->Valid()) {
      RC_ASSERT(it->key() == at->first);
      RC_ASSERT(it->value() == at->second);
    }
  }
}

void CheckState(DB* db, const Map& expected, const Snapshot* snapshot) {
  RC_ASSERT(All(db, snapshot) == expected);
  CheckWalk(db, expected, snapshot);
  for (int i = 0; i < 8; ++i) {
    const std::string key = AnyKey();
    const auto found = expected.find(key);
    RC_ASSERT(Get(db, key, snapshot) ==
              (found == expected.end() ? std::nullopt : std::optional(found->second)));
  }
}

void Erase(Map* map, const std::string& begin, const std::string& end) {
  if (begin < end) map->erase(map->lower_bound(begin), map->lower_bound(end));
}

RC_GTEST_PROP(RangeDeleteProperty, IsDeletingEachKey, ()) {
  Options options;
  options.compaction_style = static_cast<CompactionStyle>(*rc::gen::inRange(0, 4));
  options.write_buffer_size = static_cast<size_t>(*rc::gen::inRange(1024, 6000));
  options.block_size = 64;
  options.target_table_size = 1024;
  options.base_level_size = 1024;
  options.level_size_multiplier = 2;
  options.level0_compaction_trigger = 2;
  options.max_compactions = *rc::gen::inRange(1, 3);
  options.compression = {};  // the values would shrink to nothing, and the levels with them
  Store store(options);
  World world;
  int writes = 0;
  // Below what follows, data and ranges at rest in several levels, each run newer than those under
  // it: a merge of part of the keys leaves the rest where it was.
  for (int run = *rc::gen::inRange(0, 8); run > 0; --run) {
    for (int i = *rc::gen::inRange(1, 30); i > 0; --i) {
      const std::string key = AnyKey(), value = std::to_string(++writes) + std::string(1000, '-');
      RC_ASSERT(store.db->Put(key, value).ok());
      world.now[key] = value;
    }
    const std::string begin = AnyKey(), end = AnyKey();
    RC_ASSERT(store.db->DeleteRange(begin, end).ok());
    Erase(&world.now, begin, end);
    if (*rc::gen::arbitrary<bool>()) world.kept.push_back({store.db->GetSnapshot(), world.now});
    if (*rc::gen::inRange(0, 4) == 0) {
      const std::string low = AnyKey(), high = AnyKey();
      const std::string_view from = std::min(low, high), to = std::max(low, high);
      RC_ASSERT(store.db->CompactRange(&from, &to).ok());
    } else {
      RC_ASSERT(store.db->Flush().ok());
      RC_ASSERT(store.db->WaitForBackground().ok());
    }
  }
  const std::string levels = *store.db->Property("levels");
  RC_CLASSIFY(std::count(levels.begin(), levels.end(), '\n') >= 3, "three levels or more");
  const int steps = *rc::gen::inRange(5, 120);
  for (int step = 0; step < steps; ++step) {
    const std::string key = AnyKey();
    const std::string value = std::to_string(++writes) + std::string(100, '.');
    switch (*rc::gen::weightedElement<int>(
        {{12, 0}, {3, 1}, {6, 2}, {3, 3}, {2, 4}, {1, 5}, {1, 6}, {1, 7}, {1, 8}, {2, 9}})) {
      case 0:
        RC_ASSERT(store.db->Put(key, value).ok());
        world.now[key] = value;
        break;
      case 1:
        RC_ASSERT(store.db->Delete(key).ok());
        world.now.erase(key);
        break;
      case 2: {
        const std::string end = AnyKey();
        RC_ASSERT(store.db->DeleteRange(key, end).ok());
        Erase(&world.now, key, end);
        break;
      }
      case 3: {
        WriteBatch batch;
        const std::string end = AnyKey(), other = AnyKey();
        batch.Put(key, value);
        batch.DeleteRange(key, end);
        batch.Put(other, value);
        RC_ASSERT(store.db->Write(&batch).ok());
        world.now[key] = value;
        Erase(&world.now, key, end);
        world.now[other] = value;
        break;
      }
      case 4:
        world.kept.push_back({store.db->GetSnapshot(), world.now});
        break;
      case 5:
        if (!world.kept.empty()) {
          world.kept.erase(world.kept.begin() +
                           static_cast<ptrdiff_t>(*rc::gen::inRange<size_t>(0, world.kept.size())));
        }
        break;
      case 6:
        RC_ASSERT(store.db->Flush().ok());
        break;
      case 7: {
        const std::string end = AnyKey();
        const std::string_view from = key, to = end;
        const bool whole = *rc::gen::arbitrary<bool>();
        RC_ASSERT(store.db->CompactRange(whole ? nullptr : &from, whole ? nullptr : &to).ok());
        break;
      }
      case 8:
        world.kept.clear();
        store.Open();
        break;
      case 9:
        CheckState(store.db.get(), world.now, nullptr);
        break;
    }
  }
  CheckState(store.db.get(), world.now, nullptr);
  for (const auto& kept : world.kept) {
    CheckState(store.db.get(), kept.state, kept.snapshot.get());
  }
  RC_ASSERT(store.db->WaitForBackground().ok());
  CheckState(store.db.get(), world.now, nullptr);
  RC_ASSERT(store.db->VerifyChecksums().ok());
  world.kept.clear();
}

}  // namespace
}  // namespace shearpin
