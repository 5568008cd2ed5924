// Goal: what was made durable is what Recover finds, through rotations, crashes at every step and
// every kind of damage: the whole state, or an error that names the file, or (only where nothing
// promised it) the state without the last edits.
// Method: small manifests in memory, and on them every cut, every flipped bit, every crash point
// of Rotate, Append and Seal (crashing_file_system.h). Losses of power are the simulator's part.
#include "engine/manifest/manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/coding.h"
#include "engine/base/hash.h"
#include "engine/base/internal_key.h"
#include "engine/manifest/file_names.h"
#include "engine/wal/crashing_file_system.h"
#include "engine/wal/log_reader.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

constexpr char kDir[] = "/db";

class CountingEntropy final : public Entropy {
 public:
  uint64_t Next() override { return Mix64(++count_); }

 private:
  uint64_t count_ = 0;
};

VersionEdit AddTable(uint64_t number) {
  FileMeta file{.number = number,
                .file_id = Mix64(number),
                .size = 1000 + number,
                .smallest = {},
                .largest = {}};
  AppendInternalKey(&file.smallest, "a", 1, ValueType::kValue);
  AppendInternalKey(&file.largest, "b", 1, ValueType::kValue);
  VersionEdit edit;
  edit.added.emplace_back(0, file);
  edit.log_floor = number;
  return edit;
}

// What tells states apart here: which tables there are.
std::string Tables(const ManifestState& state) {
  std::string text;
  for (const auto& [number, file] : state.levels[0]) text += std::to_string(number) + " ";
  return text;
}

class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() { EXPECT_TRUE(fs_.CreateDir(kDir).ok()); }

  std::unique_ptr<Manifest> NewManifest(FileSystem* fs) {
    ManifestState state;
    state.database_id = 42;
    return std::make_unique<Manifest>(fs, &entropy_, kDir, state);
  }

  std::string Read(const std::string& name) {
    std::string contents;
    EXPECT_TRUE(ReadFile(&fs_, JoinPath(kDir, name), &contents).ok()) << name;
    return contents;
  }
  void Write(const std::string& name, const std::string& contents) {
    auto file = fs_.OpenWritable(JoinPath(kDir, name), OpenMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(contents).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  void Unlink(const std::string& name) {
    ASSERT_TRUE(fs_.Unlink(JoinPath(kDir, name)).ok()) << name;
  }

  // The tables found, or the error's text.
  std::string Recovered() {
    auto recovered = Manifest::Recover(&fs_, kDir);
    return recovered.ok() ? Tables(recovered->state) : recovered.status().ToString();
  }

  // MANIFEST-000001 with tables 10 to 12 by three records.
  void MakeThreeRecords(bool seal) {
    auto manifest = NewManifest(&fs_);
    ASSERT_TRUE(manifest->Rotate(1, AddTable(10)).ok());
    ASSERT_TRUE(manifest->Append(AddTable(11)).ok());
    ASSERT_TRUE(manifest->Append(AddTable(12)).ok());
    if (seal) {
      ASSERT_TRUE(manifest->Seal().ok());
    }
    ASSERT_TRUE(manifest->Close().ok());
    ASSERT_EQ(Recovered(), "10 11 12 ");
  }

  faultfs::MemFileSystem fs_;
  CountingEntropy entropy_;
};

// Zeros fill the rest of the header.
constexpr size_t kHeaderFieldBytes = 72;

// The records of a MANIFEST; behind each stand zeros up to the end of its sector.
std::vector<LogRecord> Records(const std::string& manifest) {
  std::vector<LogRecord> records;
  auto reader = LogReader::Open(LogKind::kManifest, manifest);
  EXPECT_TRUE(reader.ok());
  for (LogRecord record; reader->Next(&record);) records.push_back(record);
  return records;
}

bool FillsASector(const std::vector<LogRecord>& records, size_t at) {
  return at >= kHeaderFieldBytes &&
         std::none_of(records.begin(), records.end(), [&](const LogRecord& record) {
           return at >= record.offset && at < record.end;
         });
}

void ExpectError(const std::string& outcome, const std::string& file) {
  EXPECT_TRUE(outcome.starts_with("Corruption: ")) << outcome;
  EXPECT_NE(outcome.find(file), std::string::npos) << outcome;
}

TEST_F(ManifestTest, AnEmptyDirectoryHasNone) {
  EXPECT_TRUE(Manifest::Recover(&fs_, kDir).status().IsNotFound());
}

TEST_F(ManifestTest, FindsTheWholeStateThroughRotations) {
  auto manifest = NewManifest(&fs_);
  ASSERT_TRUE(manifest->Rotate(1, AddTable(10)).ok());
  for (uint64_t i = 2; i < 30; ++i) {
    const VersionEdit edit = AddTable(10 * i);
    ASSERT_TRUE((i % 5 == 0 ? manifest->Rotate(i, edit) : manifest->Append(edit)).ok());
    auto recovered = Manifest::Recover(&fs_, kDir);
    ASSERT_TRUE(recovered.ok()) << recovered.status().ToString();
    EXPECT_EQ(Tables(recovered->state), Tables(manifest->state()));
    EXPECT_EQ(recovered->state.database_id, 42u);
    EXPECT_EQ(recovered->state.log_floor, 10 * i);
    EXPECT_EQ(recovered->state.manifest_number, i / 5 * 5 == 0 ? 1 : i / 5 * 5);
    EXPECT_FALSE(recovered->fallback || recovered->torn_tail);
  }
  EXPECT_EQ(*fs_.ListDir(kDir), (std::vector<std::string>{"CURRENT", "MANIFEST-000025"}));
}

TEST_F(ManifestTest, SealsAreKeptUntilTheNextSnapshot) {
  auto manifest = NewManifest(&fs_);
  ASSERT_TRUE(manifest->Rotate(1, {}).ok());
  VersionEdit edit;
  edit.sealed_logs = {{5, 900}, {6, 512}};
  ASSERT_TRUE(manifest->Append(edit).ok());
  auto recovered = Manifest::Recover(&fs_, kDir);
  ASSERT_TRUE(recovered.ok());
  EXPECT_EQ(recovered->state.sealed_logs, (std::map<uint64_t, uint64_t>{{5, 900}, {6, 512}}));
  ASSERT_TRUE(manifest->Rotate(2, {}).ok());
  EXPECT_TRUE(Manifest::Recover(&fs_, kDir)->state.sealed_logs.empty());
}

TEST_F(ManifestTest, EveryCutAndFlipOfCurrentIsToldAsCurrents) {
  MakeThreeRecords(true);
  const std::string whole = Read("CURRENT");
  for (size_t length = 0; length < whole.size(); ++length) {
    Write("CURRENT", whole.substr(0, length));
    ExpectError(Recovered(), "/db/CURRENT");
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    Write("CURRENT", damaged);
    ExpectError(Recovered(), "/db/CURRENT");
  }
  Write("CURRENT", whole + "x");
  ExpectError(Recovered(), "/db/CURRENT");
}

TEST_F(ManifestTest, OnceSealedEveryCutAndFlipIsTold) {
  MakeThreeRecords(true);
  const std::string whole = Read("MANIFEST-000001");
  const std::vector<LogRecord> records = Records(whole);
  for (size_t length = 0; length < records.back().end; ++length) {
    Write("MANIFEST-000001", whole.substr(0, length));
    ExpectError(Recovered(), "/db/MANIFEST-000001");
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    Write("MANIFEST-000001", damaged);
    if (FillsASector(records, bit / 8)) {
      EXPECT_EQ(Recovered(), "10 11 12 ") << bit;
    } else {
      ExpectError(Recovered(), "/db/MANIFEST-000001");
    }
  }
  Write("MANIFEST-000001", whole + "torn");
  EXPECT_EQ(Recovered(), "10 11 12 ") << "bytes after the last record were never a record";
}

TEST_F(ManifestTest, UnsealedOnlyTheLastEditMayBeTakenForTorn) {
  MakeThreeRecords(false);
  const std::string whole = Read("MANIFEST-000001");
  const std::vector<LogRecord> records = Records(whole);
  ASSERT_EQ(records.size(), 3u);
  const uint64_t snapshot_end = records[0].end;

  for (size_t length = 0; length < records[2].end; ++length) {
    Write("MANIFEST-000001", whole.substr(0, length));
    const std::string outcome = Recovered();
    if (length < snapshot_end) {
      ExpectError(outcome, "/db/MANIFEST-000001");  // CURRENT promised it
    } else {
      EXPECT_EQ(outcome, length < records[1].end ? "10 " : "10 11 ") << length;
    }
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    if (FillsASector(records, bit / 8)) continue;
    std::string damaged = whole;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    Write("MANIFEST-000001", damaged);
    if (bit / 8 < records[1].end) {
      ExpectError(Recovered(), "/db/MANIFEST-000001");  // the third record promised it
    } else {
      EXPECT_EQ(Recovered(), "10 11 ") << bit;
    }
  }
}

TEST_F(ManifestTest, WithoutCurrentTheNewestWholeManifestIsTaken) {
  MakeThreeRecords(true);
  Unlink("CURRENT");
  auto recovered = Manifest::Recover(&fs_, kDir);
  ASSERT_TRUE(recovered.ok());
  EXPECT_TRUE(recovered->fallback);
  EXPECT_EQ(Tables(recovered->state), "10 11 12 ");

  // A newer one whose snapshot never became whole was not named by any CURRENT.
  const std::string whole = Read("MANIFEST-000001");
  const LogHeader header{.database_id = 42, .number = 2, .salt = 99, .predecessor = 1};
  for (const std::string& torn : {std::string(), EncodeLogHeader(LogKind::kManifest, header),
                                  EncodeLogHeader(LogKind::kManifest, header) + "record?"}) {
    Write("MANIFEST-000002", torn);
    EXPECT_EQ(Recovered(), "10 11 12 ");
  }
  Unlink("MANIFEST-000002");
  std::string damaged = whole;
  damaged[kLogHeaderSize + 40] ^= 1;
  Write("MANIFEST-000001", damaged);
  EXPECT_FALSE(Manifest::Recover(&fs_, kDir).ok()) << "a damaged only one gives no state";
}

TEST_F(ManifestTest, TheManifestThatCurrentNamesMustBeThereAndItself) {
  MakeThreeRecords(true);
  const std::string whole = Read("MANIFEST-000001");
  Unlink("MANIFEST-000001");
  ExpectError(Recovered(), "/db/MANIFEST-000001: named by CURRENT and missing");
  // Another number's bytes under its name.
  LogHeader header{.database_id = 42, .number = 3, .salt = 7, .predecessor = 0};
  Write("MANIFEST-000001",
        EncodeLogHeader(LogKind::kManifest, header) + whole.substr(kLogHeaderSize));
  ExpectError(Recovered(), "/db/MANIFEST-000001: its header says it is number 3");
  // A log of another kind.
  Write("MANIFEST-000001", EncodeLogHeader(LogKind::kWal, header) + whole.substr(kLogHeaderSize));
  ExpectError(Recovered(), "/db/MANIFEST-000001: bad magic");
}

TEST_F(ManifestTest, AVersionFromTheFutureIsNotSupported) {
  MakeThreeRecords(true);
  std::string bytes = Read("MANIFEST-000001");
  StoreFixed32(bytes.data() + 8, 2);
  StoreFixed64(bytes.data() + 64, Checksum(std::string_view(bytes).substr(0, 64), 0));
  Write("MANIFEST-000001", bytes);
  const Status status = Manifest::Recover(&fs_, kDir).status();
  EXPECT_TRUE(status.IsNotSupported()) << status.ToString();
  EXPECT_NE(status.message().find("/db/MANIFEST-000001: format version 2"), std::string_view::npos);
  // With CURRENT lost as well it must not be passed over for an older one.
  Unlink("CURRENT");
  EXPECT_TRUE(Manifest::Recover(&fs_, kDir).status().IsNotSupported());
}

// One step that moves the tables from "10 " to "10 20 ", crashed after each number of changes.
void CrashEverywhere(const std::function<Status(Manifest*)>& step) {
  for (uint64_t limit = 0;; ++limit) {
    faultfs::MemFileSystem base;
    ASSERT_TRUE(base.CreateDir(kDir).ok());
    CountingEntropy entropy;
    CrashingFileSystem fs(&base, UINT64_MAX);
    ManifestState state;
    state.database_id = 42;
    Manifest manifest(&fs, &entropy, kDir, state);
    ASSERT_TRUE(manifest.Rotate(1, AddTable(10)).ok());
    fs.CrashAfter(limit);
    const Status status = step(&manifest);
    auto recovered = Manifest::Recover(&base, kDir);
    ASSERT_TRUE(recovered.ok()) << limit << ": " << recovered.status().ToString();
    const std::string tables = Tables(recovered->state);
    if (status.ok()) {
      EXPECT_EQ(tables, "10 20 ") << limit;
    } else {
      EXPECT_TRUE(tables == "10 " || tables == "10 20 ") << limit << ": " << tables;
      // M4: the error sticks, and nothing more is written.
      EXPECT_FALSE(manifest.error().ok());
      const uint64_t changes = fs.changes();
      EXPECT_FALSE(manifest.Append(AddTable(30)).ok());
      EXPECT_FALSE(manifest.Rotate(9, AddTable(30)).ok());
      EXPECT_FALSE(manifest.Seal().ok());
      EXPECT_EQ(fs.changes(), changes);
    }
    if (!fs.crashed()) {
      EXPECT_TRUE(status.ok());
      EXPECT_GT(limit, 0u);
      return;
    }
  }
}

TEST(ManifestCrash, AtEachStepOfARotation) {
  CrashEverywhere([](Manifest* manifest) { return manifest->Rotate(2, AddTable(20)); });
}

TEST(ManifestCrash, AtEachStepOfAnAppend) {
  CrashEverywhere([](Manifest* manifest) { return manifest->Append(AddTable(20)); });
}

TEST(ManifestCrash, AtEachStepOfASeal) {
  CrashEverywhere([](Manifest* manifest) {
    Status status = manifest->Append(AddTable(20));
    if (status.ok()) status = manifest->Seal();
    return status;
  });
}

TEST(ManifestCrash, AtEachStepOfTheFirstOne) {
  for (uint64_t limit = 0;; ++limit) {
    faultfs::MemFileSystem base;
    ASSERT_TRUE(base.CreateDir(kDir).ok());
    CrashingFileSystem fs(&base, limit);
    CountingEntropy entropy;
    ManifestState state;
    state.database_id = 42;
    Manifest manifest(&fs, &entropy, kDir, state);
    const Status status = manifest.Rotate(1, AddTable(10));
    auto recovered = Manifest::Recover(&base, kDir);
    if (recovered.ok()) {
      EXPECT_EQ(Tables(recovered->state), "10 ") << limit;
    } else {
      EXPECT_TRUE(recovered.status().IsNotFound()) << recovered.status().ToString();
      EXPECT_FALSE(status.ok());
    }
    if (status.ok()) return;
  }
}

}  // namespace
}  // namespace shearpin
