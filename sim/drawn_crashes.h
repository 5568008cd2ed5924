// Where the crashes of a plan strike, and those inside the recoveries from them.
//
// Most strike after any number of calls from a point of the workload; some at the k-th call of a
// kind that decides what a recovery finds, which are few among all. A recovery writes a log,
// tables, a MANIFEST and CURRENT in a few dozen calls, and whatever it has begun is found by the
// next one: there every other crash is aimed.
//
// Thread safety: none needed; functions of their arguments.
#pragma once

#include <cstdint>

#include "sim/plan.h"
#include "sim/rng.h"

namespace shearpin::sim {

struct CrashSwarm {
  uint64_t crashes = 0;
  uint64_t most_siblings = 0;
  uint64_t process_odds = 1;  // one in so many crashes kills only the process; 0: none
  uint64_t nested_odds = 1;   // one in so many recoveries crashes
};

// To a plan whose steps are all there.
void AddCrashes(const CrashSwarm& swarm, Rng rng, Plan* plan);

}  // namespace shearpin::sim
