// Range deletes, for iterators: RangeDeletes is what all sources of a read state know of deleted
// ranges, as one; RangeDeleteFilter hides from one source the entries that these ranges delete.
//
// Filtering beneath the merge keeps it and the user's iterator free of ranges: each source stays
// a sorted sequence that can be walked both ways, only shorter. A source whose entries are all
// older than a range is moved past it in one seek.
#pragma once

#include <memory>

#include "engine/base/internal_iterator.h"
#include "engine/base/range_tombstones.h"
#include "engine/db/read_state.h"

namespace shearpin {

// Thread safety: that of the iterator it belongs to. Ownership: `state` outlives it and what it
// returns.
class RangeDeletes {
 public:
  // What is known of a span of keys: the newest range tombstone over all of it, or 0.
  struct Cover {
    KeySpan span;
    SequenceNumber newest = 0;
  };

  // As a reader of `state` at `sequence` sees them.
  RangeDeletes(const ReadState* state, SequenceNumber sequence)
      : state_(state), sequence_(sequence) {}

  // False if there is no range tombstone anywhere.
  bool any() const;

  // What is known of the widest span around the key in which it is the same. An error if a table
  // that may know of a tombstone cannot be read.
  Status CoverOf(std::string_view key, Cover* cover);

 private:
  const ReadState* const state_;
  const SequenceNumber sequence_;
  // What was found last. The sources of a merge walk side by side: what one of them has just asked
  // for, the next one is about to.
  bool known_ = false;
  Cover latest_;
};

// Without the entries of `input` that are older than a range tombstone over their key.
// `largest_sequence`: of the input's entries that the reader sees. Thread safety: as any iterator.
// Ownership: owns `input`; `deletes` outlives it.
std::unique_ptr<InternalIterator> NewRangeDeleteFilter(std::unique_ptr<InternalIterator> input,
                                                       SequenceNumber largest_sequence,
                                                       RangeDeletes* deletes);

}  // namespace shearpin
