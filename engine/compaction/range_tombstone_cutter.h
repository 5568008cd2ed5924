// RangeTombstoneCutter: the range tombstones that a merge keeps, handed out table by table.
//
// Keeps the laws of compaction_iterator.h for them: of the tombstones over a key between two
// neighbouring snapshots only the newest stays (C2), and one that no snapshot is older than goes
// where nothing beneath the merge overlaps it (C3): the merge itself has dropped what it hides.
//
// Tables are cut between user keys, and so are the tombstones, at the same key, with all their
// sequence numbers: the table before ends with the cut excluded, the one behind begins there.
//
// Thread safety: one thread at a time. Ownership: owns what it hands out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/range_tombstones.h"

namespace shearpin {

class RangeTombstoneCutter {
 public:
  // `snapshots` ascend. `covered_below`: as for CompactionIterator, but for [begin, end).
  RangeTombstoneCutter(
      const RangeTombstones& tombstones, const std::vector<SequenceNumber>& snapshots,
      const std::function<bool(std::string_view begin, std::string_view end)>& covered_below);

  // True if nothing is left to be handed out.
  bool empty() const { return next_ == kept_.size(); }

  // What is left before `key` (none: all that is left). Keys ascend from call to call.
  std::vector<RangeTombstones::Fragment> TakeBefore(std::optional<std::string_view> key);

  // Tombstones, by fragment and sequence, that the merge could do without.
  uint64_t dropped() const { return dropped_; }

 private:
  std::vector<RangeTombstones::Fragment> kept_;
  size_t next_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace shearpin
