// Bloom filter over user keys, in lines of one cache line each: a probe touches one of them.
//
// A key's hash (KeyHash: XXH3-64, seed 0) chooses a line by its upper 32 bits and bits in the line
// by its lower 32. The block: lines of 64 bytes, then u32 count of lines, u8 probes, 3 bytes of
// zero. Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters"; the
// choice of bits by repeated multiplication as in RocksDB's FastLocalBloom.
//
// Thread safety: a filter that was decoded is immutable. Errors: nothing decoded is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/hash.h"
#include "engine/status.h"

namespace shearpin {

// Name in the metaindex.
constexpr std::string_view kBloomFilterName = "shearpin.filter.bloom";

class BloomFilterBuilder {
 public:
  // At least 1.
  explicit BloomFilterBuilder(int bits_per_key) : bits_per_key_(bits_per_key) {}

  // Versions of one key that follow each other count once.
  void Add(std::string_view user_key);
  bool empty() const { return hashes_.empty(); }
  size_t MemoryUsage() const { return hashes_.capacity() * sizeof(uint64_t); }

  // Bytes of the block if it were finished now.
  size_t EstimatedSize() const;
  // The bytes of the block, without trailer.
  std::string Finish() const;

 private:
  size_t Lines() const;
  const int bits_per_key_;
  std::vector<uint64_t> hashes_;
};

class BloomFilter {
 public:
  // A filter that knows nothing.
  BloomFilter() = default;

  // Copies the block's lines to where each is one cache line.
  static StatusOr<BloomFilter> Decode(std::string_view block);

  // False only if no key of that hash was added.
  bool MayContain(KeyHash hash) const;

  bool exists() const { return lines_ != 0; }
  size_t MemoryUsage() const { return lines_ * sizeof(Line); }

 private:
  struct alignas(64) Line {
    uint64_t words[8];
  };
  uint32_t lines_ = 0;
  int probes_ = 0;
  std::unique_ptr<Line[]> bits_;
};

}  // namespace shearpin
