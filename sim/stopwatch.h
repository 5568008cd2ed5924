// Stopwatch: seconds of wall clock since it was made. For budgets and figures of whole commands; no
// run of a plan sees it.
//
// Thread safety: const after construction.
#pragma once

#include <chrono>

namespace shearpin::sim {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace shearpin::sim
