// Lookup: what one source (a memtable, a table) knows of a user key at a sequence number.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/internal_key.h"

namespace shearpin {

struct Lookup {
  enum class Kind : uint8_t {
    kAbsent,  // this source holds no version that old: ask the next older one
    // A tombstone, of the key or of a range: the answer is "not found", older sources must not be
    // asked.
    kDeleted,
    kValue,
  };
  Kind kind = Kind::kAbsent;
  // Of the version found; 0 for kAbsent.
  SequenceNumber sequence = 0;
  // For kValue. The source says how long the view lives.
  std::string_view value;
  // Of the table that answered; -1: a memtable did, or nobody.
  int level = -1;

  // Takes account of the newest range tombstone over the key in the same source, 0 for none.
  void HideBehind(SequenceNumber cover) {
    if (cover > sequence) *this = {Kind::kDeleted, cover, {}, -1};
  }

  // The entry (internal key, value) as an answer.
  static Lookup Of(std::string_view internal_key, std::string_view value) {
    return Of(Trailer(internal_key), value);
  }
  static Lookup Of(uint64_t trailer, std::string_view value) {
    const bool deleted = (trailer & 0xff) == static_cast<uint64_t>(ValueType::kDelete);
    return {deleted ? Kind::kDeleted : Kind::kValue, trailer >> 8,
            deleted ? std::string_view() : value, -1};
  }
};

}  // namespace shearpin
