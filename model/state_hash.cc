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

uint64_t Word(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Two lanes of 16 bytes: a verdict's cost is mostly this loop, and one chain of products would
// wait for itself.
uint64_t HashBytes(std::string_view bytes, uint64_t seed) {
  uint64_t hash = seed ^ (bytes.size() * kStep);
  const char* at = bytes.data();
  size_t left = bytes.size();
  if (left >= 32) {
    uint64_t other = hash + kSeed;
    for (; left >= 32; at += 32, left -= 32) {
      hash = Fold(Word(at) ^ kStep, Word(at + 8) ^ hash);
      other = Fold(Word(at + 16) ^ kSeed, Word(at + 24) ^ other);
    }
    hash += Fold(other, kStep);
  }
  for (; left >= 8; at += 8, left -= 8) hash = Fold(hash ^ Word(at), kStep) + kSeed;
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
