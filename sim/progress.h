// Progress: how far a soak is: one line that is rewritten on a terminal, plain lines now and then
// elsewhere.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdio>
#include <string>

#include "sim/tally.h"

namespace shearpin::sim {

class Progress {
 public:
  // `out` is not owned. It ends after `seconds` or `operations`, whichever comes first; either may
  // be without limit.
  Progress(FILE* out, double seconds, uint64_t operations);

  // Called often; prints when it is time.
  void Update(double elapsed, const Tally& tally, int jobs);
  // Takes the rewritten line away, so that something else can be printed.
  void Clear();

 private:
  double Share(double elapsed, const Tally& tally) const;
  std::string Bar(double share) const;

  FILE* const out_;
  const double seconds_;
  const uint64_t operations_;
  const bool terminal_;
  double next_line_ = 0;
  bool shown_ = false;
};

}  // namespace shearpin::sim
