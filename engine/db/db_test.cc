// Goal: the database does what db.h says, on a real disk and without crashes: reads its writes,
// hides tombstones, keeps snapshots, iterates both ways between bounds, flushes, reopens.
// Method: examples for each promise, and a RapidCheck property that runs random operations beside
// a std::map and compares whole states, forward, backward and by Get, across flushes and reopens.
#include "engine/db.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "engine/event_listener.h"
#include "engine/manifest/file_names.h"

namespace shearpin {
namespace {

using Map = std::map<std::string, std::string>;

std::string FreshDirectory() {
  static int counter = 0;
  return std::string(::testing::TempDir()) + "/db_test_" + std::to_string(++counter);
}

std::unique_ptr<DB> MustOpen(const Options& options, const std::string& directory) {
  auto db = DB::Open(options, directory);
  EXPECT_TRUE(db.ok()) << db.status().ToString();
  return db.ok() ? *std::move(db) : nullptr;
}

std::optional<std::string> Get(DB* db, const std::string& key, const Snapshot* snapshot = nullptr) {
  std::string value;
  const Status status = db->Get(key, &value, {.snapshot = snapshot, .lower = {}, .upper = {}});
  if (status.IsNotFound()) return std::nullopt;
  EXPECT_TRUE(status.ok()) << status.ToString();
  return value;
}

Map Forward(Iterator* it) {
  Map found;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    EXPECT_TRUE(found.empty() || found.rbegin()->first < it->key());
    found.emplace(it->key(), it->value());
  }
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  return found;
}

Map Backward(Iterator* it) {
  Map found;
  for (it->SeekToLast(); it->Valid(); it->Prev()) {
    EXPECT_TRUE(found.empty() || found.begin()->first > it->key());
    found.emplace(it->key(), it->value());
  }
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  return found;
}

TEST(Db, ReadsItsWrites) {
  auto db = MustOpen({}, FreshDirectory());
  ASSERT_TRUE(db->Put("a", "1").ok());
  ASSERT_TRUE(db->Put("", "empty key").ok());
  ASSERT_TRUE(db->Put("b", "").ok());
  EXPECT_EQ(Get(db.get(), "a"), "1");
  EXPECT_EQ(Get(db.get(), ""), "empty key");
  EXPECT_EQ(Get(db.get(), "b"), "");
  EXPECT_EQ(Get(db.get(), "c"), std::nullopt);
  ASSERT_TRUE(db->Delete("a").ok());
  EXPECT_EQ(Get(db.get(), "a"), std::nullopt);
  ASSERT_TRUE(db->Flush().ok());
  EXPECT_EQ(Get(db.get(), "a"), std::nullopt);
  EXPECT_EQ(Get(db.get(), "b"), "");
}

TEST(Db, BatchesAreNumberedAndTheLastChangeOfAKeyWins) {
  auto db = MustOpen({}, FreshDirectory());
  WriteBatch batch;
  batch.Put("k", "1");
  batch.Delete("k");
  batch.Put("k", "2");
  ASSERT_TRUE(db->Write(&batch).ok());
  EXPECT_EQ(batch.first_sequence(), 1u);
  EXPECT_EQ(db->LatestSequence(), 3u);
  EXPECT_EQ(Get(db.get(), "k"), "2");
}

TEST(Db, SnapshotsAndIteratorsKeepTheirMoment) {
  auto db = MustOpen({}, FreshDirectory());
  ASSERT_TRUE(db->Put("k", "old").ok());
  const auto snapshot = db->GetSnapshot();
  const auto iterator = db->NewIterator();
  ASSERT_TRUE(db->Put("k", "new").ok());
  ASSERT_TRUE(db->Put("l", "later").ok());
  ASSERT_TRUE(db->Flush().ok());
  EXPECT_EQ(Get(db.get(), "k", snapshot.get()), "old");
  EXPECT_EQ(Get(db.get(), "l", snapshot.get()), std::nullopt);
  EXPECT_EQ(Forward(iterator.get()), (Map{{"k", "old"}}));
  EXPECT_EQ(Get(db.get(), "k"), "new");
}

TEST(Db, ScanHonoursEachKindOfBound) {
  auto db = MustOpen({}, FreshDirectory());
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(db->Put(key, key).ok());
  auto keys = [&](const Bound& lower, const Bound& upper) {
    std::string all;
    auto it = db->Scan(lower, upper);
    for (; it->Valid(); it->Next()) all += it->key();
    std::string reversed;
    for (it->SeekToLast(); it->Valid(); it->Prev()) reversed.insert(0, it->key());
    EXPECT_EQ(all, reversed);
    return all;
  };
  EXPECT_EQ(keys(Bound::Unbounded(), Bound::Unbounded()), "abcd");
  EXPECT_EQ(keys(Bound::Inclusive("b"), Bound::Inclusive("c")), "bc");
  EXPECT_EQ(keys(Bound::Exclusive("b"), Bound::Inclusive("c")), "c");
  EXPECT_EQ(keys(Bound::Inclusive("b"), Bound::Exclusive("c")), "b");
  EXPECT_EQ(keys(Bound::Exclusive("b"), Bound::Exclusive("c")), "");
  EXPECT_EQ(keys(Bound::Inclusive("c"), Bound::Inclusive("b")), "");
  EXPECT_EQ(keys(Bound::Exclusive("aa"), Bound::Unbounded()), "bcd");
}

TEST(Db, ReopensWithWhatWasAcknowledged) {
  const std::string directory = FreshDirectory();
  {
    auto db = MustOpen({}, directory);
    ASSERT_TRUE(db->Put("k", "v").ok());
    ASSERT_TRUE(db->Close().ok());
  }
  auto db = MustOpen({}, directory);
  EXPECT_EQ(Get(db.get(), "k"), "v");
  EXPECT_EQ(db->LatestSequence(), 1u);
  EXPECT_TRUE(db->VerifyChecksums().ok());
}

TEST(Db, WritesWithoutALogLiveUntilTheProcessEndsOrAFlush) {
  const std::string directory = FreshDirectory();
  Options options;
  {
    auto db = MustOpen(options, directory);
    ASSERT_TRUE(db->Put("flushed", "v", {.durability = Durability::kNone}).ok());
    ASSERT_TRUE(db->Flush().ok());
    ASSERT_TRUE(db->Put("lost", "v", {.durability = Durability::kNone}).ok());
    EXPECT_EQ(Get(db.get(), "lost"), "v");
    ASSERT_TRUE(db->Close().ok());
  }
  auto db = MustOpen(options, directory);
  EXPECT_EQ(Get(db.get(), "flushed"), "v");
  EXPECT_EQ(Get(db.get(), "lost"), std::nullopt);
}

TEST(Db, RefusesBadOptionsAndDirectories) {
  Options options;
  options.block_size = 1;
  EXPECT_TRUE(DB::Open(options, FreshDirectory()).status().IsInvalidArgument());

  options = {};
  options.create_if_missing = false;
  const std::string missing = FreshDirectory();
  const Status no_directory = DB::Open(options, missing).status();
  EXPECT_TRUE(no_directory.IsInvalidArgument()) << no_directory.ToString();
  EXPECT_NE(no_directory.message().find(missing), std::string_view::npos);

  ASSERT_TRUE(PosixFileSystem()->CreateDir(missing).ok());
  const Status no_database = DB::Open(options, missing).status();
  EXPECT_TRUE(no_database.IsInvalidArgument()) << no_database.ToString();
  EXPECT_NE(no_database.message().find("not a database"), std::string_view::npos);
  EXPECT_TRUE(PosixFileSystem()->ListDir(missing)->empty()) << "nothing may be left behind";

  EXPECT_FALSE(DB::Open({}, missing + "/deeper/still").ok());

  options = {};
  options.error_if_exists = true;
  const std::string existing = FreshDirectory();
  ASSERT_TRUE(MustOpen({}, existing)->Close().ok());
  EXPECT_TRUE(DB::Open(options, existing).status().IsAlreadyExists());
}

TEST(Db, OneOwnerAtATime) {
  const std::string directory = FreshDirectory();
  auto db = MustOpen({}, directory);
  const Status second = DB::Open({}, directory).status();
  EXPECT_TRUE(second.IsBusy()) << second.ToString();
  EXPECT_NE(second.message().find(LockName()), std::string_view::npos);
  db.reset();
  EXPECT_NE(MustOpen({}, directory), nullptr);
}

TEST(Db, LeavesNoFileThatIsNotLive) {
  const std::string directory = FreshDirectory();
  Options options;
  options.manifest_rotate_size = 256;
  auto db = MustOpen(options, directory);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(db->Put("k" + std::to_string(i), "v").ok());
    ASSERT_TRUE(db->Flush().ok());
  }
  // Retired logs are unlinked after the flush was reported.
  ASSERT_TRUE(db->Close().ok());
  db = MustOpen(options, directory);
  std::string live = *db->Property("live-files");
  for (const std::string& name : *PosixFileSystem()->ListDir(directory)) {
    EXPECT_NE(live.find(name + "\n"), std::string::npos) << name << " is not live";
  }
}

class CountingListener : public EventListener {
 public:
  void OnEvent(const Event& event) override { ++counts[static_cast<int>(event.kind)]; }
  std::atomic<int> counts[static_cast<int>(EventKind::kNumEventKinds)] = {};
};

TEST(Db, ManyWritersAndReadersAtOnce) {
  CountingListener listener;
  Options options;
  options.write_buffer_size = 16 << 10;
  options.listener = &listener;
  const std::string directory = FreshDirectory();
  auto db = MustOpen(options, directory);
  constexpr int kWriters = 4, kWrites = 400;
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (int i = 0; i < kWrites; ++i) {
        WriteBatch batch;
        const std::string value = std::to_string(i);
        batch.Put("a" + std::to_string(w), value);
        batch.Put("b" + std::to_string(w), value);
        const auto durability = i % 50 == 0 ? Durability::kSync : Durability::kProcess;
        EXPECT_TRUE(db->Write(&batch, {.durability = durability}).ok());
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 200; ++i) {
      const Map state = Forward(db->NewIterator().get());
      for (int w = 0; w < kWriters; ++w) {
        const auto a = state.find("a" + std::to_string(w)), b = state.find("b" + std::to_string(w));
        ASSERT_EQ(a == state.end(), b == state.end());
        if (a != state.end()) {
          ASSERT_EQ(a->second, b->second) << "half a batch was visible";
        }
      }
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(db->LatestSequence(), uint64_t{kWriters} * kWrites * 2);
  EXPECT_GT(listener.counts[static_cast<int>(EventKind::kFlushDone)], 0);
  ASSERT_TRUE(db->Close().ok());
  db = MustOpen(options, directory);
  EXPECT_EQ(Get(db.get(), "a0"), std::to_string(kWrites - 1));
}

class DbCompaction : public ::testing::TestWithParam<CompactionStyle> {};

TEST_P(DbCompaction, KeepsTheTreeSmallAndTheDataRight) {
  CountingListener listener;
  Options options;
  options.listener = &listener;
  options.write_buffer_size = 4 << 10;
  options.compaction_style = GetParam();
  options.target_table_size = 4 << 10;
  options.base_level_size = 16 << 10;
  options.level_size_multiplier = 4;
  const std::string directory = FreshDirectory();
  auto db = MustOpen(options, directory);
  Map model;
  auto early = [&] {
    EXPECT_TRUE(db->Put("k1", "early").ok());
    return db->GetSnapshot();
  }();
  for (int i = 0; i < 4000; ++i) {
    const std::string key = "k" + std::to_string(i * 7919 % 1000);
    if (i % 5 == 4) {
      ASSERT_TRUE(db->Delete(key).ok());
      model.erase(key);
    } else {
      ASSERT_TRUE(db->Put(key, std::string(50, static_cast<char>('a' + i % 26))).ok());
      model[key] = std::string(50, static_cast<char>('a' + i % 26));
    }
  }
  const auto count = [&](EventKind kind) { return listener.counts[static_cast<int>(kind)].load(); };
  // How many depends on when threads run; that there are some does not: level 0 would be full.
  EXPECT_GT(count(EventKind::kCompactionDone), 0);
  EXPECT_GT(count(EventKind::kVersionDropped), 0);
  EXPECT_EQ(Forward(db->NewIterator().get()), model);
  EXPECT_EQ(Get(db.get(), "k1", early.get()), "early") << "a snapshot lost its version";
  early.reset();
  ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
  EXPECT_EQ(Forward(db->NewIterator().get()), model);
  EXPECT_EQ(Backward(db->NewIterator().get()), model);
  EXPECT_TRUE(db->VerifyChecksums().ok());
  EXPECT_GT(count(EventKind::kTombstoneDropped), 0);
  ASSERT_TRUE(db->Close().ok());
  db = MustOpen(options, directory);
  EXPECT_EQ(Forward(db->NewIterator().get()), model);
}

INSTANTIATE_TEST_SUITE_P(Styles, DbCompaction,
                         ::testing::Values(CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                           CompactionStyle::kSimple));

std::string KeyOf(int i) {
  return std::string(static_cast<size_t>(i % 3), 'p') + std::to_string(i);
}

RC_GTEST_PROP(DbProperty, AgreesWithAMap, ()) {
  Options options;
  options.write_buffer_size = static_cast<size_t>(*rc::gen::inRange(1024, 8192));
  options.block_size = static_cast<size_t>(*rc::gen::inRange(64, 512));
  options.block_restart_interval = *rc::gen::inRange(1, 20);
  options.manifest_rotate_size = 256;
  options.compaction_style = *rc::gen::element(CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                               CompactionStyle::kSimple, CompactionStyle::kNone);
  options.level0_compaction_trigger = *rc::gen::inRange(1, 5);
  options.target_table_size = 1024;
  options.base_level_size = static_cast<uint64_t>(*rc::gen::inRange(1024, 10000));
  options.level_size_multiplier = *rc::gen::inRange(2, 5);
  options.flush_on_close = *rc::gen::arbitrary<bool>();
  options.wal_preallocate_size = *rc::gen::element<size_t>(0, 4096);
  const std::string directory = FreshDirectory();
  auto db = MustOpen(options, directory);
  Map model;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 40), rc::gen::inRange(0, 100)));
  for (const auto& [key, action] : steps) {
    const std::string k = KeyOf(key);
    if (action < 60) {
      const std::string v(static_cast<size_t>(action * 7), static_cast<char>('a' + action % 26));
      RC_ASSERT(db->Put(k, v).ok());
      model[k] = v;
    } else if (action < 85) {
      RC_ASSERT(db->Delete(k).ok());
      model.erase(k);
    } else if (action < 93) {
      RC_ASSERT(db->Flush().ok());
    } else if (action < 97) {
      RC_ASSERT(db->Close().ok());
      db = MustOpen(options, directory);
    } else if (action < 99) {
      RC_ASSERT(db->VerifyChecksums().ok());
    } else {
      RC_ASSERT(db->CompactRange(nullptr, nullptr).ok());
    }
  }
  const auto iterator = db->NewIterator();
  RC_ASSERT(Forward(iterator.get()) == model);
  RC_ASSERT(Backward(iterator.get()) == model);
  for (int i = 0; i < 40; ++i) {
    const auto expected = model.find(KeyOf(i));
    const auto found = Get(db.get(), KeyOf(i));
    RC_ASSERT(found.has_value() == (expected != model.end()));
    if (found) RC_ASSERT(*found == expected->second);
    iterator->Seek(KeyOf(i));
    const auto at = model.lower_bound(KeyOf(i));
    RC_ASSERT(iterator->Valid() == (at != model.end()));
    if (iterator->Valid()) RC_ASSERT(iterator->key() == at->first);
    iterator->SeekForPrev(KeyOf(i));
    const auto after = model.upper_bound(KeyOf(i));
    RC_ASSERT(iterator->Valid() == (after != model.begin()));
    if (iterator->Valid()) RC_ASSERT(iterator->key() == std::prev(after)->first);
  }
}

}  // namespace
}  // namespace shearpin
