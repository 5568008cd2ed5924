// What simulation costs: the same workload of two clients on MemFileSystem with real threads, and
// on FaultFs over SimDisk under the deterministic scheduler, every call and decision on record.
//
//   bazel run -c opt //sim:harness_bench [-- --rounds=N --json]
//
// Prints the CPU time of both and their ratio, by the best of the rounds: what disturbs only slows
// down. The model is in neither: what it costs is part of crash_state_bench.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "faultfs/mem_file_system.h"
#include "sim/deterministic_scheduler.h"
#include "sim/fiber_pool.h"
#include "sim/fixed_workload.h"
#include "sim/machine.h"
#include "sim/phased_strategy.h"
#include "sim/rng.h"
#include "sim/run_context.h"
#include "sim/subject/shearpin_subject.h"
#include "sim/trace.h"
#include "sim/virtual_clock.h"

namespace shearpin::sim {
namespace {

constexpr size_t kClients = 2;

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// One client's share of the steps; every write is followed by a read of its key.
void RunClient(Subject* subject, const std::vector<Step>& steps, size_t client) {
  std::string value;
  for (size_t i = client; i < steps.size(); i += kClients) {
    const Step& step = steps[i];
    const auto batch = subject->NewBatch();
    for (const Mutation& mutation : step.mutations) {
      const std::string key = mutation.key.Materialise();
      if (mutation.kind == MutationKind::kPut) {
        batch->Put(key, mutation.value.Materialise());
      } else if (mutation.kind == MutationKind::kDelete) {
        batch->Delete(key);
      } else {
        batch->DeleteRange(key, mutation.value.Materialise());
      }
    }
    const bool syncs = step.kind == StepKind::kSync || step.durability == model::Durability::kSync;
    const Status written = subject->Write(
        batch.get(), syncs ? shearpin::Durability::kSync : shearpin::Durability::kProcess);
    SHEARPIN_CHECK(written.ok(), "a write failed");
    if (step.mutations.empty()) continue;
    const Status read = subject->Get(step.mutations[0].key.Materialise(), nullptr, &value);
    SHEARPIN_CHECK(read.ok() || read.IsNotFound(), "a read failed");
  }
}

void RunAll(ShearpinFactory* factory, const Env& env, const Plan& plan) {
  SubjectConfig config;
  config.env = env;
  config.directory = "/db";
  config.options = plan.options;
  auto opened = factory->Open(config);
  SHEARPIN_CHECK(opened.ok(), "the store does not open");
  Subject* const subject = opened->get();
  std::vector<std::unique_ptr<Scheduler::ThreadHandle>> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(env.scheduler->Spawn(
        "client", [subject, &plan, i] { RunClient(subject, plan.clients[0], i); }));
  }
  for (auto& client : clients) client->Join();
  SHEARPIN_CHECK(subject->Close().ok(), "the store does not close");
}

double RealSeconds(const Plan& plan) {
  ShearpinFactory factory;
  faultfs::MemFileSystem files;
  const double begin = CpuSeconds();
  Env env;
  env.file_system = &files;
  RunAll(&factory, env, plan);
  return CpuSeconds() - begin;
}

double SimulatedSeconds(const Plan& plan, ExecutionBackend* fibers) {
  ShearpinFactory factory;
  VirtualClock clock;
  Trace trace;
  PhasedStrategy walk(plan.scheduler, Recording::kOff);
  DeterministicScheduler scheduler(fibers, &clock, &walk, &trace, {});
  RunContext context(plan, &trace, &scheduler);
  StreamEntropy entropy(Rng::Stream(plan.entropy_seed, "bench"));
  const double begin = CpuSeconds();
  const RunReport report = scheduler.Run([&] {
    Machine machine(std::make_unique<faultfs::SimDisk>(*faultfs::FindProfile(plan.profile)),
                    &context);
    Env env;
    env.file_system = &machine.fs();
    env.clock = &clock;
    env.scheduler = &scheduler;
    env.entropy = &entropy;
    RunAll(&factory, env, plan);
  });
  SHEARPIN_CHECK(report.ok(), report.description.c_str());
  return CpuSeconds() - begin;
}

struct BenchOptions {
  uint64_t operations = 20'000;
  int rounds = 10;
  bool json = false;
};

void Compare(const BenchOptions& options) {
  const Plan plan = FixedWorkload(options.operations, 1);
  FiberPool fibers;
  double real = std::numeric_limits<double>::infinity();
  double simulated = real;
  for (int i = 0; i < options.rounds; ++i) {
    real = std::min(real, RealSeconds(plan));
    simulated = std::min(simulated, SimulatedSeconds(plan, &fibers));
  }
  const double ratio = simulated / real;
  std::printf("%llu operations: MemFileSystem and threads %.1f ms, simulated %.1f ms, ratio %.2f\n",
              static_cast<unsigned long long>(options.operations), real * 1e3, simulated * 1e3,
              ratio);
  if (!options.json) return;
  const nlohmann::json json = {{"operations", options.operations},
                               {"threads_seconds", real},
                               {"simulated_seconds", simulated},
                               {"ratio", ratio}};
  std::printf("%s\n", json.dump().c_str());
}

}  // namespace
}  // namespace shearpin::sim

int main(int argc, char** argv) {
  shearpin::sim::BenchOptions options;
  CLI::App app("The CPU time of one workload, simulated and not, and their ratio.",
               "harness_bench");
  app.option_defaults()->always_capture_default();
  app.add_option("--operations", options.operations, "Steps of the workload")
      ->check(CLI::PositiveNumber);
  app.add_option("--rounds", options.rounds, "The best of so many counts")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "Print one JSON object as the last line");
  CLI11_PARSE(app, argc, argv);
  shearpin::sim::Compare(options);
  return 0;
}
