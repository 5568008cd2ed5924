// MemTable: the newest writes, sorted, in memory.
//
// Thread safety: Add, Get, iterators and the counters may be used from many threads at once,
// without locks. What was added becomes visible to a reader by its sequence number: the database
// publishes a sequence only after all of its entries were added.
// Ownership: the owner keeps it alive while iterators and values of Get are in use.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/base/arena.h"
#include "engine/base/internal_iterator.h"
#include "engine/base/internal_key.h"
#include "engine/base/lookup.h"
#include "engine/memtable/skiplist.h"

namespace shearpin {

class MemTable {
 public:
  // Makes ascending inserts cheap; one per writing thread and memtable. Optional.
  using Hint = SkipList::Hint;

  MemTable() : list_(&arena_) {}

  // Copies key and value (for kDelete the value is empty). False, and nothing is changed, if the
  // very same (key, sequence, type) is there already. User keys are at most 4 GiB - 9 bytes.
  [[nodiscard]] bool Add(SequenceNumber sequence, ValueType type, std::string_view key,
                         std::string_view value, Hint* hint = nullptr);

  // The newest version of `user_key` with a sequence at or below `sequence`. The value's view
  // lives as long as the memtable.
  Lookup Get(std::string_view user_key, SequenceNumber sequence) const;

  std::unique_ptr<InternalIterator> NewIterator() const;

  // Bytes of nodes, keys and values, to be compared with Options::write_buffer_size.
  size_t ApproximateBytes() const { return arena_.AllocatedBytes(); }
  // Bytes taken from the system, for a memory budget.
  size_t MemoryUsage() const { return arena_.MemoryUsage(); }

  uint64_t num_entries() const { return num_entries_.load(std::memory_order_relaxed); }
  bool empty() const { return num_entries() == 0; }
  // Of all entries; kMaxSequence and 0 while empty.
  SequenceNumber smallest_sequence() const {
    return smallest_sequence_.load(std::memory_order_relaxed);
  }
  SequenceNumber largest_sequence() const {
    return largest_sequence_.load(std::memory_order_relaxed);
  }

 private:
  Arena arena_;
  SkipList list_;
  std::atomic<uint64_t> num_entries_{0};
  std::atomic<SequenceNumber> smallest_sequence_{kMaxSequence};
  std::atomic<SequenceNumber> largest_sequence_{0};
};

}  // namespace shearpin
