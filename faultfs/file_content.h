// Page and FileContent: the bytes of one file, copy-on-write in 4 KiB blocks.
//
// Thread safety: none; see ref.h. Units: offsets and sizes in bytes, blocks of kBlockSize.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "faultfs/ref.h"

namespace shearpin::faultfs {

inline constexpr uint32_t kBlockSize = 4096;
inline constexpr uint32_t kSectorSize = 512;
inline constexpr uint32_t kSectorsPerBlock = kBlockSize / kSectorSize;

// Mixes two hashes; the order matters.
inline uint64_t CombineHashes(uint64_t a, uint64_t b) {
  uint64_t x = (a ^ 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd + b;
  x = (x ^ (x >> 32)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 29);
}

// How many blocks `size` bytes take.
inline uint32_t BlocksFor(uint64_t size) {
  return static_cast<uint32_t>((size + kBlockSize - 1) / kBlockSize);
}

// One block. Bytes from `used` on are zeros and are not stored. Immutable while shared.
struct Page {
  uint32_t refs = 0;
  uint32_t used = 0;
  mutable bool hash_known = false;
  mutable uint64_t hash = 0;
  char bytes[kBlockSize];  // initialised up to `used`

  Page() {}  // NOLINT: not `= default`, which would clear `bytes` at every allocation

  std::string_view stored() const { return {bytes, used}; }
  // XXH3-64 of the bytes up to the last non-zero one; 0 if there is none.
  uint64_t Hash() const;
};

struct Block {
  Ref<Page> page;  // null: zeros
  // A preallocated extent that no write was converted for: reads as zeros whatever `page` is.
  bool unwritten = false;
  // Not what was written there, though nobody was told: until it is written over.
  bool damaged = false;
};

// A file's size and blocks. The functions that change it want it exclusive (or fresh).
struct FileContent {
  uint32_t refs = 0;
  uint64_t size = 0;
  std::vector<Block> blocks;  // may end before or, until Trim, after `size`

  uint64_t Hash() const;

  // Copies up to n bytes at `offset` to `to`; returns how many lie before the end.
  size_t Read(uint64_t offset, size_t n, char* to) const;

  // Overwrites bytes within one block; the size stays.
  void Write(uint32_t block, uint32_t offset, std::string_view data);
  // The block's page for writing up to `end`: unshared, zero-filled to there.
  Page* MutablePage(uint32_t block, uint32_t end);
  // Sets the size and drops or zeros what lies beyond it.
  void Truncate(uint64_t new_size);
  // Marks the blocks in [first, end) that hold nothing as unwritten extents.
  void Allocate(uint32_t first, uint32_t end);
  void Convert(uint32_t block);

  // Whether the blocks hold anything that a reader of a fresh machine would not see: bytes beyond
  // the size, or data in unwritten extents.
  bool NeedsTrim() const;
  void Trim();

  // A copy that shares the pages.
  Ref<FileContent> Clone() const;

  mutable bool hash_known = false;
  mutable uint64_t hash = 0;
  bool hidden_data = false;  // some unwritten block has a page
};

}  // namespace shearpin::faultfs
