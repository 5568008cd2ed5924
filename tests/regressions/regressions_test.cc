// Goal: what the simulator found once stays mended.
// Method: every plan in this directory is replayed as `sim replay` does; each must run clean and
// with its story on top. The plan, not the seed, is the artefact, so these keep their meaning when
// the generator changes.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/cli.h"

namespace shearpin {
namespace {

std::vector<std::string> Plans() {
  std::vector<std::string> plans;
  for (const auto& entry : std::filesystem::directory_iterator("tests/regressions")) {
    if (entry.path().extension() == ".plan") plans.push_back(entry.path().string());
  }
  std::sort(plans.begin(), plans.end());
  return plans;
}

std::string NameOf(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class Regression : public ::testing::TestWithParam<std::string> {};

TEST_P(Regression, ReplaysClean) {
  const char* const arguments[] = {"sim", "replay", GetParam().c_str()};
  EXPECT_EQ(sim::RunCommandLine(3, arguments), 0);
}

TEST_P(Regression, TellsItsStory) {
  std::ifstream plan(GetParam());
  std::string first;
  std::getline(plan, first);
  EXPECT_TRUE(first.starts_with("# ")) << "the story of a finding stands on top of its plan";
}

INSTANTIATE_TEST_SUITE_P(Plans, Regression, ::testing::ValuesIn(Plans()), NameOf);

}  // namespace
}  // namespace shearpin
