// Goal: a damaged directory opens with an error that names a file and what is wrong with it, or
// with all its data; damage inside a table may wait for the read that needs it, which then says
// Corruption. Never a crash, never data silently gone. The one exception is as documented: of a
// database that was not closed, what nothing promised durable may be taken for a torn tail, and
// then what is there is a prefix of what was written.
// Method: databases in several states, as images in memory; on every file of each: every byte
// flipped, every length cut to, removal, exchange, zeroed ranges, garbage at the end. After each,
// the engine opens a copy, and everything it returns is compared with the history.
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/coding.h"
#include "engine/db.h"
#include "engine/event_listener.h"
#include "engine/manifest/file_names.h"
#include "engine/wal/log_reader.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

constexpr char kDir[] = "/db";

using Image = std::map<std::string, std::string>;  // file name -> contents
using State = std::map<std::string, std::string>;

struct Database {
  Image image;
  Options options;
  std::vector<State> after;  // by sequence number; batches have one change
  uint64_t last = 0;         // the newest sequence number
  uint64_t synced = 0;       // durable up to here, by acknowledged syncs
  bool closed = false;
};

// Holds flushes back, so that logs pile up.
class FlushGate : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind != EventKind::kFlushBegun) return;
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  void Set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = true;
};

Options SmallOptions(FileSystem* fs) {
  Options options;
  options.env.file_system = fs;
  options.create_if_missing = false;
  options.write_buffer_size = 1024;
  options.max_write_buffers = 16;
  options.block_size = 128;
  options.block_restart_interval = 4;
  options.compaction_style = CompactionStyle::kNone;
  return options;
}

Image Capture(FileSystem* fs) {
  Image image;
  const auto names = fs->ListDir(kDir);
  EXPECT_TRUE(names.ok());
  for (const std::string& name : *names) {
    EXPECT_TRUE(ReadFile(fs, JoinPath(kDir, name), &image[name]).ok());
  }
  return image;
}

void Restore(const Image& image, FileSystem* fs) {
  ASSERT_TRUE(fs->CreateDir(kDir).ok());
  for (const auto& [name, contents] : image) {
    auto file = fs->OpenWritable(JoinPath(kDir, name), OpenMode::kCreateNew);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(contents).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
}

int CountFiles(const Image& image, FileKind kind) {
  uint64_t number;
  return static_cast<int>(std::count_if(image.begin(), image.end(), [&](const auto& file) {
    return ParseFileName(file.first, &number) == kind;
  }));
}

// Writes to a database and keeps the history.
class Writer {
 public:
  Writer() : options_(SmallOptions(&fs_)) {
    options_.create_if_missing = true;
    options_.listener = &gate_;
    history_.after.emplace_back();
  }
  ~Writer() { gate_.Set(true); }

  Options* options() { return &options_; }
  FlushGate* gate() { return &gate_; }
  DB* db() { return db_.get(); }

  void Open() {
    auto db = DB::Open(options_, kDir);
    ASSERT_TRUE(db.ok()) << db.status().ToString();
    db_ = *std::move(db);
  }

  void Put(int records, Durability durability = Durability::kProcess) {
    for (int i = 0; i < records; ++i) {
      State next = history_.after.back();
      const uint64_t n = history_.after.size();
      const std::string key = "key" + std::to_string(n % 17);
      if (n % 7 == 0) {
        ASSERT_TRUE(db_->Delete(key, {.durability = durability}).ok());
        next.erase(key);
      } else {
        const std::string value = "value " + std::to_string(n) + std::string(n % 13, '.');
        ASSERT_TRUE(db_->Put(key, value, {.durability = durability}).ok());
        next[key] = value;
      }
      history_.after.push_back(std::move(next));
      if (durability == Durability::kSync) history_.synced = n;
    }
  }

  // Until there are so many logs. Requires that the gate is shut.
  void PutUntilLogs(int logs) {
    while (CountFiles(Capture(&fs_), FileKind::kWal) < logs) Put(1);
  }

  void Flush() {
    ASSERT_TRUE(db_->Flush().ok());
    history_.synced = history_.after.size() - 1;
  }

  Database Close() {
    EXPECT_TRUE(db_->Close().ok());
    history_.synced = history_.after.size() - 1;
    history_.closed = true;
    return Finish();
  }

  // What the death of the process would leave now.
  Database Crash() { return Finish(); }

 private:
  Database Finish() {
    history_.image = Capture(&fs_);
    history_.last = history_.after.size() - 1;
    return std::move(history_);
  }

  faultfs::MemFileSystem fs_;
  FlushGate gate_;
  Options options_;
  Database history_;
  std::unique_ptr<DB> db_;
};

Database ClosedEmpty() {
  Writer writer;
  writer.Open();
  return writer.Close();
}

Database ClosedWithALog() {
  Writer writer;
  writer.options()->write_buffer_size = 64 << 10;
  writer.Open();
  writer.Put(20);
  return writer.Close();
}

Database ClosedAndFlushed() {
  Writer writer;
  writer.options()->flush_on_close = true;
  writer.Open();
  writer.Put(30);
  return writer.Close();
}

// Two tables and, as far as the threads allow it, several logs.
Database ClosedWithTablesAndLogs() {
  for (int attempt = 0;; ++attempt) {
    Writer writer;
    writer.Open();
    writer.Put(8);
    writer.Flush();
    writer.Put(8);
    writer.Flush();
    writer.gate()->Set(false);
    writer.PutUntilLogs(3);
    // Close waits for the flush that is held back and begins no other.
    std::thread opener([&] {
      RealScheduler()->SleepUntil(RealScheduler()->NowMicros() + 30'000);
      writer.gate()->Set(true);
    });
    Database database = writer.Close();
    opener.join();
    if (CountFiles(database.image, FileKind::kWal) >= 2 || attempt == 5) return database;
  }
}

Database CrashedWithALog() {
  Writer writer;
  writer.options()->write_buffer_size = 64 << 10;
  writer.options()->wal_preallocate_size = 1024;
  writer.Open();
  writer.Put(5);
  writer.Put(1, Durability::kSync);
  writer.Put(5);
  return writer.Crash();
}

// Two tables, and three logs with a sync in the last that covers them all.
Database CrashedWithTablesAndLogs() {
  Writer writer;
  writer.Open();
  writer.Put(8);
  writer.Flush();
  writer.Put(8);
  writer.Flush();
  writer.gate()->Set(false);
  writer.PutUntilLogs(3);
  writer.Put(1, Durability::kSync);
  writer.Put(4);
  return writer.Crash();
}

// Three logs of which nothing but the headers was synced.
Database CrashedUnsynced() {
  Writer writer;
  writer.Open();
  writer.gate()->Set(false);
  writer.PutUntilLogs(3);
  writer.Put(2);
  return writer.Crash();
}

// Every offset, but of long runs of zeros, which fill sectors, only each sixteenth.
size_t NextOffset(const std::string& contents, size_t at) {
  const size_t run = std::min(contents.find_first_not_of('\0', at), contents.size()) - at;
  return at + (run > 16 ? 16 : 1);
}

struct Case {
  const char* name;
  Database (*make)();
  int min_tables;
  int min_logs;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// What a damaged file may cost a database that was not closed.
struct Tolerance {
  // The least sequence number that must be there if it opens at all.
  uint64_t at_least = 0;
};

class DamageTest : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { databases_ = new std::map<std::string, Database>; }
  static void TearDownTestSuite() { delete databases_; }

  void SetUp() override {
    auto [place, fresh] = databases_->try_emplace(GetParam().name);
    if (fresh) place->second = GetParam().make();
    database_ = &place->second;
    ASSERT_GE(CountFiles(database_->image, FileKind::kTable), GetParam().min_tables);
    ASSERT_GE(CountFiles(database_->image, FileKind::kWal), GetParam().min_logs);
  }

  static FileKind KindOf(const std::string& name) {
    uint64_t number;
    return ParseFileName(name, &number);
  }

  std::string LastLog() const {
    std::string last;
    for (const auto& [name, contents] : database_->image) {
      if (KindOf(name) == FileKind::kWal) last = std::max(last, name);
    }
    return last;
  }

  // The newest sequence number of the records of log `name` that are whole before `offset`, and of
  // everything older.
  uint64_t SequenceBefore(const std::string& name, uint64_t offset) const {
    auto reader = LogReader::Open(LogKind::kWal, database_->image.at(name));
    EXPECT_TRUE(reader.ok());
    uint64_t sequence = 0, first = 0;
    for (LogRecord record; reader->Next(&record);) {
      if (first == 0) first = record.sequence;
      if (record.end <= offset) sequence = record.sequence;
    }
    if (first == 0) return database_->last;
    return sequence != 0 ? sequence : first - 1;
  }

  // What may be missing if `name` was damaged from `offset` on. `to_the_end`: so much of it that
  // later promises in the same file may have gone too.
  Tolerance Allowed(const std::string& name, uint64_t offset, bool to_the_end) const {
    if (database_->closed || KindOf(name) != FileKind::kWal) return {database_->last};
    // Everything before the damage, and all that was synced unless its promise went with it.
    const uint64_t before = SequenceBefore(name, offset);
    if (to_the_end && name == LastLog()) return {std::min(before, database_->synced)};
    return {std::max(std::min(before, database_->last), database_->synced)};
  }

  // Opens a copy and checks all of it. False if it did not open, or a read said Corruption.
  bool Check(const Image& damaged, const std::string& what, const Tolerance& tolerance) {
    SCOPED_TRACE(what);
    faultfs::MemFileSystem fs;
    Restore(damaged, &fs);
    Options options = SmallOptions(&fs);
    if (merging_) {
      options.compaction_style = CompactionStyle::kLeveled;
      options.level0_compaction_trigger = 2;
    }
    auto db = DB::Open(options, kDir);
    if (!db.ok()) {
      CheckError(db.status());
      CheckUntouched(damaged, Capture(&fs));
      return false;
    }
    const uint64_t n = (*db)->LatestSequence();
    EXPECT_LE(n, database_->last);
    EXPECT_GE(n, tolerance.at_least);
    if (n > database_->last) return false;
    const bool whole = CheckReads(db->get(), database_->after[n]);
    const Status closed = (*db)->Close();
    if (merging_ && !closed.ok()) {
      CheckDamage(closed);
    } else {
      EXPECT_TRUE(closed.ok()) << closed.ToString();
    }
    if (n < database_->last) CheckDecidesTheSame(&fs, n);
    return whole;
  }

  static void CheckError(const Status& status) {
    EXPECT_TRUE(status.IsCorruption() || status.IsNotSupported()) << status.ToString();
    const std::string_view message = status.message();
    const bool names_a_file =
        message.find(".wal") != message.npos || message.find(".sst") != message.npos ||
        message.find("MANIFEST-") != message.npos || message.find("CURRENT") != message.npos;
    EXPECT_TRUE(names_a_file && message.find(kDir) == 0) << message;
  }

  // A failed open leaves every file as it was, to be looked at and repaired.
  static void CheckUntouched(const Image& before, const Image& after) {
    for (const auto& [name, contents] : before) {
      const auto found = after.find(name);
      EXPECT_TRUE(found != after.end() && found->second == contents) << name << " was changed";
    }
  }

  static void CheckDamage(const Status& status) {
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_NE(status.message().find(".sst"), std::string_view::npos) << status.ToString();
    EXPECT_NE(status.message().find("offset"), std::string_view::npos) << status.ToString();
  }

  // Every read gives what it should or Corruption with table and offset. True if none did the
  // latter; then VerifyChecksums agrees.
  bool CheckReads(DB* db, const State& expected) {
    failed_gets_ = 0;
    for (int key = 0; key < 17; ++key) {
      const std::string k = "key" + std::to_string(key);
      const auto should = expected.find(k);
      std::string value;
      const Status status = db->Get(k, &value);
      if (!status.ok() && !status.IsNotFound()) {
        CheckDamage(status);
        ++failed_gets_;
        continue;
      }
      EXPECT_EQ(status.ok(), should != expected.end()) << k;
      if (status.ok() && should != expected.end()) {
        EXPECT_EQ(value, should->second);
      }
    }
    auto it = db->NewIterator();
    State forward, backward;
    for (it->SeekToFirst(); it->Valid(); it->Next()) forward.emplace(it->key(), it->value());
    const Status forward_status = it->status();
    for (it->SeekToLast(); it->Valid(); it->Prev()) backward.emplace(it->key(), it->value());
    const Status backward_status = it->status();
    if (forward_status.ok() && backward_status.ok()) {
      EXPECT_EQ(forward, expected);
      EXPECT_EQ(backward, expected);
      EXPECT_EQ(failed_gets_, 0);
      const Status verified = db->VerifyChecksums();
      if (!verified.ok()) CheckDamage(verified);
      return verified.ok();
    }
    // What was returned before the damage must be right all the same.
    for (const State* part : {&forward, &backward}) {
      for (const auto& [key, value] : *part) {
        const auto should = expected.find(key);
        EXPECT_TRUE(should != expected.end() && should->second == value) << key;
      }
    }
    CheckDamage(forward_status.ok() ? backward_status : forward_status);
    if (!merging_) {
      EXPECT_TRUE(db->VerifyChecksums().IsCorruption());
    }
    return false;
  }

  // The prefix that one recovery chose is what the next one finds.
  void CheckDecidesTheSame(FileSystem* fs, uint64_t n) {
    auto again = DB::Open(SmallOptions(fs), kDir);
    ASSERT_TRUE(again.ok()) << again.status().ToString();
    EXPECT_EQ((*again)->LatestSequence(), n);
    EXPECT_TRUE(CheckReads(again->get(), database_->after[n]));
  }

  const Database* database_ = nullptr;
  bool merging_ = false;  // merge tables, as soon as there are two, while they are read
  int failed_gets_ = 0;

 private:
  static std::map<std::string, Database>* databases_;
};

std::map<std::string, Database>* DamageTest::databases_ = nullptr;

TEST_P(DamageTest, UndamagedItIsWhole) {
  EXPECT_TRUE(Check(database_->image, "no damage", {database_->last}));
}

TEST_P(DamageTest, EveryByteFlipped) {
  for (const auto& [name, contents] : database_->image) {
    int partly_readable = 0;
    for (size_t i = 0; i < contents.size(); i = NextOffset(contents, i)) {
      Image damaged = database_->image;
      damaged[name][i] ^= static_cast<char>(1 << i % 8);
      const bool whole = Check(damaged, name + " flipped at " + std::to_string(i),
                               Allowed(name, i, /*to_the_end=*/false));
      if (KindOf(name) == FileKind::kTable) {
        EXPECT_FALSE(whole) << name << " flipped at " << i << ": nobody noticed";
        if (failed_gets_ < 5) ++partly_readable;
      }
      if (HasFailure()) return;
    }
    if (KindOf(name) == FileKind::kTable) {
      EXPECT_GT(partly_readable, 0) << name << ": one bad block must not take the others along";
    }
  }
}

// A merge must not launder damage into tables with good checksums.
TEST_P(DamageTest, TablesFlippedWhileTheyAreMerged) {
  merging_ = true;
  for (const auto& [name, contents] : database_->image) {
    if (KindOf(name) != FileKind::kTable) continue;
    for (size_t i = 0; i < contents.size(); i += 7) {
      Image damaged = database_->image;
      damaged[name][i] ^= static_cast<char>(1 << i % 8);
      Check(damaged, name + " flipped at " + std::to_string(i), {database_->last});
      if (HasFailure()) return;
    }
  }
}

TEST_P(DamageTest, CutToEveryLength) {
  for (const auto& [name, contents] : database_->image) {
    for (size_t length = 0; length < contents.size(); length = NextOffset(contents, length)) {
      Image damaged = database_->image;
      damaged[name].resize(length);
      Check(damaged, name + " cut at " + std::to_string(length),
            Allowed(name, length, /*to_the_end=*/true));
      if (HasFailure()) return;
    }
  }
}

TEST_P(DamageTest, EachFileRemoved) {
  for (const auto& [name, contents] : database_->image) {
    Image damaged = database_->image;
    damaged.erase(name);
    const bool whole = Check(damaged, name + " removed", Allowed(name, 0, /*to_the_end=*/true));
    if (KindOf(name) == FileKind::kLock || KindOf(name) == FileKind::kCurrent) {
      EXPECT_TRUE(whole) << name << " can be done without";
    } else if (KindOf(name) == FileKind::kManifest || KindOf(name) == FileKind::kTable) {
      EXPECT_FALSE(whole) << name;
    }
  }
}

TEST_P(DamageTest, FilesOfAKindExchanged) {
  for (const auto& [name, contents] : database_->image) {
    for (const auto& [other, other_contents] : database_->image) {
      if (other <= name || KindOf(other) != KindOf(name)) continue;
      Image damaged = database_->image;
      std::swap(damaged[name], damaged[other]);
      EXPECT_FALSE(Check(damaged, name + " and " + other + " exchanged", {database_->last}));
    }
  }
}

TEST_P(DamageTest, RangesZeroed) {
  for (const auto& [name, contents] : database_->image) {
    for (const size_t size : {8, 64, 512, 1 << 20}) {
      for (size_t begin = 0; begin < contents.size(); begin += std::max<size_t>(size / 4, 8)) {
        Image damaged = database_->image;
        const size_t end = std::min(begin + size, contents.size());
        std::fill(damaged[name].begin() + static_cast<ptrdiff_t>(begin),
                  damaged[name].begin() + static_cast<ptrdiff_t>(end), '\0');
        Check(damaged,
              name + " zeroed from " + std::to_string(begin) + " to " + std::to_string(end),
              Allowed(name, begin, /*to_the_end=*/true));
        if (HasFailure()) return;
      }
    }
  }
}

TEST_P(DamageTest, GarbageAtTheEnd) {
  const std::string long_garbage = [] {
    std::string bytes;
    for (int i = 0; i < 600; ++i) bytes.push_back(static_cast<char>(i * 37 + i / 7));
    return bytes;
  }();
  for (const auto& [name, contents] : database_->image) {
    for (const std::string& garbage : {std::string(1, 'x'), std::string(8, '\xff'), long_garbage,
                                       std::string(100, '\0'), contents}) {
      if (garbage.empty()) continue;
      Image damaged = database_->image;
      damaged[name] += garbage;
      const bool whole =
          Check(damaged, name + " with " + std::to_string(garbage.size()) + " bytes more",
                {database_->last});
      if (KindOf(name) == FileKind::kWal) {
        EXPECT_TRUE(whole) << "no record was ever there";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    States, DamageTest,
    ::testing::Values(Case{"ClosedEmpty", &ClosedEmpty, 0, 1},
                      Case{"ClosedWithALog", &ClosedWithALog, 0, 1},
                      Case{"ClosedAndFlushed", &ClosedAndFlushed, 1, 1},
                      Case{"ClosedWithTablesAndLogs", &ClosedWithTablesAndLogs, 2, 1},
                      Case{"CrashedWithALog", &CrashedWithALog, 0, 1},
                      Case{"CrashedWithTablesAndLogs", &CrashedWithTablesAndLogs, 2, 3},
                      Case{"CrashedUnsynced", &CrashedUnsynced, 0, 3}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace shearpin
