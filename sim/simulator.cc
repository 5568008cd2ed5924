#include "sim/simulator.h"

#include <memory>

#include "sim/simulation.h"

namespace shearpin::sim {

RunResult Simulator::Run(const Plan& plan, const Trace::Sink& sink, CrashProbe* probe,
                         Recording recording) {
  auto simulation = std::make_unique<Simulation>(plan, factory_, fibers_, sink, probe, recording);
  const bool ended = simulation->Run();
  RunResult result = simulation->TakeResult();
  // Abandoned fibers still refer to it; the caller ends the process before long.
  if (!ended) static_cast<void>(simulation.release());
  return result;
}

}  // namespace shearpin::sim
