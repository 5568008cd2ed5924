// Goal: each thing that Verify claims to check, it checks. Method: a small sound database, in which
// exactly that is broken, in the bytes, or by a MANIFEST that says what is not so.
#include "engine/tool/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>

#include "engine/base/internal_key.h"
#include "engine/db.h"
#include "engine/env/env.h"
#include "engine/manifest/file_names.h"
#include "engine/manifest/manifest.h"
#include "faultfs/mem_file_system.h"

namespace shearpin::tool {
namespace {

using ::testing::HasSubstr;

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() {
    options_.env.file_system = &fs_;
    options_.compaction_style = CompactionStyle::kNone;
    options_.block_size = 128;
  }

  // Two tables in level 0 with common keys, a range tombstone in the newer, and a log.
  void Make() {
    auto db = *DB::Open(options_, "/db");
    for (const std::string value : {"old", "new"}) {
      for (int i = 10; i < 60; ++i) ASSERT_TRUE(db->Put("k" + std::to_string(i), value).ok());
      if (value == "new") {
        ASSERT_TRUE(db->DeleteRange("k20", "k30").ok());
      }
      ASSERT_TRUE(db->Flush().ok());
    }
    ASSERT_TRUE(db->Put("logged", "value", {.durability = Durability::kSync}).ok());
    ASSERT_TRUE(db->Put("logged", "again", {.durability = Durability::kSync}).ok());
    ASSERT_TRUE(db->Close().ok());
  }

  Status Run() {
    out_.str("");
    return Verify(&fs_, "/db", out_);
  }

  // The first file whose name ends so.
  std::string Path(const std::string& suffix, size_t which = 0) {
    for (const std::string& name : *fs_.ListDir("/db")) {
      if (name.ends_with(suffix) || name.starts_with(suffix)) {
        if (which-- == 0) return "/db/" + name;
      }
    }
    ADD_FAILURE() << suffix;
    return "";
  }

  void Write(const std::string& path, const std::string& bytes) {
    auto file = fs_.OpenWritable(path, OpenMode::kTruncate);
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  std::string Read(const std::string& path) {
    std::string bytes;
    EXPECT_TRUE(ReadFile(&fs_, path, &bytes).ok()) << path;
    return bytes;
  }
  void Flip(const std::string& path, size_t at) {
    std::string bytes = Read(path);
    ASSERT_LT(at, bytes.size());
    bytes[at] ^= 1;
    Write(path, bytes);
  }

  // Replaces the MANIFEST by one of a changed state.
  template <typename Change>
  void ForgeManifest(const Change& change) {
    auto recovered = Manifest::Recover(&fs_, "/db");
    ASSERT_TRUE(recovered.ok());
    ManifestState state = recovered->state;
    change(&state);
    const uint64_t number = state.next_file_number;
    Manifest manifest(&fs_, RealEntropy(), "/db", std::move(state));
    ASSERT_TRUE(manifest.Rotate(number, {}).ok());
    ASSERT_TRUE(manifest.Close().ok());
  }

  faultfs::MemFileSystem fs_;
  Options options_;
  std::ostringstream out_;
};

TEST_F(VerifyTest, ASoundDatabaseIsSoundAndUnchanged) {
  Make();
  const auto names = *fs_.ListDir("/db");
  ASSERT_TRUE(Run().ok()) << Run().ToString();
  EXPECT_THAT(out_.str(), HasSubstr("/db: ok: 41 keys"));
  EXPECT_THAT(out_.str(), HasSubstr("L0 tables=2"));
  EXPECT_EQ(*fs_.ListDir("/db"), names);
}

TEST_F(VerifyTest, EachByteOfATableCounts) {
  Make();
  const std::string table = Path(".sst");
  const std::string bytes = Read(table);
  for (size_t i = 0; i < bytes.size(); i += 7) {
    Flip(table, i);
    EXPECT_TRUE(Run().IsCorruption()) << i;
    Write(table, bytes);
  }
  ASSERT_TRUE(Run().ok());
}

TEST_F(VerifyTest, CurrentManifestAndLogsAreChecked) {
  Make();
  for (const std::string file : {"CURRENT", "MANIFEST", ".wal"}) {
    const std::string path = Path(file);
    const std::string bytes = Read(path);
    Flip(path, file == "CURRENT" ? 3 : 512 + 20);
    const Status status = Run();
    EXPECT_TRUE(status.IsCorruption()) << file << ": " << status.ToString();
    Write(path, bytes);
  }
  ASSERT_TRUE(Run().ok());
}

TEST_F(VerifyTest, WhatIsMissingIsNamed) {
  Make();
  for (const std::string file : {".sst", ".wal", "MANIFEST"}) {
    const std::string path = Path(file);
    const std::string bytes = Read(path);
    ASSERT_TRUE(fs_.Unlink(path).ok());
    const Status status = Run();
    EXPECT_TRUE(status.IsCorruption()) << file;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
    Write(path, bytes);
  }
  ASSERT_TRUE(Run().ok());
}

TEST_F(VerifyTest, OrphansAreNamedAndAreNoDamage) {
  Make();
  const uint64_t next = Manifest::Recover(&fs_, "/db")->state.next_file_number;
  for (const std::string& name : {TableName(next), WalName(1), ManifestName(next + 1)}) {
    Write("/db/" + name, "left over");
  }
  Write("/db/notes.txt", "x");
  ASSERT_TRUE(Run().ok()) << Run().ToString();
  EXPECT_THAT(out_.str(), HasSubstr(TableName(next) + ": an orphan"));
  EXPECT_THAT(out_.str(), HasSubstr(WalName(1) + ": an orphan"));
  EXPECT_THAT(out_.str(), HasSubstr(ManifestName(next + 1) + ": an orphan"));
  EXPECT_THAT(out_.str(), HasSubstr("notes.txt: not a file of a database"));
}

TEST_F(VerifyTest, WhatTheManifestSaysOfATableMustBeSo) {
  Make();
  const ManifestState sound = Manifest::Recover(&fs_, "/db")->state;
  for (int field = 0; field < 4; ++field) {
    ForgeManifest([&](ManifestState* state) {
      FileMeta& meta = state->levels[0].begin()->second;
      meta = sound.levels[0].begin()->second;
      if (field == 0) meta.checksum ^= 1;
      if (field == 1) meta.entries += 1;
      if (field == 2) AppendInternalKey(&(meta.largest = "k60"), "", 1, ValueType::kValue);
      if (field == 3) meta.file_id ^= 1;
    });
    EXPECT_TRUE(Run().IsCorruption()) << field;
  }
}

TEST_F(VerifyTest, TablesOfALevelMustNotOverlap) {
  Make();
  ForgeManifest([](ManifestState* state) {
    state->levels[1] = std::move(state->levels[0]);
    state->levels[0].clear();
  });
  const Status status = Run();
  EXPECT_TRUE(status.IsCorruption());
  EXPECT_THAT(std::string(status.message()), HasSubstr("in level 1"));
}

TEST_F(VerifyTest, NewerVersionsMustStandBeforeOlder) {
  Make();
  ForgeManifest([](ManifestState* state) {
    const auto newer = std::prev(state->levels[0].end());
    state->levels[3].emplace(newer->first, newer->second);
    state->levels[0].erase(newer);
  });
  const Status status = Run();
  EXPECT_TRUE(status.IsCorruption()) << status.ToString();
  EXPECT_THAT(std::string(status.message()), HasSubstr("reads ask"));
}

TEST_F(VerifyTest, RangeTombstonesMustStandBeforeWhatTheyDelete) {
  {
    auto db = *DB::Open(options_, "/db");
    ASSERT_TRUE(db->Put("b", "deleted").ok());
    ASSERT_TRUE(db->Flush().ok());
    ASSERT_TRUE(db->DeleteRange("a", "c").ok());
    ASSERT_TRUE(db->Flush().ok());
    ASSERT_TRUE(db->Close().ok());
  }
  ASSERT_TRUE(Run().ok());
  ForgeManifest([](ManifestState* state) {
    const auto newer = std::prev(state->levels[0].end());
    state->levels[6].emplace(newer->first, newer->second);
    state->levels[0].erase(newer);
  });
  const Status status = Run();
  EXPECT_TRUE(status.IsCorruption()) << status.ToString();
  EXPECT_THAT(std::string(status.message()), HasSubstr("a range tombstone is newer"));
}

TEST_F(VerifyTest, TablesHoldNothingBeyondTheFlushedSequence) {
  Make();
  ForgeManifest([](ManifestState* state) { state->flushed_sequence = 10; });
  EXPECT_TRUE(Run().IsCorruption()) << Run().ToString();
}

TEST_F(VerifyTest, WorksBesideAWriter) {
  auto db = *DB::Open(options_, "/db");
  ASSERT_TRUE(db->Put("a", "1").ok());
  ASSERT_TRUE(db->Flush().ok());
  ASSERT_TRUE(db->Put("b", "2").ok());
  ASSERT_TRUE(Run().ok()) << Run().ToString();
  EXPECT_THAT(out_.str(), HasSubstr("open elsewhere"));
  EXPECT_THAT(out_.str(), HasSubstr("ok: 2 keys"));
  ASSERT_TRUE(db->Put("c", "3").ok());
}

TEST_F(VerifyTest, WhatIsNoDatabaseIsSaidSo) {
  EXPECT_TRUE(Run().IsInvalidArgument());
  ASSERT_TRUE(fs_.CreateDir("/db").ok());
  EXPECT_TRUE(Run().IsInvalidArgument());
  EXPECT_EQ(fs_.ListDir("/db")->size(), 0u);
}

}  // namespace
}  // namespace shearpin::tool
