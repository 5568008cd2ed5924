#include "model/state_hash.h"

#include <cstddef>
#include <cstring>

namespace shearpin::model {
namespace {

// Odd constants with well mixed bits (of pi's expansion).
constexpr uint64_t kStep = 0x9216d5d98979fb1b;
constexpr uint64_t kSeed = 0x243f6a8885a308d3;

// High and low half of a 128-bit product, folded: each input bit reaches most output bits.
uint64_t Fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t HashBytes(std::string_view bytes, uint64_t hash) {
  hash ^= bytes.size() * kStep;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = Fold(hash ^ word, kStep) + kSeed;
  }
  uint64_t word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  return Fold(hash ^ word, kStep) + left;
}

}  // namespace

uint64_t PairHash(std::string_view key, std::string_view value) {
  const uint64_t hash = HashBytes(value, HashBytes(key, kSeed));
  return hash == 0 ? 1 : hash;
}

}  // namespace shearpin::model
