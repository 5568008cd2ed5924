#include "tests/bench/workload.h"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

namespace shearpin::bench {
namespace {

using sim::Rng;
using SteadyClock = std::chrono::steady_clock;

// What a result is added to, so that no compiler leaves out the read that it came from.
volatile uint64_t sink = 0;

uint64_t FillSequential(Store* store, const Job& job) {
  Values values(job.seed);
  for (uint64_t i = 0; i < job.operations; ++i) store->Put(Key(i).view(), values.Next());
  return job.operations;
}

// Each entry once, in an order of chance.
uint64_t FillRandom(Store* store, const Job& job) {
  Values values(job.seed);
  std::vector<uint32_t> order(job.operations);
  std::iota(order.begin(), order.end(), 0u);
  Rng::Stream(job.seed, "order").Shuffle(&order);
  for (const uint32_t i : order) store->Put(Key(i).view(), values.Next());
  return job.operations;
}

uint64_t Overwrite(Store* store, const Job& job) {
  Values values(job.seed);
  Rng rng = Rng::Stream(job.seed, "overwrite");
  for (uint64_t i = 0; i < job.operations; ++i) {
    store->Put(Key(rng.Uniform(job.entries)).view(), values.Next());
  }
  return job.operations;
}

uint64_t Read(Store* store, const Job& job, bool missing) {
  Rng rng = Rng::Stream(job.seed, "read");
  std::string value;
  uint64_t found = 0;
  for (uint64_t i = 0; i < job.operations; ++i) {
    found += store->Get(Key(rng.Uniform(job.entries), missing).view(), &value);
  }
  Require(found == (missing ? 0 : job.operations), "a Get found what is not there, or missed");
  return job.operations;
}
uint64_t ReadRandom(Store* store, const Job& job) { return Read(store, job, false); }
uint64_t ReadMissing(Store* store, const Job& job) { return Read(store, job, true); }

template <typename First, typename Next>
uint64_t Walk(Store* store, const Job& job, First first, Next next) {
  const auto cursor = store->NewCursor();
  uint64_t entries = 0, bytes = 0;
  for (bool valid = first(cursor.get()); valid; valid = next(cursor.get())) {
    ++entries;
    bytes += cursor->key().size() + static_cast<unsigned char>(cursor->value().back());
  }
  sink = sink + bytes;
  Require(entries == job.entries, "a scan does not see every entry once");
  return entries;
}
uint64_t ReadForward(Store* store, const Job& job) {
  return Walk(
      store, job, [](Cursor* c) { return c->SeekToFirst(); }, [](Cursor* c) { return c->Next(); });
}
uint64_t ReadReverse(Store* store, const Job& job) {
  return Walk(
      store, job, [](Cursor* c) { return c->SeekToLast(); }, [](Cursor* c) { return c->Prev(); });
}

uint64_t SeekRandom(Store* store, const Job& job) {
  const auto cursor = store->NewCursor();
  Rng rng = Rng::Stream(job.seed, "seek");
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < job.operations; ++i) {
    const Key key(rng.Uniform(job.entries));
    Require(cursor->Seek(key.view()) && cursor->key() == key.view(), "a seek went astray");
    bytes += static_cast<unsigned char>(cursor->value().back());
  }
  sink = sink + bytes;
  return job.operations;
}

// The same number of writes a second for every engine, in small bursts: how fast its writer might
// be is measured by other rows.
class PacedWriter {
 public:
  PacedWriter(Store* store, const Job& job) : thread_([this, store, job] { Run(store, job); }) {}
  ~PacedWriter() {
    stop_.store(true);
    thread_.join();
  }

 private:
  static constexpr int kBurst = 20;
  static constexpr auto kPeriod = std::chrono::milliseconds(1);

  void Run(Store* store, const Job& job) {
    Values values(job.seed);
    Rng rng = Rng::Stream(job.seed, "writer");
    for (auto next = SteadyClock::now(); !stop_.load(); next += kPeriod) {
      std::this_thread::sleep_until(next);
      for (int i = 0; i < kBurst; ++i) {
        store->Put(Key(rng.Uniform(job.entries)).view(), values.Next());
      }
    }
  }
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

uint64_t ReadWhileWriting(Store* store, const Job& job) {
  const PacedWriter writer(store, job);
  return ReadRandom(store, job);
}

double ThreadCpuMicros() {
  struct rusage usage;
  Require(::getrusage(RUSAGE_THREAD, &usage) == 0, "getrusage failed");
  const auto micros = [](const timeval& t) {
    return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

}  // namespace

Values::Values(uint64_t seed) {
  // Half of each 100 bytes is drawn and stands there twice.
  constexpr size_t kText = size_t{1} << 20;
  Rng rng = Rng::Stream(seed, "values");
  while (text_.size() < kText) {
    std::string half(kValueSize / 2, '\0');
    for (char& c : half) c = static_cast<char>(' ' + rng.Uniform(95));
    text_ += half + half;
  }
}

std::string_view Values::Next() {
  if (at_ + kValueSize > text_.size()) at_ = 0;
  const std::string_view value = std::string_view(text_).substr(at_, kValueSize);
  at_ += kValueSize;
  return value;
}

Key::Key(uint64_t i, bool missing) {
  uint64_t rest = 2 * i + (missing ? 1 : 0);
  for (size_t at = kKeySize; at-- > 0; rest /= 10) digits_[at] = static_cast<char>('0' + rest % 10);
}

const std::vector<Row>& AllRows() {
  using enum Base;
  constexpr Promise kDeath = Promise::kProcessDeath;
  static const auto* const rows = new std::vector<Row>{
      {"fillseq", kEmpty, kDeath, false, 1000, FillSequential},
      {"fillsync", kEmpty, Promise::kPowerLoss, false, 2, FillSequential},
      {"fillrandom", kEmpty, kDeath, false, 1000, FillRandom},
      {"overwrite", kFilled, kDeath, false, 1000, Overwrite},
      {"readrandom", kWarm, kDeath, true, 1000, ReadRandom},
      {"readmissing", kWarm, kDeath, true, 1000, ReadMissing},
      {"readseq", kWarm, kDeath, true, 1000, ReadForward},
      {"readreverse", kWarm, kDeath, true, 1000, ReadReverse},
      {"seekrandom", kWarm, kDeath, true, 500, SeekRandom},
      {"readwhilewriting", kWarm, kDeath, false, 1000, ReadWhileWriting},
  };
  return *rows;
}

Cost Measure(const Row& row, Store* store, const Job& job) {
  const double cpu = ThreadCpuMicros();
  const auto start = SteadyClock::now();
  const auto operations = static_cast<double>(row.run(store, job));
  const std::chrono::duration<double, std::micro> wall = SteadyClock::now() - start;
  return {.micros = wall.count() / operations,
          .cpu_micros = (ThreadCpuMicros() - cpu) / operations};
}

void WarmUp(Store* store) {
  const auto cursor = store->NewCursor();
  uint64_t bytes = 0;
  for (bool valid = cursor->SeekToFirst(); valid; valid = cursor->Next()) {
    bytes += cursor->value().size();
  }
  sink = sink + bytes;
}

}  // namespace shearpin::bench
