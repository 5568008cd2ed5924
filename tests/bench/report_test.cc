// Goal: the table and the JSON say what was measured.
// Method: fixed results, read back.
#include "tests/bench/report.h"

#include <gtest/gtest.h>

namespace shearpin::bench {
namespace {

const std::vector<Engine> kEngines = {{"mine", nullptr}, {"peer", nullptr}, {"other", nullptr}};
const std::vector<RowResult> kRows = {
    {"fast", {{"mine", {1, 4}}, {"peer", {2, 3}}, {"other", {8, 2}}}},
    {"slow", {{"mine", {10, 5}}, {"peer", {5, 5}}, {"other", {4, 5}}}},
};

TEST(ReportTest, JsonHoldsEachFigureAndTheRatioToTheBestPeer) {
  const auto rows = ToJson(kRows, kEngines).at("rows");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("name"), "fast");
  EXPECT_EQ(rows[0].at("mine"), 1);
  EXPECT_EQ(rows[0].at("other"), 8);
  EXPECT_EQ(rows[0].at("cpu").at("peer"), 3);
  EXPECT_EQ(rows[0].at("ratio_to_best"), 2);
  EXPECT_EQ(rows[0].at("cpu_ratio_to_best"), 0.5);
  EXPECT_EQ(rows[1].at("ratio_to_best"), 0.4);
  EXPECT_EQ(rows[1].at("cpu_ratio_to_best"), 1);
}

TEST(ReportTest, WithoutAPeerThereIsNoRatio) {
  const std::vector<RowResult> alone = {{"fast", {{"mine", {1, 1}}}}};
  const auto rows = ToJson(alone, {kEngines[0]}).at("rows");
  EXPECT_FALSE(rows[0].contains("ratio_to_best"));
  EXPECT_EQ(rows[0].at("mine"), 1);
  EXPECT_EQ(Table(alone, {kEngines[0]}).find('x'), std::string::npos);
}

TEST(ReportTest, TheTableShowsTimeRateAndRatio) {
  const std::string table = Table(kRows, kEngines);
  for (const char* part : {"mine", "peer", "other", "fast", "slow", "10.000", "(  100000)", "2.00x",
                           "0.40x", "0.50x"}) {
    EXPECT_NE(table.find(part), std::string::npos) << part << "\n" << table;
  }
}

}  // namespace
}  // namespace shearpin::bench
