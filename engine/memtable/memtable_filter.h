// MemTableFilter: says of most keys that a memtable does not hold them, by one word of memory,
// where a search in its list would wait for a dozen.
//
// A Bloom filter whose bits of one key lie in one word of 64, so that adding is one atomic
// operation and asking one load. It is made at the first Add, of zeros that the system gives page
// by page: an empty memtable pays nothing. Thread safety: all methods from many threads at once,
// without locks. What was added is seen by whoever asks after it (in the happens-before sense).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/hash.h"

namespace shearpin {

class MemTableFilter {
 public:
  // For a memtable of so many bytes: about 16 bits for an entry of 128.
  explicit MemTableFilter(size_t memtable_bytes);
  ~MemTableFilter();
  MemTableFilter(const MemTableFilter&) = delete;
  MemTableFilter& operator=(const MemTableFilter&) = delete;

  void Add(std::string_view user_key);
  // False only if no key of that hash was added.
  bool MayContain(KeyHash hash) const;

  size_t MemoryUsage() const {
    return words_.load(std::memory_order_relaxed) == nullptr ? 0 : count_ * sizeof(uint64_t);
  }

 private:
  using Word = std::atomic<uint64_t>;

  Word* Make();

  const size_t count_;
  std::atomic<Word*> words_{nullptr};
};

}  // namespace shearpin
