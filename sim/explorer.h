// Explorer: one run of a plan, and at every place where it could crash, the states that a crash may
// leave: each distinct one is recovered and verified while the run goes on.
//
// A state is recovered once: equal images with equal or weaker obligations (what must be there by
// now has not grown beyond what was found there) are not looked at again. When the run is over,
// the recoveries are explored in their turn, breadth first: a crash inside the recovery of an
// image must lead to what that image led to without one.
//
// What a process that died leaves pending can still be lost, and storage that has broken promises
// owes a recovery less than its own state; so such recoveries are judged by the model as of the
// moment of the crash. The plan is run a second time for them.
//
// A finding is the first state of its class of failure, as a plan that `replay` reproduces.
//
// Thread safety: one OS thread. Ownership: borrows factory and fibers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/crash_states.h"
#include "sim/execution_backend.h"
#include "sim/image_recovery.h"
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
  // Recoveries that are explored go on under the plan's fault rules, as in a run.
  bool with_faults = true;
  // Asked now and then; true ends the exploration early. May be empty.
  std::function<bool()> out_of_time;

  // For whoever finds this process dead: the number of the recovery that is being tried, 0
  // meanwhile. In memory that outlives the process; may be null.
  std::atomic<uint64_t>* trying = nullptr;
  // Recoveries that are known to kill the process or to hang it, by that number: they are not
  // tried, and their states are findings.
  std::map<uint64_t, Defect> deadly;
  bool ends_at_deadly = false;  // the last of them is the last thing looked at
  uint64_t tried_before = 0;    // recoveries numbered before this exploration
  double hang_seconds = 30;     // of wall clock: a replay that takes as long hangs
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
  uint64_t refused = 0;   // of these: refused by the subject, on storage that broke its promises
  bool all = true;        // nothing that was to be checked was left out
  uint64_t failures = 0;  // states
  std::vector<ExploreFinding> findings;
  uint64_t tried = 0;   // recoveries numbered so far
  uint64_t digest = 0;  // of all that was found, in order
  RunResult run;        // the run itself; its own failure is not among the findings
};

// Explores in a forked process. Where a recovery kills that or hangs it, once more, past that
// state, which is a finding then; a few times at most. `explore` is called in the process and
// returns what this does, unless the process dies elsewhere: then `elsewhere` is told how.
bool ExploreGuarded(ExploreOptions options,
                    const std::function<bool(const ExploreOptions& options)>& explore,
                    const std::function<void(const Defect& defect)>& elsewhere);

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
