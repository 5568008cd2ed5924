// Options of a database, a read and a write.
//
// Each field says its unit, its default and whether it may change between two opens of the same
// directory ("any open": freely; "fixed": the stored database keeps the first value).
// Thread safety: values; not to be changed while an Open that reads them runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/env/env.h"
#include "engine/status.h"

namespace shearpin {

class EventListener;
class Snapshot;

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

  // Uncompressed bytes of a data block. Default: 4 KiB; 64 B to 64 MiB. Any open.
  size_t block_size = 4096;

  // Keys between two restart points of a data block. Default: 16; 1 to 4096. Any open.
  int block_restart_interval = 16;

  // Bytes of the MANIFEST at which a new one replaces it. Default: 4 MiB. Any open.
  size_t manifest_rotate_size = size_t{4} << 20;

  // Close() flushes the memtables first, so that the next Open replays no log. What was
  // acknowledged is safe either way. Default: false. Any open.
  bool flush_on_close = false;

  // Told of the engine's events; not owned, outlives the database; may be null. Default: null.
  EventListener* listener = nullptr;
};

// InvalidArgument naming the first option that is out of its range or contradicts another.
Status ValidateOptions(const Options& options);

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
