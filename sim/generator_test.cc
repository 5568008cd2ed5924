// Goal: a seed gives one plan, which runs as it stands; seeds differ; swarms leave things out; a
// dataset is where keys and values come from; its mistakes are told.
// Method: many seeds, properties over their plans.
#include "sim/generator.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "faultfs/profile.h"
#include "sim/dataset.h"

namespace shearpin::sim {
namespace {

constexpr uint64_t kSeeds = 300;

TEST(GeneratorTest, SameSeedSamePlanOtherSeedOtherPlan) {
  std::set<std::string> texts;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string text = FormatPlan(GeneratePlan(seed, {}));
    EXPECT_EQ(text, FormatPlan(GeneratePlan(seed, {})));
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), kSeeds);
}

TEST(GeneratorTest, SwarmsUseEverythingAndLeaveMuchOut) {
  std::set<StepKind> used;
  std::set<std::string> profiles;
  std::set<std::string> strategies;
  size_t without_faults = 0;
  size_t nested = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Plan plan = GeneratePlan(seed, {});
    std::set<StepKind> mine;
    for (const auto& steps : plan.clients) {
      for (const Step& step : steps) mine.insert(step.kind);
    }
    EXPECT_LT(mine.size(), static_cast<size_t>(kNumStepKinds));
    used.insert(mine.begin(), mine.end());
    profiles.insert(plan.profile);
    strategies.insert(plan.scheduler.strategy);
    if (plan.faults.empty()) ++without_faults;
    for (const CrashSpec& crash : plan.crashes) nested += crash.nested.size() >= 2 ? 1 : 0;
  }
  EXPECT_EQ(used.size(), static_cast<size_t>(kNumStepKinds));
  EXPECT_EQ(profiles.size(), faultfs::ProfileNames().size());
  EXPECT_EQ(strategies.size(), 3u);  // all but the recorded one
  EXPECT_GT(without_faults, kSeeds / 4);
  EXPECT_LT(without_faults, kSeeds * 3 / 4);
  EXPECT_GT(nested, 0u);
}

// Options that contradict each other are refused by the store, and that would be no finding.
TEST(GeneratorTest, OptionsAgreeWithEachOther) {
  for (uint64_t seed = 1; seed <= 20 * kSeeds; ++seed) {
    const Plan plan = GeneratePlan(seed, {});
    std::map<std::string, uint64_t> options;
    for (const auto& [name, value] : plan.options) {
      EXPECT_TRUE(options.emplace(name, value).second) << name << " twice, seed " << seed;
    }
    const auto value = [&](const char* name, uint64_t otherwise) {
      const auto found = options.find(name);
      return found == options.end() ? otherwise : found->second;
    };
    const uint64_t trigger = value("level0_compaction_trigger", 4);
    const uint64_t slowdown = value("level0_slowdown_trigger", 20);
    EXPECT_LE(trigger, slowdown) << seed;
    EXPECT_LT(slowdown, value("level0_stop_trigger", 36)) << seed;
    EXPECT_LT(value("soft_pending_compaction_bytes", uint64_t{64} << 30),
              value("hard_pending_compaction_bytes", uint64_t{256} << 30))
        << seed;
  }
}

TEST(GeneratorTest, KeepsToTheGivenProfileAndDataset) {
  const Dataset dataset = {{"package-a", "stanza one"}, {"package-b", "stanza two"}};
  GeneratorOptions options;
  options.profile = "adversarial";
  options.dataset = &dataset;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Plan plan = GeneratePlan(seed, options);
    EXPECT_EQ(plan.profile, "adversarial");
    for (const auto& steps : plan.clients) {
      for (const Step& step : steps) {
        for (const Mutation& mutation : step.mutations) {
          EXPECT_TRUE(mutation.key.literal().starts_with("package-"));
          const std::string& value = mutation.value.literal();
          if (mutation.kind == MutationKind::kDeleteRange) continue;  // its end is a key
          EXPECT_TRUE(value.empty() || value.starts_with("stanza "));
        }
      }
    }
  }
}

TEST(DatasetTest, UnescapesAndTellsMistakes) {
  const StatusOr<Dataset> dataset = ParseDataset("a\\tb\tone\\ntwo\\\\\n\nkey\tvalue", "d.tsv");
  ASSERT_TRUE(dataset.ok());
  ASSERT_EQ(dataset->size(), 2u);
  EXPECT_EQ((*dataset)[0], std::make_pair(std::string("a\tb"), std::string("one\ntwo\\")));
  const auto message = [](std::string_view text) {
    return std::string(ParseDataset(text, "d.tsv").status().message());
  };
  EXPECT_EQ(message("a\tb\nno tab here\n"),
            "d.tsv:2: expected a key, a tab and a value, found no tab");
  EXPECT_EQ(message("a\tb\\q\n"), "d.tsv:1: unknown escape (expected \\t, \\n or \\\\)");
  EXPECT_EQ(message(""), "d.tsv: no key<TAB>value line in it");
}

}  // namespace
}  // namespace shearpin::sim
