// Goal: merging tables changes what is stored and never what is read: not at snapshots, not for
// open iterators, not through a filter or a reopening; it runs beside writers, slows them down
// before it stops them, and leaves no file behind.
// Method: databases with tiny tables on a file system in memory, so that few writes fill all
// levels; a RapidCheck property compares with a std::map under every policy. Real threads.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/compaction_filter.h"
#include "engine/db.h"
#include "engine/event_listener.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using Map = std::map<std::string, std::string>;

constexpr char kDir[] = "/db";
constexpr CompactionStyle kStyles[] = {CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                       CompactionStyle::kSimple, CompactionStyle::kNone};

// Counts events, and hands each to a hook.
class Listener : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    counts[static_cast<size_t>(event.kind)] += 1;
    if (hook) hook(event);
  }
  int count(EventKind kind) const { return counts[static_cast<size_t>(kind)]; }

  std::function<void(const Event&)> hook;
  std::array<std::atomic<int>, static_cast<size_t>(EventKind::kNumEventKinds)> counts = {};
};

class CompactionTest : public ::testing::Test {
 protected:
  // `options_` as given; opened again if it is open.
  void Open() {
    if (db_ != nullptr) {
      ASSERT_TRUE(db_->Close().ok());
      db_.reset();
    }
    auto db = DB::Open(options_, kDir);
    ASSERT_TRUE(db.ok()) << db.status().ToString();
    db_ = *std::move(db);
  }

  Options Tiny() {
    Options options;
    options.env.file_system = &fs_;
    options.listener = &listener_;
    options.write_buffer_size = 4 << 10;
    options.block_size = 256;
    options.target_table_size = 2 << 10;
    options.base_level_size = 8 << 10;
    options.level_size_multiplier = 3;
    options.level0_compaction_trigger = 2;
    options.simple_levels = 6;  // it goes on with what another style left in the last level
    return options;
  }

  static std::string Key(uint64_t i) { return "key" + std::to_string(100000 + i); }

  void Put(const std::string& key, const std::string& value) {
    const Status status = db_->Put(key, value);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  std::optional<std::string> Get(const std::string& key, const Snapshot* snapshot = nullptr) {
    std::string value;
    ReadOptions options;
    options.snapshot = snapshot;
    const Status status = db_->Get(key, &value, options);
    if (status.IsNotFound()) return std::nullopt;
    EXPECT_TRUE(status.ok()) << status.ToString();
    return value;
  }

  static Map Contents(Iterator* it) {
    Map found;
    for (it->SeekToFirst(); it->Valid(); it->Next()) found.emplace(it->key(), it->value());
    EXPECT_TRUE(it->status().ok()) << it->status().ToString();
    return found;
  }

  Map Contents(const Snapshot* snapshot = nullptr) {
    ReadOptions options;
    options.snapshot = snapshot;
    return Contents(db_->NewIterator(options).get());
  }

  void CompactAll() {
    const Status status = db_->CompactRange(nullptr, nullptr);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  // Entries of all tables, dead ones included.
  uint64_t StoredEntries() {
    std::istringstream levels(*db_->Property("levels"));
    uint64_t total = 0;
    for (std::string word; levels >> word;) {
      if (word.starts_with("entries=")) total += std::stoull(word.substr(8));
    }
    return total;
  }

  int LevelsWithTables() {
    const std::string levels = *db_->Property("levels");
    return static_cast<int>(std::count(levels.begin(), levels.end(), '\n'));
  }

  std::vector<std::string> FilesNobodyNeeds() {
    const std::string live = "\n" + *db_->Property("live-files");
    std::vector<std::string> unneeded;
    for (const std::string& name : *fs_.ListDir(kDir)) {
      if (live.find("\n" + name + "\n") == std::string::npos) unneeded.push_back(name);
    }
    return unneeded;
  }

  faultfs::MemFileSystem fs_;
  Listener listener_;
  Options options_ = Tiny();
  std::unique_ptr<DB> db_;
};

TEST_F(CompactionTest, DeletedDataIsGoneAfterAMergeOnRequest) {
  for (const CompactionStyle style : kStyles) {
    options_.compaction_style = style;
    Open();
    for (uint64_t i = 0; i < 300; ++i) Put(Key(i), std::string(50, 'v'));
    for (uint64_t i = 0; i < 300; ++i) ASSERT_TRUE(db_->Delete(Key(i)).ok());
    CompactAll();
    EXPECT_EQ(StoredEntries(), 0u) << static_cast<int>(style);
    EXPECT_TRUE(Contents().empty());
    EXPECT_TRUE(FilesNobodyNeeds().empty());
  }
  EXPECT_GT(listener_.count(EventKind::kTombstoneDropped), 0);
}

// One table, nothing below it: it must be rewritten all the same.
TEST_F(CompactionTest, ALoneTombstoneIsGoneAfterAMergeOnRequest) {
  for (const CompactionStyle style : kStyles) {
    options_.compaction_style = style;
    Open();
    Put("k", "v");
    ASSERT_TRUE(db_->Delete("k").ok());
    CompactAll();
    EXPECT_EQ(StoredEntries(), 0u) << static_cast<int>(style);
  }
}

TEST_F(CompactionTest, MergingOnRequestLeavesOneRunOfTheRange) {
  for (const CompactionStyle style : kStyles) {
    options_.compaction_style = style;
    Open();
    Map expected = Contents();
    for (uint64_t i = 0; i < 1000; ++i) {
      const std::string key = Key(i * 7919 % 500);
      Put(key, std::to_string(i));
      expected[key] = std::to_string(i);
    }
    CompactAll();
    EXPECT_EQ(LevelsWithTables(), 1) << *db_->Property("levels");
    EXPECT_EQ(StoredEntries(), 500u);
    EXPECT_EQ(Contents(), expected);
  }
}

TEST_F(CompactionTest, ARangeIsMergedWithoutTheRest) {
  options_.compaction_style = CompactionStyle::kNone;
  Open();
  for (int round = 0; round < 2; ++round) {
    for (const char* prefix : {"a", "m", "z"}) {
      for (uint64_t i = 0; i < 20; ++i) Put(prefix + Key(i), std::to_string(round));
      ASSERT_TRUE(db_->Flush().ok());
    }
    CompactAll();
  }
  // Everything is in the bottom level now; new tables come on top of two of the ranges.
  const std::string before = *db_->Property("live-files");
  Put("a" + Key(0), "new");
  ASSERT_TRUE(db_->Flush().ok());
  Put("z" + Key(0), "new");
  ASSERT_TRUE(db_->Flush().ok());
  const std::string_view begin = "n", end = "nn";
  ASSERT_TRUE(db_->CompactRange(&begin, &end).ok());
  EXPECT_NE(db_->Property("levels")->find("L0 tables=2 "), std::string::npos);
  EXPECT_EQ(Get("a" + Key(0)), "new");
}

TEST_F(CompactionTest, SnapshotsKeepTheirVersions) {
  for (const CompactionStyle style : kStyles) {
    options_.compaction_style = style;
    Open();
    Put("gone", "1");
    Put("k", "1");
    auto first = db_->GetSnapshot();
    Put("k", "2");
    ASSERT_TRUE(db_->Delete("gone").ok());
    auto second = db_->GetSnapshot();
    Put("k", "3");
    CompactAll();
    EXPECT_EQ(Contents(first.get()), (Map{{"gone", "1"}, {"k", "1"}}));
    EXPECT_EQ(Contents(second.get()), (Map{{"k", "2"}}));
    EXPECT_EQ(Contents(), (Map{{"k", "3"}}));
    // Each holds what it alone needs: k three times, gone and its tombstone.
    EXPECT_EQ(StoredEntries(), 5u);

    first.reset();
    second.reset();
    Put("a", "touches the table");
    Put("z", "on both sides");
    CompactAll();
    EXPECT_EQ(StoredEntries(), 3u);
    ASSERT_TRUE(db_->Delete("a").ok());
    ASSERT_TRUE(db_->Delete("k").ok());
    ASSERT_TRUE(db_->Delete("z").ok());
    CompactAll();
  }
  EXPECT_GT(listener_.count(EventKind::kVersionDropped), 0);
}

TEST_F(CompactionTest, AFilterDropsItsKeys) {
  const PrefixCompactionFilter filter("tmp/");
  options_.compaction_filter = &filter;
  Open();
  for (uint64_t i = 0; i < 100; ++i) {
    Put("tmp/" + Key(i), "x");
    Put("user/" + Key(i), "y");
  }
  CompactAll();
  const Map left = Contents();
  EXPECT_EQ(left.size(), 100u);
  EXPECT_TRUE(left.begin()->first.starts_with("user/"));
  EXPECT_EQ(StoredEntries(), 100u);
  EXPECT_GT(listener_.count(EventKind::kFiltered), 0);
}

TEST_F(CompactionTest, AFilterTakesNothingFromSnapshots) {
  const PrefixCompactionFilter filter("tmp/");
  options_.compaction_filter = &filter;
  Open();
  Put("tmp/a", "old");
  const auto snapshot = db_->GetSnapshot();
  Put("tmp/a", "new");
  CompactAll();
  EXPECT_EQ(Get("tmp/a"), std::nullopt);
  EXPECT_EQ(Get("tmp/a", snapshot.get()), "old");
}

class DropsNew : public CompactionFilter {
 public:
  bool Drop(std::string_view, std::string_view value) const override { return value == "new"; }
};

// The merge of the two small tables stops above the large old run, which holds the key too.
TEST_F(CompactionTest, AFilterDoesNotBringBackOlderVersions) {
  const DropsNew filter;
  options_.compaction_style = CompactionStyle::kTiered;
  options_.write_buffer_size = 1 << 20;
  options_.level0_compaction_trigger = 3;
  Open();
  for (uint64_t i = 0; i < 1000; ++i) Put(Key(i), "old");
  CompactAll();
  options_.compaction_filter = &filter;
  Open();
  for (int i = 0; i < 2; ++i) {
    Put(Key(5), "new");
    Put(Key(6 + static_cast<uint64_t>(i)), "kept");
    ASSERT_TRUE(db_->Flush().ok());
  }
  ASSERT_TRUE(db_->WaitForBackground().ok());
  EXPECT_GT(listener_.count(EventKind::kFiltered), 0);
  EXPECT_EQ(LevelsWithTables(), 2) << *db_->Property("levels");
  EXPECT_EQ(Get(Key(5)), std::nullopt);
  EXPECT_EQ(Get(Key(6)), "kept");
  EXPECT_EQ(Get(Key(8)), "old");
}

TEST_F(CompactionTest, TablesGoOnceTheirReadersLetGo) {
  Open();
  for (uint64_t i = 0; i < 200; ++i) Put(Key(i), "first");
  ASSERT_TRUE(db_->Flush().ok());
  auto iterator = db_->NewIterator();
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  for (uint64_t i = 0; i < 200; ++i) Put(Key(i), "second");
  CompactAll();
  ASSERT_TRUE(db_->WaitForBackground().ok());
  EXPECT_FALSE(FilesNobodyNeeds().empty());
  const Map seen = Contents(iterator.get());
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(seen.begin()->second, "first");
  iterator.reset();
  EXPECT_TRUE(FilesNobodyNeeds().empty());
  EXPECT_EQ(Contents().begin()->second, "second");
}

TEST_F(CompactionTest, WaitsUntilNothingIsDue) {
  for (const CompactionStyle style : kStyles) {
    options_.compaction_style = style;
    Open();
    for (uint64_t i = 0; i < 2000; ++i) Put(Key(i * 7919 % 1000), std::string(40, 'v'));
    ASSERT_TRUE(db_->Flush().ok());
    ASSERT_TRUE(db_->WaitForBackground().ok());
    const std::string levels = *db_->Property("levels");
    const int done = listener_.count(EventKind::kCompactionDone);
    ASSERT_TRUE(db_->WaitForBackground().ok());
    EXPECT_EQ(*db_->Property("levels"), levels);
    EXPECT_EQ(listener_.count(EventKind::kCompactionDone), done);
    EXPECT_TRUE(FilesNobodyNeeds().empty());
    EXPECT_TRUE(db_->VerifyChecksums().ok());
  }
}

TEST_F(CompactionTest, MovesATableThatOverlapsNothingBelow) {
  options_.level0_compaction_trigger = 1;
  Open();
  for (uint64_t i = 0; i < 100; ++i) {
    Put(Key(i), "v");
    if (i % 10 != 9) continue;
    ASSERT_TRUE(db_->Flush().ok());
    ASSERT_TRUE(db_->WaitForBackground().ok());
  }
  EXPECT_GT(listener_.count(EventKind::kTrivialMove), 0);
  EXPECT_EQ(Contents().size(), 100u);
}

TEST_F(CompactionTest, SeveralMergesRunAtOnce) {
  options_.max_compactions = 3;
  options_.level0_slowdown_trigger = 1000;
  options_.level0_stop_trigger = 2000;
  std::mutex mutex;
  std::condition_variable change;
  int running = 0;
  bool together = false;
  // A merge that has begun waits a little for another one.
  listener_.hook = [&](const Event& event) {
    std::unique_lock lock(mutex);
    if (event.kind == EventKind::kCompactionDone) --running;
    if (event.kind != EventKind::kCompactionBegun) return;
    together |= ++running >= 2;
    change.notify_all();
    change.wait_for(lock, std::chrono::milliseconds(20), [&] { return together; });
  };
  Open();
  for (uint64_t round = 0; round < 20; ++round) {
    for (uint64_t i = 0; i < 2000; ++i) Put(Key(i * 7919 % 2000), std::string(20, 'v'));
    std::lock_guard lock(mutex);
    if (together) break;
  }
  ASSERT_TRUE(db_->WaitForBackground().ok());
  EXPECT_TRUE(together);
  EXPECT_EQ(Contents().size(), 2000u);
  EXPECT_TRUE(db_->VerifyChecksums().ok());
  listener_.hook = nullptr;
}

TEST_F(CompactionTest, WritersAreSlowedDownBeforeTheyAreStopped) {
  options_.compaction_style = CompactionStyle::kTiered;
  options_.max_write_buffers = 64;  // so that only the debt of merges can stop a writer
  options_.level0_slowdown_trigger = 3;
  options_.level0_stop_trigger = 8;
  options_.delayed_write_rate = 1 << 20;
  std::mutex mutex;
  std::condition_variable change;
  bool stalled = false;
  int delays_before_stall = 0;
  // The first merge goes on when a writer was stopped.
  listener_.hook = [&](const Event& event) {
    std::unique_lock lock(mutex);
    if (event.kind == EventKind::kWriteDelayed && !stalled) ++delays_before_stall;
    if (event.kind == EventKind::kWriteStalled) {
      stalled = true;
      change.notify_all();
    }
    if (event.kind == EventKind::kCompactionBegun) change.wait(lock, [&] { return stalled; });
  };
  Open();
  // A table at a time, so that each step of the debt is felt by some writes.
  for (uint64_t i = 0; i < 1000; ++i) {
    Put(Key(i), std::string(100, 'v'));
    if (i % 30 == 29) {
      ASSERT_TRUE(db_->Flush().ok());
    }
    std::lock_guard lock(mutex);
    if (stalled) break;
  }
  EXPECT_TRUE(stalled);
  EXPECT_GT(delays_before_stall, 0);
  ASSERT_TRUE(db_->WaitForBackground().ok());
  Put("after", "the stop");
  EXPECT_EQ(Get("after"), "the stop");
  listener_.hook = nullptr;
}

std::string AnyKey() { return "k" + std::to_string(*rc::gen::inRange(0, 40)); }

// Options of any policy, so small that a few hundred writes fill several levels.
void DrawOptions(Options* options) {
  options->compaction_style =
      *rc::gen::elementOf(std::vector(std::begin(kStyles), std::end(kStyles)));
  options->write_buffer_size = *rc::gen::inRange<size_t>(1024, 4096);
  options->target_table_size = *rc::gen::inRange<uint64_t>(1024, 4096);
  options->base_level_size = *rc::gen::inRange<uint64_t>(1024, 8192);
  options->level_size_multiplier = *rc::gen::inRange(2, 5);
  options->level0_compaction_trigger = *rc::gen::inRange(1, 4);
  options->simple_levels = *rc::gen::inRange(1, 7);
  options->max_compactions = *rc::gen::inRange(1, 4);
}

class CompactionPropertyTest : public CompactionTest {};

RC_GTEST_FIXTURE_PROP(CompactionPropertyTest, NoReaderSeesWhatMergesDo, ()) {
  if (fs_.Exists(kDir).ok()) {
    for (const std::string& name : *fs_.ListDir(kDir)) {
      RC_ASSERT(fs_.Unlink(std::string(kDir) + "/" + name).ok());
    }
  }
  DrawOptions(&options_);
  Open();
  Map expected;
  std::vector<std::pair<std::unique_ptr<Snapshot>, Map>> snapshots;
  const int operations = *rc::gen::inRange(50, 300);
  for (int i = 0; i < operations; ++i) {
    const int what = *rc::gen::inRange(0, 40);
    if (what < 24) {
      const std::string key = AnyKey();
      const std::string value = std::to_string(i) + std::string(60, 'v');
      Put(key, value);
      expected[key] = value;
    } else if (what < 32) {
      const std::string key = AnyKey();
      RC_ASSERT(db_->Delete(key).ok());
      expected.erase(key);
    } else if (what < 34) {
      RC_ASSERT(db_->Flush().ok());
    } else if (what == 34) {
      const std::string low = AnyKey(), high = AnyKey();
      const std::string_view begin = low, end = high;
      const bool bounded = *rc::gen::arbitrary<bool>();
      RC_ASSERT(db_->CompactRange(bounded ? &begin : nullptr, &end).ok());
    } else if (what == 35) {
      CompactAll();
    } else if (what == 36) {
      snapshots.clear();
      DrawOptions(&options_);
      options_.simple_levels = 6;  // fewer are refused where the style before left deeper data
      Open();
    } else if (what == 37) {
      snapshots.emplace_back(db_->GetSnapshot(), expected);
    } else if (what == 38 && !snapshots.empty()) {
      snapshots.erase(snapshots.begin());
    } else {
      RC_ASSERT(Contents() == expected);
    }
  }
  for (const auto& [snapshot, state] : snapshots) RC_ASSERT(Contents(snapshot.get()) == state);
  RC_ASSERT(Contents() == expected);
  RC_ASSERT(db_->WaitForBackground().ok());
  RC_ASSERT(Contents() == expected);
  RC_ASSERT(FilesNobodyNeeds().empty());
  RC_ASSERT(db_->VerifyChecksums().ok());
  snapshots.clear();
  RC_ASSERT(db_->Close().ok());
  db_.reset();
}

}  // namespace
}  // namespace shearpin
