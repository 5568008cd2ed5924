// Statistics: what one open database has done, as counters and as histograms of durations.
//
// Counters of Get stand in ReadStateCell, where a reader has a cache line of its own; everything
// else is here, by relaxed atomics. Figures begin at 0 with each open and never go back. A reader
// of them beside running work may see one figure and not yet another that belongs to it.
//
// Thread safety: all methods from many threads at once. Ownership: borrows scheduler and clock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/histogram.h"
#include "engine/env/clock.h"
#include "engine/env/scheduler.h"
#include "engine/event_listener.h"

namespace shearpin {

enum class Counter : uint8_t {
  kIterators,
  kSeeks,          // of iterators, in any direction
  kIteratorSteps,  // Next and Prev
  kWriteGroups,    // commits of the write queue; each is at most one log record
  kWriteBatches,   // in those
  kKeysWritten,    // changes in those
  kUserBytesWritten,
  kWalBytesWritten,
  kWalSyncs,
  kFlushes,
  kFlushBytesWritten,
  kCompactions,
  kCompactionBytesRead,
  kCompactionBytesWritten,
  kTrivialMoves,
  kTablesIngested,
  kIngestBytesWritten,
  kWriteStalls,
  kStallMicros,
  kWriteDelays,
  kDelayMicros,
  kMemtablesCut,
  kTransactionsCommitted,
  kTransactionsConflicted,
  kBackgroundErrors,
  kTablesSetAside,
  kWriterFailures,
  kResumes,
  kNumCounters,
};

// "iterators", "wal-bytes-written", ...
std::string_view CounterName(Counter counter);

enum class Latency : uint8_t { kGet, kWrite, kSeek, kSync, kFlush, kCompaction, kNumLatencies };

// "get", "write", ...
std::string_view LatencyName(Latency latency);

class Statistics {
 public:
  // `operations`: whether Get, writes and seeks are timed too, not only what takes long anyway.
  Statistics(Scheduler* scheduler, Clock* clock, bool operations);
  Statistics(const Statistics&) = delete;
  Statistics& operator=(const Statistics&) = delete;

  void Add(Counter counter, uint64_t amount = 1) {
    At(counter).fetch_add(amount, std::memory_order_relaxed);
  }
  // As Add, cheaper: for counters that only ever change under one lock.
  void AddLocked(Counter counter, uint64_t amount) {
    std::atomic<uint64_t>& total = At(counter);
    total.store(total.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t Get(Counter counter) const {
    return counters_[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }
  // What an event says of these.
  void Count(const Event& event);

  bool Times(Latency latency) const { return !shards_[static_cast<size_t>(latency)].empty(); }
  void Record(Latency latency, uint64_t micros);
  Histogram Durations(Latency latency) const;
  uint64_t NowMicros() const { return clock_->NowMicros(); }

  // One line "name=value" for each counter.
  std::string CountersText() const;
  // The line of one histogram, in microseconds. False if there is none of that name.
  bool HistogramText(std::string_view name, std::string* text) const;
  // All lines, "name: " before each.
  std::string HistogramsText() const;

 private:
  struct alignas(64) Shard {
    std::array<std::atomic<uint64_t>, Histogram::kBuckets> buckets{};
    std::atomic<uint64_t> sum{0};
    std::atomic<uint64_t> largest{0};
  };
  static constexpr size_t kCounters = static_cast<size_t>(Counter::kNumCounters);
  static constexpr size_t kLatencies = static_cast<size_t>(Latency::kNumLatencies);

  std::atomic<uint64_t>& At(Counter counter) { return counters_[static_cast<size_t>(counter)]; }

  Scheduler* const scheduler_;
  Clock* const clock_;
  std::array<std::atomic<uint64_t>, kCounters> counters_{};
  // By latency, then near which processor; none: not timed.
  std::array<std::vector<Shard>, kLatencies> shards_;
};

// Records how long it lived, if that is asked for; else reads no clock.
class Stopwatch {
 public:
  Stopwatch(Statistics* statistics, Latency latency)
      : statistics_(statistics->Times(latency) ? statistics : nullptr),
        latency_(latency),
        begun_(statistics_ != nullptr ? statistics_->NowMicros() : 0) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    if (statistics_ != nullptr) statistics_->Record(latency_, Micros());
  }
  // So far. 0 if nobody asked.
  uint64_t Micros() const { return statistics_ != nullptr ? statistics_->NowMicros() - begun_ : 0; }

 private:
  Statistics* const statistics_;
  const Latency latency_;
  const uint64_t begun_;
};

}  // namespace shearpin
