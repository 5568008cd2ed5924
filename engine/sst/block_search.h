// Finding blocks in the bytes of a table whose index is lost: by their checksums.
//
// A block's checksum covers its bytes and its type and is seeded with the file's id and the block's
// offset. So of all lengths that a block at an offset may have one validates, or none: that it was
// written there, into this file, needs no other witness.
//
// Thread safety: one thread at a time. Ownership: views the file's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/sst/format.h"

namespace shearpin {

struct FoundBlock {
  BlockHandle handle;
  BlockKind kind = BlockKind::kData;
};

class BlockSearch {
 public:
  // `file`: all of it, or what is left of it.
  BlockSearch(std::string_view file, uint64_t file_id) : file_(file), file_id_(file_id) {}

  // The block that begins at `offset`, of whatever length. Linear in that length.
  std::optional<FoundBlock> At(uint64_t offset);

  // The first block that begins behind `offset`, where none does. Tries every place and length, up
  // to a multiple of the largest block seen, and gives up when it has tried enough.
  std::optional<FoundBlock> After(uint64_t offset);

 private:
  std::optional<FoundBlock> Find(uint64_t offset, uint64_t largest, uint64_t* tries) const;

  const std::string_view file_;
  const uint64_t file_id_;
  uint64_t largest_seen_ = 0;
  uint64_t tries_left_ = 20'000'000;  // about a second
};

}  // namespace shearpin
