// Goal: properties survive the way to bytes and back; what is missing, malformed or contradicts
// itself is rejected by name; names of the future are ignored. Method: RapidCheck round trip, and
// each property altered alone.
#include "engine/sst/table_properties.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <map>
#include <string>

#include "engine/base/coding.h"
#include "engine/sst/block_builder.h"
#include "engine/sst/block_iterator.h"
#include "engine/sst/table_fixture.h"

namespace shearpin {
namespace {

TableProperties SomeProperties() {
  TableProperties p;
  p.file_id = 7;
  p.entries = 10;
  p.deletions = 3;
  p.smallest_sequence = 4;
  p.largest_sequence = 90;
  p.smallest_key = InternalKey("a", 5);
  p.largest_key = InternalKey("z", 6);
  p.compression = "none";
  p.writer_version = "a writer";
  return p;
}

using Names = std::map<std::string, std::string>;

Names NamesOf(std::string_view block) {
  Names names;
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kBytewise);
  for (it.SeekToFirst(); it.Valid(); it.Next()) names.emplace(it.key(), it.value());
  return names;
}

std::string BlockOf(const Names& names) {
  BlockBuilder builder(kMaxBlockTarget, 1);
  for (const auto& [name, value] : names) SHEARPIN_CHECK(builder.Add(name, value));
  std::string block;
  builder.Finish(&block);
  return block;
}

RC_GTEST_PROP(TablePropertiesTest, RoundTrip, ()) {
  TableProperties p = SomeProperties();
  p.file_id = *rc::gen::arbitrary<uint64_t>();
  p.entries = *rc::gen::inRange<uint64_t>(1, ~uint64_t{0});
  p.deletions = *rc::gen::inRange<uint64_t>(0, p.entries);
  p.key_bytes = *rc::gen::arbitrary<uint64_t>();
  p.value_bytes = *rc::gen::arbitrary<uint64_t>();
  p.data_blocks = *rc::gen::arbitrary<uint64_t>();
  p.data_bytes = *rc::gen::arbitrary<uint64_t>();
  p.smallest_key = AnyInternalKey();
  p.largest_key = AnyInternalKey();
  if (CompareInternalKeys(p.smallest_key, p.largest_key) > 0) p.smallest_key.swap(p.largest_key);
  p.writer_version = *rc::gen::arbitrary<std::string>();
  const auto back = TableProperties::Decode(p.Encode());
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == p);
}

TEST(TablePropertiesTest, EveryPropertyIsRequiredAndNamedWhenMissing) {
  const Names whole = NamesOf(SomeProperties().Encode());
  EXPECT_EQ(whole.size(), 13u);
  for (const auto& [name, value] : whole) {
    Names names = whole;
    names.erase(name);
    const Status status = TableProperties::Decode(BlockOf(names)).status();
    EXPECT_TRUE(status.IsCorruption()) << name;
    EXPECT_NE(status.message().find(name), std::string_view::npos) << status.ToString();
  }
}

TEST(TablePropertiesTest, UnknownNamesAreIgnored) {
  Names names = NamesOf(SomeProperties().Encode());
  names.emplace("shearpin.of_the_future", "?");
  const auto back = TableProperties::Decode(BlockOf(names));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, SomeProperties());
}

TEST(TablePropertiesTest, MalformedNumbersAreRejected) {
  for (std::string_view value :
       {std::string_view(""), std::string_view("\x80"), std::string_view("\1\1")}) {
    Names names = NamesOf(SomeProperties().Encode());
    names["shearpin.entries"] = value;
    EXPECT_TRUE(TableProperties::Decode(BlockOf(names)).status().IsCorruption());
  }
  EXPECT_TRUE(TableProperties::Decode("").status().IsCorruption());
}

TEST(TablePropertiesTest, ContradictionsAreRejected) {
  const std::function<void(TableProperties*)> contradictions[] = {
      [](TableProperties* p) { p->deletions = p->entries + 1; },
      [](TableProperties* p) { p->largest_sequence = kMaxSequence + 1; },
      [](TableProperties* p) { p->smallest_sequence = p->largest_sequence + 1; },
      [](TableProperties* p) { p->smallest_key = "short"; },
      [](TableProperties* p) { p->largest_key.resize(7); },
      [](TableProperties* p) { p->smallest_key.swap(p->largest_key); },
      [](TableProperties* p) { p->entries = p->deletions = 0; },
  };
  ASSERT_TRUE(TableProperties::Decode(SomeProperties().Encode()).ok());
  for (const auto& contradict : contradictions) {
    TableProperties p = SomeProperties();
    contradict(&p);
    EXPECT_TRUE(TableProperties::Decode(p.Encode()).status().IsCorruption());
  }
}

}  // namespace
}  // namespace shearpin
