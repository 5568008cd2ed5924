// RunGuarded: does work in a forked process, and tells how that ended if the process did not
// survive it: where it was, and its last words.
//
// Thread safety: the process must have one thread. Ownership: borrows `work` for the call.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "sim/failure_class.h"

namespace shearpin::sim {

struct GuardedEnd {
  int result = 0;                             // of the work, 0 to 127, where it came to its end
  std::optional<FailureClass> failure_class;  // else kProcessCrashed or kProcessHung
  std::string message;                        // then
  uint64_t trying = 0;                        // then: what the work had set it to
};

// `trying` is the work's to say what it is at; 0: nothing in particular. The process is killed when
// it has been at the same other number for `hang_seconds` of wall clock.
using GuardedWork = std::function<int(std::atomic<uint64_t>* trying)>;
GuardedEnd RunGuarded(const GuardedWork& work, double hang_seconds);

}  // namespace shearpin::sim
