// Goal: an ingested table reads as one write of all its keys, newer than everything before it and
// older than everything after, wherever it is placed; what is not a whole table changes nothing; a
// failure at any call leaves the database as it was or with the table whole.
// Method: a property against std::map with random writes, deletes, flushes, merges, snapshots,
// ingestions and reopens; damage of every byte of a table; a ratchet over the calls.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>

#include "engine/db.h"
#include "engine/db/failing_file_system.h"
#include "engine/table_file_writer.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using Map = std::map<std::string, std::string>;
using Table = std::map<std::string, std::optional<std::string>>;  // nothing: a deletion

Options SmallOptions(FileSystem* fs) {
  Options options;
  options.env.file_system = fs;
  options.write_buffer_size = 2048;
  options.level0_compaction_trigger = 2;
  options.base_level_size = 1024;
  options.target_table_size = 1024;
  return options;
}

std::unique_ptr<DB> MustOpen(const Options& options) {
  auto db = DB::Open(options, "/db");
  EXPECT_TRUE(db.ok()) << db.status().ToString();
  return db.ok() ? *std::move(db) : nullptr;
}

Map All(DB* db, const Snapshot* snapshot = nullptr) {
  Map found;
  ReadOptions options;
  options.snapshot = snapshot;
  const auto it = db->NewIterator(options);
  for (it->SeekToFirst(); it->Valid(); it->Next()) found.emplace(it->key(), it->value());
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  for (const auto& [key, value] : found) {
    std::string got;
    EXPECT_TRUE(db->Get(key, &got, options).ok() && got == value) << key;
  }
  return found;
}

Status Build(const Options& options, const std::string& path, const Table& table) {
  SHEARPIN_ASSIGN_OR_RETURN(auto writer, TableFileWriter::Create(options, path));
  for (const auto& [key, value] : table) {
    SHEARPIN_RETURN_IF_ERROR(value ? writer->Put(key, *value) : writer->Delete(key));
  }
  return writer->Finish();
}

void Apply(const Table& table, Map* state) {
  for (const auto& [key, value] : table) {
    state->erase(key);
    if (value) state->emplace(key, *value);
  }
}

RC_GTEST_PROP(Ingest, ReadsAsOneWrite, ()) {
  faultfs::MemFileSystem fs;
  Options options = SmallOptions(&fs);
  options.compaction_style = *rc::gen::element(CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                               CompactionStyle::kSimple);
  auto db = MustOpen(options);
  Map state;
  Map then;
  std::unique_ptr<Snapshot> snapshot;
  const auto key = [] { return "k" + std::to_string(*rc::gen::inRange(0, 40)); };
  const int steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 9)) {
      case 0: {
        Table table;
        const int count = *rc::gen::inRange(1, 12);
        for (int j = 0; j < count; ++j) {
          table[key()] = *rc::gen::inRange(0, 4) == 0
                             ? std::nullopt
                             : std::optional("t" + std::to_string(i) + std::string(50, 'x'));
        }
        RC_ASSERT(Build(options, "/table", table).ok());
        const uint64_t before = db->LatestSequence();
        const auto first = db->IngestTable("/table");
        RC_ASSERT(first.ok());
        RC_ASSERT(*first == before + 1);
        RC_ASSERT(db->LatestSequence() == before + table.size());
        RC_ASSERT(fs.Unlink("/table").ok());
        Apply(table, &state);
        break;
      }
      case 1:
        RC_ASSERT(db->Flush().ok());
        break;
      case 2:
        snapshot = db->GetSnapshot();
        then = state;
        break;
      case 3:
        RC_ASSERT(db->CompactRange(nullptr, nullptr).ok());
        break;
      case 4:
        snapshot.reset();
        db.reset();
        db = MustOpen(options);
        break;
      case 5: {
        const std::string gone = key();
        RC_ASSERT(db->Delete(gone).ok());
        state.erase(gone);
        break;
      }
      default: {
        const std::string put = key();
        const std::string value = std::to_string(i) + std::string(100, 'v');
        RC_ASSERT(db->Put(put, value).ok());
        state[put] = value;
      }
    }
  }
  RC_ASSERT(All(db.get()) == state);
  if (snapshot != nullptr) RC_ASSERT(All(db.get(), snapshot.get()) == then);
  RC_ASSERT(db->VerifyChecksums().ok());
}

TEST(Ingest, TheWriterWantsAscendingKeys) {
  faultfs::MemFileSystem fs;
  auto writer = *TableFileWriter::Create(SmallOptions(&fs), "/t");
  EXPECT_TRUE(writer->Put("", "empty").ok());
  EXPECT_TRUE(writer->Put("b", "1").ok());
  EXPECT_TRUE(writer->Delete("b").IsInvalidArgument());
  EXPECT_TRUE(writer->Put("a", "1").IsInvalidArgument());
  EXPECT_TRUE(writer->Finish().ok());
}

TEST(Ingest, GoesDeepWhereNothingOverlapsAndNotBeneathNewerData) {
  faultfs::MemFileSystem fs;
  const Options options = SmallOptions(&fs);
  auto db = MustOpen(options);
  ASSERT_TRUE(db->Put("m", "old").ok());
  ASSERT_TRUE(Build(options, "/apart", {{"a", "1"}, {"c", "2"}}).ok());
  ASSERT_TRUE(db->IngestTable("/apart").ok());
  EXPECT_NE(db->Property("levels")->find("L6 tables=1"), std::string::npos);
  ASSERT_TRUE(Build(options, "/over", {{"b", "3"}, {"z", "4"}}).ok());
  ASSERT_TRUE(db->IngestTable("/over").ok());
  EXPECT_EQ(All(db.get()), (Map{{"a", "1"}, {"b", "3"}, {"c", "2"}, {"m", "old"}, {"z", "4"}}));
}

TEST(Ingest, RefusesWhatIsNotAWholeTable) {
  faultfs::MemFileSystem fs;
  const Options options = SmallOptions(&fs);
  auto db = MustOpen(options);
  ASSERT_TRUE(db->Put("a", "kept").ok());
  EXPECT_TRUE(db->IngestTable("/nothing").status().IsNotFound());
  ASSERT_TRUE(Build(options, "/none", {}).ok());
  EXPECT_TRUE(db->IngestTable("/none").status().IsInvalidArgument());
  ASSERT_TRUE(Build(options, "/t", {{"a", "1"}, {"b", std::nullopt}}).ok());
  std::string whole;
  ASSERT_TRUE(ReadFile(&fs, "/t", &whole).ok());
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    auto file = *fs.OpenWritable("/damaged", OpenMode::kTruncate);
    ASSERT_TRUE(file->Append(damaged).ok());
    ASSERT_FALSE(db->IngestTable("/damaged").ok()) << "byte " << i;
  }
  EXPECT_EQ(All(db.get()), (Map{{"a", "kept"}}));
  EXPECT_EQ(db->LatestSequence(), 1u);
}

TEST(Ingest, AFailureAtAnyCallLeavesAllOrNothing) {
  for (uint64_t k = 0;; ++k) {
    faultfs::MemFileSystem memory;
    FailingFileSystem fs(&memory);
    const Options options = SmallOptions(&fs);
    auto db = MustOpen(options);
    ASSERT_TRUE(db->Put("a", "old").ok());
    ASSERT_TRUE(Build(options, "/t", {{"a", "new"}, {"b", "new"}}).ok());
    fs.FailAt(k, 1, StatusCode::kIoError);
    const Status status = db->IngestTable("/t").status();
    const Map before = {{"a", "old"}};
    const Map after = {{"a", "new"}, {"b", "new"}};
    EXPECT_EQ(All(db.get()), status.ok() ? after : before) << k;
    const bool reached = fs.failed() != 0;
    fs.Heal();
    ASSERT_TRUE(db->Resume().ok());
    ASSERT_TRUE(db->Put("c", "1").ok());
    ASSERT_TRUE(db->Delete("c").ok());
    EXPECT_EQ(All(db.get()), status.ok() ? after : before) << k;
    db.reset();
    db = MustOpen(options);
    EXPECT_EQ(All(db.get()), status.ok() ? after : before) << k;
    if (!reached) {
      EXPECT_TRUE(status.ok());
      EXPECT_GT(k, 8u);
      return;
    }
  }
}

}  // namespace
}  // namespace shearpin
