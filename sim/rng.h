// Rng: the only source of randomness in a simulation, so that a seed means the same history on
// every machine and with every standard library.
//
// Generator: xoshiro256** 1.0 (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number
// generators", ACM TOMS 2021), its state filled by SplitMix64 (G. Steele, D. Lea, C. Flood,
// OOPSLA 2014). All draws are integers: no floating point reaches a decision.
//
// One stream for one purpose: Rng::Stream(seed, "workload") and Rng::Stream(seed, "faults") are
// independent, so a draw more in one leaves the others as they were.
//
// What a seed means is frozen by the known answers in rng_test.cc. A change of any draw here
// changes the meaning of every seed, though not of any plan.
//
// Thread safety: none. A value: a copy repeats the original's draws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "engine/env/entropy.h"

namespace shearpin::sim {

class Rng {
 public:
  using State = std::array<uint64_t, 4>;

  explicit Rng(uint64_t seed);
  // A generator in exactly this state, which must not be all zeros.
  explicit Rng(const State& state) : state_(state) {}

  // The stream of `seed` with this name. Names are part of what a seed means.
  static Rng Stream(uint64_t seed, std::string_view name);
  // A stream of its own for each of many things of one kind: client 0, client 1, ...
  static Rng Stream(uint64_t seed, std::string_view name, uint64_t number);

  // 64 uniform bits.
  uint64_t Next() {
    const uint64_t result = Rotate(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }

  // Uniform in [0, n), without bias; n > 0. (D. Lemire, "Fast random integer generation in an
  // interval", 2019: multiply, and reject the few products that would be counted twice.)
  uint64_t Uniform(uint64_t n);
  // Uniform in [low, high], both included; low <= high.
  uint64_t Range(uint64_t low, uint64_t high);
  // True once in n times; n > 0.
  bool OneIn(uint64_t n) { return Uniform(n) == 0; }
  // True `numerator` times in `denominator`; denominator > 0.
  bool Chance(uint64_t numerator, uint64_t denominator) { return Uniform(denominator) < numerator; }
  // Small numbers often, large ones now and then: [0, 2^k) for a uniform k in [0, max_bits];
  // max_bits < 64.
  uint64_t Skewed(unsigned max_bits);

  // An index, each with the chance of its weight. At least one weight is not zero.
  size_t Weighted(std::span<const uint32_t> weights);
  // One of the elements; not empty.
  template <typename Container>
  auto& Pick(Container& container) {
    return container[Uniform(std::size(container))];
  }
  // Every order equally likely (Fisher-Yates).
  template <typename Container>
  void Shuffle(Container* container) {
    for (size_t left = std::size(*container); left > 1; --left) {
      using std::swap;
      swap((*container)[left - 1], (*container)[Uniform(left)]);
    }
  }

  const State& state() const { return state_; }

 private:
  static uint64_t Rotate(uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }

  State state_;
};

// What the engine is given for database ids and log salts.
class StreamEntropy final : public Entropy {
 public:
  explicit StreamEntropy(Rng rng) : rng_(rng) {}
  uint64_t Next() override { return rng_.Next(); }

 private:
  Rng rng_;
};

}  // namespace shearpin::sim
