// PlanSize: how much there is to read in a plan, part by part.
//
// Plans are ordered by their parts, the ones that cost a reader most first: a step less is worth
// any number of bytes. A shrinker only ever goes down in this order, so it ends, and what it leaves
// is no larger than what it was given.
//
// Thread safety: values, a pure function.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "sim/plan.h"

namespace shearpin::sim {

struct PlanSize {
  uint64_t steps = 0;
  uint64_t crashes = 0;  // those inside recoveries too
  uint64_t clients = 0;
  uint64_t faults = 0;
  uint64_t siblings = 0;  // drawn ones too
  uint64_t changes = 0;   // of batches, and moves of iterators, beyond one a step
  uint64_t extras = 0;  // bounds, snapshots and synced writes of steps; skips and repeats of faults
  uint64_t image = 0;   // operations that images name or drop; an image to draw counts as many
  uint64_t strike = 0;  // how exactly crashes are placed
  uint64_t options = 0;   // capacity and the like too
  uint64_t switches = 0;  // of a recorded schedule; a drawn one counts as more than any
  uint64_t bytes = 0;     // of keys and values
  uint64_t text = 0;      // of everything but the schedule, in bytes

  auto operator<=>(const PlanSize&) const = default;
  bool operator==(const PlanSize&) const = default;
};

PlanSize SizeOf(const Plan& plan);

// "12 steps, 1 client, 2 faults, 1 crash with 0 siblings, 3 options, 120 bytes, 4 switches".
std::string DescribeSize(const Plan& plan);

}  // namespace shearpin::sim
