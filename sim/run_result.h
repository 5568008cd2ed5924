// RunResult: what one simulation was and did.
//
// Thread safety: values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/failure_class.h"
#include "sim/plan.h"

namespace shearpin::sim {

inline constexpr size_t kNumStatusCodes = static_cast<size_t>(StatusCode::kAborted) + 1;

struct Failure {
  FailureClass failure_class = FailureClass::kWrongData;
  std::string message;
  std::vector<std::string> last_operations;  // oldest first, one line each
};

struct RunResult {
  uint64_t seed = 0;
  uint64_t crashes = 0;         // nested ones included
  uint64_t nested_crashes = 0;  // inside a recovery
  uint64_t crash_states = 0;    // images recovered and fully checked
  uint64_t equal_states = 0;    // siblings left out because an equal image had been checked
  uint64_t reopenings = 0;      // without a crash
  uint64_t operations = 0;      // steps executed
  uint64_t file_system_calls = 0;
  uint64_t scheduling_points = 0;
  uint64_t simulated_micros = 0;
  uint64_t digest = 0;
  std::map<std::string, uint64_t> faults;                // by kind, those that fired
  std::map<std::string, uint64_t> events;                // by kind, as the engine told them
  std::map<std::string, uint64_t> matrix;                // "append eio": faults that fired, by call
  std::array<uint64_t, faultfs::kCallKinds> calls = {};  // of the file system, by CallKind
  std::map<std::string, uint64_t> probes;                // what else has happened: sim/coverage.h
  std::array<uint64_t, kNumStepKinds> steps = {};        // executed
  std::array<uint64_t, kNumStatusCodes> statuses = {};   // that steps returned
  std::optional<Failure> failure;

  // The plan with every drawn crash written down.
  Plan plan;
  // The run ended in the middle (a deadlock): fibers and what they held were abandoned, and the
  // process had better end soon.
  bool abandoned = false;
};

}  // namespace shearpin::sim
