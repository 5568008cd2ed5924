// Goal: a table that a merge cannot read is reported once and left out of merges; merges that need
// not pass it go on, reads of other tables too, and nobody waits for ever. Method: one byte of one
// table flipped; merges in the background and on request; writers until level 0 is full.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "engine/db.h"
#include "engine/event_listener.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

class Counter : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kTableSetAside) ++set_aside;
    if (event.kind == EventKind::kCompactionDone) ++merges;
  }
  std::atomic<int> set_aside{0};
  std::atomic<int> merges{0};
};

class SetAsideTest : public testing::TestWithParam<CompactionStyle> {
 protected:
  SetAsideTest() {
    options_.env.file_system = &fs_;
    options_.listener = &events_;
    options_.compaction_style = GetParam();
    options_.target_table_size = 4096;
    options_.base_level_size = 1 << 20;
    options_.level0_compaction_trigger = 2;
    options_.level0_slowdown_trigger = 6;
    options_.level0_stop_trigger = 8;
    options_.simple_levels = 6;
    options_.delayed_write_rate = uint64_t{1} << 30;
    options_.block_cache_size = 0;
    options_.compression = {};
  }

  static std::string Key(int i) { return "key" + std::to_string(1000 + i); }

  void Open() {
    auto db = DB::Open(options_, "/db");
    ASSERT_TRUE(db.ok()) << db.status().ToString();
    db_ = *std::move(db);
  }
  std::vector<std::string> Tables() {
    std::vector<std::string> tables;
    for (const std::string& name : *fs_.ListDir("/db")) {
      if (name.ends_with(".sst")) tables.push_back("/db/" + name);
    }
    return tables;
  }
  // A database of several tables in one run, the third of them damaged.
  void OpenDamaged() {
    Open();
    for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(db_->Put(Key(i), std::string(200, 'v')).ok());
    ASSERT_TRUE(db_->CompactRange(nullptr, nullptr).ok());
    ASSERT_TRUE(db_->Close().ok());
    db_.reset();
    ASSERT_GE(Tables().size(), 5u);
    damaged_ = Tables()[2];
    std::string contents;
    ASSERT_TRUE(ReadFile(&fs_, damaged_, &contents).ok());
    contents[20] = static_cast<char>(contents[20] ^ 1);
    ASSERT_TRUE((*fs_.OpenWritable(damaged_, OpenMode::kTruncate))->Append(contents).ok());
    events_.merges = 0;
    Open();
  }
  // The keys that cannot be read, and that nothing else was lost.
  std::vector<int> Unreadable() {
    std::vector<int> keys;
    std::string value;
    for (int i = 0; i < kKeys; ++i) {
      const Status status = db_->Get(Key(i), &value);
      if (status.ok()) continue;
      EXPECT_TRUE(status.IsCorruption()) << status.ToString();
      EXPECT_NE(status.message().find(damaged_), std::string::npos);
      keys.push_back(i);
    }
    return keys;
  }

  static constexpr int kKeys = 200;
  faultfs::MemFileSystem fs_;
  Counter events_;
  Options options_;
  std::string damaged_;
  std::unique_ptr<DB> db_;
};

TEST_P(SetAsideTest, IsReportedOnceAndLeftAlone) {
  OpenDamaged();
  EXPECT_EQ(*db_->Property("damaged-tables"), "");
  const std::vector<int> unreadable = Unreadable();
  ASSERT_FALSE(unreadable.empty());
  ASSERT_TRUE(db_->Put(Key(unreadable.front()) + "x", "new").ok());
  for (int i = 0; i < 3; ++i) {
    const Status status = db_->CompactRange(nullptr, nullptr);
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_NE(status.message().find(damaged_), std::string::npos) << status.ToString();
  }
  EXPECT_EQ(events_.set_aside, 1);
  const std::string told = *db_->Property("damaged-tables");
  EXPECT_EQ(told.find(damaged_.substr(4)), 0u) << told;
  EXPECT_NE(told.find("offset"), std::string::npos) << told;
  EXPECT_NE(db_->Property("counters")->find("\ntables-set-aside=1\n"), std::string::npos);
  EXPECT_EQ(Unreadable(), unreadable);
  EXPECT_TRUE(db_->WaitForBackground().ok()) << "it was reported";
}

TEST_P(SetAsideTest, WritersHearOfItInsteadOfWaitingForEver) {
  OpenDamaged();
  const std::vector<int> unreadable = Unreadable();
  Status status;
  int round = 0;
  for (; status.ok() && round < 100; ++round) {
    // Every table of level 0 spans the damaged one.
    status = db_->Put(Key(0), "new");
    if (status.ok()) status = db_->Put(Key(kKeys - 1), "new");
    if (status.ok()) status = db_->Flush();
  }
  if (GetParam() != CompactionStyle::kLeveled) {
    EXPECT_TRUE(status.ok()) << "new runs are merged with each other above the damaged one";
  } else {
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_NE(status.message().find(damaged_), std::string::npos) << status.ToString();
    EXPECT_GE(round, 6) << "not before level 0 is full";
  }
  EXPECT_LE(events_.set_aside, 1);
  EXPECT_EQ(Unreadable(), unreadable);
  EXPECT_TRUE(db_->Close().ok());
}

TEST_P(SetAsideTest, AMissingTableIsDamageNotAMissingKey) {
  OpenDamaged();
  ASSERT_TRUE(fs_.Unlink(damaged_).ok());
  const std::vector<int> unreadable = Unreadable();
  ASSERT_FALSE(unreadable.empty());
  ASSERT_TRUE(db_->Put(Key(unreadable.front()) + "x", "new").ok());
  EXPECT_TRUE(db_->CompactRange(nullptr, nullptr).IsCorruption());
  EXPECT_EQ(events_.set_aside, 1);
}

INSTANTIATE_TEST_SUITE_P(Styles, SetAsideTest,
                         testing::Values(CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                         CompactionStyle::kSimple));

class LeveledSetAsideTest : public SetAsideTest {};

TEST_P(LeveledSetAsideTest, MergesOfOtherKeysGoOn) {
  OpenDamaged();
  const std::vector<int> unreadable = Unreadable();
  ASSERT_TRUE(db_->Put(Key(unreadable.front()) + "x", "new").ok());
  EXPECT_TRUE(db_->CompactRange(nullptr, nullptr).IsCorruption());
  events_.merges = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(db_->Put("zebra", std::to_string(i)).ok()) << i;
    ASSERT_TRUE(db_->Flush().ok());
  }
  ASSERT_TRUE(db_->WaitForBackground().ok());
  EXPECT_GT(events_.merges, 0);
  EXPECT_EQ(events_.set_aside, 1);
}

INSTANTIATE_TEST_SUITE_P(Leveled, LeveledSetAsideTest, testing::Values(CompactionStyle::kLeveled));

}  // namespace
}  // namespace shearpin
