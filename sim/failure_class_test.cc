// Goal: a class has one spelling everywhere, and the model's classes keep theirs in the simulator.
// Method: all of them, there and back.
#include "sim/failure_class.h"

#include <gtest/gtest.h>

#include <set>

namespace shearpin::sim {
namespace {

TEST(FailureClassTest, NamesAreDistinctAndFoundAgain) {
  std::set<std::string_view> names;
  for (int i = 0; i < kFailureClasses; ++i) {
    const auto failure_class = static_cast<FailureClass>(i);
    const std::string_view name = FailureClassName(failure_class);
    EXPECT_NE(name, "unknown") << i;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(FindFailureClass(name), failure_class) << name;
  }
  EXPECT_EQ(FailureClassName(static_cast<FailureClass>(kFailureClasses)), "unknown");
  EXPECT_EQ(FindFailureClass("none"), std::nullopt);
}

TEST(FailureClassTest, TheModelsClassesKeepTheirSpelling) {
  for (int i = 1; i <= static_cast<int>(model::FailureClass::kOrderBroken); ++i) {
    const auto failure_class = static_cast<model::FailureClass>(i);
    EXPECT_EQ(FailureClassName(ClassOf(failure_class)), model::FailureClassName(failure_class));
  }
}

}  // namespace
}  // namespace shearpin::sim
