// A log's checksums made right, so that mutation reaches what stands behind them.
#pragma once

#include <xxhash.h>

#include <string>
#include <string_view>

#include "engine/base/coding.h"
#include "engine/wal/log_format.h"

namespace shearpin::fuzz {

// `file` with the checksums that its header and its records ask for. A log that is whole stays as
// it is.
inline std::string SealedLog(std::string_view file) {
  constexpr size_t kHeaderChecksum = 64;
  std::string log(file);
  if (log.size() < kLogHeaderSize) return log;
  const auto checksum = [&](size_t from, size_t size, uint64_t seed) {
    return XXH3_64bits_withSeed(log.data() + from, size, seed);
  };
  StoreFixed64(log.data() + kHeaderChecksum, checksum(0, kHeaderChecksum, 0));
  const uint64_t salt = LoadFixed64(log.data() + kLogSaltOffset);
  for (uint64_t at = kLogHeaderSize; at + kLogRecordHeaderSize <= log.size();) {
    const uint64_t length = LoadFixed32(log.data() + at + 8);
    const uint64_t end = at + kLogRecordHeaderSize + length;
    if (length == 0) {
      at = AlignLogSector(at + 1);
    } else if (end <= log.size()) {
      StoreFixed64(log.data() + at, checksum(at + 8, end - at - 8, LogRecordSeed(salt, at)));
      at = AlignLogOffset(end);
    } else {
      break;
    }
  }
  return log;
}

}  // namespace shearpin::fuzz
