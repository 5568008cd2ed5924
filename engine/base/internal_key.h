// Internal keys: user key, then 8 bytes (sequence << 8 | type), little endian.
//
// Order: user keys ascending bytewise; for one user key, newer (higher sequence, then higher
// type) first. Source: LevelDB's dbformat.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/base/coding.h"
#include "engine/base/compare_bytes.h"

namespace shearpin {

using SequenceNumber = uint64_t;

// 56 bits: the type shares the word.
constexpr SequenceNumber kMaxSequence = (uint64_t{1} << 56) - 1;

enum class ValueType : uint8_t {
  kDelete = 0,
  kValue = 1,
  kRangeDelete = 2,  // in batches, range-delete blocks and bounds of tables; never among entries
};
// Seeking to (key, s, kSeekType) finds the newest entry of key with sequence <= s.
constexpr ValueType kSeekType = ValueType::kValue;

constexpr size_t kTrailerSize = 8;

constexpr uint64_t PackTrailer(SequenceNumber sequence, ValueType type) {
  return sequence << 8 | static_cast<uint64_t>(type);
}

inline void AppendInternalKey(std::string* to, std::string_view user_key, SequenceNumber sequence,
                              ValueType type) {
  to->append(user_key);
  AppendFixed64(to, PackTrailer(sequence, type));
}

// These require internal_key.size() >= kTrailerSize.
inline std::string_view UserKey(std::string_view internal_key) {
  return internal_key.substr(0, internal_key.size() - kTrailerSize);
}
inline uint64_t Trailer(std::string_view internal_key) {
  return LoadFixed64(internal_key.data() + internal_key.size() - kTrailerSize);
}
inline SequenceNumber SequenceOf(std::string_view internal_key) {
  return Trailer(internal_key) >> 8;
}
inline ValueType TypeOf(std::string_view internal_key) {
  return static_cast<ValueType>(Trailer(internal_key) & 0xff);
}

// True if the bytes can be the internal key of an entry: long enough, and a value or a tombstone.
// For bytes off a disk.
inline bool IsInternalKey(std::string_view bytes) {
  return bytes.size() >= kTrailerSize &&
         (Trailer(bytes) & 0xff) <= static_cast<uint64_t>(ValueType::kValue);
}

// Negative, zero, positive as a sorts before, with, after b.
inline int CompareInternalKeys(std::string_view a, std::string_view b) {
  const int order = CompareBytes(UserKey(a), UserKey(b));
  if (order != 0) return order;
  const uint64_t ta = Trailer(a), tb = Trailer(b);
  return ta > tb ? -1 : ta < tb ? 1 : 0;
}

}  // namespace shearpin
