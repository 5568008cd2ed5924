// ForkedTrials: runs a shrinker's candidates in processes of their own, since a candidate may
// crash, hang, or leave fibers behind.
//
// Thread safety: one thread at a time; the process must have one thread. SIGINT and SIGTERM call
// the trials off.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "sim/shrinker.h"

namespace shearpin::sim {

class ForkedTrials : public PlanTrials {
 public:
  // Called in the child.
  using RunPlan = std::function<SeedReport(const Plan& plan, Recording recording)>;

  // `seconds` of wall clock for all trials together.
  ForkedTrials(RunPlan run_plan, int jobs, double seconds);

  std::vector<std::optional<Finding>> Run(std::span<const Plan> plans,
                                          Recording recording) override;
  size_t width() const override { return static_cast<size_t>(jobs_); }
  bool called_off() const override;

 private:
  const RunPlan run_plan_;
  const int jobs_;
  const double seconds_;
  double spent_ = 0;
  bool interrupted_ = false;
};

}  // namespace shearpin::sim
