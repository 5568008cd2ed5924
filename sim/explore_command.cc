#include "sim/explore_command.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/explorer.h"
#include "sim/fiber_pool.h"
#include "sim/stopwatch.h"
#include "sim/tally.h"
#include "sim/user_files.h"

namespace shearpin::sim {
namespace {

using Json = nlohmann::json;

std::string Count(uint64_t number) { return std::to_string(number); }

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string NameOf(const ExploreFinding& finding) {
  return std::string(FailureClassName(finding.failure_class));
}

// The finding's story as comments, then the plan.
std::string PlanText(const ExploreFinding& finding) {
  std::string text = "# " + NameOf(finding) + "\n";
  size_t begin = 0;
  while (begin < finding.message.size()) {
    const size_t end = std::min(finding.message.find('\n', begin), finding.message.size());
    text += "#   " + finding.message.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  if (!finding.weakest_profile.empty()) {
    text += "# weakest profile that shows it: " + finding.weakest_profile + "\n";
  }
  return text + FormatPlan(finding.plan);
}

std::string FileName(const ExploreFinding& finding) {
  std::string name = "explore-" + Count(finding.plan.seed) + "-" + NameOf(finding) + "-" +
                     Count(finding.plan.crashes.back().nested.size()) + ".plan";
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

Json Tell(const ExploreFinding& finding, const ExploreArguments& arguments) {
  const std::string name = FileName(finding);
  const Status written = WriteUserFile(arguments.out, name, PlanText(finding));
  const std::string file = written.ok() ? arguments.out + "/" + name : std::string();
  const std::string command = arguments.replay_command + " " + file + " --trace";
  std::printf("FAILED: %s, %llu states of this class\n  %s\n", NameOf(finding).c_str(),
              static_cast<unsigned long long>(finding.states), finding.message.c_str());
  for (const std::string& operation : finding.last_operations) {
    std::printf("    %s\n", operation.c_str());
  }
  if (finding.replays) {
    std::printf("  weakest profile that shows it: %s (shown by: %s)\n",
                finding.weakest_profile.c_str(), Joined(finding.profiles).c_str());
  } else {
    std::printf("  its plan alone does not show it\n");
  }
  if (!written.ok()) std::fprintf(stderr, "%s\n", written.ToString().c_str());
  std::printf("  replay it with\n    %s\n", command.c_str());
  return {{"class", NameOf(finding)},
          {"message", finding.message},
          {"states", finding.states},
          {"replays", finding.replays},
          {"weakest_profile", finding.weakest_profile},
          {"profiles", finding.profiles},
          {"plan", file},
          {"command", command}};
}

void PrintSummary(const ExploreReport& report, double seconds) {
  std::printf("explored: %s plans, %s operations, a crash tried at %s places\n",
              Count(report.plans).c_str(), Count(report.run.operations).c_str(),
              Count(report.points).c_str());
  std::printf("  legal states              %s\n", Count(report.legal).c_str());
  std::printf("  distinct                  %s\n", Count(report.distinct).c_str());
  std::printf("  recovered and checked     %s, %.0f a second\n", Count(report.checked).c_str(),
              static_cast<double>(report.checked) / std::max(seconds, 1e-9));
  for (size_t depth = 0; depth < report.checked_by_depth.size(); ++depth) {
    std::printf("    %s %s\n",
                depth == 0   ? "of the run              "
                : depth == 1 ? "inside a recovery       "
                             : "inside that one's       ",
                Count(report.checked_by_depth[depth]).c_str());
  }
  std::printf("    refused                 %s\n", Count(report.refused).c_str());
  std::printf("  that was all              %s\n", report.all ? "yes" : "no");
  std::printf("  digest                    %s\n", HexDigest(report.digest).c_str());
  std::printf("  wrong states              %s\n", Count(report.failures).c_str());
}

ExploreOptions OptionsOf(const ExploreArguments& arguments, const Stopwatch& watch) {
  ExploreOptions options;
  options.depth = arguments.depth;
  options.budget = arguments.budget;
  options.states.random = arguments.random;
  options.with_faults = arguments.with_faults;
  if (arguments.seconds > 0) {
    options.out_of_time = [&watch, most = arguments.seconds] { return watch.seconds() > most; };
  }
  return options;
}

// The whole story of an exploration. True if nothing was wrong.
bool Conclude(uint64_t seed, const ExploreReport& report, const ExploreArguments& arguments,
              double seconds) {
  PrintSummary(report, seconds);
  Json findings = Json::array();
  for (const ExploreFinding& finding : report.findings) {
    findings.push_back(Tell(finding, arguments));
  }
  if (report.run.failure) {
    std::printf("FAILED: the run itself, seed %s: %s\n  %s\n", Count(seed).c_str(),
                std::string(FailureClassName(report.run.failure->failure_class)).c_str(),
                report.run.failure->message.c_str());
  }
  if (arguments.json) {
    const Json json = {
        {"seed", seed},
        {"plans", report.plans},
        {"operations", report.run.operations},
        {"crash_points", report.points},
        {"legal_states", report.legal},
        {"distinct_states", report.distinct},
        {"crash_states", report.checked},
        {"crash_states_by_depth", report.checked_by_depth},
        {"refused_states", report.refused},
        {"crash_states_per_second", static_cast<double>(report.checked) / std::max(seconds, 1e-9)},
        {"all", report.all},
        {"seconds", seconds},
        {"digest", HexDigest(report.digest)},
        {"failures", report.failures + (report.run.failure ? 1 : 0)},
        {"findings", findings}};
    std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  }
  std::fflush(stdout);
  return report.failures == 0 && !report.run.failure;
}

// The process died where no state can be named.
void TellDeath(const Defect& defect, bool json) {
  const std::string failure_class(FailureClassName(*defect.failure_class));
  const std::string message = defect.message + "\n  the same command does it again";
  std::printf("FAILED: %s\n  %s\n", failure_class.c_str(), message.c_str());
  if (json) {
    const Json finding = {{"class", failure_class}, {"message", message}};
    const Json told = {{"failures", 1}, {"findings", Json::array({finding})}};
    std::printf("%s\n", told.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  }
  std::fflush(stdout);
}

}  // namespace

bool ExplorePlan(const Plan& plan, const ExploreArguments& arguments, SubjectFactory* factory) {
  const Stopwatch watch;
  return ExploreGuarded(
      OptionsOf(arguments, watch),
      [&](const ExploreOptions& options) {
        FiberPool fibers;
        const ExploreReport report = Explorer(factory, &fibers).Explore(plan, options);
        return Conclude(plan.seed, report, arguments, watch.seconds());
      },
      [&](const Defect& defect) { TellDeath(defect, arguments.json); });
}

bool ExploreShortPlans(uint64_t operations, const std::string& profile,
                       const ExploreArguments& arguments, SubjectFactory* factory) {
  const Stopwatch watch;
  return ExploreGuarded(
      OptionsOf(arguments, watch),
      [&](const ExploreOptions& options) {
        FiberPool fibers;
        const ExploreReport report =
            Explorer(factory, &fibers).ExploreShortPlans(operations, profile, options);
        return Conclude(0, report, arguments, watch.seconds());
      },
      [&](const Defect& defect) { TellDeath(defect, arguments.json); });
}

}  // namespace shearpin::sim
