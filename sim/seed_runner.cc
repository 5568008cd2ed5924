#include "sim/seed_runner.h"

#include "sim/simulator.h"
#include "sim/tally.h"

namespace shearpin::sim {

SeedReport SeedRunner::Run(const Plan& plan, Repeat repeat, const Trace::Sink& sink) {
  Simulator simulator(factory_, &fibers_);
  SeedReport report = MakeSeedReport(simulator.Run(plan, sink), plan, expectations_);
  if (repeat == Repeat::kOnce || report.abandoned) return report;
  const RunResult second = simulator.Run(plan);
  if (second.digest != report.digest && !report.finding) {
    report.finding = Finding{plan.seed,
                             FailureClass::kDigestDiffers,
                             "the first run's digest is " + HexDigest(report.digest) +
                                 ", the second's " + HexDigest(second.digest),
                             {},
                             FormatPlan(plan)};
  }
  return report;
}

}  // namespace shearpin::sim
