// Plan edits: the ways in which a shrinker makes the parts of a plan simpler, one by one. Each
// gives a plan that is legal.
//
// Thread safety: pure functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/plan.h"

namespace shearpin::sim {

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

}  // namespace shearpin::sim
