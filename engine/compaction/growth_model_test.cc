// Goal: the model of a growing tree obeys what must hold of any (nothing is lost, levels keep their
// targets) and shows what is known of the policies: leveled reads and stores less, tiered writes
// less, and each level costs a leveled tree about half its multiplier.
// Method: trees of a few thousand tables; relations and bounds, no golden figures.
#include "engine/compaction/growth_model.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/compaction/leveled_policy.h"

namespace shearpin {
namespace {

constexpr uint64_t kMega = 1 << 20;

Options Small(CompactionStyle style) {
  Options options;
  options.compaction_style = style;
  options.write_buffer_size = 4 * kMega;
  options.target_table_size = 4 * kMega;
  options.base_level_size = 16 * kMega;
  options.level0_compaction_trigger = 8;
  return options;
}

GrowthPoint Last(CompactionStyle style, double updates, uint64_t bytes = 2000 * kMega) {
  return Grow(Small(style), {.bytes = bytes, .entry_size = 116, .update_fraction = updates}).back();
}

TEST(GrowthModel, InsertsOnlyTakeTheirSpaceOnce) {
  for (const auto style :
       {CompactionStyle::kLeveled, CompactionStyle::kTiered, CompactionStyle::kSimple}) {
    const GrowthPoint point = Last(style, 0);
    EXPECT_NEAR(point.SpaceAmplification(), 1, 0.001);
    EXPECT_NEAR(static_cast<double>(point.live_bytes), static_cast<double>(point.user_bytes),
                0.001 * static_cast<double>(point.user_bytes));
  }
}

TEST(GrowthModel, WithoutMergesWriteAmplificationIsOne) {
  const GrowthPoint point = Last(CompactionStyle::kNone, 0);
  EXPECT_NEAR(point.WriteAmplification(), 1, 0.001);
  EXPECT_EQ(point.most_runs, 500u);
}

TEST(GrowthModel, TieredWritesLessAndLeveledReadsLess) {
  for (const double updates : {0.0, 0.5, 0.9}) {
    const GrowthPoint leveled = Last(CompactionStyle::kLeveled, updates);
    const GrowthPoint tiered = Last(CompactionStyle::kTiered, updates);
    EXPECT_LT(tiered.WriteAmplification(), leveled.WriteAmplification());
    EXPECT_LE(leveled.SpaceAmplification(), tiered.SpaceAmplification() + 0.001);
    EXPECT_LT(leveled.ReadAmplification(), tiered.ReadAmplification());
    EXPECT_LT(leveled.peak_bytes, tiered.peak_bytes);
  }
}

TEST(GrowthModel, MoreRunsAreLeftWhereMoreAreAllowed) {
  Options few = Small(CompactionStyle::kTiered), many = few;
  few.level0_compaction_trigger = 4;
  many.level0_compaction_trigger = 12;
  const GrowthLoad load{.bytes = 2000 * kMega, .entry_size = 116, .update_fraction = 0.5};
  const GrowthPoint narrow = Grow(few, load).back(), wide = Grow(many, load).back();
  EXPECT_LT(narrow.ReadAmplification(), wide.ReadAmplification());
  EXPECT_GT(narrow.WriteAmplification(), wide.WriteAmplification());
}

// A byte is written once by the flush, a few times on its way out of level 0, and on each further
// level about half of the multiplier times or more, never more than the multiplier and itself.
TEST(GrowthModel, ALevelCostsALeveledTreeAboutHalfItsMultiplier) {
  for (const int multiplier : {4, 10}) {
    Options options = Small(CompactionStyle::kLeveled);
    options.level_size_multiplier = multiplier;
    const GrowthPoint point =
        Grow(options, {.bytes = 4000 * kMega, .entry_size = 116, .update_fraction = 0}).back();
    int levels = 0;
    for (int level = 1; level < kNumLevels; ++level) levels += point.levels[level].tables != 0;
    const double steps = levels - 1;
    ASSERT_GE(levels, 2);
    EXPECT_GT(point.WriteAmplification(), 1 + steps * multiplier * 0.25);
    EXPECT_LT(point.WriteAmplification(), 2 + 3 + steps * (multiplier + 1));
  }
}

TEST(GrowthModel, LeveledKeepsItsTargetsAndOneTenthAboveTheLastLevel) {
  const GrowthPoint point = Last(CompactionStyle::kLeveled, 0.5);
  EXPECT_LT(point.SpaceAmplification(), 1.25);
  EXPECT_LE(point.levels[kNumLevels - 2].bytes,
            point.levels[kNumLevels - 1].bytes / 10 + 4 * kMega);
}

TEST(GrowthModel, TieredBoundsItsSpaceByItsOption) {
  Options options = Small(CompactionStyle::kTiered);
  options.tiered_max_space_amplification_percent = 50;
  const GrowthLoad load{.bytes = 2000 * kMega, .entry_size = 116, .update_fraction = 0.9};
  const GrowthPoint tight = Grow(options, load).back();
  const GrowthPoint loose = Last(CompactionStyle::kTiered, 0.9);
  EXPECT_GT(tight.WriteAmplification(), loose.WriteAmplification());
  EXPECT_LT(tight.SpaceAmplification(), 1.6);
}

RC_GTEST_PROP(GrowthModel, LosesNoKeyAndKeepsNoMoreThanWasWritten, ()) {
  Options options = Small(*rc::gen::element(CompactionStyle::kLeveled, CompactionStyle::kTiered,
                                            CompactionStyle::kSimple));
  options.level0_compaction_trigger = *rc::gen::inRange(1, 8);
  options.target_table_size = *rc::gen::inRange<uint64_t>(1, 16) * kMega;
  options.base_level_size = *rc::gen::inRange<uint64_t>(4, 64) * kMega;
  options.level_size_multiplier = *rc::gen::inRange(2, 12);
  options.simple_levels = *rc::gen::inRange(1, 7);
  const GrowthLoad load{.bytes = 400 * kMega,
                        .entry_size = *rc::gen::inRange<uint64_t>(10, 2000),
                        .update_fraction = 0.1 * *rc::gen::inRange(0, 10)};
  GrowthPoint before;
  for (const GrowthPoint& point : Grow(options, load)) {
    RC_ASSERT(point.user_bytes > before.user_bytes);
    RC_ASSERT(point.merged_bytes >= before.merged_bytes);
    // Rounding aside.
    RC_ASSERT(point.stored_bytes + kMega / 8 >= point.live_bytes);
    RC_ASSERT(point.stored_bytes <= point.flushed_bytes + kMega / 8);
    RC_ASSERT(point.peak_bytes >= point.stored_bytes);
    uint64_t bytes = 0;
    for (const LevelShape& level : point.levels) bytes += level.bytes;
    RC_ASSERT(bytes <= point.stored_bytes + kMega / 8);
    before = point;
  }
}

}  // namespace
}  // namespace shearpin
