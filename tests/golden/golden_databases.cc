#include "tests/golden/golden_databases.h"

#include <memory>
#include <string_view>

#include "engine/base/check.h"
#include "engine/db.h"
#include "engine/manifest/file_names.h"
#include "engine/sst/format.h"
#include "engine/wal/log_format.h"
#include "faultfs/mem_file_system.h"

namespace shearpin::golden {
namespace {

class FixedEntropy final : public Entropy {
 public:
  uint64_t Next() override { return ++calls_ * 0x9e37'79b9'7f4a'7c15; }

 private:
  uint64_t calls_ = 0;
};

class Maker {
 public:
  Maker(std::string name, Compression compression, int filter_bits) {
    database_.name = std::move(name);
    options_.env.file_system = &fs_;
    options_.env.entropy = &entropy_;
    options_.block_size = 512;
    options_.block_restart_interval = 4;
    options_.compression = {compression};
    options_.filter_bits_per_key = filter_bits;
    options_.compaction_style = CompactionStyle::kNone;
    db_ = Must(DB::Open(options_, kDirectory));
  }

  void Put(int from, int to, int step, std::string_view value) {
    for (int i = from; i < to; i += step) {
      const std::string key = "key" + std::to_string(1000 + i);
      const std::string text = std::string(value) + " of " + key + std::string(i % 50, '.');
      Check(db_->Put(key, text));
      database_.pairs[key] = text;
    }
  }
  void PutOne(const std::string& key, const std::string& value, Durability durability) {
    Check(db_->Put(key, value, {.durability = durability}));
    database_.pairs[key] = value;
  }
  void Delete(int i) {
    const std::string key = "key" + std::to_string(1000 + i);
    Check(db_->Delete(key));
    database_.pairs.erase(key);
  }
  void DeleteRange(const std::string& begin, const std::string& end) {
    Check(db_->DeleteRange(begin, end));
    database_.pairs.erase(database_.pairs.lower_bound(begin), database_.pairs.lower_bound(end));
  }
  void Flush() { Check(db_->Flush()); }
  void Compact() { Check(db_->CompactRange(nullptr, nullptr)); }
  // With the style that merges by itself: several levels.
  void Reopen(CompactionStyle style) {
    Check(db_->Close());
    options_.compaction_style = style;
    options_.max_compactions = 1;
    options_.level0_compaction_trigger = 2;
    options_.base_level_size = 4096;
    options_.level_size_multiplier = 2;
    options_.target_table_size = 4096;
    db_ = Must(DB::Open(options_, kDirectory));
    Check(db_->WaitForBackground());
  }
  void Settle() { Check(db_->WaitForBackground()); }

  // `closed`: else as the death of the process leaves it.
  GoldenDatabase Finish(bool closed) {
    Settle();
    if (closed) Check(db_->Close());
    const auto names = fs_.ListDir(kDirectory);
    SHEARPIN_CHECK(names.ok());
    for (const std::string& name : *names) {
      if (name == LockName()) continue;
      Check(ReadFile(&fs_, JoinPath(kDirectory, name), &database_.files[name]));
    }
    return std::move(database_);
  }

 private:
  static constexpr char kDirectory[] = "/db";

  static void Check(const Status& status) {
    SHEARPIN_CHECK(status.ok(), status.ToString().c_str());
  }
  static std::unique_ptr<DB> Must(StatusOr<std::unique_ptr<DB>> db) {
    Check(db.status());
    return *std::move(db);
  }

  faultfs::MemFileSystem fs_;
  FixedEntropy entropy_;
  Options options_;
  std::unique_ptr<DB> db_;
  GoldenDatabase database_;
};

// Tables of two levels, and a log, closed cleanly.
GoldenDatabase TwoLevels(const std::string& name, Compression compression, int filter_bits) {
  Maker maker(name, compression, filter_bits);
  maker.PutOne("", "the empty key", Durability::kProcess);
  maker.PutOne(std::string("\0\xff", 2), "", Durability::kProcess);
  maker.Put(0, 80, 1, "oldest");
  maker.Compact();
  maker.Put(0, 80, 3, "newer");
  maker.Delete(4);
  maker.Flush();
  maker.Put(0, 80, 10, "newest");
  return maker.Finish(true);
}

// Range tombstones in tables and in the log, over what they hide and what came after them.
GoldenDatabase RangeTombstones() {
  Maker maker("range_tombstones", Compression::kNone, 10);
  maker.Put(0, 60, 1, "old");
  maker.Flush();
  maker.DeleteRange("key1010", "key1030");
  maker.DeleteRange("key1020", "key1040");
  maker.Put(25, 27, 1, "new");
  maker.Flush();
  maker.DeleteRange("key1050", "z");
  maker.Put(55, 56, 1, "newest");
  return maker.Finish(true);
}

// A tree that the leveled policy has shaped.
GoldenDatabase SeveralLevels() {
  Maker maker("several_levels", Compression::kNone, 10);
  maker.Reopen(CompactionStyle::kLeveled);
  for (int round = 0; round < 7; ++round) {
    maker.Put(round * 7, 160, 2 + round, "round " + std::to_string(round));
    maker.Flush();
    maker.Settle();
  }
  return maker.Finish(true);
}

// Not closed: logs with synced and unsynced records, in sectors of their own.
GoldenDatabase UnflushedTail() {
  Maker maker("unflushed_tail", Compression::kNone, 0);
  maker.Put(0, 10, 1, "flushed");
  maker.Flush();
  maker.Put(5, 12, 1, "logged");
  maker.PutOne("synced", "1", Durability::kSync);
  maker.PutOne("synced too", "2", Durability::kSync);
  maker.Delete(0);
  maker.PutOne("not synced", "3", Durability::kProcess);
  return maker.Finish(false);
}

}  // namespace

std::vector<GoldenDatabase> MakeGoldenDatabases() {
  std::vector<GoldenDatabase> databases;
  databases.push_back(TwoLevels("raw", Compression::kNone, 0));
  databases.push_back(TwoLevels("lz4_filter", Compression::kLz4, 10));
  databases.push_back(TwoLevels("zstd_filter", Compression::kZstd, 10));
  databases.push_back(RangeTombstones());
  databases.push_back(SeveralLevels());
  databases.push_back(UnflushedTail());
  return databases;
}

std::string FormatVersionName() {
  return "log" + std::to_string(kLogFormatVersion) + "_table" +
         std::to_string(Footer::kFormatVersion);
}

}  // namespace shearpin::golden
