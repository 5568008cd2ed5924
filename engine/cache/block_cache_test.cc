// Goal: the invariants C1 to C3 of the cache. Method: random finds, pins, failures and changes of
// capacity against a reference that keeps every block; then real threads on few keys, for
// ThreadSanitizer, with the loads of each key counted.
#include "engine/cache/block_cache.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <string>
#include <thread>

#include "engine/env/env.h"

namespace shearpin {
namespace {

std::string ContentsOf(const BlockCache::Key& key) {
  return std::string(20 + (key.offset * 37 + key.table * 11) % 400,
                     static_cast<char>('a' + (key.table * 7 + key.offset) % 26)) +
         std::to_string(key.table) + "/" + std::to_string(key.offset);
}

Status LoadInto(const BlockCache::Key& key, BlockBytes* bytes) {
  const std::string contents = ContentsOf(key);
  bytes->buffer = std::make_unique<char[]>(contents.size());
  bytes->capacity = contents.size();
  std::memcpy(bytes->buffer.get(), contents.data(), contents.size());
  bytes->contents = {bytes->buffer.get(), contents.size()};
  return Status::Ok();
}

RC_GTEST_PROP(BlockCacheTest, BlocksAreRightAndCapacityHolds, ()) {
  const auto any_capacity = [] { return *rc::gen::element<size_t>(0, 300, 2000, 8000, 1 << 22); };
  BlockCache cache(RealScheduler(), any_capacity());
  std::map<int, std::pair<BlockCache::Key, BlockCache::Pin>> pins;
  uint64_t loads = 0, finds = 0;
  for (int step = *rc::gen::inRange(0, 150); step > 0; --step) {
    const BlockCache::Key key{*rc::gen::inRange<uint64_t>(1, 4),
                              *rc::gen::inRange<uint64_t>(0, 20)};
    const int slot = *rc::gen::inRange(0, 6);
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        pins.erase(slot);
        break;
      case 1:
        if (*rc::gen::inRange(0, 4) == 0) cache.SetCapacity(any_capacity());
        break;
      case 2: {
        BlockCache::Pin pin;
        bool loaded = false;
        const Status status = cache.FindOrLoad(
            key, [&](BlockBytes*) { return loaded = true, Status::IoError("no"); }, &pin);
        ++finds;
        loads += loaded ? 1 : 0;
        RC_ASSERT(status.ok() == !loaded);
        RC_ASSERT(pin.holds() == !loaded);
        if (!loaded) RC_ASSERT(pin.contents() == ContentsOf(key));
        break;
      }
      default: {
        BlockCache::Pin pin;
        RC_ASSERT(
            cache
                .FindOrLoad(
                    key, [&](BlockBytes* bytes) { return ++loads, LoadInto(key, bytes); }, &pin)
                .ok());
        ++finds;
        pins[slot] = {key, std::move(pin)};
        // At once again: it is pinned, so it is there.
        BlockCache::Pin again;
        RC_ASSERT(cache
                      .FindOrLoad(
                          key, [](BlockBytes*) { return Status::IoError("no"); }, &again)
                      .ok());
        ++finds;
      }
    }
    for (const auto& [unused, pinned] : pins) {
      RC_ASSERT(pinned.second.contents() == ContentsOf(pinned.first));
    }
    RC_ASSERT(cache.Usage() <= cache.capacity() + cache.PinnedUsage());
    RC_ASSERT(cache.counters().misses == loads);
    RC_ASSERT(cache.counters().hits + loads == finds);
  }
  pins.clear();
  RC_ASSERT(cache.PinnedUsage() == 0u);
  RC_ASSERT(cache.Usage() <= cache.capacity());
}

TEST(BlockCacheTest, WhatIsUsedStaysAndWhatIsNotGoes) {
  BlockCache cache(RealScheduler(), 20000);
  const auto find = [&](uint64_t offset) {
    bool loaded = false;
    BlockCache::Pin pin;
    const BlockCache::Key key{1, offset};
    EXPECT_TRUE(
        cache
            .FindOrLoad(
                key, [&](BlockBytes* bytes) { return loaded = true, LoadInto(key, bytes); }, &pin)
            .ok());
    return loaded;
  };
  find(1);
  for (uint64_t offset = 100; offset < 1000; ++offset) {
    find(offset);
    EXPECT_FALSE(find(1)) << "evicted though it is the one in use";
  }
  EXPECT_TRUE(find(100));
  EXPECT_GT(cache.counters().evictions, 500u);
}

TEST(BlockCacheTest, RealThreadsShareLoadsAndSeeWholeBlocks) {
  constexpr int kThreads = 4, kRounds = 3000;
  BlockCache cache(RealScheduler(), 3000);
  std::array<std::atomic<int>, 24> loading{};
  std::atomic<int> errors{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      BlockCache::Pin held;
      uint64_t x = static_cast<uint64_t>(t) + 1;
      for (int i = 0; i < kRounds; ++i) {
        x = x * 6364136223846793005 + 1442695040888963407;
        const BlockCache::Key key{1, (x >> 33) % loading.size()};
        const bool fails = (x >> 60) == 0;
        BlockCache::Pin pin;
        const Status status = cache.FindOrLoad(
            key,
            [&](BlockBytes* bytes) {
              // C3
              if (loading[key.offset].fetch_add(1) != 0) errors.fetch_add(1);
              std::this_thread::yield();
              Status loaded = fails ? Status::IoError("on purpose") : LoadInto(key, bytes);
              loading[key.offset].fetch_sub(1);
              return loaded;
            },
            &pin);
        if (status.ok() ? pin.contents() != ContentsOf(key) : !status.IsIoError()) {
          errors.fetch_add(1);
        }
        if (i % 3 == 0) held = std::move(pin);
        if (i % 50 == t) cache.SetCapacity(i % 100 < 50 ? 500 : 6000);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(errors.load(), 0);
  EXPECT_EQ(cache.PinnedUsage(), 0u);
  EXPECT_LE(cache.Usage(), cache.capacity());
}

// Everyone who waits for a load gets its error; who comes later causes a load of his own.
TEST(BlockCacheTest, AnErrorIsGivenToAllWhoWaitedAndForgotten) {
  BlockCache cache(RealScheduler(), 10000);
  const BlockCache::Key key{1, 7};
  std::atomic<bool> begun{false};
  std::atomic<int> failed{0};
  std::thread loader([&] {
    BlockCache::Pin pin;
    const Status status = cache.FindOrLoad(
        key,
        [&](BlockBytes*) {
          begun = true;
          while (cache.counters().hits < 3) std::this_thread::yield();
          return Status::IoError("first");
        },
        &pin);
    failed += status.IsIoError() ? 1 : 0;
  });
  while (!begun) std::this_thread::yield();
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&] {
      BlockCache::Pin pin;
      const Status status = cache.FindOrLoad(
          key, [&](BlockBytes*) { return Status::Busy("second load"); }, &pin);
      failed += status.IsIoError() && !pin.holds() ? 1 : 0;
    });
  }
  loader.join();
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(failed, 4);
  BlockCache::Pin pin;
  EXPECT_TRUE(cache
                  .FindOrLoad(
                      key, [&](BlockBytes* bytes) { return LoadInto(key, bytes); }, &pin)
                  .ok());
  EXPECT_EQ(cache.counters().misses, 2u);
}

}  // namespace
}  // namespace shearpin
