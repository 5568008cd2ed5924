// The options of the engine that a plan sets. Sizes are small, so that little data makes many
// files.
//
// Thread safety: none needed; functions of their arguments.
#pragma once

#include "sim/plan.h"
#include "sim/rng.h"

namespace shearpin::sim {

void DrawKnobs(Rng rng, Plan* plan);
void DrawCompactionKnobs(Rng rng, Plan* plan);
// After both: tables of a few pairs, and several merges at once.
void DrawBusyTree(Rng rng, Plan* plan);

}  // namespace shearpin::sim
