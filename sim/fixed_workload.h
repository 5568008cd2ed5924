// FixedWorkload: the plan that benchmarks of the simulator share: a history of so many operations
// as a small store sees them, without faults or crashes.
//
// Thread safety: a pure function.
#pragma once

#include <cstdint>

#include "sim/plan.h"

namespace shearpin::sim {

// Of 20 operations 13 are puts, 3 deletes, 2 batches of three puts, 1 a range delete of ten keys
// and 1 a sync; 2 puts of 13 are synced themselves. Keys: half as many as operations, at most 200,
// of 8 bytes; values of 1 to 100 bytes. Buffers of 4 KiB, so that the longer one flushes and
// compacts.
Plan FixedWorkload(uint64_t operations, uint64_t seed);

}  // namespace shearpin::sim
