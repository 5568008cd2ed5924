// CompactionIterator: of a sorted merge, what a reader can still see.
//
// Laws (compaction_iterator_test.cc states them as properties)
//   C1  For every snapshot, and for the newest state, a read of what is yielded on top of the
//       deeper levels answers as a read of the input would, except for what the filter drops.
//   C2  Of the versions of a key between two neighbouring snapshots only the newest is kept.
//   C3  A tombstone goes only where no deeper level may hold the key and no snapshot is older.
// A range tombstone of the inputs counts as a newer version of every key that it covers. The range
// tombstones themselves go through RangeTombstoneCutter (range_tombstone_cutter.h).
//
// Thread safety: one thread at a time. Ownership: owns nothing; all arguments outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/internal_iterator.h"
#include "engine/base/internal_key.h"
#include "engine/base/range_tombstones.h"
#include "engine/compaction_filter.h"

namespace shearpin {

class CompactionIterator {
 public:
  struct Context {
    std::vector<SequenceNumber> snapshots;  // ascending
    // True if a level below the output may hold the key.
    std::function<bool(std::string_view user_key)> covered_below;
    const CompactionFilter* filter = nullptr;  // may be null
    // Of all inputs; may be null: there are none.
    const RangeTombstones* range_deletes = nullptr;
  };

  CompactionIterator(InternalIterator* input, Context context);

  // The walk is forward only.
  void SeekToFirst();
  void Next();
  bool Valid() const { return valid_; }
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  const Status& status() const { return input_->status(); }

  uint64_t dropped_versions() const { return dropped_versions_; }
  uint64_t dropped_tombstones() const { return dropped_tombstones_; }
  uint64_t filtered() const { return filtered_; }
  // Versions that a range tombstone hides.
  uint64_t covered() const { return covered_; }

 private:
  // The oldest snapshot that sees `sequence`; kMaxSequence if only the newest state does.
  SequenceNumber StripeOf(SequenceNumber sequence) const;
  // True if whoever sees this version of the key sees a newer range tombstone over it.
  bool IsCovered(std::string_view user_key, SequenceNumber sequence, SequenceNumber stripe);
  void FindNext();

  InternalIterator* const input_;
  const Context context_;
  bool valid_ = false;
  std::string key_;         // internal
  std::string_view value_;  // in input_, which stands at the entry shown
  bool has_last_ = false;   // the following describe the last entry looked at
  std::string last_user_key_;
  SequenceNumber last_stripe_ = 0;
  uint64_t dropped_versions_ = 0;
  uint64_t dropped_tombstones_ = 0;
  uint64_t filtered_ = 0;
  uint64_t covered_ = 0;
  size_t fragment_ = 0;  // of range_deletes, the first that ends behind the last key looked at
};

}  // namespace shearpin
