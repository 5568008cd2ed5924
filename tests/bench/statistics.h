// What is made of the measured numbers. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace shearpin::bench {

// The middle one, or the mean of the two in the middle. Not of nothing.
double Median(std::vector<double> values);

// How fast `name` is against the fastest of the others: their least cost over its own, so 1 is
// level, 0.5 half as fast. `costs` (time per operation) holds `name` and at least one other, all
// above 0.
double RatioToBest(const std::map<std::string, double>& costs, std::string_view name);

// The least sample that at least `per_100000` hundred-thousandths of all do not exceed (nearest
// rank, exact). Reorders the samples, of which there is at least one; 1 to 100000.
uint64_t Percentile(std::vector<uint64_t>* samples, unsigned per_100000);

// Samples by powers of two: element i counts those in [2^(i-1), 2^i); the first, zeros.
std::vector<size_t> CountByPower(const std::vector<uint64_t>& samples);

}  // namespace shearpin::bench
