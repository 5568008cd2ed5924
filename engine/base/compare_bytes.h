// CompareBytes: the order of keys, as std::string_view::compare has it, without a call for short
// ones: a search compares keys of a few words some thousand times.
//
// Thread safety: pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace shearpin {

// Negative, zero, positive as a sorts before, with, after b, bytewise.
inline int CompareBytes(std::string_view a, std::string_view b) {
  static_assert(std::endian::native == std::endian::little);
  constexpr size_t kWord = sizeof(uint64_t);
  constexpr size_t kLong = 32;
  const size_t common = a.size() < b.size() ? a.size() : b.size();
  if (common < kWord || common > kLong) return a.compare(b);
  for (size_t at = 0;;) {
    uint64_t x, y;
    std::memcpy(&x, a.data() + at, kWord);
    std::memcpy(&y, b.data() + at, kWord);
    if (x != y) return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
    if (at + kWord == common) break;
    // The last word overlaps the one before it, whose bytes are known to be equal.
    at = at + 2 * kWord <= common ? at + kWord : common - kWord;
  }
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

// The first eight bytes, as a number: of two different ones the smaller belongs to the key that
// sorts first; equal ones tell nothing. Zeros stand for what a short key lacks.
inline uint64_t KeyPrefix(std::string_view bytes) {
  uint64_t word = 0;
  if (bytes.size() >= sizeof word) {
    std::memcpy(&word, bytes.data(), sizeof word);
  } else if (!bytes.empty()) {
    std::memcpy(&word, bytes.data(), bytes.size());
  }
  return __builtin_bswap64(word);
}

// The same bytes.
inline bool EqualBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CompareBytes(a, b) == 0;
}

}  // namespace shearpin
