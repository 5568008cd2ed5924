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
#include "sim/plan.h"

namespace shearpin::sim {

struct CrashPoint {
  const faultfs::SimDisk* disk = nullptr;
  const model::KvModel* model = nullptr;
  const model::CrashOracle* oracle = nullptr;
  // Every key that the plan's writes name, sorted.
  const std::vector<std::string>* keys = nullptr;
  // How bad the death of the process is here: a failed sync makes it as bad as a loss of power.
  model::CrashKind process_death = model::CrashKind::kProcessDeath;

  // The crash that would strike here: `before` are the plan's crashes that came already, then one
  // that counts `calls` from `start`.
  CrashStart start;
  uint64_t calls = 0;
  std::span<const CrashSpec> before;
};

class CrashProbe {
 public:
  virtual ~CrashProbe() = default;
  virtual void AtCrashPoint(const CrashPoint& point) = 0;
};

}  // namespace shearpin::sim
