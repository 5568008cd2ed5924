// Version: the tables that make up a database at one moment; immutable and shared by readers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/hash.h"
#include "engine/base/internal_iterator.h"
#include "engine/base/internal_key.h"
#include "engine/base/lookup.h"
#include "engine/base/range_tombstones.h"
#include "engine/cache/block_cache.h"
#include "engine/env/file_system.h"
#include "engine/env/scheduler.h"
#include "engine/event_listener.h"
#include "engine/manifest/open_files.h"
#include "engine/manifest/version_edit.h"
#include "engine/sst/table.h"
#include "engine/status.h"

namespace shearpin {

// What the tables of one database share; outlives them. Thread safety: as its members.
struct TableContext {
  BlockCache* cache = nullptr;        // may be null
  EventListener* listener = nullptr;  // may be null
  OpenFiles* files = nullptr;         // may be null: without a limit
  std::atomic<uint64_t> memory{0};    // bytes of indexes and filters of all open tables
};

// A table of the database, opened at the first use.
// Thread safety: all methods from many threads at once. Ownership: shared by Versions.
class TableFile {
 public:
  TableFile(FileSystem* fs, Scheduler* scheduler, const std::string& directory, FileMeta meta,
            TableContext* context = nullptr);
  ~TableFile();
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  const FileMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }

  // The reader; the same at each call. An error is not remembered: the next call tries again.
  StatusOr<const Table*> Open() const;
  // The same, or null as long as nobody has opened it.
  const Table* opened() const { return opened_.load(std::memory_order_acquire); }

  // True if the table may hold `user_key`.
  bool Covers(std::string_view user_key) const {
    return BeginsAt(user_key) && !EndsBefore(meta_.largest, user_key);
  }
  // True if its range begins at `user_key` or before.
  bool BeginsAt(std::string_view user_key) const {
    return CompareBytes(user_key, UserKey(meta_.smallest)) >= 0;
  }

 private:
  FileSystem* const fs_;
  TableContext* const context_;
  const FileMeta meta_;
  const std::string path_;
  mutable Mutex opening_;
  mutable std::atomic<const Table*> opened_{nullptr};
  mutable std::unique_ptr<Table> table_;  // guarded by opening_ until opened_ is set
  mutable Status open_error_;             // the latest, of the file; guarded by opening_
};

class Version {
 public:
  using TablePtr = std::shared_ptr<const TableFile>;
  using Tables = std::vector<TablePtr>;

  // Tables to take away, by number, and to add, by level.
  struct Change {
    std::vector<uint64_t> removed;
    std::vector<std::pair<int, TablePtr>> added;
  };

  Version() = default;
  // This version with a change made.
  std::shared_ptr<const Version> With(const Change& change) const;

  // Level 0: the table with the newest data first; tables may overlap. Deeper levels: by smallest
  // key; no two tables share a user key.
  const Tables& level(int i) const { return levels_[i]; }

  // The newest version of the key at or below the sequence of `seek_key` (user key, sequence,
  // kSeekType). `result->value` points into `*block`. Adds to `*counts` unless it is null.
  // `hash`: of the user key.
  Status Get(std::string_view seek_key, KeyHash hash, LoadedBlock* block, Lookup* result,
             FilterCounts* counts = nullptr) const;

  // As RangeTombstones::CoverOf, over the tables; the span's ends live as long as this Version.
  // An error if a table whose tombstones may cover the key cannot be opened.
  Status CoverOf(std::string_view user_key, SequenceNumber sequence, KeySpan* span,
                 SequenceNumber* cover) const;
  bool has_range_deletes() const { return has_range_deletes_; }

  // Entries of one table of level 0, or of one deeper level.
  struct Source {
    std::unique_ptr<InternalIterator> iterator;
    SequenceNumber largest_sequence = 0;
  };
  // One iterator a table of level 0, newest data first, then one a deeper level, which opens its
  // tables as it reaches them. What cannot be opened gives an iterator with that error. The
  // iterators need this Version alive; range tombstones are not applied to what they yield.
  void AppendSources(std::vector<Source>* sources) const;

  // All tables, level by level.
  Tables AllTables() const;

  // True if a level below `level` holds a table whose range covers `user_key`.
  bool CoveredBelow(int level, std::string_view user_key) const;
  // True if a level below `level` holds a table that overlaps [begin, end).
  bool CoveredBelow(int level, std::string_view begin, std::string_view end) const;

 private:
  Tables levels_[kNumLevels];
  // The tables that hold range tombstones, in the order of their level.
  Tables range_deletes_[kNumLevels];
  bool has_range_deletes_ = false;
};

// True if the table's range overlaps [begin, end).
bool Overlaps(const TableFile& table, std::string_view begin, std::string_view end);

// The table of a level below 0 that may hold `user_key`, by its index, or tables.size().
size_t FindTable(const Version::Tables& tables, std::string_view user_key);

// Over tables that do not overlap, in order, as one sorted source. `tables` outlives it.
std::unique_ptr<InternalIterator> NewLevelIterator(const Version::Tables* tables,
                                                   Caching caching = Caching::kUse);

}  // namespace shearpin
