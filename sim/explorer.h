// Explorer: one run of a plan, and at every place where it could crash, the states that a crash may
// leave: each distinct one is recovered and verified while the run goes on.
//
// A state is recovered once: equal images with equal or weaker obligations (what must be there by
// now has not grown beyond what was found there) are not looked at again. When the run is over,
// the recoveries are explored in their turn, breadth first: a crash inside the recovery of an
// image must lead to what that image led to without one.
//
// A finding is the first state of its class of failure, as a plan that `replay` reproduces.
//
// Thread safety: one OS thread. Ownership: borrows factory and fibers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/crash_states.h"
#include "sim/execution_backend.h"
#include "sim/plan.h"
#include "sim/run_result.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

struct ExploreOptions {
  // 0: crashes of the run; 1: also crashes inside their recoveries; 2: also inside those; ...
  int depth = 2;
  uint64_t budget = 200'000;  // states recovered at most, at all depths together
  CrashStatesOptions states;
  uint64_t first_operation = 0;  // places before so many steps have ended are left out
  // Asked now and then; true ends the exploration early. May be empty.
  std::function<bool()> out_of_time;
};

struct ExploreFinding {
  FailureClass failure_class = FailureClass::kWrongData;
  std::string message;
  std::vector<std::string> last_operations;
  uint64_t states = 1;  // of this class
  Plan plan;            // of the first
  bool replays = false;
  // The profile with the strongest promises that still shows a failure of this class at this place,
  // and all that do. Empty where `replays` is false.
  std::string weakest_profile;
  std::vector<std::string> profiles;
};

struct ExploreReport {
  uint64_t plans = 1;
  uint64_t points = 0;    // places where a crash was tried, in recoveries too
  uint64_t legal = 0;     // plans enumerated there
  uint64_t distinct = 0;  // images
  uint64_t checked = 0;   // states recovered and verified, some images again as more was owed
  std::vector<uint64_t> checked_by_depth;
  bool all = true;        // nothing that was to be checked was left out
  uint64_t failures = 0;  // states
  std::vector<ExploreFinding> findings;
  uint64_t digest = 0;  // of all that was found, in order
  RunResult run;        // the run itself; its own failure is not among the findings
};

class Explorer {
 public:
  Explorer(SubjectFactory* factory, ExecutionBackend* fibers)
      : factory_(factory), fibers_(fibers) {}

  ExploreReport Explore(const Plan& plan, const ExploreOptions& options);

  // Every plan of up to `operations` steps (short_plans.h) on one profile, every legal state at
  // every place. What a plan shares with the one that lacks its last step is looked at once.
  // `run` of the report has the sum of operations, and the first failure of any run.
  ExploreReport ExploreShortPlans(uint64_t operations, const std::string& profile,
                                  ExploreOptions options);

 private:
  SubjectFactory* const factory_;
  ExecutionBackend* const fibers_;
};

}  // namespace shearpin::sim
