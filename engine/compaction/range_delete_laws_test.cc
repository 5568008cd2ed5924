// Goal: the laws C1 to C3 of compaction_iterator.h hold with range tombstones among the inputs.
// Method: RapidCheck. Random points and tombstones, of which some lie in a level beneath the merge;
// random snapshots; random cuts between tables. Every read at every snapshot, and of the newest
// state, must be the same before and after; and what the laws let go must be gone.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/compaction/compaction_iterator.h"
#include "engine/compaction/range_tombstone_cutter.h"
#include "engine/memtable/memtable.h"

namespace shearpin {
namespace {

constexpr int kKeys = 8;

struct Change {
  ValueType type;
  std::string key;
  std::string end;  // of a range
  SequenceNumber sequence;
};

std::string Key(int i) { return std::string(1, static_cast<char>('a' + i)); }

// The newest version that a reader at `sequence` sees: 0 for none, or deleted.
SequenceNumber ReadAt(const std::vector<Change>& changes, const std::string& key,
                      SequenceNumber sequence) {
  SequenceNumber newest = 0;
  bool deleted = true;
  for (const Change& change : changes) {
    const bool touches = change.type == ValueType::kRangeDelete
                             ? key >= change.key && key < change.end
                             : key == change.key;
    if (!touches || change.sequence > sequence || change.sequence < newest) continue;
    newest = change.sequence;
    deleted = change.type != ValueType::kValue;
  }
  return deleted ? 0 : newest;
}

std::vector<Change> AnyChanges(SequenceNumber first, int most) {
  std::vector<Change> changes;
  const int count = *rc::gen::inRange(0, most);
  for (int i = 0; i < count; ++i) {
    Change change;
    change.type = *rc::gen::element(ValueType::kDelete, ValueType::kValue, ValueType::kValue,
                                    ValueType::kRangeDelete);
    const int at = *rc::gen::inRange(0, kKeys);
    change.key = Key(at);
    if (change.type == ValueType::kRangeDelete) change.end = Key(*rc::gen::inRange(at, kKeys) + 1);
    change.sequence = first + static_cast<SequenceNumber>(i);
    changes.push_back(std::move(change));
  }
  return changes;
}

bool Overlaps(const Change& change, const std::string& begin, const std::string& end) {
  if (change.type == ValueType::kRangeDelete) return change.key < end && begin < change.end;
  return change.key >= begin && change.key < end;
}

RC_GTEST_PROP(RangeDeleteLaws, ReadsStayTheSameAndNothingIsKeptInVain, ()) {
  const std::vector<Change> below = AnyChanges(1, 6);
  const std::vector<Change> inputs = AnyChanges(20, 30);
  std::set<SequenceNumber> drawn;
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    drawn.insert(static_cast<SequenceNumber>(*rc::gen::inRange(1, 52)));
  }
  const std::vector<SequenceNumber> snapshots(drawn.begin(), drawn.end());

  MemTable memtable;
  for (const Change& change : inputs) {
    if (change.type == ValueType::kRangeDelete) {
      memtable.AddRange(change.sequence, change.key, change.end);
    } else {
      RC_ASSERT(memtable.Add(change.sequence, change.type, change.key, {}));
    }
  }
  const auto covered = [&](std::string_view begin, std::string_view end) {
    return std::any_of(below.begin(), below.end(), [&](const Change& change) {
      return Overlaps(change, std::string(begin), std::string(end));
    });
  };
  const RangeTombstones deletes(memtable.AllRanges());
  RangeTombstoneCutter cutter(deletes, snapshots, covered);
  const auto all = memtable.NewIterator();
  CompactionIterator kept(
      all.get(),
      {.snapshots = snapshots,
       .covered_below = [&](std::string_view key) { return covered(key, std::string(key) + '\0'); },
       .filter = nullptr,
       .range_deletes = &deletes});

  std::vector<Change> after;
  std::string last;
  const auto take = [&](std::optional<std::string_view> cut) {
    std::string floor = last;
    for (const auto& fragment : cutter.TakeBefore(cut)) {
      RC_ASSERT((fragment.begin >= floor && fragment.begin < fragment.end));
      if (cut) RC_ASSERT(fragment.end <= *cut);
      floor = fragment.end;
      std::set<SequenceNumber> stripes;
      for (const SequenceNumber sequence : fragment.sequences) {
        const auto stripe = drawn.lower_bound(sequence);
        // C2, and C3.
        RC_ASSERT(stripes.insert(stripe == drawn.end() ? kMaxSequence : *stripe).second);
        if (stripe == drawn.begin()) {
          bool needed = false;
          for (int i = 0; i < kKeys; ++i) {
            needed |= covered(Key(i), Key(i) + '\0');
          }
          RC_ASSERT(needed);
        }
        after.push_back({ValueType::kRangeDelete, fragment.begin, fragment.end, sequence});
      }
    }
    if (cut) last = *cut;
  };
  std::string previous;
  for (kept.SeekToFirst(); kept.Valid(); kept.Next()) {
    const std::string key(UserKey(kept.key()));
    if (key != previous && *rc::gen::inRange(0, 3) == 0) take(key);
    previous = key;
    after.push_back({TypeOf(kept.key()), key, {}, SequenceOf(kept.key())});
  }
  take(std::nullopt);
  RC_ASSERT(cutter.empty());

  // C1.
  std::vector<Change> before = below;
  before.insert(before.end(), inputs.begin(), inputs.end());
  after.insert(after.end(), below.begin(), below.end());
  drawn.insert(kMaxSequence);
  for (const SequenceNumber sequence : drawn) {
    for (int i = 0; i < kKeys; ++i) {
      RC_ASSERT(ReadAt(after, Key(i), sequence) == ReadAt(before, Key(i), sequence));
    }
  }
  // Without snapshots, no point that a range of the inputs hides is left.
  if (snapshots.empty()) {
    for (const Change& change : after) {
      if (change.type == ValueType::kRangeDelete || change.sequence < 20) continue;
      RC_ASSERT(deletes.CoverOf(change.key, kMaxSequence) < change.sequence);
    }
  }
}

// The memtable's own reads, which the law above takes as they come.
RC_GTEST_PROP(RangeDeleteLaws, AMemtableReadsAsItsChangesSay, ()) {
  const std::vector<Change> changes = AnyChanges(1, 40);
  MemTable memtable;
  RC_ASSERT(memtable.empty());
  for (const Change& change : changes) {
    if (change.type == ValueType::kRangeDelete) {
      memtable.AddRange(change.sequence, change.key, change.end);
    } else {
      RC_ASSERT(memtable.Add(change.sequence, change.type, change.key, {}));
    }
    RC_ASSERT(memtable.largest_sequence() == change.sequence);
  }
  RC_ASSERT(memtable.empty() == changes.empty());
  for (SequenceNumber sequence = 0; sequence <= changes.size(); ++sequence) {
    for (int i = 0; i < kKeys; ++i) {
      const Lookup found = memtable.Get(Key(i), sequence);
      const SequenceNumber expected = ReadAt(changes, Key(i), sequence);
      RC_ASSERT((found.kind == Lookup::Kind::kValue ? found.sequence : 0) == expected);
    }
  }
}

}  // namespace
}  // namespace shearpin
