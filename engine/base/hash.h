// Checksums and mixing. XXH3-64 is the one checksum of every format here.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace shearpin {

inline uint64_t Checksum(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// The hash of a user key for the filters of memtables and tables, so that a reader who asks several
// of them hashes once.
struct KeyHash {
  explicit KeyHash(std::string_view user_key) : value(Checksum(user_key, 0)) {}
  uint64_t value;
};

// Checksum of bytes that come piece by piece; equals Checksum(all of them, seed 0).
class ChecksumStream {
 public:
  ChecksumStream() { XXH3_64bits_reset(&state_); }

  void Update(std::string_view bytes) { XXH3_64bits_update(&state_, bytes.data(), bytes.size()); }
  uint64_t Digest() const { return XXH3_64bits_digest(&state_); }

 private:
  XXH3_state_t state_;
};

// A bijection in which every input bit reaches every output bit (the finaliser of SplitMix64).
constexpr uint64_t Mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace shearpin
