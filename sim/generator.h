// Generator: seed -> swarm profile -> plan.
//
// Swarm testing (Groce et al., ISSTA'12): each seed leaves out some operations and faults
// entirely, because what is always on hides what only shows without it. A seed draws first which
// operations, durabilities, faults and sizes exist in its run, then the run.
//
// The same seed and options give the same plan in this build; across builds only the plan's text
// keeps its meaning. Thread safety: a pure function.
#pragma once

#include <cstdint>
#include <string>

#include "sim/dataset.h"
#include "sim/plan.h"

namespace shearpin::sim {

struct GeneratorOptions {
  std::string profile;               // of the disk; empty: drawn from those there are
  const Dataset* dataset = nullptr;  // where keys and values come from; null: made up. Not owned.
  bool faults = true;                // false: crashes only
  bool broken_promises = true;  // of the disk, without telling; with faults only the rules
};

Plan GeneratePlan(uint64_t seed, const GeneratorOptions& options);

}  // namespace shearpin::sim
