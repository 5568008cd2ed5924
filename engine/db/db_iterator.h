// The user's iterator: hides sequence numbers, tombstones and older versions from a merge.
#pragma once

#include <functional>
#include <memory>

#include "engine/base/internal_iterator.h"
#include "engine/base/internal_key.h"
#include "engine/db/read_state.h"
#include "engine/db/statistics.h"
#include "engine/iterator.h"
#include "engine/options.h"

namespace shearpin {

// Over everything in `state` that is visible at `sequence`, between the bounds of `options`, whose
// keys are copied. Keeps `state` alive, and calls `released` when it has let go of it. Tells
// `statistics` of its seeks, and at its end of its steps.
std::unique_ptr<Iterator> NewDbIterator(std::shared_ptr<const ReadState> state,
                                        SequenceNumber sequence, const ReadOptions& options,
                                        Statistics* statistics, std::function<void()> released);

}  // namespace shearpin
