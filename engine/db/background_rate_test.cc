// Goal: a database with a background_write_rate merges no faster than that, by the bytes that it
// says it has written; flushes and writers never wait for it; without a rate nobody does.
// Method: real threads on a clock that only sleeping moves, so that the time that passed is the
// time that was waited.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/db.h"
#include "engine/db/rate_limiter.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

class SkippingScheduler : public Scheduler {
 public:
  std::unique_ptr<ThreadHandle> Spawn(std::string_view name, std::function<void()> body) override {
    return real_->Spawn(name, std::move(body));
  }
  void SleepUntil(uint64_t deadline) override {
    uint64_t now = now_.load();
    while (now < deadline && !now_.compare_exchange_weak(now, deadline)) {
    }
  }
  void Yield(const char* tag) override { real_->Yield(tag); }
  uint64_t NowMicros() override { return now_.load(); }
  void MutexInit(LockRep* mutex) override { real_->MutexInit(mutex); }
  void MutexDestroy(LockRep* mutex) override { real_->MutexDestroy(mutex); }
  void MutexLock(LockRep* mutex) override { real_->MutexLock(mutex); }
  bool MutexTryLock(LockRep* mutex) override { return real_->MutexTryLock(mutex); }
  void MutexUnlock(LockRep* mutex) override { real_->MutexUnlock(mutex); }
  void CondInit(LockRep* cond) override { real_->CondInit(cond); }
  void CondDestroy(LockRep* cond) override { real_->CondDestroy(cond); }
  void CondWait(LockRep* cond, LockRep* mutex) override { real_->CondWait(cond, mutex); }
  // Nothing that fails and is tried again happens here.
  bool CondWaitUntil(LockRep* cond, LockRep* mutex, uint64_t) override {
    real_->CondWait(cond, mutex);
    return true;
  }
  void CondNotifyOne(LockRep* cond) override { real_->CondNotifyOne(cond); }
  void CondNotifyAll(LockRep* cond) override { real_->CondNotifyAll(cond); }

 private:
  Scheduler* const real_ = RealScheduler();
  std::atomic<uint64_t> now_{10'000'000};
};

class BackgroundRateTest : public testing::Test {
 protected:
  // Fills and flushes three tables; returns the microseconds that a merge of them waited.
  void Run(uint64_t rate) {
    Options options;
    options.env.file_system = &fs_;
    options.env.scheduler = &scheduler_;
    options.background_write_rate = rate;
    options.compaction_style = CompactionStyle::kNone;
    options.target_table_size = 100'000;
    options.compression = {};
    auto db = DB::Open(options, "/db");
    ASSERT_TRUE(db.ok()) << db.status().ToString();
    const uint64_t begin = scheduler_.NowMicros();
    for (int table = 0; table < 3; ++table) {
      for (int i = 0; i < 100; ++i) {
        const std::string key = std::to_string(1000 + i * 3 + table);
        ASSERT_TRUE((*db)->Put(key, std::string(1000, 'v')).ok());
      }
      ASSERT_TRUE((*db)->Flush().ok());
    }
    flushing_ = scheduler_.NowMicros() - begin;
    ASSERT_TRUE((*db)->CompactRange(nullptr, nullptr).ok());
    merging_ = scheduler_.NowMicros() - begin - flushing_;
    const std::string counters = *(*db)->Property("counters");
    flushed_bytes_ = Figure(counters, "flush-bytes-written");
    merged_bytes_ = Figure(counters, "compaction-bytes-written");
    ASSERT_GT(merged_bytes_, 300'000u);
  }
  static uint64_t Figure(const std::string& counters, const std::string& name) {
    const size_t at = counters.find("\n" + name + "=");
    return at == std::string::npos ? 0 : std::stoull(counters.substr(at + name.size() + 2));
  }

  faultfs::MemFileSystem fs_;
  SkippingScheduler scheduler_;
  uint64_t flushing_ = 0;
  uint64_t merging_ = 0;
  uint64_t flushed_bytes_ = 0;
  uint64_t merged_bytes_ = 0;
};

TEST_F(BackgroundRateTest, MergesKeepToTheRateAndPayForFlushes) {
  constexpr uint64_t kRate = 100'000;
  Run(kRate);
  EXPECT_EQ(flushing_, 0u) << "a flush never waits";
  // What was written at this rate takes so long, give or take what the bucket holds on each side
  // and the roundings.
  const uint64_t due = merged_bytes_ * 1'000'000 / kRate;
  EXPECT_GE(merging_ + RateLimiter::kDepthMicros, due * 99 / 100);
  EXPECT_LE(merging_, due + 2 * RateLimiter::kDepthMicros);
}

TEST_F(BackgroundRateTest, WithoutARateNobodyWaits) {
  Run(0);
  EXPECT_EQ(flushing_ + merging_, 0u);
}

}  // namespace
}  // namespace shearpin
