// Goal: whatever is damaged, a repaired database opens, verifies, and holds for each key a value
// that it had at some time; and where no finding covers a key, the very last one. The damaged files
// stay as they are. Method: RapidCheck writes random databases (policies, block sizes, compression,
// filters, range deletes, clean closes and none), damages bytes, cuts and deletes files at random,
// repairs, and compares with every value that each key ever had; besides, every single byte of a
// small database is changed in turn.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "engine/db.h"
#include "engine/repair.h"
#include "engine/repair/database_image_fixture.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using Value = std::optional<std::string>;  // none: deleted, or never written

// Every value that each key ever had.
class History {
 public:
  void Set(const std::string& key, const Value& value) {
    ever_[key].insert(value);
    last_[key] = value;
  }
  void DeleteRange(const std::string& begin, const std::string& end) {
    for (auto it = last_.lower_bound(begin); it != last_.end() && it->first < end; ++it) {
      ever_[it->first].insert(std::nullopt);
      it->second = std::nullopt;
    }
  }
  bool EverHad(const std::string& key, const Value& value) const {
    const auto it = ever_.find(key);
    return !value || (it != ever_.end() && it->second.count(value) != 0);
  }
  const std::map<std::string, Value>& last() const { return last_; }

 private:
  std::map<std::string, std::set<Value>> ever_;
  std::map<std::string, Value> last_;
};

struct Database {
  Image image;
  History history;
  bool sealed = false;  // closed cleanly
};

std::string KeyOf(int i) { return "key" + std::to_string(100 + i); }

bool Covered(const RepairReport& report, const std::string& key) {
  for (const RepairFinding& finding : report.findings) {
    if (finding.lost == RepairFinding::Lost::kNothing) continue;
    if (finding.first_key && key < *finding.first_key) continue;
    if (finding.last_key && key > *finding.last_key) continue;
    return true;
  }
  return false;
}

std::string Text(const RepairReport& report) {
  std::string text;
  for (const RepairFinding& finding : report.findings) {
    text += finding.file + " at " + std::to_string(finding.offset.value_or(0)) + ", lost " +
            std::to_string(static_cast<int>(finding.lost)) + " [" +
            finding.first_key.value_or("-") + ", " + finding.last_key.value_or("-") +
            "]: " + finding.reason + "\n";
  }
  return text;
}

enum class Opened : uint8_t { kForReading, kForWriting };

// Empty, or what is wrong. `exact`: keys that no finding covers must have their last value.
std::string Judge(const Image& damaged, const History& history, bool exact, Opened opened) {
  faultfs::MemFileSystem fs;
  Restore(damaged, &fs, "/damaged");
  Options options;
  options.env.file_system = &fs;
  options.target_table_size = 2048;
  const auto report = Repair(options, "/damaged", "/repaired");
  if (Capture(&fs, "/damaged") != damaged) return "the damaged directory was changed";
  if (!report.ok()) return report.status().ToString();
  auto db = opened == Opened::kForWriting ? DB::Open(options, "/repaired")
                                          : DB::OpenReadOnly(options, "/repaired");
  if (!db.ok()) return "open: " + db.status().ToString();
  const Status verified = (*db)->VerifyChecksums();
  if (!verified.ok()) return "verify: " + verified.ToString();
  std::map<std::string, std::string> found;
  const auto it = (*db)->NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) found.emplace(it->key(), it->value());
  if (!it->status().ok()) return it->status().ToString();
  if (found.size() != report->keys_written) return "the report miscounts the keys";
  for (const auto& [key, value] : found) {
    if (!history.EverHad(key, value)) return key + " never had the value " + value;
  }
  for (const auto& [key, last] : history.last()) {
    const auto there = found.find(key);
    const Value value = there == found.end() ? Value() : there->second;
    if (exact && value != last && !Covered(*report, key)) {
      return key + " is " + value.value_or("(none)") + ", was " + last.value_or("(none)") +
             ", and nothing says so:\n" + Text(*report);
    }
  }
  return "";
}

Options AnyOptions(FileSystem* fs) {
  Options options;
  options.env.file_system = fs;
  options.write_buffer_size = *rc::gen::element<size_t>(1024, 3000, 20000);
  options.block_size = *rc::gen::element<size_t>(64, 150, 500);
  options.target_table_size = *rc::gen::element<uint64_t>(1024, 3000);
  options.base_level_size = 2048;
  options.level0_compaction_trigger = *rc::gen::element(2, 4);
  options.manifest_rotate_size = *rc::gen::element<size_t>(400, 2000, 100000);
  options.compression = {
      *rc::gen::element(Compression::kNone, Compression::kLz4, Compression::kZstd)};
  options.filter_bits_per_key = *rc::gen::element(0, 10);
  options.compaction_style = *rc::gen::element(CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                               CompactionStyle::kNone);
  options.flush_on_close = *rc::gen::arbitrary<bool>();
  options.wal_preallocate_size = *rc::gen::element<size_t>(0, 2000);
  return options;
}

void Step(DB* db, int serial, History* history) {
  const std::string key = KeyOf(*rc::gen::inRange(0, 40));
  const WriteOptions write{.durability =
                               *rc::gen::element(Durability::kProcess, Durability::kSync)};
  switch (*rc::gen::inRange(0, 20)) {
    case 0:
      RC_ASSERT(db->Flush().ok());
      break;
    case 1:
      RC_ASSERT(db->CompactRange(nullptr, nullptr).ok());
      break;
    case 2:
    case 3:
      RC_ASSERT(db->Delete(key, write).ok());
      history->Set(key, std::nullopt);
      break;
    case 4: {
      const std::string end = KeyOf(*rc::gen::inRange(0, 41));
      RC_ASSERT(db->DeleteRange(key, end, write).ok());
      history->DeleteRange(key, end);
      break;
    }
    default: {
      const std::string value = std::to_string(serial) + std::string(*rc::gen::inRange(0, 80), 'v');
      RC_ASSERT(db->Put(key, value, write).ok());
      history->Set(key, value);
    }
  }
}

Database AnyDatabase() {
  Database database;
  faultfs::MemFileSystem fs;
  const Options options = AnyOptions(&fs);
  const int sessions = *rc::gen::inRange(1, 3);
  int serial = 0;
  for (int session = 1; session <= sessions; ++session) {
    auto db = DB::Open(options, "/db");
    RC_ASSERT(db.ok());
    const int steps = *rc::gen::inRange(5, 80);
    for (int i = 0; i < steps; ++i) Step(db->get(), ++serial, &database.history);
    RC_ASSERT((*db)->WaitForBackground().ok());
    database.sealed = session < sessions || *rc::gen::arbitrary<bool>();
    if (database.sealed) RC_ASSERT((*db)->Close().ok());
    // Else: as the death of the process would leave it.
    if (!database.sealed) database.image = Capture(&fs, "/db");
  }
  if (database.sealed) database.image = Capture(&fs, "/db");
  database.image.erase("LOCK");
  return database;
}

// Returns false if nobody could notice what was done: a log or MANIFEST that nothing promised to be
// longer than it is now.
bool Harm(Database* database) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : database->image) names.push_back(name);
  if (names.empty()) return true;
  const std::string name = *rc::gen::elementOf(names);
  std::string& bytes = database->image[name];
  const bool promised = database->sealed || name.ends_with(".sst") || name == "CURRENT";
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      database->image.erase(name);
      return promised;
    case 1:
      bytes.resize(*rc::gen::inRange<size_t>(0, bytes.size() + 1));
      return promised;
    case 2: {  // a sector
      if (bytes.empty()) return true;
      const size_t at = *rc::gen::inRange<size_t>(0, bytes.size()) / 512 * 512;
      for (size_t i = at; i < std::min(at + 512, bytes.size()); ++i) bytes[i] = '\0';
      return promised;
    }
    default:
      if (bytes.empty()) return true;
      bytes[*rc::gen::inRange<size_t>(0, bytes.size())] ^=
          static_cast<char>(*rc::gen::inRange(1, 256));
      return true;
  }
}

// A few keys, in tables of two levels, and a log with a tail.
Database SmallDatabase(bool sealed) {
  Database database;
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  options.block_size = 100;
  options.level0_compaction_trigger = 2;
  options.compaction_style = CompactionStyle::kNone;
  options.compression = {Compression::kLz4};
  auto db = DB::Open(options, "/db");
  EXPECT_TRUE(db.ok());
  auto put = [&](int from, int to, const std::string& value) {
    for (int i = from; i < to; ++i) {
      EXPECT_TRUE((*db)->Put(KeyOf(i), value + KeyOf(i)).ok());
      database.history.Set(KeyOf(i), value + KeyOf(i));
    }
  };
  put(0, 20, "oldest");
  EXPECT_TRUE((*db)->CompactRange(nullptr, nullptr).ok());
  put(10, 16, "older");
  EXPECT_TRUE((*db)->Delete(KeyOf(3)).ok());
  database.history.Set(KeyOf(3), std::nullopt);
  EXPECT_TRUE((*db)->DeleteRange(KeyOf(5), KeyOf(9)).ok());
  database.history.DeleteRange(KeyOf(5), KeyOf(9));
  EXPECT_TRUE((*db)->Flush().ok());
  put(14, 18, "newest");
  EXPECT_TRUE((*db)->Sync().ok());
  EXPECT_TRUE((*db)->Delete(KeyOf(12)).ok());
  database.history.Set(KeyOf(12), std::nullopt);
  EXPECT_TRUE((*db)->WaitForBackground().ok());
  if (sealed) {
    EXPECT_TRUE((*db)->Close().ok());
  }
  database.image = Capture(&fs, "/db");
  database.image.erase("LOCK");
  return database;
}

TEST(Repair, NoSingleByteCanMakeItLie) {
  for (const bool sealed : {false, true}) {
    const Database database = SmallDatabase(sealed);
    for (const auto& [name, bytes] : database.image) {
      // How it was closed changes nothing in a table.
      if (sealed && name.ends_with(".sst")) continue;
      for (size_t i = 0; i < bytes.size(); ++i) {
        // What fills a sector is read by nobody.
        if (bytes[i] == '\0' && i > 72 && i < 512 && !name.ends_with(".sst")) continue;
        Image damaged = database.image;
        damaged[name][i] ^= static_cast<char>(1 << (i % 8));
        const std::string wrong = Judge(damaged, database.history, true, Opened::kForReading);
        ASSERT_EQ(wrong, "") << name << " byte " << i << (sealed ? ", closed" : "");
      }
    }
  }
}

RC_GTEST_PROP(Repair, KeepsWhatIsThereAndInventsNothing, ()) {
  Database database = AnyDatabase();
  bool exact = true;
  const int harms = *rc::gen::inRange(0, 5);
  for (int i = 0; i < harms; ++i) exact &= Harm(&database);
  // What is left must be something that could be called a database.
  RC_PRE(!NamesOf(database.image, FileKind::kManifest).empty() ||
         !NamesOf(database.image, FileKind::kWal).empty() ||
         !NamesOf(database.image, FileKind::kTable).empty());
  const std::string wrong = Judge(database.image, database.history, exact, Opened::kForWriting);
  if (!wrong.empty()) RC_FAIL(wrong);
}

}  // namespace
}  // namespace shearpin
