// MemTable: the newest writes, sorted, in memory.
//
// Thread safety: Add, Get, iterators and the counters may be used from many threads at once,
// without locks; AddRange too, but by one thread at a time. What was added becomes visible to a
// reader by its sequence number: the database publishes a sequence only after all of its entries
// were added. Ownership: the owner keeps it alive while iterators and values of Get are in use.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/arena.h"
#include "engine/base/internal_iterator.h"
#include "engine/base/internal_key.h"
#include "engine/base/lookup.h"
#include "engine/base/range_tombstones.h"
#include "engine/memtable/memtable_filter.h"
#include "engine/memtable/skiplist.h"

namespace shearpin {

class MemTable {
 public:
  // Makes ascending inserts cheap; one per writing thread and memtable. Optional.
  using Hint = SkipList::Hint;

  // `expected_bytes`: what it will hold, for the size of its filter.
  explicit MemTable(size_t expected_bytes = kSmall) : list_(&arena_), filter_(expected_bytes) {}

  // Copies key and value (for kDelete the value is empty). False, and nothing is changed, if the
  // very same (key, sequence, type) is there already. User keys are at most 4 GiB - 9 bytes.
  [[nodiscard]] bool Add(SequenceNumber sequence, ValueType type, std::string_view key,
                         std::string_view value, Hint* hint = nullptr);

  // Deletes [begin, end), which is not empty, as of `sequence`. Copies the keys.
  void AddRange(SequenceNumber sequence, std::string_view begin, std::string_view end);

  // The newest version of `user_key` with a sequence at or below `sequence`, be it a point or a
  // range. The value's view lives as long as the memtable.
  Lookup Get(std::string_view user_key, SequenceNumber sequence) const {
    return Get(user_key, KeyHash(user_key), sequence);
  }
  // For who has the key's hash already.
  Lookup Get(std::string_view user_key, KeyHash hash, SequenceNumber sequence) const;

  // Over the points; ranges are not applied to them.
  std::unique_ptr<InternalIterator> NewIterator() const;

  // As RangeTombstones::CoverOf; the span's ends live as long as the memtable.
  SequenceNumber CoverOf(std::string_view key, SequenceNumber sequence, KeySpan* span) const;
  // All ranges, perhaps in fragments; views that live as long as the memtable.
  std::vector<RangeTombstone> AllRanges() const;
  bool has_ranges() const { return ranges_.load(std::memory_order_acquire) != nullptr; }

  // Bytes of nodes, keys and values, to be compared with Options::write_buffer_size.
  size_t ApproximateBytes() const {
    return arena_.AllocatedBytes() + range_bytes_.load(std::memory_order_relaxed);
  }
  // Bytes taken from the system, for a memory budget.
  size_t MemoryUsage() const {
    return arena_.MemoryUsage() + filter_.MemoryUsage() +
           range_bytes_.load(std::memory_order_relaxed);
  }

  // Points only.
  uint64_t num_entries() const { return num_entries_.load(std::memory_order_relaxed); }
  bool empty() const { return num_entries() == 0 && !has_ranges(); }
  // Of all points and ranges; kMaxSequence and 0 while empty.
  SequenceNumber smallest_sequence() const {
    return smallest_sequence_.load(std::memory_order_relaxed);
  }
  SequenceNumber largest_sequence() const {
    return largest_sequence_.load(std::memory_order_relaxed);
  }

 private:
  // Each covers a run of the ranges, in the order of their arrival. As in a binary counter a new
  // run is merged with those before it that are no longer than it is, so that a range is
  // fragmented again and again only O(log n) times, and a reader asks O(log n) runs.
  struct Run {
    const RangeTombstones* tombstones;
    size_t count;
  };
  using Runs = std::vector<Run>;
  static constexpr size_t kSmall = size_t{64} << 10;

  void NoteSequence(SequenceNumber sequence);

  Arena arena_;
  SkipList list_;
  MemTableFilter filter_;  // of the user keys in list_
  std::atomic<uint64_t> num_entries_{0};
  std::atomic<SequenceNumber> smallest_sequence_{kMaxSequence};
  std::atomic<SequenceNumber> largest_sequence_{0};

  std::atomic<const Runs*> ranges_{nullptr};  // null: none; what it ever pointed to stays
  std::atomic<size_t> range_bytes_{0};
  // The writer's: what ranges_ and those before it are made of.
  std::deque<std::pair<std::string, std::string>> range_ends_;
  std::vector<RangeTombstone> all_ranges_;
  std::vector<std::unique_ptr<const RangeTombstones>> run_storage_;
  std::vector<std::unique_ptr<const Runs>> runs_storage_;
};

}  // namespace shearpin
