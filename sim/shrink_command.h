// The command `shrink`: a failing plan from a file, made smaller into another.
//
// Thread safety: one thread at a time; the process must have one thread.
#pragma once

#include <cstdint>
#include <string>

#include "sim/subject/subject.h"

namespace shearpin::sim {

struct ShrinkCommandOptions {
  std::string file;
  std::string out;  // empty: FILE.shrunk.plan beside it
  uint64_t runs = 5000;
  double seconds = 120;
  int jobs = 1;
  bool json = false;
};

// An exit status: 0 if there is a shrunk plan, 1 if the plan does not fail, 2 for bad input.
int ShrinkCommand(SubjectFactory* factory, const ShrinkCommandOptions& options);

}  // namespace shearpin::sim
