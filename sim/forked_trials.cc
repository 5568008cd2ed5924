#include "sim/forked_trials.h"

#include <algorithm>
#include <utility>

#include "sim/campaign.h"

namespace shearpin::sim {
namespace {

// No run of a plan takes this long unless it hangs outside of the scheduler's budgets.
constexpr double kHangSeconds = 30;

}  // namespace

ForkedTrials::ForkedTrials(RunPlan run_plan, int jobs, double seconds)
    : run_plan_(std::move(run_plan)), jobs_(jobs), seconds_(seconds) {}

bool ForkedTrials::called_off() const { return interrupted_ || spent_ >= seconds_; }

std::vector<std::optional<Finding>> ForkedTrials::Run(std::span<const Plan> plans,
                                                      Recording recording) {
  CampaignOptions options;
  options.start_seed = 0;
  options.most_seeds = plans.size();
  options.jobs = std::min<int>(jobs_, static_cast<int>(plans.size()));
  options.hang_seconds = kHangSeconds;
  std::vector<std::optional<Finding>> findings(plans.size());
  // A campaign counts in seeds: here, places in `plans`.
  const auto run = [&](uint64_t place) {
    SeedReport report = run_plan_(plans[place], recording);
    report.seed = place;
    return report;
  };
  const auto take = [&](const SeedReport& report) { findings[report.seed] = report.finding; };
  const CampaignOutcome outcome = Campaign(options, run, take, [](double) {}).Run();
  spent_ += outcome.seconds;
  if (outcome.interrupted) {
    interrupted_ = true;
    findings.resize(outcome.next_seed);
  }
  return findings;
}

}  // namespace shearpin::sim
