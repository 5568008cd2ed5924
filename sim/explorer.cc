#include "sim/explorer.h"

#include <algorithm>
#include <utility>

#include "faultfs/file_content.h"
#include "faultfs/profile.h"
#include "sim/exploration.h"
#include "sim/guarded_process.h"
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

// Forked, since other states at the same place may kill the process, or this one does.
bool ProfileShowsGuarded(const Plan& plan, const Exploration::Wrong& wrong, double hang_seconds,
                         SubjectFactory* factory, ExecutionBackend* fibers) {
  const GuardedEnd end = RunGuarded(
      [&](std::atomic<uint64_t>* trying) {
        *trying = 1;
        return ProfileShows(plan, wrong, *wrong.defect.failure_class, factory, fibers) ? 1 : 0;
      },
      hang_seconds);
  return end.failure_class ? end.failure_class == wrong.defect.failure_class : end.result == 1;
}

// Whether the finding's plan shows it; the finding then has what the run knows.
bool Replay(double hang_seconds, SubjectFactory* factory, ExecutionBackend* fibers,
            ExploreFinding* finding) {
  const GuardedEnd end = RunGuarded(
      [&](std::atomic<uint64_t>* trying) {
        *trying = 1;
        static_cast<void>(Simulator(factory, fibers).Run(finding->plan));
        return 0;
      },
      hang_seconds);
  if (end.failure_class) {
    finding->failure_class = *end.failure_class;
    finding->message = end.message;
    return true;
  }
  const RunResult replayed = Simulator(factory, fibers).Run(finding->plan);
  if (!replayed.failure) return false;
  // Of a crash inside a recovery only the run knows the whole story.
  finding->failure_class = replayed.failure->failure_class;
  finding->message = replayed.failure->message;
  finding->last_operations = replayed.failure->last_operations;
  return true;
}

ExploreFinding MakeFinding(const Plan& explored, const Exploration::Wrong& wrong,
                           double hang_seconds, SubjectFactory* factory, ExecutionBackend* fibers) {
  ExploreFinding finding;
  finding.failure_class = *wrong.defect.failure_class;
  finding.message = wrong.defect.message;
  finding.states = wrong.states;
  finding.plan = wrong.plan;
  finding.replays = Replay(hang_seconds, factory, fibers, &finding);
  if (!finding.replays) return finding;
  for (const std::string_view name : faultfs::HonestProfileNames()) {
    bool shows = name == explored.profile;
    if (!shows) {
      Plan other = explored;
      other.profile = name;
      other.powersafe_overwrite = faultfs::FindProfile(name)->powersafe_overwrite;
      shows = ProfileShowsGuarded(other, wrong, hang_seconds, factory, fibers);
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
  sum->refused += report.refused;
  sum->tried = report.tried;
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

bool ExploreGuarded(ExploreOptions options,
                    const std::function<bool(const ExploreOptions& options)>& explore,
                    const std::function<void(const Defect& defect)>& elsewhere) {
  // Each costs an exploration up to there.
  constexpr size_t kMostDeadly = 4;
  for (;;) {
    const GuardedEnd end = RunGuarded(
        [&](std::atomic<uint64_t>* trying) {
          options.trying = trying;
          return explore(options) ? 0 : 1;
        },
        options.hang_seconds);
    if (!end.failure_class) return end.result == 0;
    if (end.trying == 0 || options.ends_at_deadly) {
      elsewhere({end.failure_class, end.message});
      return false;
    }
    // What was tried inside of it will not be tried any more, and later numbers mean other states.
    options.deadly.erase(options.deadly.upper_bound(end.trying), options.deadly.end());
    options.deadly[end.trying] = {end.failure_class, end.message};
    options.ends_at_deadly = options.deadly.size() == kMostDeadly;
  }
}

ExploreReport Explorer::Explore(const Plan& plan, const ExploreOptions& options) {
  Exploration exploration(plan, factory_, fibers_, options, nullptr);
  exploration.Run();
  ExploreReport report = exploration.TakeReport();
  for (const Exploration::Wrong& wrong : exploration.TakeWrong()) {
    report.findings.push_back(MakeFinding(plan, wrong, options.hang_seconds, factory_, fibers_));
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
      const bool deadly_ahead =
          !options.deadly.empty() && sum.tried < options.deadly.rbegin()->first;
      if (sum.checked >= budget || (options.ends_at_deadly && !deadly_ahead) ||
          (!deadly_ahead && options.out_of_time && options.out_of_time())) {
        sum.all = false;
        return sum;
      }
      options.budget = budget - sum.checked;
      options.tried_before = sum.tried;
      Add(Explore(plan, options), &sum);
    }
  }
  return sum;
}

}  // namespace shearpin::sim
