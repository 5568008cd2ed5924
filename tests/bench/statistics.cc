#include "tests/bench/statistics.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "engine/base/check.h"

namespace shearpin::bench {

double Median(std::vector<double> values) {
  SHEARPIN_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t upper = values.size() / 2;
  return values.size() % 2 == 1 ? values[upper] : (values[upper - 1] + values[upper]) / 2;
}

double RatioToBest(const std::map<std::string, double>& costs, std::string_view name) {
  double own = 0, best = std::numeric_limits<double>::infinity();
  for (const auto& [engine, cost] : costs) {
    SHEARPIN_CHECK(cost > 0);
    if (engine == name) {
      own = cost;
    } else {
      best = std::min(best, cost);
    }
  }
  SHEARPIN_CHECK(own > 0 && costs.size() > 1);
  return best / own;
}

uint64_t Percentile(std::vector<uint64_t>* samples, unsigned per_100000) {
  SHEARPIN_CHECK(!samples->empty() && per_100000 >= 1 && per_100000 <= 100000);
  const size_t rank = (samples->size() * per_100000 + 99999) / 100000;
  const auto at = samples->begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(samples->begin(), at, samples->end());
  return *at;
}

std::vector<size_t> CountByPower(const std::vector<uint64_t>& samples) {
  std::vector<size_t> counts;
  for (const uint64_t sample : samples) {
    const auto power = static_cast<size_t>(std::bit_width(sample));
    if (counts.size() <= power) counts.resize(power + 1);
    ++counts[power];
  }
  return counts;
}

}  // namespace shearpin::bench
