// RestartIndex: finds a key among a block's restart points without looking into the block.
//
// Of each key it holds eight bytes, those behind what all of them begin with, as a number. A binary
// search over these stays within a few cache lines, where one over the block meets two that are far
// away at every step. Of an index block it knows the block handles besides. Made in memory when a
// table is opened; nothing of it is stored.
// Thread safety: immutable. Ownership: needs the block only while it is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sst/format.h"

namespace shearpin {

class RestartIndex {
 public:
  // Knows nothing.
  RestartIndex() = default;

  // Of a block of internal keys in which every entry is a restart point. Of any other it knows
  // nothing, nor of one that is damaged, empty or out of order.
  static RestartIndex Of(std::string_view block);

  bool exists() const { return !prefixes_.empty(); }
  size_t MemoryUsage() const {
    return prefixes_.capacity() * sizeof(uint64_t) + handles_.capacity() * sizeof(BlockHandle) +
           shared_.size();
  }

  // Requires exists(). Entries before `begin` sort before every version of the user key, those from
  // `end` on after it.
  struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
  };
  Range Find(std::string_view user_key) const;

  // True if the value of every entry is a block handle.
  bool has_handles() const { return !handles_.empty(); }
  const std::vector<BlockHandle>& handles() const { return handles_; }

 private:
  std::string shared_;
  std::vector<uint64_t> prefixes_;  // ascending
  std::vector<BlockHandle> handles_;
};

}  // namespace shearpin
