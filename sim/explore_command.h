// The explore command: looks at what crashes of one run, or of every short plan, may leave.
//
// Thread safety: one OS thread. Ownership: borrows the factory.
#pragma once

#include <cstdint>
#include <string>

#include "sim/plan.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

struct ExploreArguments {
  int depth = 2;
  uint64_t budget = 200'000;  // states recovered
  uint64_t random = 8;
  bool with_faults = true;  // the plan's rules, in recoveries that are explored
  double seconds = 0;       // of wall clock; 0: no limit
  std::string out;          // directory for the plans of findings
  bool json = false;
  std::string replay_command;  // what precedes the name of a plan's file
};

// Prints the story, and leaves each finding as a plan. True if nothing was wrong.
bool ExplorePlan(const Plan& plan, const ExploreArguments& arguments, SubjectFactory* factory);

// The same for every plan of up to `operations` steps of a small alphabet, on one profile, with
// every legal state at every place.
bool ExploreShortPlans(uint64_t operations, const std::string& profile,
                       const ExploreArguments& arguments, SubjectFactory* factory);

}  // namespace shearpin::sim
