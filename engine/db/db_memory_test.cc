// Goal: compression, filters, block cache and memory budget keep what the options promise and
// change nothing of what is read. Method: the figures of Property("reads") after known reads; a
// RapidCheck property that runs random operations under drawn options beside a std::map.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "engine/block_cache.h"
#include "engine/db.h"
#include "engine/event_listener.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

class CountingListener : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kMemtableCut) ++cuts;
  }
  std::atomic<int> cuts{0};
};

std::unique_ptr<DB> MustOpen(const Options& options, const std::string& directory = "/db") {
  auto db = DB::Open(options, directory);
  EXPECT_TRUE(db.ok()) << db.status().ToString();
  return db.ok() ? *std::move(db) : nullptr;
}

// The number after "name=" in a property.
uint64_t Figure(DB* db, const std::string& property, const std::string& name) {
  const auto text = db->Property(property);
  EXPECT_TRUE(text.ok());
  const size_t at = (" " + *text).find(" " + name + "=");
  EXPECT_NE(at, std::string::npos) << name << " in " << *text;
  return std::stoull(text->substr(at + name.size() + 1));
}

uint64_t TableBytes(DB* db) {
  const std::string levels = *db->Property("levels");
  uint64_t bytes = 0;
  for (size_t at = 0; (at = levels.find(" bytes=", at)) != std::string::npos; at += 7) {
    bytes += std::stoull(levels.substr(at + 7));
  }
  return bytes;
}

std::string Key(int i) { return "key" + std::to_string(100000 + i); }

void Fill(DB* db, int from, int to) {
  for (int i = from; i < to; ++i) {
    ASSERT_TRUE(db->Put(Key(i), std::string(100, static_cast<char>('a' + i % 26))).ok());
  }
}

TEST(DbMemory, FiltersAndCacheAnswerWithoutTheDisk) {
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  options.compaction_style = CompactionStyle::kNone;
  auto db = MustOpen(options);
  for (int i = 0; i < 4; ++i) {
    for (int j = i; j < 2000; j += 4) Fill(db.get(), j, j + 1);
    ASSERT_TRUE(db->Flush().ok());
  }
  std::string value;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2000; ++i) ASSERT_TRUE(db->Get(Key(i), &value).ok());
  }
  EXPECT_EQ(Figure(db.get(), "reads", "filter-true-positive"), 4000u);
  EXPECT_GT(Figure(db.get(), "reads", "filter-useful"), 5500u);
  EXPECT_LT(Figure(db.get(), "reads", "filter-false-positive"), 300u);
  const uint64_t misses = Figure(db.get(), "reads", "cache-misses");
  EXPECT_LT(misses, 100u) << "one a block";
  EXPECT_GT(Figure(db.get(), "reads", "cache-hits"), 3900u);
  ASSERT_TRUE(db->VerifyChecksums().ok());
  EXPECT_EQ(Figure(db.get(), "reads", "cache-misses"), misses) << "a verify reads the disk";
}

TEST(DbMemory, CompressionGoesByLevel) {
  uint64_t bytes[3];
  int i = 0;
  for (const auto& [compression, bottommost] :
       std::vector<std::pair<std::vector<Compression>, std::optional<Compression>>>{
           {{}, std::nullopt},
           {{Compression::kNone, Compression::kLz4}, std::nullopt},
           {{Compression::kNone}, Compression::kZstd}}) {
    faultfs::MemFileSystem fs;
    Options options;
    options.env.file_system = &fs;
    options.compression = compression;
    options.bottommost_compression = bottommost;
    auto db = MustOpen(options);
    Fill(db.get(), 0, 2000);
    ASSERT_TRUE(db->Flush().ok());
    EXPECT_GT(TableBytes(db.get()), 200000u) << "level 0 is raw in all three";
    Fill(db.get(), 0, 10);  // so that it is a merge, not a move
    ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
    bytes[i++] = TableBytes(db.get());
    std::string value;
    ASSERT_TRUE(db->Get(Key(77), &value).ok());
    EXPECT_EQ(value, std::string(100, static_cast<char>('a' + 77 % 26)));
    ASSERT_TRUE(db->VerifyChecksums().ok());
  }
  EXPECT_LT(bytes[1], bytes[0] / 3);
  EXPECT_LT(bytes[2], bytes[0] / 3);
}

TEST(DbMemory, DatabasesShareACache) {
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  options.block_cache = NewBlockCache(size_t{1} << 20);
  auto one = MustOpen(options, "/one"), two = MustOpen(options, "/two");
  ASSERT_TRUE(one->Put("key", "one").ok() && two->Put("key", "two").ok());
  ASSERT_TRUE(one->Flush().ok() && two->Flush().ok());
  std::string value;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(one->Get("key", &value).ok());
    EXPECT_EQ(value, "one");
    ASSERT_TRUE(two->Get("key", &value).ok());
    EXPECT_EQ(value, "two");
  }
  EXPECT_EQ(Figure(one.get(), "reads", "cache-misses"), 2u);
  EXPECT_EQ(Figure(two.get(), "reads", "cache-hits"), 2u);
  one.reset();
  ASSERT_TRUE(two->Get("key", &value).ok());
  EXPECT_EQ(value, "two");
}

TEST(DbMemory, TheBudgetHolds) {
  faultfs::MemFileSystem fs;
  CountingListener listener;
  Options options;
  options.env.file_system = &fs;
  options.listener = &listener;
  options.memory_budget = size_t{4} << 20;
  options.write_buffer_size = size_t{64} << 20;
  auto db = MustOpen(options);
  std::string value;
  for (int i = 0; i < 60000; i += 1000) {
    Fill(db.get(), i, i + 1000);
    for (int j = 0; j < i; j += 97) ASSERT_TRUE(db->Get(Key(j), &value).ok());
    const uint64_t cache = Figure(db.get(), "reads", "cache-bytes");
    const uint64_t tables = Figure(db.get(), "reads", "table-memory");
    EXPECT_LE(Figure(db.get(), "stats", "memtable-bytes") + cache + tables, options.memory_budget);
  }
  EXPECT_GT(listener.cuts, 3);
  EXPECT_GT(Figure(db.get(), "reads", "cache-bytes"), size_t{512} << 10);
  EXPECT_EQ(DB::Open(
                [&] {
                  Options bad = options;
                  bad.memory_budget = 100;
                  return bad;
                }(),
                "/bad")
                .status()
                .code(),
            StatusCode::kInvalidArgument);
}

RC_GTEST_PROP(DbMemory, ReadsAsAMapDoesUnderAnyOptions, ()) {
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  options.write_buffer_size = 2048;
  options.block_size = *rc::gen::element<size_t>(64, 500);
  options.compression = *rc::gen::container<std::vector<Compression>>(
      rc::gen::element(Compression::kNone, Compression::kLz4, Compression::kZstd));
  if (*rc::gen::arbitrary<bool>()) options.bottommost_compression = Compression::kZstd;
  options.filter_bits_per_key = *rc::gen::element(0, 1, 10);
  options.block_cache_size = *rc::gen::element<size_t>(0, 700, 1 << 20);
  options.memory_budget = *rc::gen::element<size_t>(0, 4096, 30000);
  auto db = MustOpen(options);
  std::map<std::string, std::string> expected;
  const int steps = *rc::gen::inRange(0, 300);
  for (int i = 0; i < steps; ++i) {
    const std::string key = "k" + std::to_string(*rc::gen::inRange(0, 40));
    const int kind = *rc::gen::inRange(0, 10);
    if (kind < 5) {
      const std::string value(static_cast<size_t>(*rc::gen::inRange(0, 60)), 'v');
      RC_ASSERT(db->Put(key, value).ok());
      expected[key] = value;
    } else if (kind == 5) {
      RC_ASSERT(db->Delete(key).ok());
      expected.erase(key);
    } else {
      std::string value;
      const Status status = db->Get(key, &value);
      RC_ASSERT(status.ok() == (expected.count(key) != 0));
      if (status.ok()) RC_ASSERT(value == expected[key]);
    }
    if (i % 60 == 59) RC_ASSERT(db->Flush().ok());
  }
  std::map<std::string, std::string> seen;
  const auto it = db->Scan(Bound::Unbounded(), Bound::Unbounded());
  for (; it->Valid(); it->Next()) seen.emplace(it->key(), it->value());
  RC_ASSERT(it->status().ok());
  RC_ASSERT(seen == expected);
  RC_ASSERT(db->VerifyChecksums().ok());
}

// For ThreadSanitizer: reads pin what they see while everything under them is replaced.
TEST(DbMemory, ReadersAndFlushesOnRealThreads) {
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  options.write_buffer_size = 20000;
  options.base_level_size = 50000;
  options.target_table_size = 20000;
  options.block_cache_size = 10000;
  auto db = MustOpen(options);
  Fill(db.get(), 0, 300);
  std::atomic<bool> stop{false};
  std::atomic<int> errors{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      std::string value;
      for (int i = r; !stop; i += 7) {
        // Every key was there before the first reader, and no write takes one away.
        if (!db->Get(Key(i % 300), &value).ok() || value.size() != 100) errors.fetch_add(1);
        if (i % 50 == 0) {
          const auto it = db->NewIterator();
          it->Seek(Key(i % 300));
          if (!it->Valid() || it->key() != Key(i % 300)) errors.fetch_add(1);
        }
      }
    });
  }
  for (int round = 0; round < 15; ++round) Fill(db.get(), 0, 300);
  EXPECT_TRUE(db->CompactRange(nullptr, nullptr).ok());
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(errors.load(), 0);
  ASSERT_TRUE(db->WaitForBackground().ok());
}

}  // namespace
}  // namespace shearpin
