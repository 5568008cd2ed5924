// ClassOf: in which class of failure a run of fibers ended that did not complete.
//
// Thread safety: a pure function.
#pragma once

#include "engine/base/check.h"
#include "sim/deterministic_scheduler.h"
#include "sim/failure_class.h"

namespace shearpin::sim {

inline FailureClass ClassOf(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kCompleted:
      break;
    case RunOutcome::kDeadlock:
      return FailureClass::kDeadlock;
    case RunOutcome::kPointBudget:
    case RunOutcome::kTimeBudget:
      return FailureClass::kLivelock;
    case RunOutcome::kUnjoined:
      return FailureClass::kLeak;
  }
  SHEARPIN_CHECK(false, "a run that completed is no failure");
}

}  // namespace shearpin::sim
