// Goal: percentiles are what a sorted list of the values says, as closely as promised (H1), and
// merging loses nothing (H2). Method: buckets at their edges; RapidCheck properties against a
// sorted vector, over values of every magnitude.
#include "engine/base/histogram.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace shearpin {
namespace {

// As likely small as huge: by bits, not by value.
rc::Gen<uint64_t> AnyMagnitude() {
  return rc::gen::mapcat(rc::gen::inRange(0, 65), [](int bits) {
    return rc::gen::map(rc::gen::arbitrary<uint64_t>(),
                        [bits](uint64_t value) { return bits == 0 ? 0 : value >> (64 - bits); });
  });
}

Histogram Of(const std::vector<uint64_t>& values) {
  Histogram histogram;
  for (const uint64_t value : values) histogram.Add(value);
  return histogram;
}

TEST(Histogram, BucketsAdjoinAndCoverEverything) {
  EXPECT_EQ(Histogram::BucketOf(0), 0u);
  EXPECT_EQ(Histogram::BucketOf(UINT64_MAX), Histogram::kBuckets - 1);
  EXPECT_EQ(Histogram::HighestOf(Histogram::kBuckets - 1), UINT64_MAX);
  for (size_t i = 0; i + 1 < Histogram::kBuckets; ++i) {
    ASSERT_EQ(Histogram::BucketOf(Histogram::HighestOf(i)), i);
    ASSERT_EQ(Histogram::BucketOf(Histogram::HighestOf(i) + 1), i + 1);
  }
}

TEST(Histogram, IsEmptyAtFirst) {
  EXPECT_EQ(Histogram().ToString(), "count=0 mean=0 p50=0 p95=0 p99=0 max=0");
}

TEST(Histogram, SaysSmallValuesExactly) {
  EXPECT_EQ(Of({1, 2, 3, 4, 5, 5, 6}).ToString(), "count=7 mean=3 p50=4 p95=6 p99=6 max=6");
}

RC_GTEST_PROP(Histogram, PercentileIsTheRankOfASortedVector, ()) {
  auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<uint64_t>>(AnyMagnitude()));
  const uint32_t permille = *rc::gen::inRange<uint32_t>(1, 1001);
  const Histogram histogram = Of(values);
  std::sort(values.begin(), values.end());
  const size_t rank = (values.size() * permille + 999) / 1000;
  const uint64_t exact = values[rank - 1];
  const uint64_t told = histogram.Percentile(permille);
  RC_ASSERT(told >= exact);
  RC_ASSERT(told - exact <= exact / 8);
  RC_ASSERT(histogram.Percentile(1000) == values.back());
  RC_ASSERT(histogram.count() == values.size());
}

RC_GTEST_PROP(Histogram, MergedIsTheHistogramOfAllValues, ()) {
  const auto one = *rc::gen::container<std::vector<uint64_t>>(AnyMagnitude());
  const auto two = *rc::gen::container<std::vector<uint64_t>>(AnyMagnitude());
  std::vector<uint64_t> all = one;
  all.insert(all.end(), two.begin(), two.end());
  Histogram merged = Of(one);
  merged.Merge(Of(two));
  RC_ASSERT(merged == Of(all));
  Histogram other_way = Of(two);
  other_way.Merge(Of(one));
  RC_ASSERT(merged == other_way);
}

}  // namespace
}  // namespace shearpin
