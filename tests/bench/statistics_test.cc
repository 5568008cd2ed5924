// Goal: the figures that the benchmark prints follow from those it measured.
// Method: known answers at the edges, and laws against plain definitions on drawn samples.
#include "tests/bench/statistics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace shearpin::bench {
namespace {

TEST(MedianTest, IsTheMiddleOrTheMeanOfTheTwoInTheMiddle) {
  EXPECT_EQ(Median({7}), 7);
  EXPECT_EQ(Median({9, 1, 5}), 5);
  EXPECT_EQ(Median({9, 1, 5, 3}), 4);
}

RC_GTEST_PROP(MedianTest, HalfOfTheValuesLieOnEitherSide, ()) {
  auto values = *rc::gen::nonEmpty<std::vector<int>>();
  const double median = Median({values.begin(), values.end()});
  const auto not_above =
      std::count_if(values.begin(), values.end(), [&](int value) { return value <= median; });
  const auto not_below =
      std::count_if(values.begin(), values.end(), [&](int value) { return value >= median; });
  RC_ASSERT(2 * static_cast<size_t>(not_above) >= values.size());
  RC_ASSERT(2 * static_cast<size_t>(not_below) >= values.size());
}

TEST(RatioTest, ComparesWithTheFastestOfTheOthersOnly) {
  const std::map<std::string, double> costs = {{"mine", 4}, {"slow", 8}, {"fast", 2}};
  EXPECT_EQ(RatioToBest(costs, "mine"), 0.5);
  EXPECT_EQ(RatioToBest(costs, "fast"), 2);
  EXPECT_EQ(RatioToBest(costs, "slow"), 0.25);
}

TEST(PercentileTest, IsTheNearestRank) {
  std::vector<uint64_t> samples;
  for (uint64_t i = 1000; i > 0; --i) samples.push_back(i);
  EXPECT_EQ(Percentile(&samples, 50000), 500u);
  EXPECT_EQ(Percentile(&samples, 99000), 990u);
  EXPECT_EQ(Percentile(&samples, 99900), 999u);
  EXPECT_EQ(Percentile(&samples, 99901), 1000u);
  EXPECT_EQ(Percentile(&samples, 100000), 1000u);
  EXPECT_EQ(Percentile(&samples, 1), 1u);
}

RC_GTEST_PROP(PercentileTest, IsASampleThatEnoughDoNotExceed, ()) {
  auto samples = *rc::gen::nonEmpty<std::vector<uint64_t>>();
  const auto share = *rc::gen::inRange(1u, 100001u);
  const uint64_t found = Percentile(&samples, share);
  RC_ASSERT(std::count(samples.begin(), samples.end(), found) > 0);
  const auto below = static_cast<size_t>(
      std::count_if(samples.begin(), samples.end(), [&](uint64_t s) { return s < found; }));
  const auto not_above = static_cast<size_t>(
      std::count_if(samples.begin(), samples.end(), [&](uint64_t s) { return s <= found; }));
  RC_ASSERT(not_above * 100000 >= share * samples.size());
  RC_ASSERT(below * 100000 < share * samples.size());
}

TEST(CountByPowerTest, CountsEachSampleOnce) {
  EXPECT_TRUE(CountByPower({}).empty());
  EXPECT_EQ(CountByPower({0, 1, 2, 3, 4, 8}), (std::vector<size_t>{1, 1, 2, 1, 1}));
}

}  // namespace
}  // namespace shearpin::bench
