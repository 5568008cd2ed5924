// Goal: a campaign runs every seed once, in processes whose death it survives and reports; it
// stops cleanly and says where to go on.
// Method: seeds of toy work that answers, dies, hangs or leaves early.
#include "sim/campaign.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>

namespace shearpin::sim {
namespace {

struct Seen {
  std::map<uint64_t, int> reports;
  std::map<uint64_t, Finding> findings;
  CampaignOutcome outcome;
};

SeedReport Answer(uint64_t seed) {
  SeedReport report;
  report.seed = seed;
  report.digest = seed * 3;
  report.figures["operations"] = seed;
  return report;
}

Seen RunCampaign(const CampaignOptions& options, const Campaign::RunSeed& run_seed,
                 const Campaign::OnReport& on_report = {}) {
  Seen seen;
  seen.outcome = Campaign(
                     options, run_seed,
                     [&](const SeedReport& report) {
                       ++seen.reports[report.seed];
                       if (report.finding) seen.findings[report.seed] = *report.finding;
                       if (on_report) on_report(report);
                     },
                     [](double) {})
                     .Run();
  return seen;
}

void ExpectEachOnce(const Seen& seen, uint64_t first, uint64_t count) {
  EXPECT_EQ(seen.reports.size(), count);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const auto found = seen.reports.find(seed);
    ASSERT_NE(found, seen.reports.end()) << "seed " << seed;
    EXPECT_EQ(found->second, 1) << "seed " << seed;
  }
}

TEST(CampaignTest, RunsEverySeedOnce) {
  for (const int jobs : {1, 3}) {
    const Seen seen = RunCampaign({.start_seed = 10, .most_seeds = 50, .jobs = jobs},
                                  [](uint64_t seed) { return Answer(seed); });
    ExpectEachOnce(seen, 10, 50);
    EXPECT_TRUE(seen.findings.empty());
    EXPECT_EQ(seen.outcome.next_seed, 60u);
    EXPECT_FALSE(seen.outcome.interrupted);
  }
}

TEST(CampaignTest, DeathOfAWorkerIsAFindingAndTheRestGoesOn) {
  const Seen seen = RunCampaign({.start_seed = 1, .most_seeds = 40, .jobs = 2}, [](uint64_t seed) {
    if (seed == 7) {
      std::fprintf(stderr, "last words of seed 7\n");
      std::abort();
    }
    if (seed == 11) _exit(3);
    return Answer(seed);
  });
  ExpectEachOnce(seen, 1, 40);
  ASSERT_EQ(seen.findings.size(), 2u);
  EXPECT_EQ(seen.findings.at(7).failure_class, FailureClass::kProcessCrashed);
  EXPECT_NE(seen.findings.at(7).message.find("signal 6"), std::string::npos);
  EXPECT_NE(seen.findings.at(7).message.find("last words of seed 7"), std::string::npos);
  EXPECT_NE(seen.findings.at(11).message.find("status 3"), std::string::npos);
}

TEST(CampaignTest, AWorkerThatAbandonedFibersIsReplaced) {
  const Seen seen = RunCampaign({.start_seed = 1, .most_seeds = 20, .jobs = 2}, [](uint64_t seed) {
    SeedReport report = Answer(seed);
    report.abandoned = seed % 5 == 0;
    return report;
  });
  ExpectEachOnce(seen, 1, 20);
  EXPECT_TRUE(seen.findings.empty());
}

TEST(CampaignTest, AHungWorkerIsKilled) {
  const Seen seen = RunCampaign({.start_seed = 1, .most_seeds = 6, .jobs = 1, .hang_seconds = 0.5},
                                [](uint64_t seed) {
                                  while (seed == 3) pause();
                                  return Answer(seed);
                                });
  ExpectEachOnce(seen, 1, 6);
  ASSERT_EQ(seen.findings.size(), 1u);
  EXPECT_EQ(seen.findings.at(3).failure_class, FailureClass::kProcessHung);
  EXPECT_NE(seen.findings.at(3).message.find("signal 9"), std::string::npos);
}

TEST(CampaignTest, StopsAtTheFirstFailureIfAsked) {
  const Seen seen = RunCampaign(
      {.start_seed = 1, .most_seeds = 100, .jobs = 1, .most_failures = 1}, [](uint64_t seed) {
        SeedReport report = Answer(seed);
        if (seed == 4) report.finding = Finding{seed, FailureClass::kWrongRead, "m", {}, "", ""};
        return report;
      });
  ExpectEachOnce(seen, 1, 4);
  EXPECT_EQ(seen.outcome.next_seed, 5u);
}

TEST(CampaignTest, StopsAfterEnoughOperations) {
  const Seen seen = RunCampaign({.start_seed = 1, .most_operations = 100, .jobs = 2},
                                [](uint64_t seed) { return Answer(seed); });
  uint64_t operations = 0;  // seed N counts N of them
  for (const auto& [seed, count] : seen.reports) operations += seed;
  EXPECT_GE(operations, 100u);
  EXPECT_LT(seen.reports.size(), 30u);
}

// The first signal lets the seeds in flight finish: what follows is carried on at the next seed.
TEST(CampaignTest, StopsCleanlyOnASignal) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Seen seen = RunCampaign(
        {.start_seed = 1, .jobs = 2}, [](uint64_t seed) { return Answer(seed); },
        [signal](const SeedReport& report) {
          if (report.seed == 25) kill(getpid(), signal);
        });
    EXPECT_TRUE(seen.outcome.interrupted);
    EXPECT_GT(seen.outcome.next_seed, 25u);
    ExpectEachOnce(seen, 1, seen.outcome.next_seed - 1);
  }
}

TEST(SeedReportTest, SurvivesItsJson) {
  SeedReport report = Answer(18446744073709551615u);
  report.faults["eio"] = 3;
  report.events["opened"] = 1;
  report.matrix["append eio"] = 2;
  report.calls["append"] = 40;
  report.probes["step:put"] = 5;
  report.coverage = {{0, 3, 7}, {3}};
  report.profile = "posix-min";
  report.policy = "tiered";
  report.abandoned = true;
  report.finding =
      Finding{report.seed, FailureClass::kWrongData, "two\nlines \"quoted\"", {"a", "b"},
              "plan",      "power keep=none"};
  const std::string json = SeedReportToJson(report);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  const auto back = SeedReportFromJson(json);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(SeedReportToJson(*back), json);
  EXPECT_EQ(back->seed, report.seed);
  EXPECT_EQ(back->coverage, report.coverage);
  EXPECT_EQ(back->matrix, report.matrix);
  EXPECT_EQ(back->calls, report.calls);
  EXPECT_EQ(back->probes, report.probes);
  EXPECT_EQ(back->profile, report.profile);
  EXPECT_EQ(back->policy, report.policy);
  EXPECT_EQ(back->finding->last_operations, report.finding->last_operations);
  EXPECT_FALSE(SeedReportFromJson("{not json").has_value());
}

}  // namespace
}  // namespace shearpin::sim
