// Goal: an edit survives its encoding; the decoder rejects or decodes any bytes without harm; the
// edits of a state add up, and what contradicts it is refused.
// Method: RapidCheck over arbitrary edits and, on their encodings, every cut and flipped bit.
#include "engine/manifest/version_edit.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

#include "engine/base/coding.h"
#include "engine/manifest/manifest.h"

namespace shearpin {
namespace {

// An end of a range tombstone, as it stands in the bounds of a table.
std::string Bound(std::string_view key, SequenceNumber sequence) {
  std::string bound;
  AppendInternalKey(&bound, key, sequence, ValueType::kRangeDelete);
  return bound;
}

rc::Gen<FileMeta> AnyFile() {
  return rc::gen::exec([] {
    FileMeta file;
    file.number = *rc::gen::inRange<uint64_t>(1, 30);
    file.file_id = *rc::gen::arbitrary<uint64_t>();
    file.size = *rc::gen::arbitrary<uint64_t>();
    file.checksum = *rc::gen::arbitrary<uint64_t>();
    file.entries = *rc::gen::arbitrary<uint32_t>();
    file.smallest_sequence = *rc::gen::inRange<uint64_t>(0, 1000);
    file.largest_sequence = file.smallest_sequence + *rc::gen::inRange<uint64_t>(0, 1000);
    std::string low = *rc::gen::arbitrary<std::string>();
    std::string high = *rc::gen::arbitrary<std::string>();
    if (high < low) std::swap(low, high);
    AppendInternalKey(&file.smallest, low, 9, ValueType::kValue);
    AppendInternalKey(&file.largest, high, 9, ValueType::kDelete);
    if (*rc::gen::inRange(0, 3) == 0) {
      file.range_deletes = *rc::gen::inRange<uint64_t>(1, 1000);
      file.smallest = Bound(low, 9);
      if (*rc::gen::arbitrary<bool>()) file.largest = Bound(high + "x", kMaxSequence);
    }
    return file;
  });
}

rc::Gen<VersionEdit> AnyEdit() {
  return rc::gen::exec([] {
    VersionEdit edit;
    if (*rc::gen::arbitrary<bool>()) edit.next_file_number = *rc::gen::arbitrary<uint64_t>();
    if (*rc::gen::arbitrary<bool>()) {
      edit.flushed_sequence = *rc::gen::inRange<uint64_t>(0, kMaxSequence);
    }
    if (*rc::gen::arbitrary<bool>()) edit.log_floor = *rc::gen::arbitrary<uint64_t>();
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      edit.sealed_logs.push_back(
          {*rc::gen::arbitrary<uint64_t>(), *rc::gen::arbitrary<uint64_t>()});
    }
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      edit.added.emplace_back(*rc::gen::inRange(0, kNumLevels), *AnyFile());
    }
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      edit.removed.emplace_back(*rc::gen::inRange(0, kNumLevels), *rc::gen::arbitrary<uint64_t>());
    }
    return edit;
  });
}

bool SameFile(const FileMeta& a, const FileMeta& b) {
  return a.number == b.number && a.file_id == b.file_id && a.size == b.size &&
         a.checksum == b.checksum && a.entries == b.entries &&
         a.smallest_sequence == b.smallest_sequence && a.largest_sequence == b.largest_sequence &&
         a.smallest == b.smallest && a.largest == b.largest && a.range_deletes == b.range_deletes;
}

bool SameEdit(const VersionEdit& a, const VersionEdit& b) {
  return a.next_file_number == b.next_file_number && a.flushed_sequence == b.flushed_sequence &&
         a.log_floor == b.log_floor && a.removed == b.removed &&
         std::equal(a.sealed_logs.begin(), a.sealed_logs.end(), b.sealed_logs.begin(),
                    b.sealed_logs.end(),
                    [](const SealedLog& x, const SealedLog& y) {
                      return x.number == y.number && x.length == y.length;
                    }) &&
         std::equal(a.added.begin(), a.added.end(), b.added.begin(), b.added.end(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first && SameFile(x.second, y.second);
                    });
}

RC_GTEST_PROP(VersionEdit, RoundTrips, ()) {
  const VersionEdit edit = *AnyEdit();
  VersionEdit decoded;
  // What the object held before must not shine through.
  decoded.log_floor = 77;
  decoded.removed.emplace_back(1, 1);
  const Status status = decoded.Decode(edit.Encode());
  RC_ASSERT(status.ok());
  RC_ASSERT(SameEdit(decoded, edit));
}

// The record's checksum keeps damage away from the decoder; it must stand it all the same.
RC_GTEST_PROP(VersionEdit, CutsAndFlipsAreRejectedOrHarmless, ()) {
  const std::string bytes = (*AnyEdit()).Encode();
  auto check = [](const std::string& damaged) {
    VersionEdit decoded, again;
    const Status status = decoded.Decode(damaged);
    if (!status.ok()) {
      RC_ASSERT(status.IsCorruption() || status.IsNotSupported());
      return;
    }
    RC_ASSERT(again.Decode(decoded.Encode()).ok());
    RC_ASSERT(SameEdit(again, decoded));
    for (const auto& [level, file] : decoded.added) {
      RC_ASSERT(level >= 0 && level < kNumLevels);
      if (file.range_deletes == 0) {
        RC_ASSERT(IsInternalKey(file.smallest) && IsInternalKey(file.largest));
      }
    }
  };
  for (size_t length = 0; length < bytes.size(); ++length) check(bytes.substr(0, length));
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    check(damaged);
  }
}

// Tag 5 without range tombstones, which every version reads, tag 7 with them.
TEST(VersionEdit, RangeTombstonesHaveATagOfTheirOwn) {
  VersionEdit edit;
  FileMeta file;
  file.number = 7;
  file.largest_sequence = 9;
  AppendInternalKey(&file.smallest, "a", 9, ValueType::kValue);
  AppendInternalKey(&file.largest, "z", 9, ValueType::kValue);
  edit.added.emplace_back(3, file);
  const std::string without = edit.Encode();
  EXPECT_EQ(without[0], 5);
  edit.added[0].second.range_deletes = 2;
  std::string with = edit.Encode();
  EXPECT_EQ(with[0], 7);
  EXPECT_EQ(with.substr(1, without.size() - 1), without.substr(1));
  EXPECT_EQ(with.substr(without.size()), "\x02");
  VersionEdit decoded;
  ASSERT_TRUE(decoded.Decode(with).ok());
  EXPECT_EQ(decoded.added[0].second.range_deletes, 2u);
  with.back() = 0;
  EXPECT_TRUE(decoded.Decode(with).IsCorruption()) << "none is what tag 5 says";
  with.pop_back();
  EXPECT_TRUE(decoded.Decode(with).IsCorruption()) << "cut before the count";
}

TEST(VersionEdit, OnlyATableWithRangeTombstonesIsBoundedByOne) {
  VersionEdit edit, decoded;
  FileMeta file;
  file.number = 7;
  file.largest_sequence = 9;
  file.smallest = Bound("a", 9);
  file.largest = Bound("z", kMaxSequence);
  edit.added.emplace_back(0, file);
  EXPECT_TRUE(decoded.Decode(edit.Encode()).IsCorruption());
  edit.added[0].second.range_deletes = 1;
  EXPECT_TRUE(decoded.Decode(edit.Encode()).ok());
  std::swap(edit.added[0].second.smallest, edit.added[0].second.largest);
  EXPECT_TRUE(decoded.Decode(edit.Encode()).IsCorruption()) << "the wrong way round";
}

TEST(VersionEdit, AFieldFromTheFutureIsNotSkipped) {
  std::string bytes;
  AppendVarint32(&bytes, 99);
  AppendVarint64(&bytes, 1);
  VersionEdit edit;
  const Status status = edit.Decode(bytes);
  EXPECT_TRUE(status.IsNotSupported());
  EXPECT_NE(status.message().find("unknown tag 99"), std::string_view::npos);
}

TEST(ManifestState, RefusesEditsThatContradictIt) {
  VersionEdit add;
  add.added.emplace_back(0, FileMeta{.number = 7, .smallest = {}, .largest = {}});
  VersionEdit remove;
  remove.removed.emplace_back(0, 7);
  ManifestState state;
  EXPECT_TRUE(state.Apply(remove).IsCorruption());
  ASSERT_TRUE(state.Apply(add).ok());
  EXPECT_TRUE(state.Apply(add).IsCorruption());
  ASSERT_TRUE(state.Apply(remove).ok());
  EXPECT_TRUE(state.levels[0].empty());
  EXPECT_EQ(state.next_file_number, 8u) << "the number stays used";
}

RC_GTEST_PROP(ManifestState, ItsSnapshotMakesItFromNothing, ()) {
  ManifestState state;
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
    VersionEdit edit = *AnyEdit();
    edit.removed.clear();
    // One that does not apply may leave half of itself: the manifest stops then.
    ManifestState next = state;
    if (next.Apply(edit).ok()) state = next;
  }
  ManifestState copy;
  RC_ASSERT(copy.Apply(state.Snapshot()).ok());
  RC_ASSERT(SameEdit(copy.Snapshot(), state.Snapshot()));
  RC_ASSERT(copy.next_file_number == state.next_file_number);
  RC_ASSERT(copy.log_floor == state.log_floor);
}

}  // namespace
}  // namespace shearpin
