// Plan lists: what a plan has many of, and what it is without some of them. Each gives a plan that
// is legal: crashes keep their place relative to the steps that stay.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <functional>

#include "sim/plan.h"

namespace shearpin::sim {

// A list in a plan of which any part may go.
struct PlanList {
  const char* name;
  std::function<size_t(const Plan& plan)> count;
  // Without those from `begin` up to `end`.
  std::function<Plan(const Plan& plan, size_t begin, size_t end)> without;
};

PlanList StepsOf();    // of all clients, one after the other
PlanList ClientsOf();  // with all of their steps
PlanList CrashesOf();  // with what is nested in them
PlanList NestedOf();
PlanList SiblingsOf();  // those written down
PlanList FaultsOf();
PlanList OptionsOf();
PlanList ChangesOf();    // of batches, transactions and walks: each keeps at least one
PlanList DecisionsOf();  // of a recorded schedule
// Operations that the images do not keep, or those that they name.
PlanList ImageTermsOf();

}  // namespace shearpin::sim
