// Goal: what an earlier build wrote stays readable, of every format version that there ever was;
// and a change of today's bytes does not go unnoticed. Method: databases kept as files are copied,
// opened, compared key by key with the pairs kept beside them, verified, written to and opened
// again, repaired; and today's writer makes those of its own version again, byte by byte.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "engine/base/tsv_field.h"
#include "engine/db.h"
#include "engine/manifest/file_names.h"
#include "engine/repair.h"
#include "engine/tool/verify.h"
#include "faultfs/mem_file_system.h"
#include "tests/golden/golden_databases.h"

namespace shearpin::golden {
namespace {

namespace fs = std::filesystem;
using Map = std::map<std::string, std::string>;

constexpr char kRoot[] = "tests/golden";
constexpr char kRemake[] =
    "; make the files again with `bazel run //tests/golden:make -- tests/golden`";

std::string ReadBytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// "log1_table1/raw" and so on.
std::vector<fs::path> KeptDatabases() {
  std::vector<fs::path> found;
  for (const auto& version : fs::directory_iterator(kRoot)) {
    if (!version.is_directory()) continue;
    for (const auto& database : fs::directory_iterator(version.path())) {
      if (database.is_directory()) found.push_back(database.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Map KeptPairs(const fs::path& database) {
  Map pairs;
  std::istringstream lines(ReadBytes(database.string() + ".tsv"));
  for (std::string line; std::getline(lines, line);) {
    const size_t tab = line.find('\t');
    std::string key, value;
    EXPECT_TRUE(tab != std::string::npos && UnescapeField(line.substr(0, tab), &key) &&
                UnescapeField(line.substr(tab + 1), &value))
        << line;
    pairs.emplace(key, value);
  }
  return pairs;
}

void Copy(const fs::path& database, FileSystem* to, const std::string& directory) {
  ASSERT_TRUE(to->CreateDir(directory).ok());
  for (const auto& entry : fs::directory_iterator(database)) {
    auto file = to->OpenWritable(JoinPath(directory, entry.path().filename().string()),
                                 OpenMode::kCreateNew);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(ReadBytes(entry.path())).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
}

Map All(DB* db) {
  Map forward, backward;
  const auto it = db->NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) forward.emplace(it->key(), it->value());
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  for (it->SeekToLast(); it->Valid(); it->Prev()) backward.emplace(it->key(), it->value());
  EXPECT_TRUE(it->status().ok()) << it->status().ToString();
  EXPECT_EQ(forward, backward);
  return forward;
}

TEST(Golden, EveryVersionThatEverWasIsKept) {
  std::set<std::string> versions;
  for (const fs::path& database : KeptDatabases()) {
    versions.insert(database.parent_path().filename().string());
  }
  // Add the name of each new version here; none goes.
  EXPECT_TRUE(versions.count("log1_table1"));
  EXPECT_TRUE(versions.count(FormatVersionName()))
      << "the writer has a new format version, and no golden databases of it" << kRemake;
}

TEST(Golden, OpensReadsVerifiesAndWritesOn) {
  for (const fs::path& database : KeptDatabases()) {
    SCOPED_TRACE(database.string());
    const Map expected = KeptPairs(database);
    ASSERT_FALSE(expected.empty());
    faultfs::MemFileSystem files;
    Copy(database, &files, "/db");
    Options options;
    options.env.file_system = &files;
    {
      auto reader = DB::OpenReadOnly(options, "/db");
      ASSERT_TRUE(reader.ok()) << reader.status().ToString();
      EXPECT_EQ(All(reader->get()), expected);
    }
    std::ostringstream out;
    const Status sound = tool::Verify(&files, "/db", out);
    EXPECT_TRUE(sound.ok()) << sound.ToString();
    const auto repaired = Repair(options, "/db", "/repaired");
    ASSERT_TRUE(repaired.ok()) << repaired.status().ToString();
    EXPECT_TRUE(repaired->complete());

    for (const std::string directory : {"/db", "/repaired"}) {
      auto db = DB::Open(options, directory);
      ASSERT_TRUE(db.ok()) << db.status().ToString();
      EXPECT_EQ(All(db->get()), expected);
      for (const auto& [key, value] : expected) {
        std::string found;
        EXPECT_TRUE((*db)->Get(key, &found).ok()) << key;
        EXPECT_EQ(found, value);
      }
      std::string found;
      EXPECT_TRUE((*db)->Get("key1004", &found).IsNotFound() || expected.count("key1004"));
      EXPECT_TRUE((*db)->VerifyChecksums().ok());
      ASSERT_TRUE((*db)->Put("key1000", "written today").ok());
      ASSERT_TRUE((*db)->CompactRange(nullptr, nullptr).ok());
      ASSERT_TRUE((*db)->Close().ok());
      db = DB::Open(options, directory);
      ASSERT_TRUE(db.ok()) << db.status().ToString();
      Map after = expected;
      after["key1000"] = "written today";
      EXPECT_EQ(All(db->get()), after);
    }
  }
}

TEST(Golden, TodaysWriterMakesTheSameBytes) {
  for (const GoldenDatabase& made : MakeGoldenDatabases()) {
    const fs::path directory = fs::path(kRoot) / FormatVersionName() / made.name;
    SCOPED_TRACE(directory.string());
    ASSERT_TRUE(fs::exists(directory)) << "a golden database that is not kept" << kRemake;
    EXPECT_EQ(KeptPairs(directory), made.pairs);
    std::set<std::string> kept;
    for (const auto& entry : fs::directory_iterator(directory)) {
      kept.insert(entry.path().filename().string());
    }
    std::set<std::string> names;
    for (const auto& [name, bytes] : made.files) {
      names.insert(name);
      const std::string before = ReadBytes(directory / name);
      size_t at = 0;
      while (at < std::min(before.size(), bytes.size()) && before[at] == bytes[at]) ++at;
      EXPECT_TRUE(before == bytes)
          << name << ": the writer's bytes changed at offset " << at << " (" << before.size()
          << " bytes before, " << bytes.size()
          << " now).\nIf what an offset, a tag or a block means "
          << "has changed, raise its format version (wal/log_format.h, sst/format.h), keep this "
          << "directory, and add one for the new version.\nIf only a choice has changed that every "
          << "reader of this version takes (where a block ends, what is compressed)" << kRemake;
    }
    EXPECT_EQ(names, kept) << kRemake;
  }
}

}  // namespace
}  // namespace shearpin::golden
