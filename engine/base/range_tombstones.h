// RangeTombstones: which keys were deleted by ranges, and when.
//
// A range tombstone (begin, end, sequence) deletes every version of the keys in [begin, end) that
// is older than its sequence number. Tombstones overlap as they please; here they are cut into
// fragments, which do not, so that one binary search finds all that cover a key.
//
// In the bounds of a table (FileMeta) a range tombstone stands as an internal key of type
// kRangeDelete: (begin, sequence) at the low end, and (end, kMaxSequence) at the high end. That
// sorts before every version of `end`, so the end stays excluded.
//
// Thread safety: immutable once made, except for assignment. Ownership: copies the keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/internal_key.h"

namespace shearpin {

// A tombstone as it was written. Does not own its keys.
struct RangeTombstone {
  std::string_view begin;
  std::string_view end;  // excluded; greater than begin
  SequenceNumber sequence = 0;
};

// A stretch of keys, [begin, end), in which something is the same for all. Does not own its ends.
struct KeySpan {
  std::string_view begin;               // the empty key is the least
  std::optional<std::string_view> end;  // none: up to the last key

  bool EndsBehind(std::string_view key) const { return !end || CompareBytes(key, *end) < 0; }
  bool Contains(std::string_view key) const {
    return EndsBehind(key) && CompareBytes(key, begin) >= 0;
  }
  void RaiseBegin(std::string_view key) {
    if (CompareBytes(key, begin) > 0) begin = key;
  }
  void LowerEnd(std::string_view key) {
    if (EndsBehind(key)) end = key;
  }
};

class RangeTombstones {
 public:
  // The same tombstones cover all of it.
  struct Fragment {
    std::string begin;
    std::string end;
    std::vector<SequenceNumber> sequences;  // descending, never empty

    // The newest at or below `sequence`, or 0.
    SequenceNumber NewestAt(SequenceNumber sequence) const;
    bool operator==(const Fragment&) const = default;
  };

  RangeTombstones() = default;
  // In any order, overlapping or not.
  explicit RangeTombstones(std::vector<RangeTombstone> tombstones);
  // Fragments as above: ascending, not overlapping.
  static RangeTombstones FromFragments(std::vector<Fragment> fragments);

  bool empty() const { return fragments_.empty(); }
  const std::vector<Fragment>& fragments() const { return fragments_; }

  // The sequence number of the newest tombstone over `key` that a reader at `sequence` sees; 0 if
  // there is none. The reader sees no version of the key that is older than that.
  SequenceNumber CoverOf(std::string_view key, SequenceNumber sequence) const;
  // The same; and narrows `*span`, which contains `key`, to where the answer is the same.
  SequenceNumber CoverOf(std::string_view key, SequenceNumber sequence, KeySpan* span) const;

  // As one tombstone for each fragment and sequence; views into this.
  void AppendTo(std::vector<RangeTombstone>* tombstones) const;

  // How many AppendTo would append, and roughly how many bytes all of this takes.
  uint64_t count() const;
  size_t MemoryUsage() const;

 private:
  void IndexEnds();
  // The first fragment that ends behind `key`.
  size_t Find(std::string_view key) const;

  std::vector<Fragment> fragments_;
  std::vector<uint64_t> end_prefixes_;  // KeyPrefix of each end
};

// Widens the bounds of a table, internal keys (empty: none yet), to hold the fragments too.
void WidenBounds(const std::vector<RangeTombstones::Fragment>& fragments, std::string* smallest,
                 std::string* largest);

// True if everything within a table whose largest bound is `largest` sorts before `user_key`.
inline bool EndsBefore(std::string_view largest, std::string_view user_key) {
  const int order = CompareBytes(UserKey(largest), user_key);
  return order < 0 || (order == 0 && TypeOf(largest) == ValueType::kRangeDelete);
}

}  // namespace shearpin
