// CrashStates: what a crash at one moment may leave, plan by plan, in the order of the fault
// model's reference.
//
// The death of the process; then faultfs::StandardPlans (all kept, none kept, one dropped, one
// kept, prefixes, by purpose, torn blocks, stale bytes); then either random ones, or every
// downward-closed subset of what is pending, each also with every tear of one of its blocks.
// Different plans may leave equal images.
//
// Pure: depends on the disk as it is during the calls, which must not change between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "faultfs/crash_plan.h"
#include "faultfs/sim_disk.h"
#include "faultfs/standard_plans.h"
#include "sim/crash_chooser.h"
#include "sim/rng.h"

namespace shearpin::sim {

struct CrashStatesOptions {
  uint64_t random = 8;        // how many of them, where `every_subset` is not set
  bool every_subset = false;  // exponential in what is pending
};

class CrashStates {
 public:
  // `rng` is for the random ones.
  CrashStates(const faultfs::SimDisk& disk, const CrashStatesOptions& options, Rng rng);

  // False if there is no further one.
  bool Next(faultfs::CrashPlan* plan);

 private:
  bool NextSubset(faultfs::CrashPlan* plan);
  bool NextTear(faultfs::CrashPlan* plan);

  const faultfs::SimDisk& disk_;
  const CrashStatesOptions options_;
  const std::vector<faultfs::PendingOp> ops_;
  faultfs::StandardPlans standard_;
  CrashChooser chooser_;
  bool process_done_ = false;
  uint64_t random_drawn_ = 0;
  // The subset that NextSubset gave last, and which tear of it comes next.
  std::optional<std::string> bits_;
  size_t torn_ = 0;
  uint32_t tear_mask_ = 0;
};

}  // namespace shearpin::sim
