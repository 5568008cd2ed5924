#include "engine/db/statistics.h"

namespace shearpin {
namespace {

// Threads that record at once seldom share one.
constexpr size_t kShards = 8;

constexpr std::array<std::string_view, static_cast<size_t>(Counter::kNumCounters)> kCounterNames = {
    "iterators",
    "seeks",
    "iterator-steps",
    "write-groups",
    "write-batches",
    "keys-written",
    "user-bytes-written",
    "wal-bytes-written",
    "wal-syncs",
    "flushes",
    "flush-bytes-written",
    "compactions",
    "compaction-bytes-read",
    "compaction-bytes-written",
    "trivial-moves",
    "tables-ingested",
    "ingest-bytes-written",
    "write-stalls",
    "stall-micros",
    "write-delays",
    "delay-micros",
    "memtables-cut",
    "transactions-committed",
    "transactions-conflicted",
    "background-errors",
    "tables-set-aside",
    "writer-failures",
    "resumes",
};

constexpr std::array<std::string_view, static_cast<size_t>(Latency::kNumLatencies)> kLatencyNames =
    {"get", "write", "seek", "sync", "flush", "compaction"};

}  // namespace

std::string_view CounterName(Counter counter) {
  return kCounterNames[static_cast<size_t>(counter)];
}

std::string_view LatencyName(Latency latency) {
  return kLatencyNames[static_cast<size_t>(latency)];
}

Statistics::Statistics(Scheduler* scheduler, Clock* clock, bool operations)
    : scheduler_(scheduler), clock_(clock) {
  for (size_t i = 0; i < kLatencies; ++i) {
    const bool often = i <= static_cast<size_t>(Latency::kSeek);
    if (!often || operations) shards_[i] = std::vector<Shard>(often ? kShards : 1);
  }
}

void Statistics::Count(const Event& event) {
  switch (event.kind) {
    case EventKind::kFlushDone:
      Add(Counter::kFlushes);
      return Add(Counter::kFlushBytesWritten, event.amount);
    case EventKind::kCompactionDone:
      Add(Counter::kCompactions);
      return Add(Counter::kCompactionBytesWritten, event.amount);
    case EventKind::kTrivialMove:
      return Add(Counter::kTrivialMoves);
    case EventKind::kTableIngested:
      Add(Counter::kTablesIngested);
      return Add(Counter::kIngestBytesWritten, event.amount);
    case EventKind::kWriteStalled:
      return Add(Counter::kWriteStalls);
    case EventKind::kWriteDelayed:
      Add(Counter::kWriteDelays);
      return Add(Counter::kDelayMicros, event.amount);
    case EventKind::kMemtableCut:
      return Add(Counter::kMemtablesCut);
    case EventKind::kTransactionCommitted:
      return Add(Counter::kTransactionsCommitted);
    case EventKind::kTransactionConflict:
      return Add(Counter::kTransactionsConflicted);
    case EventKind::kBackgroundError:
      return Add(Counter::kBackgroundErrors);
    case EventKind::kTableSetAside:
      return Add(Counter::kTablesSetAside);
    case EventKind::kWriterPoisoned:
      return Add(Counter::kWriterFailures);
    case EventKind::kResumed:
      return Add(Counter::kResumes);
    default:
      return;
  }
}

void Statistics::Record(Latency latency, uint64_t micros) {
  std::vector<Shard>& shards = shards_[static_cast<size_t>(latency)];
  if (shards.empty()) return;
  Shard& shard = shards[scheduler_->ProcessorHint() % shards.size()];
  shard.buckets[Histogram::BucketOf(micros)].fetch_add(1, std::memory_order_relaxed);
  shard.sum.fetch_add(micros, std::memory_order_relaxed);
  uint64_t largest = shard.largest.load(std::memory_order_relaxed);
  while (largest < micros &&
         !shard.largest.compare_exchange_weak(largest, micros, std::memory_order_relaxed)) {
  }
}

Histogram Statistics::Durations(Latency latency) const {
  Histogram all;
  for (const Shard& shard : shards_[static_cast<size_t>(latency)]) {
    Histogram::Buckets buckets;
    for (size_t i = 0; i < buckets.size(); ++i) {
      buckets[i] = shard.buckets[i].load(std::memory_order_relaxed);
    }
    all.Merge(Histogram(buckets, shard.sum.load(std::memory_order_relaxed),
                        shard.largest.load(std::memory_order_relaxed)));
  }
  return all;
}

std::string Statistics::CountersText() const {
  std::string text;
  for (size_t i = 0; i < kCounters; ++i) {
    text.append(kCounterNames[i]).append("=");
    text.append(std::to_string(Get(static_cast<Counter>(i)))).append("\n");
  }
  return text;
}

bool Statistics::HistogramText(std::string_view name, std::string* text) const {
  for (size_t i = 0; i < kLatencies; ++i) {
    if (kLatencyNames[i] != name) continue;
    *text = Durations(static_cast<Latency>(i)).ToString() + "\n";
    return true;
  }
  return false;
}

std::string Statistics::HistogramsText() const {
  std::string text;
  for (size_t i = 0; i < kLatencies; ++i) {
    const auto latency = static_cast<Latency>(i);
    if (!Times(latency)) continue;
    text.append(kLatencyNames[i]).append(": ");
    text.append(Durations(latency).ToString()).append("\n");
  }
  return text;
}

}  // namespace shearpin
