// Compression: how the data blocks of a table may be stored.
#pragma once

#include <cstdint>
#include <string_view>

namespace shearpin {

// The values stand in files.
enum class Compression : uint8_t {
  kNone = 0,
  kLz4 = 1,   // fast both ways
  kZstd = 2,  // smaller, slower both ways
};

// "none", "lz4", "zstd".
std::string_view CompressionName(Compression compression);

}  // namespace shearpin
