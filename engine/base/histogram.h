// Histogram: how often values of each size occurred, in log-scale buckets.
//
// Values below 8 have a bucket each; above, every power of two is divided into 8 buckets of one
// width, so that a bucket is never wider than an eighth of its lowest value. The scheme is that of
// Tene's HdrHistogram, with 3 bits of precision.
//
// Laws (histogram_test.cc states them as properties)
//   H1  A percentile is at least the value at that rank of the sorted values, and at most an
//       eighth larger; the hundredth percentile is the largest value.
//   H2  Merging two histograms gives the histogram of all their values.
//
// Thread safety: a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace shearpin {

class Histogram {
 public:
  static constexpr size_t kBuckets = 8 + 61 * 8;
  using Buckets = std::array<uint64_t, kBuckets>;

  // Every value has exactly one bucket; larger values never have a lower one.
  static size_t BucketOf(uint64_t value);
  // The largest value of a bucket.
  static uint64_t HighestOf(size_t bucket);

  Histogram() = default;
  // From counts that were kept elsewhere.
  Histogram(const Buckets& buckets, uint64_t sum, uint64_t largest);

  void Add(uint64_t value);
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }
  // 0 if there is no value; likewise below.
  uint64_t largest() const { return largest_; }
  uint64_t Mean() const { return count_ == 0 ? 0 : sum_ / count_; }
  // Of `permille` thousandths of the values, 1 to 1000, the largest one, within H1.
  uint64_t Percentile(uint32_t permille) const;

  // "count=3 mean=5 p50=4 p95=9 p99=9 max=9".
  std::string ToString() const;

  bool operator==(const Histogram&) const = default;

 private:
  Buckets buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t largest_ = 0;
};

}  // namespace shearpin
