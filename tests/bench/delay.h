// What a writer waits for while merges cannot keep up: the smooth delay against the plain stop.
//
// The same sustained fillrandom, as fast as it is let, into a tree with small levels whose merges
// may write 16 MiB a second. Once writes are delayed in proportion to the debt, long before they
// would stop; once they only stop.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shearpin::bench {

struct DelayOptions {
  std::string directory;  // made, and emptied at the end
  uint64_t entries = 1'000'000;
  uint64_t seed = 1;
};

struct DelayResult {
  std::string mode;  // "smooth" or "stop"
  double seconds = 0;
  std::vector<uint64_t> nanos;  // of each Put
  uint64_t delays = 0;          // events of the engine
  uint64_t stalls = 0;
};

std::vector<DelayResult> MeasureDelay(const DelayOptions& options);

// Percentiles, and Puts by powers of two of their time. Reorder the samples.
std::string DelayTable(std::vector<DelayResult>* results);
// {"delay": [{"mode", "ops_per_second", "p50", "p99", "p99.9", "max": microseconds, "delays",
// "stalls"}]}
nlohmann::ordered_json DelayJson(std::vector<DelayResult>* results);

}  // namespace shearpin::bench
