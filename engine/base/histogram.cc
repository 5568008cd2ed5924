#include "engine/base/histogram.h"

#include <algorithm>
#include <bit>

#include "engine/base/check.h"

namespace shearpin {
namespace {

constexpr unsigned kPrecisionBits = 3;
constexpr uint64_t kSteps = uint64_t{1} << kPrecisionBits;

}  // namespace

size_t Histogram::BucketOf(uint64_t value) {
  if (value < kSteps) return value;
  const unsigned exponent = static_cast<unsigned>(std::bit_width(value)) - 1 - kPrecisionBits;
  // The leading bit is part of the shifted value, which is why there is no offset to add.
  return exponent * kSteps + (value >> exponent);
}

uint64_t Histogram::HighestOf(size_t bucket) {
  if (bucket < kSteps) return bucket;
  const unsigned exponent = static_cast<unsigned>(bucket / kSteps) - 1;
  const uint64_t lowest = (kSteps + bucket % kSteps) << exponent;
  return lowest + ((uint64_t{1} << exponent) - 1);
}

Histogram::Histogram(const Buckets& buckets, uint64_t sum, uint64_t largest)
    : buckets_(buckets), sum_(sum), largest_(largest) {
  for (const uint64_t bucket : buckets_) count_ += bucket;
}

void Histogram::Add(uint64_t value) {
  ++buckets_[BucketOf(value)];
  ++count_;
  sum_ += value;
  largest_ = std::max(largest_, value);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  largest_ = std::max(largest_, other.largest_);
}

uint64_t Histogram::Percentile(uint32_t permille) const {
  SHEARPIN_CHECK(permille >= 1 && permille <= 1000);
  if (count_ == 0) return 0;
  // The rank, rounded up: half of three values are two of them.
  const auto rank =
      static_cast<uint64_t>((static_cast<unsigned __int128>(count_) * permille + 999) / 1000);
  uint64_t passed = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    passed += buckets_[i];
    if (passed >= rank) return std::min(HighestOf(i), largest_);
  }
  return largest_;
}

std::string Histogram::ToString() const {
  return "count=" + std::to_string(count_) + " mean=" + std::to_string(Mean()) +
         " p50=" + std::to_string(Percentile(500)) + " p95=" + std::to_string(Percentile(950)) +
         " p99=" + std::to_string(Percentile(990)) + " max=" + std::to_string(largest_);
}

}  // namespace shearpin
