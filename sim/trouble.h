// Trouble: what makes some plans dense in one sort of failure, beside the faults that any plan may
// have: faults aimed at the files that decide what survives, a disk that fills and is relieved, and
// writers that resume after each.
//
// Thread safety: none needed; a function of its arguments.
#pragma once

#include "sim/plan.h"
#include "sim/rng.h"

namespace shearpin::sim {

// To the plan's own faults and steps. Crashes are drawn afterwards: steps move.
void AddTrouble(Rng rng, Plan* plan);

}  // namespace shearpin::sim
