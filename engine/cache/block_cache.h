// BlockCache: blocks of tables in memory, uncompressed and verified, up to a number of bytes.
//
// Divided into shards by a hash of the key, each with a lock of its own. Eviction is by CLOCK: a
// block that was used since the hand last passed is passed once more; pinned blocks stay. Several
// readers that miss the same block at once cause one load.
//
// Thread safety: all methods from many threads at once. Ownership: outlives its pins.
// Errors: the loader's, given to everyone who waited for that load, and not remembered.
//
// Invariants
//   C1  Usage never exceeds the capacity by more than what is pinned.
//   C2  A pin holds the block of the key that was asked for, whole, until it goes.
//   C3  A block is loaded only if nobody else is loading it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/env/scheduler.h"
#include "engine/status.h"

namespace shearpin {

// The bytes of a block and the memory they stand in.
struct BlockBytes {
  std::unique_ptr<char[]> buffer;
  size_t capacity = 0;
  std::string_view contents;
};

class BlockCache {
 public:
  struct Key {
    uint64_t table = 0;  // from NewTableId
    uint64_t offset = 0;
    bool operator==(const Key&) const = default;
  };
  struct Counters {
    uint64_t hits = 0;    // includes waits for another reader's load
    uint64_t misses = 0;  // loads
    uint64_t evictions = 0;
  };
  class Pin;
  using Loader = std::function<Status(BlockBytes*)>;

  // `capacity` in bytes; 0 keeps nothing but what is pinned.
  BlockCache(Scheduler* scheduler, size_t capacity);
  // Nothing is pinned any more.
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // An id that no other table that uses this cache has.
  uint64_t NewTableId() { return next_table_.fetch_add(1, std::memory_order_relaxed); }

  // Pins the block, which `load` reads if it is not here. `load` runs without a lock.
  Status FindOrLoad(const Key& key, const Loader& load, Pin* pin);

  // Evicts what is too much by now.
  void SetCapacity(size_t capacity);
  size_t capacity() const { return capacity_.load(std::memory_order_relaxed); }

  // Bytes of all blocks here, and of those that are pinned now (takes every lock in turn).
  size_t Usage() const;
  size_t PinnedUsage() const;
  Counters counters() const;

 private:
  struct Entry;
  class Shard;

  Shard* ShardOf(uint64_t hash) const;

  std::atomic<size_t> capacity_;
  std::atomic<uint64_t> next_table_{1};
  std::vector<std::unique_ptr<Shard>> shards_;
};

// Keeps a block in memory. Movable; empty after a move.
class BlockCache::Pin {
 public:
  Pin() = default;
  Pin(Pin&& other) noexcept
      : shard_(std::exchange(other.shard_, nullptr)),
        entry_(std::exchange(other.entry_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    if (this != &other) {
      Release();
      shard_ = std::exchange(other.shard_, nullptr);
      entry_ = std::exchange(other.entry_, nullptr);
    }
    return *this;
  }
  ~Pin() { Release(); }

  void Release();
  bool holds() const { return entry_ != nullptr; }
  // Requires holds().
  std::string_view contents() const;

 private:
  friend class BlockCache;
  Shard* shard_ = nullptr;
  Entry* entry_ = nullptr;
};

}  // namespace shearpin
