// Goal: counters and histograms say what happened, no more and no less. Method: known operations
// on a database whose clock a test moves; threads that record at once; a RapidCheck property that
// counts random operations beside the engine.
#include "engine/db/statistics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/db.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

// Every look at it takes 10 microseconds.
class TickingClock : public Clock {
 public:
  uint64_t NowMicros() override { return now_.fetch_add(10); }
  uint64_t WallMicros() override { return NowMicros(); }

 private:
  std::atomic<uint64_t> now_{1000};
};

std::unique_ptr<DB> MustOpen(const Options& options) {
  auto db = DB::Open(options, "/db");
  EXPECT_TRUE(db.ok()) << db.status().ToString();
  return db.ok() ? *std::move(db) : nullptr;
}

std::map<std::string, uint64_t> Counters(DB* db) {
  std::map<std::string, uint64_t> counters;
  std::istringstream lines(*db->Property("counters"));
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    EXPECT_NE(equals, std::string::npos) << line;
    EXPECT_TRUE(
        counters.emplace(line.substr(0, equals), std::stoull(line.substr(equals + 1))).second)
        << "twice: " << line;
  }
  return counters;
}

TEST(Statistics, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (int i = 0; i < static_cast<int>(Counter::kNumCounters); ++i) {
    EXPECT_FALSE(CounterName(static_cast<Counter>(i)).empty());
    EXPECT_TRUE(names.insert(CounterName(static_cast<Counter>(i))).second);
  }
}

TEST(Statistics, NothingIsLostOfWhatThreadsRecordAtOnce) {
  Statistics statistics(RealScheduler(), RealClock(), true);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 10000; ++i) {
        statistics.Add(Counter::kSeeks);
        statistics.Record(Latency::kGet, t * 10000 + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(statistics.Get(Counter::kSeeks), 40000u);
  const Histogram gets = statistics.Durations(Latency::kGet);
  EXPECT_EQ(gets.count(), 40000u);
  EXPECT_EQ(gets.largest(), 39999u);
  EXPECT_EQ(gets.sum(), uint64_t{39999} * 40000 / 2);
}

TEST(Statistics, ReadsAreCountedWhereTheyWereAnswered) {
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  auto db = MustOpen(options);
  ASSERT_TRUE(db->Put("bottom", "1").ok());
  ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
  ASSERT_TRUE(db->Put("level0", "2").ok());
  ASSERT_TRUE(db->Delete("gone").ok());
  ASSERT_TRUE(db->Flush().ok());
  ASSERT_TRUE(db->Put("memory", "3").ok());
  std::string value;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(db->Get("bottom", &value).ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(db->Get("level0", &value).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(db->Get("memory", &value).ok());
  ASSERT_TRUE(db->Get("gone", &value).IsNotFound());
  ASSERT_TRUE(db->Get("nowhere", &value).IsNotFound());
  auto counters = Counters(db.get());
  EXPECT_EQ(counters["gets"], 11u);
  EXPECT_EQ(counters["gets-found"], 9u);
  EXPECT_EQ(counters["memtable-hits"], 4u);
  EXPECT_EQ(counters["level-0-hits"], 4u) << "a tombstone answers too";
  uint64_t deeper = 0;
  for (int level = 1; level < 7; ++level)
    deeper += counters["level-" + std::to_string(level) + "-hits"];
  EXPECT_EQ(deeper, 2u);
  EXPECT_GT(counters["cache-hits"], 0u);
}

TEST(Statistics, BytesWrittenAreThoseOfTheFiles) {
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  auto db = MustOpen(options);
  const auto table_bytes = [&] {
    uint64_t bytes = 0;
    for (const std::string& name : *fs.ListDir("/db")) {
      if (name.ends_with(".sst")) bytes += *fs.FileSize("/db/" + name);
    }
    return bytes;
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(db->Put("key" + std::to_string(i), std::string(1000, 'v')).ok());
    ASSERT_TRUE(db->Flush().ok());
  }
  const uint64_t flushed = table_bytes();
  EXPECT_EQ(Counters(db.get())["flush-bytes-written"], flushed);
  ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
  auto counters = Counters(db.get());
  EXPECT_EQ(counters["flushes"], 3u);
  EXPECT_EQ(counters["compactions"], 1u);
  EXPECT_EQ(counters["compaction-bytes-read"], flushed);
  EXPECT_EQ(counters["compaction-bytes-written"], table_bytes());
  EXPECT_GT(counters["wal-bytes-written"], 3000u);
  EXPECT_LT(counters["wal-bytes-written"], 4000u);
  EXPECT_EQ(counters["keys-written"], 3u);
}

TEST(Statistics, DurationsAreTimedAsAsked) {
  for (const bool asked : {false, true}) {
    faultfs::MemFileSystem fs;
    TickingClock clock;
    Options options;
    options.env.file_system = &fs;
    options.env.clock = &clock;
    options.enable_latency_histograms = asked;
    auto db = MustOpen(options);
    ASSERT_TRUE(db->Put("key", "value", {.durability = Durability::kSync}).ok());
    std::string value;
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(db->Get("key", &value).ok());
    db->Scan(Bound::Unbounded(), Bound::Unbounded());
    ASSERT_TRUE(db->Flush().ok());
    const std::string get = *db->Property("histogram.get");
    EXPECT_EQ(get, asked ? "count=5 mean=10 p50=10 p95=10 p99=10 max=10\n"
                         : "count=0 mean=0 p50=0 p95=0 p99=0 max=0\n");
    EXPECT_EQ(db->Property("histogram.write")->substr(0, 8), asked ? "count=1 " : "count=0 ");
    EXPECT_EQ(db->Property("histogram.seek")->substr(0, 8), asked ? "count=1 " : "count=0 ");
    EXPECT_EQ(db->Property("histogram.sync")->substr(0, 8), "count=1 ");
    EXPECT_EQ(db->Property("histogram.flush")->substr(0, 8), "count=1 ");
    EXPECT_EQ(db->Property("histogram.compaction")->substr(0, 8), "count=0 ");
    EXPECT_TRUE(db->Property("histogram.nonsense").status().IsNotFound());
    EXPECT_NE(db->Property("stats")->find("flush: count=1"), std::string::npos);
    EXPECT_NE(db->Property("stats")->find("\nkeys-written=1\n"), std::string::npos);
  }
}

RC_GTEST_PROP(Statistics, CountWhatWasDone, ()) {
  faultfs::MemFileSystem fs;
  Options options;
  options.env.file_system = &fs;
  auto db = MustOpen(options);
  uint64_t gets = 0, found = 0, batches = 0, keys = 0, seeks = 0, steps = 0, iterators = 0;
  std::set<std::string> present;
  for (const int operation : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 40))) {
    const std::string key(1, static_cast<char>('a' + operation / 4));
    std::string value;
    switch (operation % 4) {
      case 0: {
        WriteBatch batch;
        batch.Put(key, "v");
        batch.Put(key + key, "v");
        RC_ASSERT(db->Write(&batch).ok());
        present.insert({key, key + key});
        ++batches;
        keys += 2;
        break;
      }
      case 1:
        ++gets;
        found += present.count(key);
        RC_ASSERT(db->Get(key, &value).ok() == (present.count(key) != 0));
        break;
      case 2:
        RC_ASSERT(db->Flush().ok());
        break;
      default: {
        const auto it = db->NewIterator();
        ++iterators;
        ++seeks;
        for (it->Seek(key); it->Valid(); it->Next()) ++steps;
        break;
      }
    }
  }
  auto counters = Counters(db.get());
  RC_ASSERT(counters["gets"] == gets);
  RC_ASSERT(counters["gets-found"] == found);
  RC_ASSERT(counters["write-batches"] == batches);
  RC_ASSERT(counters["write-groups"] == batches);
  RC_ASSERT(counters["keys-written"] == keys);
  RC_ASSERT(counters["iterators"] == iterators);
  RC_ASSERT(counters["seeks"] == seeks);
  RC_ASSERT(counters["iterator-steps"] == steps);
}

}  // namespace
}  // namespace shearpin
