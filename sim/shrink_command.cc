#include "sim/shrink_command.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/forked_trials.h"
#include "sim/plan_size.h"
#include "sim/seed_runner.h"
#include "sim/shrinker.h"
#include "sim/user_files.h"

namespace shearpin::sim {
namespace {

using Json = nlohmann::json;

constexpr int kExitOk = 0;
constexpr int kExitNoFailure = 1;
constexpr int kExitBadInput = 2;

Json SizeToJson(const Plan& plan) {
  const PlanSize size = SizeOf(plan);
  Json json = {{"steps", size.steps},       {"clients", size.clients},
               {"faults", size.faults},     {"crashes", size.crashes},
               {"siblings", size.siblings}, {"options", plan.options.size()},
               {"bytes", size.bytes}};
  if (plan.scheduler.strategy == kRecordedStrategy) json["switches"] = size.switches;
  return json;
}

// "seed-7.plan" becomes "seed-7.shrunk.plan".
std::string ShrunkName(const std::string& file) {
  std::filesystem::path path(file);
  return path.replace_extension(".shrunk.plan").string();
}

std::string Story(const Shrunk& shrunk) {
  std::string story = "# " + std::string(FailureClassName(shrunk.failure_class)) + "\n";
  std::string_view rest = shrunk.message;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    story += "#   " + std::string(rest.substr(0, end)) + "\n";
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return story + "# Shrunk from: " + DescribeSize(shrunk.original) + ".\n";
}

void TellResult(const Shrunk& shrunk, const std::string& file) {
  std::printf("%s: %s\n", std::string(FailureClassName(shrunk.failure_class)).c_str(),
              shrunk.message.c_str());
  std::printf("  before  %s\n", DescribeSize(shrunk.original).c_str());
  std::printf("  after   %s\n", DescribeSize(shrunk.plan).c_str());
  std::printf("  %llu runs, %s\n", static_cast<unsigned long long>(shrunk.runs),
              shrunk.finished ? "nothing more gives way"
                              : "and there may be more to take away: give it --runs or --seconds");
  std::printf("  replay it with\n    bazel run -c opt //sim -- replay %s --trace\n", file.c_str());
}

}  // namespace

int ShrinkCommand(SubjectFactory* factory, const ShrinkCommandOptions& options) {
  const std::string file = AbsoluteUserPath(options.file);
  const StatusOr<Plan> plan = ReadPlan(file);
  if (!plan.ok()) {
    std::fprintf(stderr, "%s\n", std::string(plan.status().message()).c_str());
    return kExitBadInput;
  }
  SeedRunner runner(factory);
  ForkedTrials trials(
      [&runner](const Plan& candidate, Recording recording) {
        return runner.Run(candidate, Repeat::kOnce, {}, recording);
      },
      options.jobs, options.seconds);
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  const auto on_progress = [terminal](const Plan& smaller, uint64_t runs) {
    if (!terminal) return;
    std::printf("\r\x1b[K%llu runs: %s", static_cast<unsigned long long>(runs),
                DescribeSize(smaller).c_str());
    std::fflush(stdout);
  };
  const std::optional<Shrunk> shrunk =
      Shrinker(&trials, {.most_runs = options.runs}, on_progress).Shrink(*plan);
  if (terminal) std::printf("\r\x1b[K");
  if (!shrunk) {
    std::fprintf(stderr, "%s: this plan does not fail, there is nothing to shrink\n", file.c_str());
    return kExitNoFailure;
  }
  const std::filesystem::path out(options.out.empty() ? ShrunkName(file)
                                                      : AbsoluteUserPath(options.out));
  const Status written =
      WriteUserFile(out.parent_path(), out.filename(), Story(*shrunk) + FormatPlan(shrunk->plan));
  if (!written.ok()) {
    std::fprintf(stderr, "%s\n", written.ToString().c_str());
    return kExitBadInput;
  }
  TellResult(*shrunk, out);
  if (options.json) {
    const Json json = {{"class", FailureClassName(shrunk->failure_class)},
                       {"message", shrunk->message},
                       {"before", SizeToJson(shrunk->original)},
                       {"after", SizeToJson(shrunk->plan)},
                       {"runs", shrunk->runs},
                       {"finished", shrunk->finished},
                       {"plan", out.string()}};
    std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  }
  std::fflush(stdout);
  return kExitOk;
}

}  // namespace shearpin::sim
