// Goal: options that contradict each other, their ranges or the stored database are refused, with
// a message that names option, value and way out; others never are. Method: each contradiction
// once; RapidCheck properties over triggers, and over changes of style between openings.
#include "engine/options.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/db.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

TEST(OptionsTest, EachContradictionAndRangeIsNamed) {
  struct Case {
    std::function<void(Options*)> set;
    std::vector<std::string> said;
  };
  const Case cases[] = {
      {[](Options* o) {
         o->error_if_exists = true;
         o->create_if_missing = false;
       },
       {"error_if_exists is true", "create_if_missing false", "drop one"}},
      {[](Options* o) { o->level0_slowdown_trigger = 3; },
       {"level0_compaction_trigger", "4, 3 and 36", "ascend"}},
      {[](Options* o) { o->level0_stop_trigger = 20; }, {"4, 20 and 20"}},
      {[](Options* o) { o->level0_compaction_trigger = 0; }, {"0, 20 and 36"}},
      {[](Options* o) {
         o->soft_pending_compaction_bytes = 9;
         o->hard_pending_compaction_bytes = 9;
       },
       {"hard_pending_compaction_bytes is 9", "soft_pending_compaction_bytes 9"}},
      {[](Options* o) { o->write_buffer_size = 1023; }, {"write_buffer_size is 1023", "1 KiB"}},
      {[](Options* o) { o->max_write_buffers = 1; }, {"max_write_buffers is 1", "2 to 1024"}},
      {[](Options* o) { o->max_write_buffers = -1; }, {"max_write_buffers is -1"}},
      {[](Options* o) { o->wal_preallocate_size = SIZE_MAX; }, {"wal_preallocate_size"}},
      {[](Options* o) { o->block_size = 63; }, {"block_size is 63"}},
      {[](Options* o) { o->block_restart_interval = 0; }, {"block_restart_interval is 0"}},
      {[](Options* o) { o->compression = {static_cast<Compression>(77)}; }, {"compression is 77"}},
      {[](Options* o) { o->bottommost_compression = static_cast<Compression>(77); },
       {"bottommost_compression is 77"}},
      {[](Options* o) { o->filter_bits_per_key = 101; }, {"filter_bits_per_key is 101"}},
      {[](Options* o) { o->memory_budget = 4095; }, {"memory_budget is 4095"}},
      {[](Options* o) { o->manifest_rotate_size = 255; }, {"manifest_rotate_size is 255"}},
      {[](Options* o) { o->compaction_style = static_cast<CompactionStyle>(9); },
       {"compaction_style is 9"}},
      {[](Options* o) { o->max_compactions = 65; }, {"max_compactions is 65"}},
      {[](Options* o) { o->delayed_write_rate = 1; }, {"delayed_write_rate is 1"}},
      {[](Options* o) { o->background_write_rate = 1; }, {"background_write_rate is 1"}},
      {[](Options* o) { o->target_table_size = 1; }, {"target_table_size is 1"}},
      {[](Options* o) { o->base_level_size = 1; }, {"base_level_size is 1"}},
      {[](Options* o) { o->level_size_multiplier = 1; }, {"level_size_multiplier is 1"}},
      {[](Options* o) { o->tiered_min_merge_width = 1; }, {"tiered_min_merge_width", "1, 1 and"}},
      {[](Options* o) { o->simple_levels = 7; }, {"simple_levels", "200 and 7"}},
      {[](Options* o) { o->transaction_history_bytes = 1; }, {"transaction_history_bytes is 1"}},
      {[](Options* o) { o->max_open_files = -1; }, {"max_open_files is -1"}},
      {[](Options* o) { o->max_file_opening_threads = 0; }, {"max_file_opening_threads is 0"}},
      {[](Options* o) { o->info_log_rotate_size = 1; }, {"info_log_rotate_size is 1"}},
      {[](Options* o) { o->env.clock = nullptr; }, {"env"}},
  };
  EXPECT_TRUE(ValidateOptions(Options()).ok());
  for (const Case& each : cases) {
    Options options;
    each.set(&options);
    const Status status = ValidateOptions(options);
    EXPECT_TRUE(status.IsInvalidArgument()) << each.said[0];
    for (const std::string& part : each.said) {
      EXPECT_NE(status.message().find(part), std::string::npos) << status.ToString();
    }
  }
}

RC_GTEST_PROP(OptionsTest, TriggersAreRefusedUnlessTheyAscend, ()) {
  Options options;
  options.level0_compaction_trigger = *rc::gen::inRange(-1, 6);
  options.level0_slowdown_trigger = *rc::gen::inRange(-1, 6);
  options.level0_stop_trigger = *rc::gen::inRange(-1, 6);
  const bool ascend = 1 <= options.level0_compaction_trigger &&
                      options.level0_compaction_trigger <= options.level0_slowdown_trigger &&
                      options.level0_slowdown_trigger < options.level0_stop_trigger;
  RC_ASSERT(ValidateOptions(options).ok() == ascend);
}

class StoredOptionsTest : public testing::Test {
 protected:
  StoredOptionsTest() {
    options_.env.file_system = &fs_;
    options_.write_buffer_size = 4096;
    options_.target_table_size = 2048;
    options_.base_level_size = 4096;
  }
  StatusOr<std::unique_ptr<DB>> Open() { return DB::Open(options_, "/db"); }

  faultfs::MemFileSystem fs_;
  Options options_;
};

TEST_F(StoredOptionsTest, ErrorIfExists) {
  ASSERT_TRUE(Open().ok());
  options_.error_if_exists = true;
  const Status status = Open().status();
  EXPECT_TRUE(status.IsAlreadyExists());
  EXPECT_NE(status.message().find("option error_if_exists is true"), std::string::npos);
}

TEST_F(StoredOptionsTest, SimpleLevelsAboveTheData) {
  {
    const auto db = *Open();
    ASSERT_TRUE(db->Put("key", "value").ok());
    ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());  // leveled: into the bottom level
  }
  options_.compaction_style = CompactionStyle::kSimple;
  const auto before = *fs_.ListDir("/db");
  const Status status = Open().status();
  EXPECT_TRUE(status.IsInvalidArgument());
  EXPECT_NE(status.message().find("simple_levels is 4"), std::string::npos) << status.ToString();
  EXPECT_NE(status.message().find("tables in level 6"), std::string::npos) << status.ToString();
  EXPECT_EQ(*fs_.ListDir("/db"), before) << "nothing is changed";
  auto reader = DB::OpenReadOnly(options_, "/db");
  EXPECT_TRUE(reader.ok()) << "a reader merges nothing";
  options_.simple_levels = 6;
  const auto db = Open();
  ASSERT_TRUE(db.ok()) << db.status().ToString();
  std::string value;
  EXPECT_TRUE((*db)->Get("key", &value).ok());
}

// "Any open", as options.h says: what one style left, the next one reads and merges.
RC_GTEST_FIXTURE_PROP(StoredOptionsTest, StylesFollowEachOther, ()) {
  faultfs::MemFileSystem fs;
  options_.env.file_system = &fs;
  options_.simple_levels = 6;
  std::map<std::string, std::string> expected;
  int written = 0;
  const auto styles =
      *rc::gen::resize(6, rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4)));
  for (const int style : styles) {
    options_.compaction_style = static_cast<CompactionStyle>(style);
    const auto db = DB::Open(options_, "/db");
    RC_ASSERT(db.ok());
    for (int i = 0; i < 60; ++i, ++written) {
      const std::string key = std::to_string(written * 7919 % 97);
      expected[key] = std::to_string(written) + std::string(100, 'v');
      RC_ASSERT((*db)->Put(key, expected[key]).ok());
    }
    RC_ASSERT((*db)->CompactRange(nullptr, nullptr).ok());
    const auto it = (*db)->Scan(Bound::Unbounded(), Bound::Unbounded());
    for (const auto& [key, value] : expected) {
      RC_ASSERT(it->Valid() && it->key() == key && it->value() == value);
      it->Next();
    }
    RC_ASSERT(!it->Valid() && it->status().ok());
  }
}

// How often, and by how many threads, tables are opened.
class VerifyOnOpenTest : public StoredOptionsTest {
 protected:
  void Fill() {
    options_.compaction_style = CompactionStyle::kNone;
    const auto db = *Open();
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(db->Put("key" + std::to_string(i), std::string(500, 'v')).ok());
      ASSERT_TRUE(db->Flush().ok());
    }
  }
  // Of the i-th table, by name.
  std::string Damage(size_t i) {
    std::vector<std::string> tables;
    for (const std::string& name : *fs_.ListDir("/db")) {
      if (name.ends_with(".sst")) tables.push_back("/db/" + name);
    }
    std::string contents;
    EXPECT_TRUE(ReadFile(&fs_, tables[i], &contents).ok());
    contents[20] = static_cast<char>(contents[20] ^ 1);
    const auto file = *fs_.OpenWritable(tables[i], OpenMode::kTruncate);
    EXPECT_TRUE(file->Append(contents).ok());
    return tables[i];
  }
};

TEST_F(VerifyOnOpenTest, FindsTheFirstDamageWithAnyNumberOfThreads) {
  Fill();
  const std::string third = Damage(3);
  Damage(5);
  EXPECT_TRUE(Open().ok()) << "not asked for";
  options_.verify_on_open = true;
  for (const int threads : {1, 4, 64}) {
    options_.max_file_opening_threads = threads;
    const auto before = *fs_.ListDir("/db");
    const Status status = Open().status();
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_NE(status.message().find(third), std::string::npos) << status.ToString();
    EXPECT_EQ(*fs_.ListDir("/db"), before) << "nothing is changed";
  }
}

TEST_F(VerifyOnOpenTest, OpensWhatIsWhole) {
  Fill();
  options_.verify_on_open = true;
  options_.max_file_opening_threads = 3;
  const auto db = Open();
  ASSERT_TRUE(db.ok()) << db.status().ToString();
  std::string value;
  EXPECT_TRUE((*db)->Get("key5", &value).ok());
}

TEST_F(VerifyOnOpenTest, FewFilesAreOpenHoweverManyTablesAreRead) {
  Fill();
  options_.block_cache_size = 0;
  options_.max_open_files = 2;
  const auto db = *Open();
  std::string value;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(db->Get("key" + std::to_string(i), &value).ok());
      EXPECT_EQ(value, std::string(500, 'v'));
    }
  }
  EXPECT_NE(db->Property("counters")->find("\nlimited-table-files-open=2\n"), std::string::npos);
  ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
  EXPECT_TRUE(db->VerifyChecksums().ok());
}

}  // namespace
}  // namespace shearpin
