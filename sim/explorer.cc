#include "sim/explorer.h"

#include "faultfs/profile.h"
#include "sim/exploration.h"
#include "sim/simulator.h"

namespace shearpin::sim {
namespace {

// What is spent on asking whether another profile shows a failure, for each profile.
constexpr uint64_t kProfileBudget = 5'000;

// Whether some crash at the place of the finding shows its class of failure on this profile. The
// run up to there is the same on every profile, but ordinals of pending operations are not.
bool ProfileShows(const Plan& plan, const Exploration::Wrong& wrong, std::string_view failure_class,
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
  finding.failure_class = wrong.defect.failure_class;
  finding.message = wrong.defect.message;
  finding.states = wrong.states;
  finding.plan = wrong.plan;
  const RunResult replayed = Simulator(factory, fibers).Run(wrong.plan);
  if (!replayed.failure) return finding;
  finding.replays = true;
  // Of a crash inside a recovery only the run knows the whole story.
  finding.failure_class = FailureClassName(replayed.failure->failure_class);
  finding.message = replayed.failure->message;
  finding.last_operations = replayed.failure->last_operations;
  for (const std::string_view name : faultfs::ProfileNames()) {
    bool shows = name == explored.profile;
    if (!shows) {
      Plan other = explored;
      other.profile = name;
      other.powersafe_overwrite = faultfs::FindProfile(name)->powersafe_overwrite;
      shows = ProfileShows(other, wrong, wrong.defect.failure_class, factory, fibers);
    }
    if (shows) finding.profiles.emplace_back(name);
  }
  if (!finding.profiles.empty()) finding.weakest_profile = finding.profiles.front();
  return finding;
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

}  // namespace shearpin::sim
