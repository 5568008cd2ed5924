#include "engine/sst/block_search.h"

#include <xxhash.h>

#include <algorithm>

#include "engine/base/coding.h"
#include "engine/base/hash.h"

namespace shearpin {
namespace {

// What a block that is not damaged may be larger than the largest before it.
constexpr uint64_t kGrowth = 4;
constexpr uint64_t kLeastSearched = 8192;

bool IsBlockType(uint8_t type) {
  const auto kind = static_cast<BlockKind>(type >> 4);
  const auto compression = static_cast<Compression>(type & 15);
  if (kind == BlockKind::kData) return compression <= Compression::kZstd;
  return kind <= BlockKind::kRangeDelete && compression == Compression::kNone;
}

}  // namespace

std::optional<FoundBlock> BlockSearch::Find(uint64_t offset, uint64_t largest,
                                            uint64_t* tries) const {
  if (offset > file_.size() || file_.size() - offset < kBlockTrailerSize) return std::nullopt;
  const char* const p = file_.data() + offset;
  const uint64_t end = std::min(largest, file_.size() - offset - kBlockTrailerSize);
  // One stream over all lengths: a checksum of each anew would be quadratic.
  XXH3_state_t stream = {};
  XXH3_64bits_reset_withSeed(&stream, Mix64(file_id_ ^ Mix64(offset)));
  uint64_t streamed = 0;
  for (uint64_t size = 0; size <= end; ++size) {
    const auto type = static_cast<uint8_t>(p[size]);
    if (!IsBlockType(type)) continue;
    if (*tries == 0) return std::nullopt;
    --*tries;
    XXH3_64bits_update(&stream, p + streamed, size + 1 - streamed);
    streamed = size + 1;
    if (XXH3_64bits_digest(&stream) != LoadFixed64(p + size + 1)) continue;
    return FoundBlock{{offset, size}, static_cast<BlockKind>(type >> 4)};
  }
  return std::nullopt;
}

std::optional<FoundBlock> BlockSearch::At(uint64_t offset) {
  uint64_t unlimited = UINT64_MAX;
  const auto found = Find(offset, file_.size(), &unlimited);
  if (found) largest_seen_ = std::max(largest_seen_, found->handle.size);
  return found;
}

std::optional<FoundBlock> BlockSearch::After(uint64_t offset) {
  const uint64_t largest = std::max(kLeastSearched, kGrowth * largest_seen_);
  for (uint64_t at = offset + 1; at < file_.size() && tries_left_ > 0; ++at) {
    const auto found = Find(at, largest, &tries_left_);
    if (!found) continue;
    largest_seen_ = std::max(largest_seen_, found->handle.size);
    return found;
  }
  return std::nullopt;
}

}  // namespace shearpin
