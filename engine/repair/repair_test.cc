// Goal: each rule of engine/repair.h, S1 to S5, and each kind of loss is told as it is. Method: one
// small database for each, damaged in one place; a ratchet over the calls that write.
#include "engine/repair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/coding.h"
#include "engine/db.h"
#include "engine/db/failing_file_system.h"
#include "engine/repair/database_image_fixture.h"
#include "engine/wal/log_reader.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using Map = std::map<std::string, std::string>;
using Lost = RepairFinding::Lost;

class RepairTest : public ::testing::Test {
 protected:
  RepairTest() {
    options_.env.file_system = &fs_;
    options_.compaction_style = CompactionStyle::kNone;
    options_.block_size = 128;
    db_ = *DB::Open(options_, "/db");
  }

  void Put(const std::string& key, const std::string& value,
           Durability durability = Durability::kProcess) {
    ASSERT_TRUE(db_->Put(key, value, {.durability = durability}).ok());
  }
  void Flush() { ASSERT_TRUE(db_->Flush().ok()); }
  // "k000" to "k099", several blocks.
  void PutMany(const std::string& value) {
    for (int i = 0; i < 100; ++i) Put("k" + std::to_string(1000 + i).substr(1), value);
  }

  // The files as they are, or after a clean close.
  Image Files() {
    Image image = Capture(&fs_, "/db");
    image.erase(LockName());
    return image;
  }
  Image Closed() {
    EXPECT_TRUE(db_->Close().ok());
    db_.reset();
    return Files();
  }

  static std::string Only(const Image& image, FileKind kind) {
    const auto names = NamesOf(image, kind);
    EXPECT_EQ(names.size(), 1u);
    return names.empty() ? "" : names.front();
  }

  // Repairs the files and returns what the new database holds.
  Map Repaired(const Image& image) {
    faultfs::MemFileSystem fs;
    Restore(image, &fs, "/damaged");
    Options options = options_;
    options.env.file_system = &fs;
    auto report = Repair(options, "/damaged", "/new");
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    if (!report.ok()) return {};
    report_ = *std::move(report);
    EXPECT_EQ(Capture(&fs, "/damaged"), image);
    auto db = DB::Open(options, "/new");
    EXPECT_TRUE(db.ok()) << db.status().ToString();
    if (!db.ok()) return {};
    EXPECT_TRUE((*db)->VerifyChecksums().ok());
    Map all;
    const auto it = (*db)->NewIterator();
    for (it->SeekToFirst(); it->Valid(); it->Next()) all.emplace(it->key(), it->value());
    EXPECT_TRUE(it->status().ok()) << it->status().ToString();
    // It can be written to, and what is new is newest.
    EXPECT_TRUE((*db)->Put("k050", "after").ok());
    std::string value;
    EXPECT_TRUE((*db)->Get("k050", &value).ok());
    EXPECT_EQ(value, "after");
    return all;
  }

  const RepairFinding* FindingOf(const std::string& file, Lost lost) const {
    for (const RepairFinding& finding : report_.findings) {
      if (finding.file == file && finding.lost == lost) return &finding;
    }
    return nullptr;
  }

  faultfs::MemFileSystem fs_;
  Options options_;
  std::unique_ptr<DB> db_;
  RepairReport report_;
};

TEST_F(RepairTest, WhatIsNotDamagedIsCopiedWholeAndFlat) {
  PutMany("old");
  Flush();
  PutMany("new");
  ASSERT_TRUE(db_->Delete("k000").ok());
  ASSERT_TRUE(db_->DeleteRange("k010", "k020").ok());
  const Image image = Files();
  const uint64_t last = db_->LatestSequence();
  const Map found = Repaired(image);
  EXPECT_EQ(found.size(), 89u);
  for (const auto& [key, value] : found) EXPECT_EQ(value, "new") << key;
  EXPECT_EQ(found.count("k000"), 0u);
  EXPECT_EQ(found.count("k010"), 0u);
  EXPECT_EQ(found.count("k020"), 1u);
  EXPECT_TRUE(report_.complete());
  EXPECT_TRUE(report_.findings.empty());
  EXPECT_TRUE(report_.by_manifest);
  EXPECT_EQ(report_.last_sequence, last);
  EXPECT_EQ(report_.tables_read, 1u);
  EXPECT_EQ(report_.records_read, 102u);
  EXPECT_EQ(report_.keys_written, 89u);
}

// S2.
TEST_F(RepairTest, ADamagedBlockCostsItsKeysAndTheReportNamesThem) {
  PutMany("old");
  Flush();
  PutMany("new");
  Flush();
  Image image = Closed();
  const auto tables = NamesOf(image, FileKind::kTable);
  ASSERT_EQ(tables.size(), 2u);
  image[tables[1]][300] ^= 1;
  const Map found = Repaired(image);
  ASSERT_FALSE(report_.complete());
  const RepairFinding* finding = FindingOf(tables[1], Lost::kKeys);
  ASSERT_NE(finding, nullptr);
  EXPECT_LE(*finding->offset, 300u);
  EXPECT_GT(*finding->offset + finding->size + 9, 300u);
  EXPECT_NE(finding->reason.find("checksum"), std::string::npos) << finding->reason;
  EXPECT_EQ(found.size(), 100u);  // the older values show
  uint64_t older = 0;
  for (const auto& [key, value] : found) {
    const bool covered = key >= *finding->first_key && key <= *finding->last_key;
    if (!covered) {
      EXPECT_EQ(value, "new") << key;
    }
    if (value == "old") ++older;
  }
  EXPECT_GT(older, 0u);
  EXPECT_LT(older, 20u);
}

TEST_F(RepairTest, WithoutIndexAndFooterBlocksAreFoundByTheirChecksums) {
  PutMany("value");
  Flush();
  const Image whole = Closed();
  const std::string table = Only(whole, FileKind::kTable);

  Image image = whole;
  image[table][image[table].size() - 1] ^= 1;  // the magic
  EXPECT_EQ(Repaired(image).size(), 100u);
  EXPECT_TRUE(report_.complete());
  EXPECT_NE(FindingOf(table, Lost::kNothing), nullptr);

  image = whole;
  image[table].resize(image[table].size() - 100);  // the footer and a part of the index
  EXPECT_EQ(Repaired(image).size(), 100u);

  image = whole;
  image[table].resize(image[table].size() / 2);
  image[table][200] ^= 1;  // and a block in the middle of what is left
  const Map found = Repaired(image);
  EXPECT_GT(found.size(), 20u);
  EXPECT_LT(found.size(), 80u);
  EXPECT_EQ(found.count("k000"), 1u);
  EXPECT_EQ(found.count("k099"), 0u);
  uint64_t gaps = 0;
  for (const RepairFinding& finding : report_.findings) {
    if (finding.lost == Lost::kKeys) ++gaps;
  }
  EXPECT_GE(gaps, 2u);
}

TEST_F(RepairTest, ALostTableIsReportedWithItsRange) {
  PutMany("value");
  Flush();
  Put("z", "1");
  Flush();
  Image image = Closed();
  const auto tables = NamesOf(image, FileKind::kTable);
  image.erase(tables[0]);
  EXPECT_EQ(Repaired(image), (Map{{"z", "1"}}));
  const RepairFinding* finding = FindingOf(tables[0], Lost::kKeys);
  ASSERT_NE(finding, nullptr);
  EXPECT_FALSE(finding->offset);
  EXPECT_EQ(finding->first_key, "k000");
  EXPECT_EQ(finding->last_key, "k099");
}

TEST_F(RepairTest, LostRangeTombstonesAreReportedWithTheRangeTheyMayHaveCovered) {
  PutMany("old");
  Flush();
  ASSERT_TRUE(db_->DeleteRange("k010", "k090").ok());
  Put("k095", "new");
  Flush();
  Image image = Closed();
  const auto tables = NamesOf(image, FileKind::kTable);
  EXPECT_EQ(Repaired(image).size(), 20u);
  std::string& bytes = image[tables[1]];
  bytes[bytes.find("k090")] ^= 1;  // the end stands in the range-delete block only
  const Map found = Repaired(image);
  EXPECT_EQ(found.size(), 100u);
  EXPECT_EQ(found.at("k095"), "new");  // the table's entries are kept
  const RepairFinding* finding = FindingOf(tables[1], Lost::kKeys);
  ASSERT_NE(finding, nullptr);
  EXPECT_LE(*finding->first_key, "k010");
  EXPECT_GE(*finding->last_key, "k090");
}

// S1.
TEST_F(RepairTest, TablesThatTheManifestDoesNotNameAreNotRead) {
  PutMany("deleted later");
  Flush();
  const Image before = Files();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(db_->Delete("k" + std::to_string(1000 + i).substr(1)).ok());
  }
  Put("z", "1");
  ASSERT_TRUE(db_->CompactRange(nullptr, nullptr).ok());
  Image image = Closed();
  for (const auto& [name, bytes] : before) image.emplace(name, bytes);  // an unlink that came back
  EXPECT_EQ(Repaired(image), (Map{{"z", "1"}}));
  EXPECT_TRUE(report_.complete());
}

TEST_F(RepairTest, WhereEditsAreMissingTablesThatAReadableOneRemovedAreNotRead) {
  PutMany("deleted later");
  Flush();
  const Image before = Files();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(db_->Delete("k" + std::to_string(1000 + i).substr(1)).ok());
  }
  ASSERT_TRUE(db_->CompactRange(nullptr, nullptr).ok());
  Put("z", "1");
  Flush();
  Image image = Files();
  for (const std::string& table : NamesOf(before, FileKind::kTable)) {
    image.emplace(table, before.at(table));  // an unlink that came back
  }
  const std::string manifest = Only(image, FileKind::kManifest);
  auto reader = LogReader::Open(LogKind::kManifest, image[manifest]);
  LogRecord record;
  while (reader->Next(&record)) {
  }
  image[manifest][record.offset + 40] ^= 1;  // the edit that names the table of z
  EXPECT_EQ(Repaired(image), (Map{{"z", "1"}}));
  EXPECT_FALSE(report_.by_manifest);
  EXPECT_NE(FindingOf(manifest, Lost::kUnknown), nullptr);
}

TEST_F(RepairTest, WithoutAManifestTablesAndLogsSpeakForThemselves) {
  PutMany("old");
  Flush();
  PutMany("new");
  Flush();
  ASSERT_TRUE(db_->Delete("k001").ok());
  Put("k002", "newest");
  Image image = Closed();
  image.erase("CURRENT");
  image.erase(Only(image, FileKind::kManifest));
  const Map found = Repaired(image);
  EXPECT_EQ(found.size(), 99u);
  EXPECT_EQ(found.at("k000"), "new");
  EXPECT_EQ(found.at("k002"), "newest");
  EXPECT_FALSE(report_.by_manifest);
  EXPECT_FALSE(report_.complete());
  EXPECT_NE(FindingOf("MANIFEST", Lost::kUnknown), nullptr);
}

// S4.
TEST_F(RepairTest, ReadingGoesOnBehindDamageInALog) {
  for (int i = 0; i < 20; ++i) Put("k" + std::to_string(10 + i), "value");
  Image image = Closed();
  const std::string log = Only(image, FileKind::kWal);
  auto reader = LogReader::Open(LogKind::kWal, image[log]);
  LogRecord record;
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(reader->Next(&record));
  image[log][record.offset + 40] ^= 1;
  const Map found = Repaired(image);
  EXPECT_EQ(found.size(), 19u);
  EXPECT_EQ(found.count("k16"), 0u);
  const RepairFinding* finding = FindingOf(log, Lost::kUnknown);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->offset, record.offset);
  EXPECT_EQ(finding->size, record.end - record.offset);
  EXPECT_EQ(report_.records_read, 19u);
}

TEST_F(RepairTest, ADamagedLogHeaderCostsNothingWhileItsSaltStands) {
  for (int i = 0; i < 20; ++i) Put("k" + std::to_string(10 + i), "value");
  Image image = Closed();
  const std::string log = Only(image, FileKind::kWal);
  image[log][16] ^= 1;  // the database id
  EXPECT_EQ(Repaired(image).size(), 20u);
  EXPECT_TRUE(report_.complete());
  EXPECT_NE(FindingOf(log, Lost::kNothing), nullptr);
  image[log][32] ^= 1;  // the salt
  EXPECT_EQ(Repaired(image).size(), 0u);
  EXPECT_NE(FindingOf(log, Lost::kUnknown), nullptr);
}

TEST_F(RepairTest, ACutOrMissingLogIsReported) {
  for (int i = 0; i < 20; ++i) Put("k" + std::to_string(10 + i), "value");
  Image image = Closed();  // the seal promises the log's length
  const std::string log = Only(image, FileKind::kWal);
  auto reader = LogReader::Open(LogKind::kWal, image[log]);
  LogRecord record;
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(reader->Next(&record));
  image[log].resize(record.end);
  EXPECT_EQ(Repaired(image).size(), 7u);
  EXPECT_NE(FindingOf(log, Lost::kUnknown), nullptr);
  image.erase(log);
  EXPECT_EQ(Repaired(image).size(), 0u);
  EXPECT_NE(FindingOf(log, Lost::kUnknown), nullptr);
}

// The batch whose sync failed stands whole in its log, but Resume has cut it off for good.
TEST_F(RepairTest, WhatTheNextLogDidNotAcceptDoesNotComeBack) {
  ASSERT_TRUE(db_->Close().ok());
  FailingFileSystem fs(&fs_);
  options_.env.file_system = &fs;
  db_ = *DB::Open(options_, "/db");
  Put("kept", "1", Durability::kSync);
  fs.FailAt(1, 1, StatusCode::kIoError, ".wal");  // after the append
  ASSERT_FALSE(db_->Put("failed", "2", {.durability = Durability::kSync}).ok());
  fs.Heal();
  const Image before = Files();
  const std::string old_log = NamesOf(before, FileKind::kWal).back();
  ASSERT_NE(before.at(old_log).find("failed"), std::string::npos);
  ASSERT_TRUE(db_->Resume().ok());
  Put("later", "3", Durability::kSync);
  Image image = Files();
  db_.reset();
  image[old_log] = before.at(old_log);  // an unlink that came back
  image.erase("CURRENT");
  image.erase(Only(image, FileKind::kManifest));
  EXPECT_EQ(Repaired(image), (Map{{"kept", "1"}, {"later", "3"}}));
}

// A disk that gives an error for a part of a file.
class UnreadableFileSystem : public FailingFileSystem {
 public:
  UnreadableFileSystem(FileSystem* below, std::string name, uint64_t begin, uint64_t end)
      : FailingFileSystem(below), name_(std::move(name)), begin_(begin), end_(end) {}
  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    SHEARPIN_ASSIGN_OR_RETURN(auto file, FailingFileSystem::OpenRandomAccess(path));
    if (!path.ends_with(name_)) return file;
    return std::unique_ptr<RandomAccessFile>(new File(std::move(file), begin_, end_));
  }

 private:
  class File : public RandomAccessFile {
   public:
    File(std::unique_ptr<RandomAccessFile> file, uint64_t begin, uint64_t end)
        : file_(std::move(file)), begin_(begin), end_(end) {}
    Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const override {
      if (offset < end_ && begin_ < offset + n) return Status::IoError("the platter is scratched");
      return file_->Read(offset, n, scratch, result);
    }
    StatusOr<uint64_t> Size() const override { return file_->Size(); }

   private:
    const std::unique_ptr<RandomAccessFile> file_;
    const uint64_t begin_;
    const uint64_t end_;
  };

  const std::string name_;
  const uint64_t begin_;
  const uint64_t end_;
};

TEST_F(RepairTest, APartThatCannotBeReadIsDamageLikeAnyOther) {
  PutMany(std::string(200, 'v'));
  Flush();
  const Image image = Closed();
  const std::string table = Only(image, FileKind::kTable);
  UnreadableFileSystem fs(&fs_, table, 8192, 8193);
  Options options = options_;
  options.env.file_system = &fs;
  const auto report = Repair(options, "/db", "/new");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_GT(report->keys_written, 50u);  // 4096 bytes of more than 20,000 are gone
  EXPECT_LT(report->keys_written, 100u);
  EXPECT_FALSE(report->complete());
  EXPECT_NE(report->findings.front().reason.find("the platter is scratched"), std::string::npos);
}

// Counts the files that are open for reading.
class CountingFileSystem : public FailingFileSystem {
 public:
  using FailingFileSystem::FailingFileSystem;
  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    SHEARPIN_ASSIGN_OR_RETURN(auto file, FailingFileSystem::OpenRandomAccess(path));
    most_ = std::max(most_, ++open_);
    return std::unique_ptr<RandomAccessFile>(new File(this, std::move(file)));
  }
  int most() const { return most_; }

 private:
  class File : public RandomAccessFile {
   public:
    File(CountingFileSystem* fs, std::unique_ptr<RandomAccessFile> file)
        : fs_(fs), file_(std::move(file)) {}
    ~File() override { --fs_->open_; }
    Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const override {
      return file_->Read(offset, n, scratch, result);
    }
    StatusOr<uint64_t> Size() const override { return file_->Size(); }

   private:
    CountingFileSystem* const fs_;
    const std::unique_ptr<RandomAccessFile> file_;
  };

  int open_ = 0;
  int most_ = 0;
};

TEST_F(RepairTest, HasFewFilesOpenHoweverManyTablesThereAre) {
  for (int i = 0; i < 30; ++i) {
    Put("k" + std::to_string(i), "value");
    Flush();
  }
  ASSERT_TRUE(db_->Close().ok());
  db_.reset();
  CountingFileSystem fs(&fs_);
  Options options = options_;
  options.env.file_system = &fs;
  const auto report = Repair(options, "/db", "/new");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(report->tables_read, 30u);
  EXPECT_LE(fs.most(), 2);
}

TEST_F(RepairTest, WhatCannotBeRepairedIsRefusedAndNothingIsMade) {
  const std::string db = "/db";
  EXPECT_TRUE(Repair(options_, db, "/new").status().IsBusy());
  ASSERT_TRUE(db_->Close().ok());
  db_.reset();
  EXPECT_TRUE(Repair(options_, "/none", "/new").status().IsInvalidArgument());
  ASSERT_TRUE(fs_.CreateDir("/empty").ok());
  EXPECT_TRUE(Repair(options_, "/empty", "/new").status().IsInvalidArgument());
  EXPECT_TRUE(Repair(options_, db, "/empty").status().IsAlreadyExists());
  EXPECT_TRUE(Repair(options_, db, db).status().IsAlreadyExists());
  EXPECT_TRUE(fs_.Exists("/new").IsNotFound());
}

TEST_F(RepairTest, AFailedWriteIsReturnedAndLeavesNothing) {
  PutMany("value");
  ASSERT_TRUE(db_->Close().ok());
  db_.reset();
  FailingFileSystem fs(&fs_);
  Options options = options_;
  options.env.file_system = &fs;
  options.target_table_size = 1024;
  for (uint64_t call = 0;; ++call) {
    ASSERT_LT(call, 1000u);
    fs.FailAt(call, 1, StatusCode::kNoSpace);
    const auto report = Repair(options, "/db", "/new");
    if (fs.failed() <= call) {
      ASSERT_TRUE(report.ok()) << report.status().ToString();
      EXPECT_GT(call, 10u);
      break;
    }
    if (report.ok()) continue;  // the unlink of a file that is not there
    EXPECT_TRUE(report.status().IsNoSpace());
    EXPECT_TRUE(fs_.Exists("/new").IsNotFound()) << call;
  }
}

}  // namespace
}  // namespace shearpin
