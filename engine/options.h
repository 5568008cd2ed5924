// Options of a database, a read and a write.
//
// Each field says its unit, its default and whether it may change between two opens of the same
// directory ("any open": freely; "fixed": the stored database keeps the first value).
// Thread safety: values; not to be changed while an Open that reads them runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/compression.h"
#include "engine/env/env.h"
#include "engine/status.h"

namespace shearpin {

class BlockCache;
class CompactionFilter;
class EventListener;
class Snapshot;

enum class CompactionStyle : uint8_t {
  kLeveled,  // one run a level, each larger by a factor: least read and space amplification
  kTiered,   // runs of similar age and size are merged: least write amplification
  kSimple,   // whole neighbouring levels are merged; for teaching and small databases
  kNone,     // tables are merged only on request
};

struct Options {
  // The machine to run on. Default: this process's own. Any open.
  Env env;

  // Create the database if the directory holds none. Default: true. Any open.
  bool create_if_missing = true;

  // Fail if the directory already holds a database. Default: false. Any open.
  bool error_if_exists = false;

  // Bytes of one memtable (keys, values and nodes) at which it is frozen and flushed.
  // Default: 64 MiB; at least 1 KiB. Any open.
  size_t write_buffer_size = size_t{64} << 20;

  // How many memtables, the active one included, may exist before writers wait for a flush.
  // Default: 4; at least 2. Any open.
  int max_write_buffers = 4;

  // Bytes to preallocate for a new WAL; 0 lets it grow by appends. A preallocated log needs no
  // size update when it is synced. Default: 0. Any open.
  size_t wal_preallocate_size = 0;

  // Append to what was preallocated of a WAL by stores into mapped memory, not by a system call for
  // each write. A write survives the same; but a file system that breaks down (it went read-only
  // after an error of the disk) may end the process by SIGBUS instead of failing the write. Does
  // nothing where the file system cannot. Default: false; true needs wal_preallocate_size. Any
  // open.
  bool wal_mapped = false;

  // Uncompressed bytes of a data block. Default: 4 KiB; 64 B to 64 MiB. Any open.
  size_t block_size = 4096;

  // Keys between two restart points of a data block. Default: 16; 1 to 4096. Any open.
  int block_restart_interval = 16;

  // How data blocks are stored, by level; the last entry holds for all deeper levels, no entry for
  // raw blocks. A block that would not shrink by an eighth is stored raw. Default: raw in levels 0
  // and 1, which are soon rewritten, lz4 below. Any open: a table says how it is stored.
  std::vector<Compression> compression = {Compression::kNone, Compression::kNone,
                                          Compression::kLz4};

  // The same for merges into the deepest level that holds data: most of the bytes, seldom
  // rewritten. Default: as by level. Any open.
  std::optional<Compression> bottommost_compression;

  // Bits of a table's Bloom filter for each user key; a Get reads nothing of nearly all tables that
  // do not hold its key: 10 bits let 1 in 100 through. 0: none are written, and those that are
  // there are used still. Default: 10; at most 100. Any open.
  int filter_bits_per_key = 10;

  // Bytes of uncompressed data blocks to keep in memory; 0: none. Default: 32 MiB. Any open.
  size_t block_cache_size = size_t{32} << 20;

  // A cache shared by several databases (engine/block_cache.h), instead of one of
  // block_cache_size. Default: null. Any open.
  std::shared_ptr<BlockCache> block_cache;

  // Bytes for memtables, indexes and filters of tables, and the database's own block cache
  // together: memtables are flushed earlier, and the cache shrinks, down to a quarter of this,
  // as the rest grows. Indexes and filters are never given up; a shared cache is not counted.
  // 0: no budget. Default: 0; else at least 4 KiB. Any open.
  size_t memory_budget = 0;

  // Bytes of the MANIFEST at which a new one replaces it. Default: 4 MiB. Any open.
  size_t manifest_rotate_size = size_t{4} << 20;

  // How tables are merged. Default: leveled. Any open: each policy goes on with what another left;
  // simple only if simple_levels reaches down to it.
  CompactionStyle compaction_style = CompactionStyle::kLeveled;

  // Threads that merge tables. Default: 2; 1 to 64. Any open.
  int max_compactions = 2;

  // Tables of level 0 (sorted runs, if tiered) at which merging starts, writes are delayed, and
  // writes stop. Default: 4, 20, 36; ascending, at least 1. Any open.
  int level0_compaction_trigger = 4;
  int level0_slowdown_trigger = 20;
  int level0_stop_trigger = 36;

  // Bytes that merges are behind by at which writes are delayed, and at which they stop.
  // Default: 64 GiB, 256 GiB; ascending. Any open.
  uint64_t soft_pending_compaction_bytes = uint64_t{64} << 30;
  uint64_t hard_pending_compaction_bytes = uint64_t{256} << 30;

  // Bytes a second that writers get when the delay begins; less the nearer the stop is.
  // Default: 16 MiB/s; at least 1 KiB/s. Any open.
  uint64_t delayed_write_rate = uint64_t{16} << 20;

  // Bytes a second that merges and flushes write; 0: without limit. Flushes count but never wait.
  // Default: 0; else at least 1 KiB/s. Any open.
  uint64_t background_write_rate = 0;

  // Bytes of a table that a merge writes. Default: 64 MiB; at least 1 KiB. Any open.
  uint64_t target_table_size = uint64_t{64} << 20;

  // Leveled: bytes of the first level below level 0 that holds data, and how many times larger
  // each next one may be. Default: 256 MiB, 10; at least 1 KiB, 2 to 100. Any open.
  uint64_t base_level_size = uint64_t{256} << 20;
  int level_size_multiplier = 10;

  // Tiered (which wants a level0_compaction_trigger of 8 or more: with few runs the newest are
  // merged over and over, as `bazel run //engine/tool -- shape` shows):
  // percent that a run may be larger than all newer ones together and still be merged with
  // them; how many runs a merge takes at least; bytes in all but the oldest run, in percent of
  // that run, at which everything is merged. Default: 1, 2, 200. Any open.
  int tiered_size_ratio_percent = 1;
  int tiered_min_merge_width = 2;
  int tiered_max_space_amplification_percent = 200;

  // Simple leveled: percent that each level must have of the one above it, or both are merged; and
  // how many levels there are below level 0. Default: 200, 4; at most 6 levels. Any open, but the
  // levels not below the deepest that holds data: InvalidArgument.
  int simple_size_ratio_percent = 200;
  int simple_levels = 4;

  // Table files that are open at once, besides those in the middle of a read: the least recently
  // read is closed, and opened again when a read finds its block in no cache. Indexes and filters
  // stay in memory; memory_budget counts them. Not for a database opened for reading only. 0: as
  // many as there are tables in use. Default: 0. Any open.
  int max_open_files = 0;

  // Open() reads every byte of every table and checks it as VerifyChecksums() does, before anything
  // is changed; it fails with the first damage found. Otherwise tables are opened when they are
  // first needed. Default: false. Any open.
  bool verify_on_open = false;

  // Threads that read tables for verify_on_open. Default: 1; 1 to 64. Any open.
  int max_file_opening_threads = 1;

  // Close() flushes the memtables first, so that the next Open replays no log. What was
  // acknowledged is safe either way. Default: false. Any open.
  bool flush_on_close = false;

  // Bytes of memory for the commits that unfinished transactions must be compared with. A
  // transaction that would need older ones cannot commit. Nothing is kept while there is no
  // transaction. Default: 64 MiB; at least 1 KiB. Any open.
  uint64_t transaction_history_bytes = uint64_t{64} << 20;

  // Asked about keys while tables are merged; not owned, outlives the database; may be null.
  // Default: null. Any open.
  const CompactionFilter* compaction_filter = nullptr;

  // Times each Get, write and seek of an iterator for Property("histogram.get"), ".write" and
  // ".seek", in microseconds: two readings of the clock each. What takes long anyway is timed
  // always. Default: false. Any open.
  bool enable_latency_histograms = false;

  // Write what happens, in words, to the file LOG in the directory; the LOG of the opening before
  // is kept as LOG.old. Errors of that file are nobody's else. Default: false. Any open.
  bool info_log = false;

  // Bytes at which LOG becomes LOG.old and a new one begins. Default: 16 MiB; at least 1 KiB. Any
  // open.
  uint64_t info_log_rotate_size = uint64_t{16} << 20;

  // Told of the engine's events; not owned, outlives the database; may be null. Default: null.
  EventListener* listener = nullptr;
};

// InvalidArgument naming the first option that is out of its range or contradicts another.
Status ValidateOptions(const Options& options);

// "name=value name=value ...", for logs: every option that is a number, a style or a switch.
std::string OptionsText(const Options& options);

// What an acknowledged write survives.
enum class Durability : uint8_t {
  kNone,     // no log: nothing until its memtable was flushed; lost by any end of the process
  kProcess,  // logged, not synced: the end of the process, not a loss of power
  kSync,     // logged and synced: a loss of power too
};

struct WriteOptions {
  Durability durability = Durability::kProcess;
};

// One end of a range of keys. Does not own the key.
struct Bound {
  enum class Kind : uint8_t { kUnbounded, kInclusive, kExclusive };
  Kind kind = Kind::kUnbounded;
  std::string_view key;

  static Bound Unbounded() { return {}; }
  static Bound Inclusive(std::string_view key) { return {Kind::kInclusive, key}; }
  static Bound Exclusive(std::string_view key) { return {Kind::kExclusive, key}; }
};

struct ReadOptions {
  // Read as of this snapshot; null reads the newest published state when the call begins.
  const Snapshot* snapshot = nullptr;

  // For iterators: only keys between these ends exist. The keys are copied.
  Bound lower;
  Bound upper;
};

}  // namespace shearpin
