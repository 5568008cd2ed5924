// Damage: what a disk and the kernel above it do by themselves in some plans: promises that are
// broken without a word, and the background work of a file system.
//
// Thread safety: none needed; functions of their arguments.
#pragma once

#include "sim/plan.h"
#include "sim/rng.h"

namespace shearpin::sim {

// Rules to the plan's own, and steps after which damage shows. Crashes are drawn afterwards.
void AddDamage(Rng rng, Plan* plan);

// How often the journal commits, data is written back and pages are evicted.
void AddKernel(Rng rng, Plan* plan);

}  // namespace shearpin::sim
