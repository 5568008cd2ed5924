// A swarm: what one seed leaves in, leaves out and makes frequent. Runs that do everything a little
// do nothing much; runs that each do a few things often meet their corners (swarm testing, Groce
// and others, ISSTA 2012).
//
// Thread safety: none needed; functions of their arguments.
#pragma once

#include <array>
#include <cstdint>

#include "sim/drawn_crashes.h"
#include "sim/plan.h"
#include "sim/rng.h"

namespace shearpin::sim {

struct Swarm {
  std::array<uint32_t, kNumStepKinds> steps{};
  std::array<uint32_t, 3> durabilities{};  // by model::Durability
  uint32_t clients = 1;
  uint64_t steps_per_client = 0;
  CrashSwarm crashes;
  bool deep = false;       // thousands of steps over many keys
  bool few_keys = false;   // that are overwritten again and again
  bool local = false;      // writes to one neighbourhood of keys after another
  bool contended = false;  // several clients at a few keys, with transactions
  bool tended = false;     // several clients, and much that is asked of the whole store
};

Swarm DrawSwarm(Rng rng);

}  // namespace shearpin::sim
