// Goal: OpenReadOnly sees what the directory holds, logs included, takes no lock and writes
// nothing, also beside a live writer; Checkpoint makes a whole, independent copy that writers do
// not change, and leaves nothing behind where it fails. Method: examples; a live writer in a real
// thread beside readers that open again and again, whose finds must be prefixes of what was
// written; and a ratchet over the calls of Checkpoint.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "engine/db.h"
#include "engine/db/failing_file_system.h"
#include "engine/table_file_writer.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using Map = std::map<std::string, std::string>;

std::unique_ptr<DB> Must(StatusOr<std::unique_ptr<DB>> db) {
  EXPECT_TRUE(db.ok()) << db.status().ToString();
  return db.ok() ? *std::move(db) : nullptr;
}

Map All(DB* db) {
  Map found;
  const auto it = db->Scan(Bound::Unbounded(), Bound::Unbounded());
  for (; it->Valid(); it->Next()) found.emplace(it->key(), it->value());
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  return found;
}

bool Ingest(DB* db, const Options& options, std::string_view key, std::string_view value) {
  auto table = TableFileWriter::Create(options, "/outside");
  const bool taken = table.ok() && (*table)->Put(key, value).ok() && (*table)->Finish().ok() &&
                     db->IngestTable("/outside").ok();
  return options.env.file_system->Unlink("/outside").ok() && taken;
}

Options SmallOptions(FileSystem* fs) {
  Options options;
  options.env.file_system = fs;
  options.write_buffer_size = 2048;
  options.manifest_rotate_size = 512;
  options.level0_compaction_trigger = 2;
  options.base_level_size = 2048;
  options.target_table_size = 1024;
  return options;
}

TEST(ReadOnly, SeesTablesAndLogsAndRefusesWrites) {
  faultfs::MemFileSystem fs;
  const Options options = SmallOptions(&fs);
  auto writer = Must(DB::Open(options, "/db"));
  ASSERT_TRUE(writer->Put("a", "1").ok());
  ASSERT_TRUE(writer->Flush().ok());
  ASSERT_TRUE(writer->Put("b", "2").ok());
  auto reader = Must(DB::OpenReadOnly(options, "/db"));  // the writer holds the lock
  EXPECT_EQ(All(reader.get()), (Map{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(reader->LatestSequence(), 2u);
  EXPECT_TRUE(reader->Put("c", "3").IsNotSupported());
  EXPECT_TRUE(reader->Sync().IsNotSupported());
  EXPECT_TRUE(reader->Flush().IsNotSupported());
  EXPECT_TRUE(reader->Resume().IsNotSupported());
  EXPECT_TRUE(reader->CompactRange(nullptr, nullptr).IsNotSupported());
  EXPECT_TRUE(reader->Checkpoint("/copy").status().IsNotSupported());
  EXPECT_TRUE(reader->VerifyChecksums().ok());
  EXPECT_TRUE(reader->Property("levels").ok());
  EXPECT_TRUE(reader->Property("stats").status().IsNotFound());
  ASSERT_TRUE(writer->Put("c", "3").ok());
  ASSERT_TRUE(writer->CompactRange(nullptr, nullptr).ok());
  EXPECT_EQ(All(reader.get()), (Map{{"a", "1"}, {"b", "2"}}));  // its tables are gone by name
  EXPECT_TRUE(reader->Close().ok());
  EXPECT_TRUE(writer->Close().ok());
  EXPECT_TRUE(DB::OpenReadOnly(options, "/nothing").status().IsInvalidArgument());
}

TEST(ReadOnly, WritesNothingAndNeedsNoPermissionToWrite) {
  faultfs::MemFileSystem memory;
  FailingFileSystem fs(&memory);
  const Options options = SmallOptions(&fs);
  auto writer = Must(DB::Open(options, "/db"));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer->Put(std::to_string(i), "v").ok());
  ASSERT_TRUE(writer->Close().ok());
  fs.FailAt(0, UINT64_MAX, StatusCode::kIoError);  // every call that changes anything
  auto reader = Must(DB::OpenReadOnly(options, "/db"));
  EXPECT_EQ(All(reader.get()).size(), 100u);
  EXPECT_EQ(fs.failed(), 0u);
}

TEST(ReadOnly, WorksInADirectoryThatOnlyCanBeRead) {
  const std::string directory =
      std::string(::testing::TempDir()) + "/read_only_test_" + std::to_string(::getpid());
  Options options;
  auto writer = Must(DB::Open(options, directory));
  ASSERT_TRUE(writer->Put("a", "1").ok());
  ASSERT_TRUE(writer->Close().ok());
  writer.reset();
  for (const std::string& name : *PosixFileSystem()->ListDir(directory)) {
    ASSERT_EQ(::chmod((directory + "/" + name).c_str(), 0400), 0);
  }
  ASSERT_EQ(::chmod(directory.c_str(), 0500), 0);
  EXPECT_EQ(All(Must(DB::OpenReadOnly(options, directory)).get()), (Map{{"a", "1"}}));
  ASSERT_EQ(::chmod(directory.c_str(), 0700), 0);
}

TEST(ReadOnly, DamageIsToldFromAWriterAtWork) {
  faultfs::MemFileSystem fs;
  const Options options = SmallOptions(&fs);
  auto writer = Must(DB::Open(options, "/db"));
  ASSERT_TRUE(writer->Put("a", "1").ok());
  ASSERT_TRUE(writer->Flush().ok());
  ASSERT_TRUE(writer->Close().ok());
  for (const std::string& name : *fs.ListDir("/db")) {
    if (name.ends_with(".sst")) {
      ASSERT_TRUE(fs.Unlink("/db/" + name).ok());
    }
  }
  EXPECT_TRUE(DB::OpenReadOnly(options, "/db").status().IsCorruption());
}

// The writer counts up, in one key for each number: a reader must find 0 .. n without a gap, and
// never fewer than were acknowledged before it opened.
TEST(ReadOnly, FindsAPrefixBesideALiveWriter) {
  faultfs::MemFileSystem fs;
  const Options options = SmallOptions(&fs);
  auto writer = Must(DB::Open(options, "/db"));
  std::atomic<bool> stop{false};
  std::atomic<int> acknowledged{0};
  std::thread writing([&] {
    for (int i = 0; !stop; ++i) {
      char key[16];
      std::snprintf(key, sizeof key, "%08d", i);
      const std::string value(40, 'v');
      // Some come in without a log.
      if (i % 7 == 3 ? !Ingest(writer.get(), options, key, value) : !writer->Put(key, value).ok()) {
        break;
      }
      acknowledged = i + 1;
      if (i % 500 == 499) std::this_thread::yield();
    }
  });
  for (int round = 0; round < 100 || acknowledged < 2000; ++round) {
    const int floor = acknowledged;
    auto reader = Must(DB::OpenReadOnly(options, "/db"));
    if (reader == nullptr) break;
    const Map found = All(reader.get());
    EXPECT_GE(static_cast<int>(found.size()), floor);
    if (!found.empty()) {
      EXPECT_EQ(std::stoul(found.rbegin()->first) + 1, found.size());
    }
  }
  stop = true;
  writing.join();
}

TEST(Checkpoint, IsIndependentAndHoldsItsMoment) {
  faultfs::MemFileSystem fs;
  const Options options = SmallOptions(&fs);
  auto db = Must(DB::Open(options, "/db"));
  Map state;
  for (int i = 0; i < 300; ++i) {
    state["k" + std::to_string(i % 50)] = std::to_string(i);
    ASSERT_TRUE(db->Put("k" + std::to_string(i % 50), std::to_string(i),
                        {i % 3 == 0 ? Durability::kNone : Durability::kProcess})
                    .ok());
  }
  const auto sequence = db->Checkpoint("/copy");
  ASSERT_TRUE(sequence.ok()) << sequence.status().ToString();
  EXPECT_EQ(*sequence, 300u);
  EXPECT_TRUE(db->Checkpoint("/copy").status().IsAlreadyExists());
  ASSERT_TRUE(db->Put("later", "1").ok());
  ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
  EXPECT_EQ(All(Must(DB::OpenReadOnly(options, "/copy")).get()), state);

  auto copy = Must(DB::Open(options, "/copy"));
  EXPECT_EQ(All(copy.get()), state);
  EXPECT_TRUE(copy->VerifyChecksums().ok());
  ASSERT_TRUE(copy->Put("only here", "1").ok());
  ASSERT_TRUE(copy->CompactRange(nullptr, nullptr).ok());
  EXPECT_EQ(All(db.get()).count("only here"), 0u);
  EXPECT_TRUE(db->VerifyChecksums().ok());
  state["later"] = "1";
  EXPECT_EQ(All(db.get()), state);
}

TEST(Checkpoint, GoesOnBesideWriters) {
  faultfs::MemFileSystem fs;
  const Options options = SmallOptions(&fs);
  auto db = Must(DB::Open(options, "/db"));
  std::atomic<bool> stop{false};
  std::thread writing([&] {
    for (int i = 0; !stop; ++i) {
      char key[16];
      std::snprintf(key, sizeof key, "%08d", i);
      EXPECT_TRUE(db->Put(key, "v").ok());
    }
  });
  for (int round = 0; round < 20; ++round) {
    const uint64_t floor = db->LatestSequence();
    const std::string directory = "/copy" + std::to_string(round);
    const auto sequence = db->Checkpoint(directory);
    ASSERT_TRUE(sequence.ok()) << sequence.status().ToString();
    EXPECT_GE(*sequence, floor);
    EXPECT_EQ(All(Must(DB::Open(options, directory)).get()).size(), *sequence);
  }
  stop = true;
  writing.join();
}

TEST(Checkpoint, AFailedOneLeavesNoDatabaseAndHarmsNothing) {
  for (uint64_t k = 0;; ++k) {
    faultfs::MemFileSystem memory;
    FailingFileSystem fs(&memory);
    const Options options = SmallOptions(&fs);
    auto db = Must(DB::Open(options, "/db"));
    ASSERT_TRUE(db->Put("a", "1").ok());
    ASSERT_TRUE(db->Flush().ok());
    fs.FailAt(k, 1, StatusCode::kNoSpace);
    const auto sequence = db->Checkpoint("/copy");
    if (fs.failed() == 0) {
      EXPECT_TRUE(sequence.ok());
      EXPECT_GT(k, 8u);
      break;
    }
    // An old file that could not be removed at the end is no failure.
    if (!sequence.ok()) {
      EXPECT_TRUE(sequence.status().IsNoSpace()) << sequence.status().ToString();
      EXPECT_TRUE(memory.Exists("/copy").IsNotFound()) << k;
    }
    EXPECT_TRUE(db->Put("b", "2").ok());
    EXPECT_TRUE(db->VerifyChecksums().ok());
  }
}

}  // namespace
}  // namespace shearpin
