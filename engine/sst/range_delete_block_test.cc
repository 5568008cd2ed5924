// Goal: range tombstones come back from a table as they were written; bounds and sequence range of
// the table hold them; a damaged or forged block is never passed over.
// Method: RapidCheck round trips; every bit of a stored block flipped; blocks with right checksums
// that break one rule each.
#include "engine/sst/range_delete_block.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/sst/block_builder.h"
#include "engine/sst/table_fixture.h"

namespace shearpin {
namespace {

using Fragments = std::vector<RangeTombstones::Fragment>;

Fragments AnyFragments() {
  std::vector<std::pair<std::string, std::string>> ends;
  std::vector<RangeTombstone> tombstones;
  const int count = *rc::gen::inRange(1, 8);
  for (int i = 0; i < count; ++i) {
    std::string a = AnyUserKey(), b = AnyUserKey();
    if (a == b) b += 'x';
    ends.emplace_back(std::min(a, b), std::max(a, b));
  }
  for (const auto& [begin, end] : ends) {
    tombstones.push_back({begin, end, *rc::gen::inRange<uint64_t>(1, 30)});
  }
  return RangeTombstones(tombstones).fragments();
}

BuiltTable BuildWith(const Entries& entries, const Fragments& fragments) {
  MemoryWritableFile file;
  TableBuilder builder({.file_id = 7, .block_size = 64, .block_restart_interval = 4}, &file);
  for (const auto& [key, value] : entries) SHEARPIN_CHECK(builder.Add(key, value).ok());
  SHEARPIN_CHECK(builder.SetRangeDeletes(fragments).ok());
  StatusOr<TableInfo> info = builder.Finish();
  SHEARPIN_CHECK(info.ok());
  return {file.contents(), *std::move(info)};
}

RC_GTEST_PROP(RangeDeleteBlock, ComesBackFromTheTable, ()) {
  const Entries entries = AnyEntries(20);
  const Fragments fragments = AnyFragments();
  const BuiltTable built = BuildWith(entries, fragments);
  const auto table = OpenBytes(&built.bytes, built.info);
  RC_ASSERT(table.ok());
  RC_ASSERT((*table)->range_tombstones().fragments() == fragments);
  RC_ASSERT(built.info.range_deletes == (*table)->range_tombstones().count());
  RC_ASSERT((*table)->properties().entries == entries.size());
  RC_ASSERT((*table)->VerifyAll(built.info.file_checksum).ok());
  for (const auto& fragment : fragments) {
    RC_ASSERT(UserKey(built.info.smallest) <= fragment.begin);
    RC_ASSERT(!EndsBefore(built.info.largest, fragment.begin));
    for (const SequenceNumber sequence : fragment.sequences) {
      RC_ASSERT(sequence >= built.info.smallest_sequence);
      RC_ASSERT(sequence <= built.info.largest_sequence);
    }
  }
  for (const auto& [key, value] : entries) {
    RC_ASSERT(CompareInternalKeys(built.info.smallest, key) <= 0);
    RC_ASSERT(CompareInternalKeys(built.info.largest, key) >= 0);
    RC_ASSERT(!EndsBefore(built.info.largest, UserKey(key)));
  }
}

TEST(RangeDeleteBlock, EveryFlippedBitIsFound) {
  const Fragments fragments = {{"a", "c", {9, 4}}, {"c", "f", {9}}};
  const BuiltTable with = BuildWith({}, fragments);
  // The block stands first in a table without entries.
  const size_t size = EncodeRangeDeletes(fragments)->size() + kBlockTrailerSize;
  for (size_t bit = 0; bit < size * 8; ++bit) {
    std::string damaged = with.bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto table = OpenBytes(&damaged, with.info);
    ASSERT_FALSE(table.ok()) << bit;
    ASSERT_TRUE(table.status().IsCorruption()) << table.status().ToString();
  }
}

TEST(RangeDeleteBlock, EveryRuleIsChecked) {
  struct Entry {
    std::string key;
    std::string value;
  };
  const auto at = [](std::string_view begin, SequenceNumber sequence) {
    return InternalKey(begin, sequence, ValueType::kRangeDelete);
  };
  const auto decode = [](const std::vector<Entry>& entries) {
    BlockBuilder block(kMaxBlockTarget, 1);
    for (const Entry& entry : entries) EXPECT_TRUE(block.Add(entry.key, entry.value));
    std::string bytes;
    block.Finish(&bytes);
    return DecodeRangeDeletes(bytes).status();
  };
  EXPECT_TRUE(decode({{at("a", 5), "c"}, {at("a", 3), "c"}, {at("c", 5), "d"}}).ok());
  EXPECT_TRUE(decode({{at("", 5), "c"}}).ok());
  EXPECT_TRUE(decode({}).IsCorruption());
  EXPECT_TRUE(decode({{"short", "z"}}).IsCorruption());
  EXPECT_TRUE(decode({{InternalKey("a", 5, ValueType::kDelete), "c"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("a", 0), "c"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("a", 5), "a"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("b", 5), "a"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("a", 5), "c"}, {at("a", 3), "d"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("a", 3), "c"}, {at("a", 5), "c"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("a", 5), "c"}, {at("a", 5), "c"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("a", 5), "c"}, {at("b", 3), "d"}}).IsCorruption());
  EXPECT_TRUE(decode({{at("c", 5), "d"}, {at("a", 3), "b"}}).IsCorruption());
}

}  // namespace
}  // namespace shearpin
