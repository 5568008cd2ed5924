#include "sim/rng.h"

#include <xxhash.h>

#include "engine/base/check.h"

namespace shearpin::sim {
namespace {

uint64_t SplitMix64(uint64_t* state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(&seed);
}

Rng Rng::Stream(uint64_t seed, std::string_view name) {
  // The seed goes through the mixer before the name's hash is added: neighbouring seeds and equal
  // names must not meet in one state.
  uint64_t mixed = seed;
  return Rng(SplitMix64(&mixed) ^ XXH3_64bits(name.data(), name.size()));
}

Rng Rng::Stream(uint64_t seed, std::string_view name, uint64_t number) {
  uint64_t mixed = number;
  return Stream(seed ^ SplitMix64(&mixed), name);
}

uint64_t Rng::Uniform(uint64_t n) {
  SHEARPIN_CHECK(n > 0, "a draw from nothing");
  using Wide = unsigned __int128;
  Wide product = Wide{Next()} * n;
  uint64_t low = static_cast<uint64_t>(product);
  if (low < n) [[unlikely]] {
    const uint64_t threshold = -n % n;
    while (low < threshold) {
      product = Wide{Next()} * n;
      low = static_cast<uint64_t>(product);
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

uint64_t Rng::Range(uint64_t low, uint64_t high) {
  SHEARPIN_CHECK(low <= high, "an empty range");
  const uint64_t span = high - low + 1;
  return span == 0 ? Next() : low + Uniform(span);
}

uint64_t Rng::Skewed(unsigned max_bits) {
  SHEARPIN_CHECK(max_bits < 64);
  return Uniform(uint64_t{1} << Uniform(max_bits + 1));
}

size_t Rng::Weighted(std::span<const uint32_t> weights) {
  uint64_t total = 0;
  for (const uint32_t weight : weights) total += weight;
  uint64_t left = Uniform(total);
  size_t index = 0;
  while (left >= weights[index]) left -= weights[index++];
  return index;
}

}  // namespace shearpin::sim
