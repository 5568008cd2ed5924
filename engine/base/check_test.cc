// Goal: a failed CHECK ends the process and says where and why. Method: death tests.
#include "engine/base/check.h"

#include <gtest/gtest.h>

namespace shearpin {
namespace {

TEST(CheckDeathTest, NamesFileConditionAndMessage) {
  const int one = 1;
  EXPECT_DEATH(SHEARPIN_CHECK(one == 2), "check_test.cc:[0-9]+: CHECK failed: one == 2");
  EXPECT_DEATH(SHEARPIN_CHECK(one == 2, "sums are off"), "one == 2: sums are off");
}

TEST(CheckTest, TrueConditionsAreEvaluatedOnceAndPass) {
  int evaluated = 0;
  SHEARPIN_CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

}  // namespace
}  // namespace shearpin
