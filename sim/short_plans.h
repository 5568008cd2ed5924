// ShortPlans: every plan of so many operations from a small alphabet, in the order of counting.
//
// The alphabet: puts of two keys and deletes with each durability that differs, a batch, range
// deletes, flush, sync, reopen, compact. Each put writes a value of its own, so that no two
// histories leave equal states by accident.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/plan.h"

namespace shearpin::sim {

class ShortPlans {
 public:
  ShortPlans(uint64_t operations, std::string profile);

  // How many letters there are.
  static uint64_t AlphabetSize();

  // False if there is no further one.
  bool Next(Plan* plan);

 private:
  const std::string profile_;
  std::vector<uint64_t> letters_;
  bool done_ = false;
};

}  // namespace shearpin::sim
