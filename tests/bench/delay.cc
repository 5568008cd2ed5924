#include "tests/bench/delay.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>

#include "engine/db.h"
#include "engine/event_listener.h"
#include "tests/bench/statistics.h"
#include "tests/bench/text.h"
#include "tests/bench/workload.h"

namespace shearpin::bench {
namespace {

class WaitCounter : public EventListener {
 public:
  void OnEvent(const Event& event) override {
    if (event.kind == EventKind::kWriteDelayed) ++delays_;
    if (event.kind == EventKind::kWriteStalled) ++stalls_;
  }
  uint64_t delays() const { return delays_; }
  uint64_t stalls() const { return stalls_; }

 private:
  std::atomic<uint64_t> delays_{0};
  std::atomic<uint64_t> stalls_{0};
};

Options SmallLevels(bool smooth) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  Options options;
  options.write_buffer_size = kMiB;
  options.target_table_size = kMiB;
  options.base_level_size = 4 * kMiB;
  options.level_size_multiplier = 4;
  options.compression = {Compression::kNone};
  options.max_compactions = 1;
  // Far less than writers could keep busy, on any machine: debt builds for sure.
  options.background_write_rate = 16 * kMiB;
  options.level0_stop_trigger = 16;
  options.hard_pending_compaction_bytes = 64 * kMiB;
  if (smooth) {
    options.level0_slowdown_trigger = 6;
    options.soft_pending_compaction_bytes = 8 * kMiB;
  } else {
    // The delay begins a step before the stop, at a rate that nobody notices.
    options.level0_slowdown_trigger = options.level0_stop_trigger - 1;
    options.soft_pending_compaction_bytes = options.hard_pending_compaction_bytes - 1;
    options.delayed_write_rate = uint64_t{1} << 40;
  }
  return options;
}

DelayResult Fill(const DelayOptions& request, bool smooth) {
  using Clock = std::chrono::steady_clock;
  std::filesystem::remove_all(request.directory);
  std::filesystem::create_directories(request.directory);
  WaitCounter counter;
  Options options = SmallLevels(smooth);
  options.listener = &counter;
  auto db = DB::Open(options, request.directory + "/db");
  Require(db.ok(), db.status().ToString());
  Values values(request.seed);
  sim::Rng rng = sim::Rng::Stream(request.seed, "delay");
  DelayResult result{.mode = smooth ? "smooth" : "stop", .nanos = {}};
  result.nanos.reserve(request.entries);
  const auto start = Clock::now();
  for (uint64_t i = 0; i < request.entries; ++i) {
    const auto before = Clock::now();
    const Status status = (*db)->Put(Key(rng.Uniform(request.entries)).view(), values.Next());
    const std::chrono::nanoseconds took = Clock::now() - before;
    Require(status.ok(), status.ToString());
    result.nanos.push_back(static_cast<uint64_t>(took.count()));
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const Status closed = (*db)->Close();
  Require(closed.ok(), closed.ToString());
  result.delays = counter.delays();
  result.stalls = counter.stalls();
  return result;
}

struct Share {
  const char* name;
  unsigned per_100000;
};
constexpr Share kShares[] = {{"p50", 50000}, {"p99", 99000}, {"p99.9", 99900}, {"max", 100000}};

double Micros(std::vector<uint64_t>* nanos, const Share& share) {
  return static_cast<double>(Percentile(nanos, share.per_100000)) / 1000;
}

}  // namespace

std::vector<DelayResult> MeasureDelay(const DelayOptions& options) {
  std::vector<DelayResult> results;
  for (const bool smooth : {true, false}) results.push_back(Fill(options, smooth));
  std::filesystem::remove_all(options.directory);
  return results;
}

std::string DelayTable(std::vector<DelayResult>* results) {
  std::string text = Format("%-8s%10s", "mode", "Puts/s");
  for (const Share& share : kShares) text += Format("%12s", share.name);
  text += Format("%9s%9s\n", "delays", "stalls");
  for (DelayResult& result : *results) {
    text += Format("%-8s%10.0f", result.mode.c_str(),
                   static_cast<double>(result.nanos.size()) / result.seconds);
    for (const Share& share : kShares) text += Format("%9.1f us", Micros(&result.nanos, share));
    text += Format("%9llu%9llu\n", static_cast<unsigned long long>(result.delays),
                   static_cast<unsigned long long>(result.stalls));
  }
  text += Format("\n%15s", "Puts below");
  std::vector<std::vector<size_t>> counts;
  size_t powers = 0;
  for (const DelayResult& result : *results) {
    text += Format("%10s", result.mode.c_str());
    counts.push_back(CountByPower(result.nanos));
    powers = std::max(powers, counts.back().size());
  }
  text += "\n";
  for (size_t power = 0; power < powers; ++power) {
    std::string line = Format("%12.1f us", static_cast<double>(uint64_t{1} << power) / 1000);
    size_t sum = 0;
    for (const std::vector<size_t>& count : counts) {
      const size_t puts = power < count.size() ? count[power] : 0;
      line += Format("%10zu", puts);
      sum += puts;
    }
    if (sum != 0) text += line + "\n";
  }
  return text;
}

nlohmann::ordered_json DelayJson(std::vector<DelayResult>* results) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (DelayResult& result : *results) {
    nlohmann::ordered_json object = {
        {"mode", result.mode},
        {"ops_per_second", static_cast<double>(result.nanos.size()) / result.seconds}};
    for (const Share& share : kShares) object[share.name] = Micros(&result.nanos, share);
    object["delays"] = result.delays;
    object["stalls"] = result.stalls;
    all.push_back(std::move(object));
  }
  return {{"delay", std::move(all)}};
}

}  // namespace shearpin::bench
