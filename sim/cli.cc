#include "sim/cli.h"

#include <sched.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "faultfs/profile.h"
#include "sim/campaign.h"
#include "sim/explore_command.h"
#include "sim/generator.h"
#include "sim/progress.h"
#include "sim/seed_runner.h"
#include "sim/shrink_command.h"
#include "sim/subject/shearpin_subject.h"
#include "sim/tally.h"
#include "sim/trace_diff.h"
#include "sim/user_files.h"

namespace shearpin::sim {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitBadInput = 2;

constexpr std::string_view kTraceHere = "-";

// After so many failures a soak has said what it has to say.
constexpr uint64_t kMostSoakFailures = 50;

int AllCores() {
  cpu_set_t cores;
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

void PrintLine(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

// " ext4-journal ext4-ordered ...".
std::string KnownProfiles() {
  std::string known;
  for (const std::string_view name : faultfs::ProfileNames()) known += " " + std::string(name);
  return known;
}

// What the commands share: options as given, and the outcome in figures and files.
class Session {
 public:
  // Options.
  std::string profile;
  std::string dataset_file;
  std::string out = "shearpin-failures";
  bool json = false;
  std::string trace;           // empty: none; kTraceHere: among the output; else a file
  std::string recording_file;  // empty: the schedule is not recorded

  void AddGeneratorOptions(CLI::App* command);
  void AddOutputOptions(CLI::App* command);
  void AddTraceOption(CLI::App* command);

  // Loads and checks what the options name.
  Status Prepare();

  Plan Generate(uint64_t seed) const { return GeneratePlan(seed, generator_); }
  SeedReport Run(const Plan& plan, Repeat repeat);
  // Counts the report; tells of its failure and leaves the plan behind.
  void Take(const SeedReport& report);
  int Finish(double seconds, int jobs, uint64_t next_seed) const;
  ExploreArguments Completed(ExploreArguments arguments) const;
  SubjectFactory* factory() { return &factory_; }

  const Tally& tally() const { return tally_; }

 private:
  void TellFinding(const Finding& finding);
  void WriteRecording(const std::string& plan) const;
  Trace::Sink TraceSink() const;

  struct CloseFile {
    void operator()(FILE* file) const { std::fclose(file); }
  };

  GeneratorOptions generator_;
  Dataset dataset_;
  ShearpinFactory factory_;
  SeedRunner runner_{&factory_};
  Tally tally_;
  std::unique_ptr<FILE, CloseFile> trace_file_;  // its lines are whole: workers flush
};

void Session::AddGeneratorOptions(CLI::App* command) {
  command->add_option(
      "--profile", profile,
      "Disk profile of every run (default: drawn for each seed):" + KnownProfiles());
  command->add_option("--dataset", dataset_file,
                      "Draw keys and values from a file of KEY<TAB>VALUE lines");
}

void Session::AddOutputOptions(CLI::App* command) {
  command->add_option("--out", out, "Directory for the plans of failures")->capture_default_str();
  command->add_flag("--json", json, "Print one JSON object with the figures as the last line");
}

Status Session::Prepare() {
  if (!profile.empty() && faultfs::FindProfile(profile) == nullptr) {
    return Status::InvalidArgument("--profile: unknown profile '" + profile + "' (expected one of" +
                                   KnownProfiles() + ")");
  }
  generator_.profile = profile;
  if (!trace.empty() && trace != kTraceHere) {
    const std::string path = AbsoluteUserPath(trace);
    trace_file_.reset(std::fopen(path.c_str(), "w"));
    if (trace_file_ == nullptr) return Status::InvalidArgument("--trace: cannot write " + path);
  }
  if (dataset_file.empty()) return {};
  SHEARPIN_ASSIGN_OR_RETURN(dataset_, ReadDataset(AbsoluteUserPath(dataset_file)));
  generator_.dataset = &dataset_;
  return {};
}

SeedReport Session::Run(const Plan& plan, Repeat repeat) {
  return runner_.Run(plan, repeat, TraceSink(),
                     recording_file.empty() ? Recording::kOff : Recording::kOn);
}

void Session::Take(const SeedReport& report) {
  tally_.Add(report);
  if (!report.recorded_plan.empty()) WriteRecording(report.recorded_plan);
  if (report.finding) TellFinding(*report.finding);
}

void Session::AddTraceOption(CLI::App* command) {
  command->add_flag("--trace{" + std::string(kTraceHere) + "}", trace,
                    "Print all that happens; --trace=FILE writes it to a file");
}

Trace::Sink Session::TraceSink() const {
  if (trace.empty()) return {};
  if (trace_file_ == nullptr) return PrintLine;
  FILE* const file = trace_file_.get();
  return [file](std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), file);
    std::fputc('\n', file);
  };
}

void Session::WriteRecording(const std::string& plan) const {
  const std::filesystem::path file(AbsoluteUserPath(recording_file));
  const Status written = WriteUserFile(file.parent_path(), file.filename(), plan);
  if (written.ok()) {
    std::printf("  the schedule is recorded in %s\n", file.c_str());
  } else {
    std::fprintf(stderr, "the recording could not be written: %s\n", written.ToString().c_str());
  }
}

void Session::TellFinding(const Finding& finding) {
  const std::string directory = AbsoluteUserPath(out);
  const std::string name = "seed-" + std::to_string(finding.seed) + ".plan";
  const std::string failure_class(FailureClassName(finding.failure_class));
  std::string story = "# " + failure_class + "\n";
  size_t begin = 0;
  while (begin < finding.message.size()) {
    const size_t end = std::min(finding.message.find('\n', begin), finding.message.size());
    story += "#   " + finding.message.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  const Status written = WriteUserFile(directory, name, story + finding.plan);
  Artefact artefact = {finding.seed, finding.failure_class, finding.message, "", ""};
  std::string shrink;
  if (written.ok()) {
    artefact.plan_file = directory + "/" + name;
    artefact.command = "bazel run -c opt //sim -- replay " + artefact.plan_file + " --trace";
    shrink = "bazel run -c opt //sim -- shrink " + artefact.plan_file;
  } else {
    std::fprintf(stderr, "the plan could not be written: %s\n", written.ToString().c_str());
    artefact.command =
        "bazel run -c opt //sim -- replay --seed=" + std::to_string(finding.seed) + " --trace";
    if (!profile.empty()) artefact.command += " --profile=" + profile;
    if (!dataset_file.empty()) artefact.command += " --dataset=" + AbsoluteUserPath(dataset_file);
  }
  std::printf("FAILED seed %llu: %s\n  %s\n", static_cast<unsigned long long>(finding.seed),
              failure_class.c_str(), finding.message.c_str());
  if (!finding.last_operations.empty()) std::printf("  last operations:\n");
  for (const std::string& operation : finding.last_operations) {
    std::printf("    %s\n", operation.c_str());
  }
  std::printf("  replay it with\n    %s\n", artefact.command.c_str());
  if (!shrink.empty()) std::printf("  make it small with\n    %s\n", shrink.c_str());
  std::fflush(stdout);
  tally_.AddArtefact(std::move(artefact));
}

int Session::Finish(double seconds, int jobs, uint64_t next_seed) const {
  for (const std::string& missing : tally_.coverage().Missing()) {
    std::printf("FAILED %s: %s\n",
                std::string(FailureClassName(FailureClass::kNeverHappened)).c_str(),
                missing.c_str());
  }
  if (json) PrintLine(tally_.ToJson(seconds, jobs, next_seed));
  std::fflush(stdout);
  return tally_.failures() == 0 ? kExitOk : kExitFailed;
}

ExploreArguments Session::Completed(ExploreArguments arguments) const {
  arguments.out = AbsoluteUserPath(out);
  arguments.json = json;
  arguments.replay_command = "bazel run -c opt //sim -- replay";
  return arguments;
}

std::string SeedLine(const SeedReport& report) {
  const auto figure = [&](const char* name) {
    const auto found = report.figures.find(name);
    return std::string(name) + " " +
           std::to_string(found == report.figures.end() ? 0 : found->second);
  };
  return "seed " + std::to_string(report.seed) + "  " + (report.finding ? "FAILED" : "ok") +
         "  digest " + HexDigest(report.digest) + "  " + figure("operations") + "  " +
         figure("crashes") + "  " + figure("crash_states");
}

struct RunOptions {
  uint64_t seed = 1;
  uint64_t runs = 1;
  int jobs = 1;
  bool twice = false;
  bool keep_going = false;
};

// Runs what `options` say, a line for each report.
CampaignOutcome RunWithLines(Session* session, const CampaignOptions& options,
                             const std::function<Plan(uint64_t seed)>& plan_of, Repeat repeat) {
  const auto run_seed = [&](uint64_t seed) {
    SeedReport report = session->Run(plan_of(seed), repeat);
    std::fflush(nullptr);  // the trace, before the parent's line
    return report;
  };
  const auto on_report = [&](SeedReport report) {
    PrintLine(SeedLine(report));
    if (!report.note.empty()) PrintLine("  " + report.note);
    std::fflush(stdout);  // before a worker writes its trace to the same file
    // A worker that died could not tell its plan.
    if (report.finding && report.finding->plan.empty()) {
      report.finding->plan = FormatPlan(plan_of(report.seed));
    }
    session->Take(report);
  };
  return Campaign(options, run_seed, on_report, [](double) {}).Run();
}

int RunCommand(Session* session, const RunOptions& options) {
  CampaignOptions campaign;
  campaign.start_seed = options.seed;
  campaign.most_seeds = options.runs;
  campaign.jobs = options.jobs;
  if (!options.keep_going) campaign.most_failures = 1;
  const CampaignOutcome outcome = RunWithLines(
      session, campaign, [&](uint64_t seed) { return session->Generate(seed); },
      options.twice ? Repeat::kTwice : Repeat::kOnce);
  return session->Finish(outcome.seconds, options.jobs, outcome.next_seed);
}

struct ReplayOptions {
  std::string file;
  std::optional<uint64_t> seed;
  bool twice = false;
};

// The plan of a seed or of a file; nothing, and the reason told, if it cannot be read.
std::optional<Plan> PlanOf(const Session& session, const std::optional<uint64_t>& seed,
                           const std::string& file) {
  if (seed) return session.Generate(*seed);
  StatusOr<Plan> read = ReadPlan(AbsoluteUserPath(file));
  if (read.ok()) return *std::move(read);
  std::fprintf(stderr, "%s\n", std::string(read.status().message()).c_str());
  return std::nullopt;
}

int ReplayCommand(Session* session, const ReplayOptions& options) {
  const std::optional<Plan> read = PlanOf(*session, options.seed, options.file);
  if (!read) return kExitBadInput;
  const Plan& plan = *read;
  // In a process of its own, so that a crash of it is told like any other failure.
  CampaignOptions campaign;
  campaign.start_seed = plan.seed;
  campaign.most_seeds = 1;
  const CampaignOutcome outcome = RunWithLines(
      session, campaign, [&](uint64_t) { return plan; },
      options.twice ? Repeat::kTwice : Repeat::kOnce);
  return session->Finish(outcome.seconds, 1, plan.seed + 1);
}

struct ExploreCommandOptions {
  std::string file;
  std::optional<uint64_t> seed;
  bool exhaustive = false;
  uint64_t operations = 2;
  std::optional<int> depth;
  std::optional<uint64_t> budget;
  ExploreArguments arguments;
};

CLI::App* AddExplore(CLI::App* app, Session* session, ExploreCommandOptions* options) {
  CLI::App* explore = app->add_subcommand(
      "explore", "Recover and check what crashes anywhere in one run may leave");
  CLI::Option* file = explore->add_option("PLAN", options->file, "File of the plan");
  CLI::Option* seed = explore->add_option("--seed", options->seed, "Seed instead of a file");
  seed->excludes(file);
  ExploreArguments& arguments = options->arguments;
  explore
      ->add_flag("--exhaustive", options->exhaustive,
                 "Instead: every plan of up to --operations steps of a small alphabet, every state")
      ->excludes(file)
      ->excludes(seed);
  explore->add_option("--operations", options->operations, "How many, with --exhaustive")
      ->check(CLI::Range(0, 8));
  explore
      ->add_option("--depth", options->depth,
                   "Crashes inside recoveries: 0 none, 1 in those of the run, 2 in theirs too "
                   "(default: 2; with --exhaustive 0)")
      ->check(CLI::Range(0, 8));
  explore
      ->add_option("--budget", options->budget,
                   "States recovered at most (default: 200000; with --exhaustive no limit)")
      ->check(CLI::PositiveNumber);
  explore->add_option("--seconds", arguments.seconds, "How long at most; 0: without limit")
      ->check(CLI::NonNegativeNumber);
  explore->add_option("--random", arguments.random,
                      "Random states at each place, after the systematic ones");
  explore->add_flag_callback(
      "--without-faults", [&arguments] { arguments.with_faults = false; },
      "Explore recoveries without the plan's fault rules");
  session->AddGeneratorOptions(explore);
  session->AddOutputOptions(explore);
  return explore;
}

int ExploreCommand(Session* session, const ExploreCommandOptions& options) {
  ExploreArguments arguments = session->Completed(options.arguments);
  arguments.depth = options.depth.value_or(options.exhaustive ? 0 : 2);
  arguments.budget = options.budget.value_or(options.exhaustive ? UINT64_MAX : 200'000);
  if (options.exhaustive) {
    const std::string profile = session->profile.empty() ? "posix-min" : session->profile;
    const bool clean =
        ExploreShortPlans(options.operations, profile, arguments, session->factory());
    return clean ? kExitOk : kExitFailed;
  }
  if (options.file.empty() && !options.seed) {
    std::fprintf(stderr, "explore: a plan file, --seed=N or --exhaustive is needed\n");
    return kExitBadInput;
  }
  const std::optional<Plan> plan = PlanOf(*session, options.seed, options.file);
  if (!plan) return kExitBadInput;
  return ExplorePlan(*plan, arguments, session->factory()) ? kExitOk : kExitFailed;
}

struct SoakOptions {
  double seconds = 60;
  uint64_t operations = std::numeric_limits<uint64_t>::max();
  uint64_t start_seed = 1;
  int jobs = AllCores();

  std::string Limit() const {
    std::string text;
    if (std::isfinite(seconds)) text = std::to_string(std::llround(seconds)) + " s";
    if (operations == std::numeric_limits<uint64_t>::max()) return text;
    return (text.empty() ? "" : text + " or ") + std::to_string(operations) + " operations";
  }
};

int SoakCommand(Session* session, const SoakOptions& options) {
  CampaignOptions campaign;
  campaign.start_seed = options.start_seed;
  campaign.seconds = options.seconds;
  campaign.most_operations = options.operations;
  campaign.jobs = options.jobs;
  campaign.most_failures = kMostSoakFailures;
  std::printf("soak: seeds from %llu, %d jobs, %s\n",
              static_cast<unsigned long long>(options.start_seed), options.jobs,
              options.Limit().c_str());
  std::fflush(stdout);
  Progress progress(stdout, options.seconds, options.operations);
  const auto run_seed = [&](uint64_t seed) {
    return session->Run(session->Generate(seed), Repeat::kOnce);
  };
  const auto on_report = [&](SeedReport report) {
    if (report.finding) {
      progress.Clear();
      if (report.finding->plan.empty()) {
        report.finding->plan = FormatPlan(session->Generate(report.seed));
      }
    }
    session->Take(report);
  };
  const auto on_tick = [&](double seconds) {
    progress.Update(seconds, session->tally(), options.jobs);
  };
  const CampaignOutcome outcome = Campaign(campaign, run_seed, on_report, on_tick).Run();
  progress.Clear();
  std::printf("%s\n%s", outcome.interrupted ? "stopped" : "done",
              session->tally().Summary(outcome.seconds, options.jobs).c_str());
  std::printf("  carry on with --start-seed=%llu\n",
              static_cast<unsigned long long>(outcome.next_seed));
  return session->Finish(outcome.seconds, options.jobs, outcome.next_seed);
}

struct DiffOptions {
  std::string first;
  std::string second;
};

// As diff(1): 0 if they are equal, 1 if they part, 2 if one cannot be read.
int DiffCommand(const DiffOptions& options) {
  std::vector<std::string> traces[2];
  const std::string* const names[] = {&options.first, &options.second};
  for (int i = 0; i < 2; ++i) {
    const std::string path = AbsoluteUserPath(*names[i]);
    const StatusOr<std::string> text = ReadUserFile(path);
    if (!text.ok()) {
      std::fprintf(stderr, "%s\n", std::string(text.status().message()).c_str());
      return kExitBadInput;
    }
    traces[i] = TraceLines(*text);
    if (traces[i].empty()) {
      std::fprintf(stderr, "%s: there is no trace in it\n", path.c_str());
      return kExitBadInput;
    }
  }
  const auto divergence = CompareTraces(traces[0], traces[1]);
  if (!divergence) {
    std::printf("the traces are equal, %zu lines\n", traces[0].size());
    return kExitOk;
  }
  std::printf("%s", divergence->text.c_str());
  return kExitFailed;
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app("Shearpin's simulator: runs the engine on a simulated machine that crashes.", "sim");
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  Session session;

  CLI::App* run = app.add_subcommand("run", "Run seeds one after another, a line for each");
  RunOptions run_options;
  run->add_option("--seed", run_options.seed, "First seed")->required();
  run->add_option("--runs", run_options.runs, "How many seeds")->check(CLI::PositiveNumber);
  run->add_option("--jobs", run_options.jobs, "Processes at once")->check(CLI::Range(1, 1024));
  run->add_flag("--double", run_options.twice, "Run each twice; another digest is a failure");
  run->add_flag("--keep-going", run_options.keep_going, "Go on after a failure");
  session.AddTraceOption(run);
  session.AddGeneratorOptions(run);
  session.AddOutputOptions(run);

  CLI::App* replay = app.add_subcommand("replay", "Run one plan, or one seed, again");
  ReplayOptions replay_options;
  CLI::Option* file = replay->add_option("PLAN", replay_options.file, "File of the plan");
  CLI::Option* seed = replay->add_option("--seed", replay_options.seed, "Seed instead of a file");
  seed->excludes(file);
  replay->add_flag("--double", replay_options.twice, "Run it twice and compare the digests");
  session.AddTraceOption(replay);
  replay->add_option("--record-schedule", session.recording_file,
                     "Write the plan with every scheduling decision to this file");
  session.AddGeneratorOptions(replay);
  session.AddOutputOptions(replay);

  CLI::App* soak = app.add_subcommand("soak", "Run seeds on all cores for some time");
  SoakOptions soak_options;
  CLI::Option* seconds = soak->add_option("--seconds", soak_options.seconds, "How long");
  seconds->check(CLI::PositiveNumber);
  CLI::Option* operations =
      soak->add_option("--operations", soak_options.operations,
                       "Until clients have done so many operations, however long it takes");
  operations->check(CLI::PositiveNumber)->default_str("no limit");
  soak->add_option("--start-seed", soak_options.start_seed, "First seed");
  soak->add_option("--jobs", soak_options.jobs, "Processes at once")->check(CLI::Range(1, 1024));
  session.AddGeneratorOptions(soak);
  session.AddOutputOptions(soak);

  ExploreCommandOptions explore_options;
  const CLI::App* explore = AddExplore(&app, &session, &explore_options);
  CLI::App* shrink = app.add_subcommand("shrink", "Make a failing plan small");
  ShrinkCommandOptions shrink_options;
  shrink_options.jobs = AllCores();
  shrink->add_option("PLAN", shrink_options.file, "File of the plan")->required();
  shrink->add_option("--out", shrink_options.out, "File to write (default: PLAN.shrunk.plan)");
  shrink->add_option("--runs", shrink_options.runs, "Most plans to try")
      ->check(CLI::PositiveNumber);
  shrink->add_option("--seconds", shrink_options.seconds, "Most time to take")
      ->check(CLI::PositiveNumber);
  shrink->add_option("--jobs", shrink_options.jobs, "Processes at once")
      ->check(CLI::Range(1, 1024));
  shrink->add_flag("--json", shrink_options.json, "Print one JSON object as the last line");

  CLI::App* diff = app.add_subcommand("diff", "Show where two traces part");
  DiffOptions diff_options;
  diff->add_option("A", diff_options.first, "A trace (replay --trace=A)")->required();
  diff->add_option("B", diff_options.second, "Another")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
      std::fprintf(stderr,
                   "unknown command '%s' (expected run, replay, soak, explore, shrink or diff)\n",
                   argv[1]);
      return kExitBadInput;
    }
    return app.exit(error) == 0 ? kExitOk : kExitBadInput;
  }
  if (replay->parsed() && replay_options.file.empty() && !replay_options.seed) {
    std::fprintf(stderr, "replay: a plan file or --seed=N is needed\n");
    return kExitBadInput;
  }
  if (diff->parsed()) return DiffCommand(diff_options);
  if (shrink->parsed()) {
    ShearpinFactory factory;
    return ShrinkCommand(&factory, shrink_options);
  }
  if (const Status status = session.Prepare(); !status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    return kExitBadInput;
  }
  if (run->parsed()) return RunCommand(&session, run_options);
  if (replay->parsed()) return ReplayCommand(&session, replay_options);
  if (operations->count() != 0 && seconds->count() == 0) {
    soak_options.seconds = std::numeric_limits<double>::infinity();
  }
  if (explore->parsed()) return ExploreCommand(&session, explore_options);
  return SoakCommand(&session, soak_options);
}

}  // namespace shearpin::sim
