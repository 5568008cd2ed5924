// CrashProbe: is shown every place of a run where its plan could have had a crash.
//
// Places are the calls that change the disk or make it durable, right before their effect, and the
// end of the workload: between two of them the disk stays as it is, and of the moments in between
// the last one owes the most. What is shown is alive: the run goes on when the probe returns.
//
// Thread safety: called on a fiber of the run's scheduler, to whose points the probe must not come.
// Ownership: everything in a CrashPoint is borrowed for the duration of the call.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "faultfs/sim_disk.h"
#include "model/crash_oracle.h"
#include "model/kv_model.h"
#include "sim/checkpoint_check.h"
#include "sim/plan.h"

namespace shearpin::sim {

struct CrashPoint {
  const faultfs::SimDisk* disk = nullptr;
  const model::KvModel* model = nullptr;
  const model::CrashOracle* oracle = nullptr;
  // Every key that the plan's writes name, sorted.
  const std::vector<std::string>* keys = nullptr;
  // Every copy of the store made so far.
  std::span<const CheckpointCopy> checkpoints;

  // What a recovery owes after a crash here.
  struct Owed {
    model::CrashKind kind = model::CrashKind::kPowerLoss;
    // The storage has broken promises: the subject may say so instead, with Corruption or IoError.
    bool may_refuse = false;
  };
  Owed after_process_death;  // after a failed sync as bad as a loss of power
  Owed after_power_loss;
  bool faults_over = false;  // for good: no rule of the plan stands any more

  uint64_t operations = 0;  // steps that have ended

  // The crash that would strike here: `before` are the plan's crashes that came already, then one
  // that counts `calls` from `start`.
  CrashStart start;
  uint64_t calls = 0;
  std::span<const CrashSpec> before;
  // By client: the step that it has not begun yet.
  std::span<const uint32_t> next_steps;
};

class CrashProbe {
 public:
  virtual ~CrashProbe() = default;
  virtual void AtCrashPoint(const CrashPoint& point) = 0;
};

}  // namespace shearpin::sim
