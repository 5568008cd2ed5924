#include "engine/compaction/range_tombstone_cutter.h"

#include <algorithm>
#include <utility>

namespace shearpin {

RangeTombstoneCutter::RangeTombstoneCutter(
    const RangeTombstones& tombstones, const std::vector<SequenceNumber>& snapshots,
    const std::function<bool(std::string_view begin, std::string_view end)>& covered_below) {
  for (const RangeTombstones::Fragment& fragment : tombstones.fragments()) {
    RangeTombstones::Fragment kept{fragment.begin, fragment.end, {}};
    std::optional<SequenceNumber> last_stripe;
    for (const SequenceNumber sequence : fragment.sequences) {
      // The oldest snapshot that sees it; kMaxSequence if only the newest state does.
      const auto oldest = std::lower_bound(snapshots.begin(), snapshots.end(), sequence);
      const SequenceNumber stripe = oldest == snapshots.end() ? kMaxSequence : *oldest;
      if (stripe == last_stripe) continue;
      last_stripe = stripe;
      if (oldest == snapshots.begin() && !covered_below(fragment.begin, fragment.end)) continue;
      kept.sequences.push_back(sequence);
    }
    dropped_ += fragment.sequences.size() - kept.sequences.size();
    if (kept.sequences.empty()) continue;
    // What was cut apart by tombstones that are gone now is whole again.
    if (!kept_.empty() && kept_.back().end == kept.begin &&
        kept_.back().sequences == kept.sequences) {
      kept_.back().end = std::move(kept.end);
    } else {
      kept_.push_back(std::move(kept));
    }
  }
}

std::vector<RangeTombstones::Fragment> RangeTombstoneCutter::TakeBefore(
    std::optional<std::string_view> key) {
  std::vector<RangeTombstones::Fragment> taken;
  for (; next_ < kept_.size(); ++next_) {
    RangeTombstones::Fragment& fragment = kept_[next_];
    if (key && fragment.end > *key) {
      if (fragment.begin < *key) {
        taken.push_back({fragment.begin, std::string(*key), fragment.sequences});
        fragment.begin = *key;
      }
      break;
    }
    taken.push_back(std::move(fragment));
  }
  return taken;
}

}  // namespace shearpin
