// Goal: on real threads, with writers, readers, iterators, snapshots, flushes, merges and reopening
// all at once, nothing that was acknowledged is lost, no read is torn, and ThreadSanitizer sees no
// race (bazel test --config=tsan //tests:stress_test), which the simulator's fibers cannot show.
// Method: each writer owns some keys and writes them in pairs, one batch each, with a counter that
// only grows. Readers know of each pair the last counter acknowledged and the last one begun: what
// they see must lie between, and both halves of a pair must agree. A few seconds for each policy.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/db.h"

namespace shearpin {
namespace {

constexpr int kWriters = 8;
constexpr int kReaders = 8;
constexpr uint64_t kPairsPerWriter = 40;
constexpr uint64_t kPairs = kWriters * kPairsPerWriter;
constexpr auto kRound = std::chrono::milliseconds(1500);

// A sequence of its own for each thread; quality does not matter here.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t Below(uint64_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % bound;
  }

 private:
  uint64_t state_;
};

std::string Key(uint64_t pair, char half) {
  return std::string(1, half) + std::to_string(1000 + pair);
}

std::string Value(uint64_t pair, uint64_t counter) {
  return std::to_string(pair) + ":" + std::to_string(counter) + ":" +
         std::string(counter * 31 % 200, 'x');
}

class StressTest : public ::testing::Test {
 protected:
  StressTest() : directory_(std::string(::testing::TempDir()) + "/stress_test") {
    std::filesystem::remove_all(directory_);
  }

  void Open(CompactionStyle style) {
    Options options;
    options.compaction_style = style;
    options.simple_levels = 6;  // it goes on with what another style left in the last level
    options.write_buffer_size = 32 << 10;
    options.max_write_buffers = 3;
    options.block_size = 512;
    options.target_table_size = 16 << 10;
    options.base_level_size = 64 << 10;
    options.level_size_multiplier = 3;
    options.level0_compaction_trigger = 3;
    options.level0_slowdown_trigger = 8;
    options.level0_stop_trigger = 16;
    options.manifest_rotate_size = 8 << 10;
    options.max_compactions = 3;
    options.delayed_write_rate = 4 << 20;
    auto db = DB::Open(options, directory_);
    ASSERT_TRUE(db.ok()) << db.status().ToString();
    db_ = *std::move(db);
  }

  // The counter in a value of `pair`, 0 for none. Fails the test if it is not one of its values.
  static uint64_t CounterOf(uint64_t pair, std::string_view value) {
    const size_t colon = value.find(':');
    const uint64_t counter = std::strtoull(value.data() + colon + 1, nullptr, 10);
    EXPECT_EQ(value, Value(pair, counter));
    return counter;
  }

  uint64_t Read(uint64_t pair, char half, const Snapshot* snapshot) {
    ReadOptions options;
    options.snapshot = snapshot;
    std::string value;
    const Status status = db_->Get(Key(pair, half), &value, options);
    if (status.IsNotFound()) return 0;
    EXPECT_TRUE(status.ok()) << status.ToString();
    return status.ok() ? CounterOf(pair, value) : 0;
  }

  void Write(uint64_t writer) {
    Draw draw(writer + 1);
    while (!stop_.load(std::memory_order_relaxed)) {
      const uint64_t pair = writer * kPairsPerWriter + draw.Below(kPairsPerWriter);
      const uint64_t counter = begun_[pair].load() + 1;
      begun_[pair].store(counter);
      WriteBatch batch;
      if (counter % 7 == 0) {
        batch.Delete(Key(pair, 'a'));
        batch.Delete(Key(pair, 'z'));
      } else {
        batch.Put(Key(pair, 'a'), Value(pair, counter));
        batch.Put(Key(pair, 'z'), Value(pair, counter));
      }
      const auto durability = draw.Below(50) == 0 ? Durability::kSync : Durability::kProcess;
      const Status status = db_->Write(&batch, {.durability = durability});
      ASSERT_TRUE(status.ok()) << status.ToString();
      done_[pair].store(counter);
    }
  }

  // 0 stands for a deletion, of which it cannot be told which one it was.
  static bool Between(uint64_t least, uint64_t found, uint64_t most) {
    if (found != 0) return least <= found && found <= most;
    for (uint64_t counter = least; counter <= most; ++counter) {
      if (counter % 7 == 0) return true;
    }
    return false;
  }

  void ReadPairs(uint64_t reader) {
    Draw draw(100 + reader);
    while (!stop_.load(std::memory_order_relaxed)) {
      const uint64_t pair = draw.Below(kPairs);
      uint64_t least = done_[pair].load();
      const uint64_t found = Read(pair, draw.Below(2) == 0 ? 'a' : 'z', nullptr);
      uint64_t most = begun_[pair].load();
      EXPECT_TRUE(Between(least, found, most)) << least << " " << found << " " << most;

      least = done_[pair].load();
      const auto snapshot = db_->GetSnapshot();
      most = begun_[pair].load();
      const uint64_t first = Read(pair, 'a', snapshot.get());
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(first, Read(pair, i % 2 == 0 ? 'z' : 'a', snapshot.get()));
      EXPECT_TRUE(Between(least, first, most)) << least << " " << first << " " << most;
      if (HasFailure()) return;
    }
  }

  // Whole walks: the first halves and the second halves must be the same pairs and counters.
  void WalkPairs(uint64_t reader) {
    Draw draw(200 + reader);
    while (!stop_.load(std::memory_order_relaxed)) {
      std::array<std::vector<uint64_t>, 2> halves = {std::vector<uint64_t>(kPairs),
                                                     std::vector<uint64_t>(kPairs)};
      const auto it = db_->NewIterator();
      const bool forward = draw.Below(2) == 0;
      std::string last;
      for (forward ? it->SeekToFirst() : it->SeekToLast(); it->Valid();
           forward ? it->Next() : it->Prev()) {
        const std::string key(it->key());
        EXPECT_TRUE(last.empty() || (forward ? last < key : last > key));
        last = key;
        const uint64_t pair = std::strtoull(key.c_str() + 1, nullptr, 10) - 1000;
        ASSERT_LT(pair, kPairs);
        halves[key[0] == 'a' ? 0 : 1][pair] = CounterOf(pair, it->value());
      }
      EXPECT_TRUE(it->status().ok()) << it->status().ToString();
      EXPECT_EQ(halves[0], halves[1]);
      if (HasFailure()) return;
    }
  }

  void Disturb() {
    Draw draw(300);
    for (uint64_t i = 0; !stop_.load(std::memory_order_relaxed); ++i) {
      const std::string low = Key(draw.Below(kPairs), 'a'), high = Key(draw.Below(kPairs), 'z');
      const std::string_view begin = low, end = high;
      Status status;
      switch (draw.Below(4)) {
        case 0:
          status = db_->Flush();
          break;
        case 1:
          status = db_->CompactRange(draw.Below(2) == 0 ? &begin : nullptr, &end);
          break;
        case 2:
          status = db_->VerifyChecksums();
          break;
        default:
          status = db_->Property(draw.Below(2) == 0 ? "levels" : "stats").status();
          break;
      }
      ASSERT_TRUE(status.ok()) << status.ToString();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  void Run() {
    stop_ = false;
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kWriters; ++i) threads.emplace_back([this, i] { Write(i); });
    for (uint64_t i = 0; i < kReaders; ++i) {
      threads.emplace_back([this, i] { i % 2 == 0 ? ReadPairs(i) : WalkPairs(i); });
    }
    threads.emplace_back([this] { Disturb(); });
    std::this_thread::sleep_for(kRound);
    stop_ = true;
    for (std::thread& thread : threads) thread.join();
  }

  void ExpectAllAcknowledged() {
    for (uint64_t pair = 0; pair < kPairs; ++pair) {
      const uint64_t counter = done_[pair].load();
      EXPECT_EQ(begun_[pair].load(), counter);
      const uint64_t expected = counter % 7 == 0 ? 0 : counter;
      EXPECT_EQ(Read(pair, 'a', nullptr), expected);
      EXPECT_EQ(Read(pair, 'z', nullptr), expected);
    }
  }

  const std::string directory_;
  std::unique_ptr<DB> db_;
  std::atomic<bool> stop_{false};
  std::array<std::atomic<uint64_t>, kPairs> begun_ = {};
  std::array<std::atomic<uint64_t>, kPairs> done_ = {};
};

TEST_F(StressTest, NothingIsLostOrTorn) {
  for (const CompactionStyle style : {CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                      CompactionStyle::kSimple, CompactionStyle::kLeveled}) {
    Open(style);
    if (HasFatalFailure()) return;
    ExpectAllAcknowledged();
    Run();
    ExpectAllAcknowledged();
    const Status closed = db_->Close();
    EXPECT_TRUE(closed.ok()) << closed.ToString();
    db_.reset();
    if (HasFailure()) return;
  }
  Open(CompactionStyle::kLeveled);
  ExpectAllAcknowledged();
  EXPECT_TRUE(db_->WaitForBackground().ok());
  EXPECT_TRUE(db_->VerifyChecksums().ok());
}

}  // namespace
}  // namespace shearpin
