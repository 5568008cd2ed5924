// Simulator: runs a plan.
//
// A run is a row of openings of the subject. In each, the plan's clients go on with their steps as
// concurrent fibers and every answer is judged by the model. An opening ends when the machine
// crashes, when a step asks for it, or when an error has poisoned the writer. At a crash the disk
// freezes, the dying subject is closed as usual, further images of the same moment are recovered
// and checked, and the run goes on from the chosen one, perhaps crashing inside its recovery. When
// all is done the faults stop, and the subject has to work and leave nothing behind.
//
// Everything follows from the plan: two runs of one plan have the same digest.
//
// Thread safety: one OS thread at a time. Ownership: borrows factory and fibers. The fibers
// (FiberPool) are kept across runs for their stacks.
#pragma once

#include "sim/crash_probe.h"
#include "sim/execution_backend.h"
#include "sim/phased_strategy.h"
#include "sim/run_result.h"
#include "sim/subject/subject.h"
#include "sim/trace.h"

namespace shearpin::sim {

class Simulator {
 public:
  Simulator(SubjectFactory* factory, ExecutionBackend* fibers)
      : factory_(factory), fibers_(fibers) {}

  // A sink gets the story as text. The plan names things that exist (ParsePlan has seen to that,
  // or the generator). With Recording::kOn the plan of the result has every scheduling decision
  // written down too, and replays without drawing any.
  // `probe` is shown every place where the plan could crash and does not; it changes nothing.
  RunResult Run(const Plan& plan, const Trace::Sink& sink = {}, CrashProbe* probe = nullptr,
                Recording recording = Recording::kOff);

 private:
  SubjectFactory* const factory_;
  ExecutionBackend* const fibers_;
};

}  // namespace shearpin::sim
