#include "engine/sst/block_compression.h"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/coding.h"

namespace shearpin {
namespace {

// zstd's own default: beyond it, time grows faster than what is saved.
constexpr int kZstdLevel = 3;

// The most that one byte of input can become: a byte of an lz4 length adds 255 bytes to a match;
// a zstd block of 4 bytes repeats one byte 128 Ki times. Lower claims are not believed either, but
// these would make a reader take memory for nothing.
constexpr uint64_t kMostPerByteLz4 = 255;
constexpr uint64_t kMostPerByteZstd = (uint64_t{128} << 10) / 4;

}  // namespace

BlockCompressor::BlockCompressor(Compression compression) : compression_(compression) {}

BlockCompressor::~BlockCompressor() { ZSTD_freeCCtx(zstd_); }

bool BlockCompressor::Compress(std::string_view raw, std::string* stored) {
  if (compression_ == Compression::kNone || raw.size() > kMaxCompressibleBlock) return false;
  stored->clear();
  AppendVarint32(stored, static_cast<uint32_t>(raw.size()));
  const size_t header = stored->size();
  const size_t most = raw.size() - raw.size() / 8;
  if (most <= header) return false;
  // No more room than a useful result needs: both give up early then.
  stored->resize(most);
  size_t size = 0;
  if (compression_ == Compression::kLz4) {
    size = static_cast<size_t>(LZ4_compress_default(raw.data(), stored->data() + header,
                                                    static_cast<int>(raw.size()),
                                                    static_cast<int>(most - header)));
  } else {
    if (zstd_ == nullptr) zstd_ = ZSTD_createCCtx();
    SHEARPIN_CHECK(zstd_ != nullptr);
    size = ZSTD_compressCCtx(zstd_, stored->data() + header, most - header, raw.data(), raw.size(),
                             kZstdLevel);
    if (ZSTD_isError(size)) size = 0;
  }
  if (size == 0) return false;
  stored->resize(header + size);
  return true;
}

StatusOr<size_t> ClaimedRawSize(Compression compression, std::string_view stored) {
  uint32_t raw_size;
  if (!ConsumeVarint32(&stored, &raw_size)) return Status::Corruption("malformed raw size");
  const uint64_t per_byte = compression == Compression::kLz4 ? kMostPerByteLz4 : kMostPerByteZstd;
  if (raw_size > std::min<uint64_t>(kMaxCompressibleBlock, stored.size() * per_byte)) {
    return Status::Corruption("claims " + std::to_string(raw_size) + " bytes, of " +
                              std::to_string(stored.size()) + " compressed ones");
  }
  return size_t{raw_size};
}

Status Decompress(Compression compression, std::string_view stored, size_t raw_size, char* raw) {
  uint32_t claimed;
  SHEARPIN_CHECK(ConsumeVarint32(&stored, &claimed) && claimed == raw_size);
  bool whole = false;
  if (compression == Compression::kLz4) {
    const int size = LZ4_decompress_safe(stored.data(), raw, static_cast<int>(stored.size()),
                                         static_cast<int>(raw_size));
    whole = size >= 0 && static_cast<size_t>(size) == raw_size;
  } else {
    const size_t size = ZSTD_decompress(raw, raw_size, stored.data(), stored.size());
    whole = !ZSTD_isError(size) && size == raw_size;
  }
  if (whole) return Status::Ok();
  return Status::Corruption("does not decompress to the " + std::to_string(raw_size) +
                            " bytes it claims");
}

}  // namespace shearpin
