#include "sim/explorer.h"

#include <algorithm>
#include <utility>

#include "faultfs/file_content.h"
#include "faultfs/profile.h"
#include "sim/exploration.h"
#include "sim/short_plans.h"
#include "sim/simulator.h"

namespace shearpin::sim {
namespace {

// What is spent on asking whether another profile shows a failure, for each profile.
constexpr uint64_t kProfileBudget = 5'000;

// Whether some crash at the place of the finding shows its class of failure on this profile. The
// run up to there is the same on every profile, but ordinals of pending operations are not.
bool ProfileShows(const Plan& plan, const Exploration::Wrong& wrong, FailureClass failure_class,
                  SubjectFactory* factory, ExecutionBackend* fibers) {
  ExploreOptions options;
  options.depth = wrong.depth;
  options.budget = kProfileBudget;
  options.states = {.random = 64, .every_subset = false};
  Exploration search(plan, factory, fibers, options, &wrong.place);
  search.Run();
  for (const Exploration::Wrong& found : search.TakeWrong()) {
    if (found.defect.failure_class == failure_class) return true;
  }
  return false;
}

ExploreFinding MakeFinding(const Plan& explored, const Exploration::Wrong& wrong,
                           SubjectFactory* factory, ExecutionBackend* fibers) {
  ExploreFinding finding;
  finding.failure_class = *wrong.defect.failure_class;
  finding.message = wrong.defect.message;
  finding.states = wrong.states;
  finding.plan = wrong.plan;
  const RunResult replayed = Simulator(factory, fibers).Run(wrong.plan);
  if (!replayed.failure) return finding;
  finding.replays = true;
  // Of a crash inside a recovery only the run knows the whole story.
  finding.failure_class = replayed.failure->failure_class;
  finding.message = replayed.failure->message;
  finding.last_operations = replayed.failure->last_operations;
  for (const std::string_view name : faultfs::HonestProfileNames()) {
    bool shows = name == explored.profile;
    if (!shows) {
      Plan other = explored;
      other.profile = name;
      other.powersafe_overwrite = faultfs::FindProfile(name)->powersafe_overwrite;
      shows = ProfileShows(other, wrong, *wrong.defect.failure_class, factory, fibers);
    }
    if (shows) finding.profiles.emplace_back(name);
  }
  // One that keeps no promise is not among those asked.
  if (finding.profiles.empty()) finding.profiles.push_back(explored.profile);
  finding.weakest_profile = finding.profiles.front();
  return finding;
}

// Of findings the first of each class is kept.
void Add(ExploreReport report, ExploreReport* sum) {
  sum->plans += report.plans;
  sum->points += report.points;
  sum->legal += report.legal;
  sum->distinct += report.distinct;
  sum->checked += report.checked;
  for (size_t depth = 0; depth < report.checked_by_depth.size(); ++depth) {
    sum->checked_by_depth[depth] += report.checked_by_depth[depth];
  }
  sum->all = sum->all && report.all;
  sum->failures += report.failures;
  sum->digest = faultfs::CombineHashes(sum->digest, report.digest);
  sum->run.operations += report.run.operations;
  if (!sum->run.failure) sum->run.failure = report.run.failure;
  for (ExploreFinding& finding : report.findings) {
    const auto same = std::find_if(
        sum->findings.begin(), sum->findings.end(),
        [&](const ExploreFinding& other) { return other.failure_class == finding.failure_class; });
    if (same != sum->findings.end()) {
      same->states += finding.states;
    } else {
      sum->findings.push_back(std::move(finding));
    }
  }
}

}  // namespace

ExploreReport Explorer::Explore(const Plan& plan, const ExploreOptions& options) {
  Exploration exploration(plan, factory_, fibers_, options, nullptr);
  exploration.Run();
  ExploreReport report = exploration.TakeReport();
  for (const Exploration::Wrong& wrong : exploration.TakeWrong()) {
    report.findings.push_back(MakeFinding(plan, wrong, factory_, fibers_));
  }
  return report;
}

ExploreReport Explorer::ExploreShortPlans(uint64_t operations, const std::string& profile,
                                          ExploreOptions options) {
  options.states.every_subset = true;
  ExploreReport sum;
  sum.plans = 0;
  sum.checked_by_depth.resize(static_cast<size_t>(options.depth) + 1);
  const uint64_t budget = options.budget;
  for (uint64_t length = 0; length <= operations; ++length) {
    ShortPlans plans(length, profile);
    options.first_operation = length == 0 ? 0 : length - 1;
    for (Plan plan; plans.Next(&plan);) {
      if (sum.checked >= budget || (options.out_of_time && options.out_of_time())) {
        sum.all = false;
        return sum;
      }
      options.budget = budget - sum.checked;
      Add(Explore(plan, options), &sum);
    }
  }
  return sum;
}

}  // namespace shearpin::sim
