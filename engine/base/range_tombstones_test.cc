// Goal: fragments say of each key exactly what the tombstones they were made of say, at every
// sequence number; spans are right; bounds hold everything and exclude the end.
// Method: RapidCheck, against a look through all tombstones; keys are short, so that ends collide,
// or share their first eight bytes.
#include "engine/base/range_tombstones.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace shearpin {
namespace {

struct Owned {
  std::string begin;
  std::string end;
  SequenceNumber sequence;
};

std::string AnyKey() {
  std::string key = *rc::gen::element<std::string>("", "abababab");
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) key += "ab\xff"[*rc::gen::inRange(0, 3)];
  return key;
}

std::vector<Owned> AnyTombstones() {
  std::vector<Owned> all;
  const int count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    std::string a = AnyKey(), b = AnyKey();
    if (a == b) continue;
    if (a > b) std::swap(a, b);
    all.push_back({a, b, static_cast<SequenceNumber>(*rc::gen::inRange(1, 20))});
  }
  return all;
}

RangeTombstones Fragmented(const std::vector<Owned>& all) {
  std::vector<RangeTombstone> views;
  for (const Owned& each : all) views.push_back({each.begin, each.end, each.sequence});
  return RangeTombstones(views);
}

SequenceNumber Expected(const std::vector<Owned>& all, const std::string& key,
                        SequenceNumber sequence) {
  SequenceNumber newest = 0;
  for (const Owned& each : all) {
    if (each.begin <= key && key < each.end && each.sequence <= sequence) {
      newest = std::max(newest, each.sequence);
    }
  }
  return newest;
}

RC_GTEST_PROP(RangeTombstones, CoverAsTheTombstonesTheyWereMadeOf, ()) {
  const auto all = AnyTombstones();
  const RangeTombstones tombstones = Fragmented(all);
  for (int i = 0; i < 20; ++i) {
    const std::string key = AnyKey();
    const auto sequence = static_cast<SequenceNumber>(*rc::gen::inRange(0, 21));
    const SequenceNumber expected = Expected(all, key, sequence);
    RC_ASSERT(tombstones.CoverOf(key, sequence) == expected);
    KeySpan span;
    RC_ASSERT(tombstones.CoverOf(key, sequence, &span) == expected);
    RC_ASSERT(span.Contains(key));
    const std::string other = AnyKey();
    if (span.Contains(other)) RC_ASSERT(Expected(all, other, sequence) == expected);
  }
}

RC_GTEST_PROP(RangeTombstones, FragmentsAscendAndComeBackTheSame, ()) {
  const RangeTombstones tombstones = Fragmented(AnyTombstones());
  const auto& fragments = tombstones.fragments();
  for (size_t i = 0; i < fragments.size(); ++i) {
    RC_ASSERT(fragments[i].begin < fragments[i].end);
    RC_ASSERT((i == 0 || fragments[i - 1].end <= fragments[i].begin));
    RC_ASSERT(!fragments[i].sequences.empty());
  }
  std::vector<RangeTombstone> again;
  tombstones.AppendTo(&again);
  RC_ASSERT(again.size() == tombstones.count());
  RC_ASSERT(RangeTombstones(again).fragments() == fragments);
}

RC_GTEST_PROP(RangeTombstones, BoundsHoldThemAndExcludeTheirEnd, ()) {
  auto all = AnyTombstones();
  all.push_back({"a", "b", 7});  // never empty
  const RangeTombstones tombstones = Fragmented(all);
  std::string smallest, largest;
  WidenBounds(tombstones.fragments(), &smallest, &largest);
  RC_ASSERT(UserKey(smallest) == tombstones.fragments().front().begin);
  const std::string& end = tombstones.fragments().back().end;
  RC_ASSERT(UserKey(largest) == end);
  RC_ASSERT(EndsBefore(largest, end));
  RC_ASSERT(!EndsBefore(largest, tombstones.fragments().back().begin));
  // Every version of the end sorts behind the bound.
  std::string version;
  AppendInternalKey(&version, end, kMaxSequence, ValueType::kValue);
  RC_ASSERT(CompareInternalKeys(largest, version) < 0);
  // A point at the end is within, once it is there.
  std::string with_point = version;
  std::string low = smallest;
  WidenBounds(tombstones.fragments(), &low, &with_point);
  RC_ASSERT(with_point == version);
  RC_ASSERT(!EndsBefore(with_point, end));
}

}  // namespace
}  // namespace shearpin
