#include "engine/base/range_tombstones.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace shearpin {

SequenceNumber RangeTombstones::Fragment::NewestAt(SequenceNumber sequence) const {
  const auto newest =
      std::lower_bound(sequences.begin(), sequences.end(), sequence, std::greater<>());
  return newest == sequences.end() ? 0 : *newest;
}

// A sweep over all ends in order: between two neighbours, the tombstones that have begun and not
// ended make up one fragment.
RangeTombstones::RangeTombstones(std::vector<RangeTombstone> tombstones) {
  struct Edge {
    std::string_view key;
    SequenceNumber sequence;
    bool begins;
  };
  std::vector<Edge> edges;
  edges.reserve(tombstones.size() * 2);
  for (const RangeTombstone& tombstone : tombstones) {
    edges.push_back({tombstone.begin, tombstone.sequence, true});
    edges.push_back({tombstone.end, tombstone.sequence, false});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.key < b.key; });
  std::multiset<SequenceNumber, std::greater<>> open;
  for (size_t i = 0; i < edges.size();) {
    const std::string_view key = edges[i].key;
    for (; i < edges.size() && edges[i].key == key; ++i) {
      if (edges[i].begins) open.insert(edges[i].sequence);
    }
    // After what begins here, so that each end finds its begin.
    for (size_t j = i; j-- > 0 && edges[j].key == key;) {
      if (!edges[j].begins) open.erase(open.find(edges[j].sequence));
    }
    if (open.empty()) continue;
    Fragment& fragment = fragments_.emplace_back();
    fragment.begin = key;
    fragment.end = edges[i].key;  // what is open ends later
    fragment.sequences.assign(open.begin(), open.end());
    fragment.sequences.erase(std::unique(fragment.sequences.begin(), fragment.sequences.end()),
                             fragment.sequences.end());
  }
  IndexEnds();
}

RangeTombstones RangeTombstones::FromFragments(std::vector<Fragment> fragments) {
  RangeTombstones tombstones;
  tombstones.fragments_ = std::move(fragments);
  tombstones.IndexEnds();
  return tombstones;
}

// A search stays within a cache line or two, instead of following each end to where it stands.
void RangeTombstones::IndexEnds() {
  end_prefixes_.reserve(fragments_.size());
  for (const Fragment& fragment : fragments_) end_prefixes_.push_back(KeyPrefix(fragment.end));
}

size_t RangeTombstones::Find(std::string_view key) const {
  const uint64_t wanted = KeyPrefix(key);
  const auto first = std::lower_bound(end_prefixes_.begin(), end_prefixes_.end(), wanted);
  const auto last = std::find_if(first, end_prefixes_.end(),
                                 [wanted](uint64_t prefix) { return prefix != wanted; });
  if (first == last) return static_cast<size_t>(first - end_prefixes_.begin());
  // Only ends with the key's prefix are compared.
  const auto found = std::partition_point(
      fragments_.begin() + (first - end_prefixes_.begin()),
      fragments_.begin() + (last - end_prefixes_.begin()),
      [&](const Fragment& fragment) { return CompareBytes(fragment.end, key) <= 0; });
  return static_cast<size_t>(found - fragments_.begin());
}

SequenceNumber RangeTombstones::CoverOf(std::string_view key, SequenceNumber sequence) const {
  if (fragments_.empty()) return 0;
  const size_t i = Find(key);
  if (i == fragments_.size() || CompareBytes(fragments_[i].begin, key) > 0) return 0;
  return fragments_[i].NewestAt(sequence);
}

SequenceNumber RangeTombstones::CoverOf(std::string_view key, SequenceNumber sequence,
                                        KeySpan* span) const {
  if (fragments_.empty()) return 0;
  const size_t i = Find(key);
  if (i < fragments_.size() && CompareBytes(fragments_[i].begin, key) <= 0) {
    span->RaiseBegin(fragments_[i].begin);
    span->LowerEnd(fragments_[i].end);
    return fragments_[i].NewestAt(sequence);
  }
  if (i > 0) span->RaiseBegin(fragments_[i - 1].end);
  if (i < fragments_.size()) span->LowerEnd(fragments_[i].begin);
  return 0;
}

void RangeTombstones::AppendTo(std::vector<RangeTombstone>* tombstones) const {
  for (const Fragment& fragment : fragments_) {
    for (const SequenceNumber sequence : fragment.sequences) {
      tombstones->push_back({fragment.begin, fragment.end, sequence});
    }
  }
}

uint64_t RangeTombstones::count() const {
  uint64_t count = 0;
  for (const Fragment& fragment : fragments_) count += fragment.sequences.size();
  return count;
}

size_t RangeTombstones::MemoryUsage() const {
  size_t bytes = sizeof(*this) + end_prefixes_.size() * sizeof(uint64_t);
  for (const Fragment& fragment : fragments_) {
    bytes += sizeof fragment + fragment.begin.size() + fragment.end.size() +
             fragment.sequences.size() * sizeof(SequenceNumber);
  }
  return bytes;
}

void WidenBounds(const std::vector<RangeTombstones::Fragment>& fragments, std::string* smallest,
                 std::string* largest) {
  if (fragments.empty()) return;
  std::string bound;
  AppendInternalKey(&bound, fragments.front().begin, fragments.front().sequences.front(),
                    ValueType::kRangeDelete);
  if (smallest->empty() || CompareInternalKeys(bound, *smallest) < 0) *smallest = bound;
  bound.clear();
  AppendInternalKey(&bound, fragments.back().end, kMaxSequence, ValueType::kRangeDelete);
  if (largest->empty() || CompareInternalKeys(bound, *largest) > 0) *largest = bound;
}

}  // namespace shearpin
