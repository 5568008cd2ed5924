// Goal: compression, filters and the block cache change how a table is read, never what it says.
// Method: damage to every bit of a table that has all three; a count of file reads with and
// without the cache; random walks through a cache too small for the table.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/cache/block_cache.h"
#include "engine/env/env.h"
#include "engine/sst/table_fixture.h"

namespace shearpin {
namespace {

Entries KeysWithGaps(int count) {
  Entries entries;
  for (int i = 0; i < count; ++i) {
    const std::string key = "key" + std::to_string(10000 + 2 * i);
    entries.emplace(InternalKey(key, 5), std::string(40, static_cast<char>('a' + i % 3)));
    if (i % 5 == 0) entries.emplace(InternalKey(key, 2, ValueType::kDelete), "");
  }
  return entries;
}

constexpr TableBuilderOptions kAllFeatures = {.file_id = 9,
                                              .block_size = 256,
                                              .block_restart_interval = 4,
                                              .compression = Compression::kLz4,
                                              .filter_bits_per_key = 10};

bool ReadsAgree(const Table& table, const Entries& entries) {
  const auto it = table.NewIterator();
  auto expected = entries.begin();
  for (it->SeekToFirst(); it->Valid(); it->Next(), ++expected) {
    if (expected == entries.end() || it->key() != expected->first ||
        it->value() != expected->second) {
      return false;
    }
  }
  if (!it->status().ok() || expected != entries.end()) return false;
  LoadedBlock block;
  for (const auto& [key, value] : entries) {
    Lookup found;
    if (!table.Get(key, &block, &found).ok()) return false;
    if (found.sequence != SequenceOf(key) || found.value != value) return false;
  }
  return true;
}

TEST(TableFeaturesTest, CompressedTablesAreSmaller) {
  const Entries entries = KeysWithGaps(500);
  TableBuilderOptions options = kAllFeatures;
  options.block_size = 4096;
  options.compression = Compression::kNone;
  const BuiltTable raw = BuildTable(options, entries);
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    options.compression = compression;
    const BuiltTable built = BuildTable(options, entries);
    EXPECT_LT(built.bytes.size(), raw.bytes.size() / 2);
    EXPECT_EQ(built.info.properties.value_bytes, raw.info.properties.value_bytes);
    EXPECT_EQ(built.info.properties.compression, CompressionName(compression));
    const auto table = OpenBytes(&built.bytes, built.info);
    ASSERT_TRUE(table.ok());
    EXPECT_TRUE(ReadsAgree(**table, entries));
    EXPECT_TRUE((*table)->VerifyAll(built.info.file_checksum).ok());
  }
}

TEST(TableFeaturesTest, EveryFlippedBitIsNoticedOrNotNeeded) {
  const Entries entries = KeysWithGaps(30);
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    TableBuilderOptions options = kAllFeatures;
    options.compression = compression;
    const BuiltTable built = BuildTable(options, entries);
    std::string bytes = built.bytes;
    int filter_flips = 0;
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<char>(1 << bit % 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
      const auto table = OpenBytes(&bytes, built.info);
      if (table.ok()) {
        EXPECT_TRUE((*table)->VerifyAll(std::nullopt).IsCorruption()) << bit;
        if (!(*table)->has_filter()) {
          // A filter is not needed: all reads agree without it.
          ++filter_flips;
          EXPECT_TRUE((*table)->filter_status().IsCorruption());
          EXPECT_TRUE(ReadsAgree(**table, entries)) << bit;
        } else {
          EXPECT_FALSE(ReadsAgree(**table, entries)) << bit;
        }
      }
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    }
    EXPECT_GE(filter_flips, 72 * 8);
  }
}

TEST(TableFeaturesTest, FiltersKeepGetFromReading) {
  const Entries entries = KeysWithGaps(2000);
  const BuiltTable built = BuildTable(kAllFeatures, entries);
  auto file = std::make_unique<MemoryReadableFile>(&built.bytes);
  const MemoryReadableFile* reads = file.get();
  auto table = Table::Open(std::move(file), "t.sst", {9, built.info.file_size});
  ASSERT_TRUE(table.ok());
  ASSERT_TRUE((*table)->has_filter());
  const int opened = reads->reads();
  EXPECT_EQ(opened, 5);
  FilterCounts counts;
  LoadedBlock block;
  Lookup found;
  for (int i = 0; i < 2000; ++i) {
    const std::string absent = InternalKey("key" + std::to_string(10001 + 2 * i), kMaxSequence);
    ASSERT_TRUE((*table)->Get(absent, &block, &found, &counts).ok());
    EXPECT_EQ(found.kind, Lookup::Kind::kAbsent);
  }
  EXPECT_EQ(counts.useful + counts.false_positive, 2000u);
  EXPECT_EQ(counts.true_positive, 0u);
  EXPECT_LT(counts.false_positive, 60u);
  EXPECT_LE(reads->reads() - opened, static_cast<int>(counts.false_positive));
  ASSERT_TRUE((*table)->Get(InternalKey("key10000", 9), &block, &found, &counts).ok());
  EXPECT_EQ(counts.true_positive, 1u);
}

TEST(TableFeaturesTest, TablesWithoutEntriesHaveNoFilter) {
  const BuiltTable built = BuildTable(kAllFeatures, {});
  const auto table = OpenBytes(&built.bytes, built.info);
  ASSERT_TRUE(table.ok());
  EXPECT_FALSE((*table)->has_filter());
  EXPECT_TRUE((*table)->VerifyAll(built.info.file_checksum).ok());
}

TEST(TableFeaturesTest, CachedBlocksAreNotReadAgainButVerified) {
  const Entries entries = KeysWithGaps(300);
  BuiltTable built = BuildTable(kAllFeatures, entries);
  BlockCache cache(RealScheduler(), size_t{1} << 20);
  auto file = std::make_unique<MemoryReadableFile>(&built.bytes);
  const MemoryReadableFile* reads = file.get();
  auto table = Table::Open(std::move(file), "t.sst", {9, built.info.file_size}, &cache);
  ASSERT_TRUE(table.ok());
  ASSERT_TRUE(ReadsAgree(**table, entries));
  const int before = reads->reads();
  EXPECT_TRUE(ReadsAgree(**table, entries));
  EXPECT_EQ(reads->reads(), before);
  EXPECT_GT(cache.Usage(), size_t{300} * 40);
  // The file rots: cached reads go on, those that look at the file see it.
  built.bytes[10] = static_cast<char>(built.bytes[10] ^ 1);
  EXPECT_TRUE(ReadsAgree(**table, entries));
  EXPECT_TRUE((*table)->VerifyAll(std::nullopt).IsCorruption());
  const auto it = (*table)->NewIterator(Caching::kBypass);
  it->SeekToFirst();
  EXPECT_TRUE(it->status().IsCorruption());
}

TEST(TableFeaturesTest, DamagedBlocksAreNotCached) {
  const Entries entries = KeysWithGaps(300);
  BuiltTable built = BuildTable(kAllFeatures, entries);
  BlockCache cache(RealScheduler(), size_t{1} << 20);
  auto table = Table::Open(std::make_unique<MemoryReadableFile>(&built.bytes), "t.sst",
                           {9, built.info.file_size}, &cache);
  ASSERT_TRUE(table.ok());
  built.bytes[10] = static_cast<char>(built.bytes[10] ^ 1);
  EXPECT_FALSE(ReadsAgree(**table, entries));
  built.bytes[10] = static_cast<char>(built.bytes[10] ^ 1);
  EXPECT_TRUE(ReadsAgree(**table, entries));
}

RC_GTEST_PROP(TableFeaturesTest, WalksThroughASmallCacheAsAMapDoes, ()) {
  const Entries entries = AnyEntries(120), other_entries = AnyEntries(60);
  const BuiltTable built = BuildTable(AnyTableOptions(), entries);
  // Another table with blocks at the same offsets.
  const BuiltTable other = BuildTable(AnyTableOptions(), other_entries);
  BlockCache cache(RealScheduler(), *rc::gen::element<size_t>(0, 500, 5000, 1 << 20));
  {
    const auto open = [&cache](const BuiltTable& from) {
      auto table = Table::Open(std::make_unique<MemoryReadableFile>(&from.bytes), "t.sst",
                               {from.info.properties.file_id, from.info.file_size}, &cache);
      SHEARPIN_CHECK(table.ok());
      return *std::move(table);
    };
    const auto table = open(built), other_table = open(other);
    const auto it = table->NewIterator(), other_it = other_table->NewIterator();
    Walk walk(it.get(), &entries), other_walk(other_it.get(), &other_entries);
    for (int step = 0; step < 40; ++step) {
      walk.Step();
      other_walk.Step();
      RC_ASSERT(it->status().ok());
      RC_ASSERT(other_it->status().ok());
      walk.AssertAgreement();
      other_walk.AssertAgreement();
      RC_ASSERT(cache.Usage() <= cache.capacity() + cache.PinnedUsage());
    }
  }
  RC_ASSERT(cache.Usage() <= cache.capacity());
}

}  // namespace
}  // namespace shearpin
