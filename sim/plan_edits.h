// Plan edits: the ways in which a shrinker makes a plan smaller, one by one. Each gives a plan
// that is legal: crashes keep their place relative to the steps that stay.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

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

// Makes one place of a plan simpler. Long plans have thousands of such places, so that a candidate
// is made when its turn comes.
using PlanEdit = std::function<void(Plan* plan)>;

// Of the plan, the boldest first.
std::vector<PlanEdit> SimplerSchedules(const Plan& plan);
std::vector<PlanEdit> FewerClients(const Plan& plan);
std::vector<PlanEdit> SimplerImages(const Plan& plan);
std::vector<PlanEdit> PromotedSiblings(const Plan& plan);
std::vector<PlanEdit> SimplerStrikes(const Plan& plan);
std::vector<PlanEdit> SimplerFaults(const Plan& plan);
std::vector<PlanEdit> SimplerSteps(const Plan& plan);
std::vector<PlanEdit> ShorterBytes(const Plan& plan);
std::vector<PlanEdit> SimplerHeaders(const Plan& plan);

// All siblings but those that read `image` go. Empty: all of them.
Plan WithOnlySibling(const Plan& plan, const std::string& image);

// Variants of a plan that no longer fails: other schedules, other images of its crashes, crashes
// a little later. They look for the failure near to where it was.
std::vector<Plan> Nearby(const Plan& plan);

}  // namespace shearpin::sim
