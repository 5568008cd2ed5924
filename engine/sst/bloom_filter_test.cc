// Goal: a filter never denies a key that was added, seldom admits one that was not, and is decoded
// with distrust. Method: random key sets; a measured rate of false positives; golden bytes; every
// cut and many flips of a block.
#include "engine/sst/bloom_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace shearpin {
namespace {

RC_GTEST_PROP(BloomFilterTest, NeverDeniesAKeyThatWasAdded, (const std::set<std::string>& keys)) {
  RC_PRE(!keys.empty());
  BloomFilterBuilder builder(*rc::gen::inRange(1, 30));
  for (const std::string& key : keys) {
    builder.Add(key);
    builder.Add(key);
  }
  const std::string block = builder.Finish();
  RC_ASSERT(block.size() == builder.EstimatedSize());
  const auto filter = BloomFilter::Decode(block);
  RC_ASSERT(filter.ok());
  RC_ASSERT(filter->exists());
  for (const std::string& key : keys) RC_ASSERT(filter->MayContain(KeyHash(key)));
}

double FalsePositivePercent(int bits_per_key, int keys) {
  BloomFilterBuilder builder(bits_per_key);
  for (int i = 0; i < keys; ++i) builder.Add("key" + std::to_string(i));
  const auto filter = BloomFilter::Decode(builder.Finish());
  EXPECT_TRUE(filter.ok());
  constexpr int kProbes = 200000;
  int admitted = 0;
  for (int i = 0; i < kProbes; ++i) {
    admitted += filter->MayContain(KeyHash("other" + std::to_string(i))) ? 1 : 0;
  }
  return 100.0 * admitted / kProbes;
}

TEST(BloomFilterTest, SeldomAdmitsAStranger) {
  for (const int keys : {1000, 100000}) {
    const double percent = FalsePositivePercent(10, keys);
    EXPECT_LT(percent, 1.5) << keys;
    EXPECT_GT(percent, 0.3) << "too good to be true: " << keys;
    EXPECT_LT(FalsePositivePercent(16, keys), 0.3) << keys;
    EXPECT_LT(FalsePositivePercent(5, keys), 14) << keys;
    RecordProperty("percent_" + std::to_string(keys), std::to_string(percent));
  }
}

TEST(BloomFilterTest, VersionsOfAKeyCountOnce) {
  BloomFilterBuilder once(10), often(10);
  for (int i = 0; i < 500; ++i) {
    once.Add(std::to_string(i));
    for (int version = 0; version < 5; ++version) often.Add(std::to_string(i));
  }
  EXPECT_EQ(once.Finish(), often.Finish());
}

TEST(BloomFilterTest, WithoutAFilterEverythingMayBeThere) {
  const BloomFilter none;
  EXPECT_FALSE(none.exists());
  EXPECT_TRUE(none.MayContain(KeyHash("anything")));
}

// The bits of "a" and "b": a change of hash or probing makes old filters lie.
TEST(BloomFilterTest, GoldenBytes) {
  BloomFilterBuilder builder(10);
  builder.Add("a");
  builder.Add("b");
  const std::string block = builder.Finish();
  ASSERT_EQ(block.size(), 72u);
  std::string bits;
  for (int i = 0; i < 512; ++i) {
    if (block[i / 8] >> i % 8 & 1) bits += std::to_string(i) + " ";
  }
  EXPECT_EQ(bits, "5 32 61 70 101 137 197 283 287 392 407 418 ");
  EXPECT_EQ(block.substr(64), std::string("\1\0\0\0\6\0\0\0", 8));
}

TEST(BloomFilterTest, MalformedBlocksAreCorruption) {
  BloomFilterBuilder builder(10);
  for (int i = 0; i < 200; ++i) builder.Add(std::to_string(i));
  const std::string block = builder.Finish();
  for (size_t size = 0; size < block.size(); ++size) {
    EXPECT_FALSE(BloomFilter::Decode(std::string_view(block).substr(0, size)).ok()) << size;
  }
  const auto with = [&](size_t from_end, char byte) {
    std::string changed = block;
    changed[changed.size() - from_end] = byte;
    return BloomFilter::Decode(changed).status();
  };
  EXPECT_TRUE(with(4, 0).IsCorruption());  // probes
  EXPECT_TRUE(with(4, 31).IsCorruption());
  EXPECT_TRUE(with(1, 1).IsCorruption());   // reserved
  EXPECT_TRUE(with(8, 99).IsCorruption());  // lines
  EXPECT_TRUE(with(5, '\xff').IsCorruption());
  EXPECT_TRUE(BloomFilter::Decode(std::string("\0\0\0\0\6\0\0\0", 8)).status().IsCorruption());
}

}  // namespace
}  // namespace shearpin
