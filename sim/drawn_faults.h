// Fault rules of any kind anywhere (trouble.h aims some, damage.h breaks promises), and calls that
// take long.
//
// Thread safety: none needed; functions of their arguments.
#pragma once

#include <cstdint>

#include "sim/plan.h"
#include "sim/rng.h"
#include "sim/swarm.h"

namespace shearpin::sim {

void DrawFaults(Rng rng, Plan* plan);
// What the swarm's kind of run wants to be slow, after all other faults.
void AddSlowCalls(const Swarm& swarm, uint64_t seed, Plan* plan);

}  // namespace shearpin::sim
