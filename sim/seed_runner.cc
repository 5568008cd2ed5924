#include "sim/seed_runner.h"

#include "sim/simulator.h"
#include "sim/tally.h"
#include "sim/trace_diff.h"

namespace shearpin::sim {

SeedReport SeedRunner::Run(const Plan& plan, Repeat repeat, const Trace::Sink& sink,
                           Recording recording) {
  Simulator simulator(factory_, &fibers_);
  const RunResult result = simulator.Run(plan, sink, nullptr, recording);
  SeedReport report = MakeSeedReport(result, plan, expectations_);
  if (recording == Recording::kOn) report.recorded_plan = FormatPlan(result.plan);
  if (repeat == Repeat::kOnce || report.abandoned) return report;
  const RunResult second = simulator.Run(plan);
  if (second.digest != report.digest && !report.finding) {
    // Once more each, told: with some luck they part again.
    std::vector<std::string> traces[2];
    for (auto& lines : traces) {
      simulator.Run(plan, [&lines](std::string_view line) { lines.emplace_back(line); });
    }
    const auto parted = CompareTraces(traces[0], traces[1]);
    report.finding = Finding{plan.seed,
                             FailureClass::kDigestDiffers,
                             "the first run's digest is " + HexDigest(report.digest) +
                                 ", the second's " + HexDigest(second.digest) + "\n" +
                                 (parted ? parted->text : "told, they did not part again"),
                             {},
                             FormatPlan(plan),
                             {}};
  }
  return report;
}

}  // namespace shearpin::sim
