// Compressed blocks: varint32 raw size, then what lz4 (block format) or zstd (one frame) made.
//
// Thread safety: a BlockCompressor is used by one thread at a time; the functions by any.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/compression.h"
#include "engine/status.h"

struct ZSTD_CCtx_s;

namespace shearpin {

// Larger blocks are stored raw, so that a reader knows what to refuse.
constexpr size_t kMaxCompressibleBlock = size_t{64} << 20;

class BlockCompressor {
 public:
  explicit BlockCompressor(Compression compression);
  ~BlockCompressor();
  BlockCompressor(const BlockCompressor&) = delete;
  BlockCompressor& operator=(const BlockCompressor&) = delete;

  // Replaces `*stored`. False if that would save less than an eighth: then the block is better
  // stored as it is, and `*stored` is left with unspecified bytes.
  bool Compress(std::string_view raw, std::string* stored);

 private:
  const Compression compression_;
  ZSTD_CCtx_s* zstd_ = nullptr;  // made at the first use: it is large
};

// The raw size that a compressed block claims, if a block of this size can hold that much;
// Corruption otherwise. What it claims is still a claim.
StatusOr<size_t> ClaimedRawSize(Compression compression, std::string_view stored);

// Writes exactly `raw_size` bytes, as claimed, to `raw`. Corruption if the bytes do not give them.
Status Decompress(Compression compression, std::string_view stored, size_t raw_size, char* raw);

}  // namespace shearpin
