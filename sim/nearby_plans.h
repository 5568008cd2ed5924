// Nearby plans: where a failure may be that a smaller plan has lost.
//
// Thread safety: pure functions.
#pragma once

#include <vector>

#include "sim/plan.h"

namespace shearpin::sim {

// Variants of a plan that no longer fails: other schedules, other images of its crashes, crashes
// a little later. They look for the failure near to where it was.
std::vector<Plan> Nearby(const Plan& plan);

}  // namespace shearpin::sim
