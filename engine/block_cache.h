// A block cache that several databases of a process share.
//
//   options.block_cache = shearpin::NewBlockCache(size_t{1} << 30);
//
// Thread safety: databases may use it from all their threads at once.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/env/scheduler.h"

namespace shearpin {

class BlockCache;

// `capacity` in bytes. `scheduler` is that of every database which uses it, and outlives it.
std::shared_ptr<BlockCache> NewBlockCache(size_t capacity, Scheduler* scheduler = RealScheduler());

}  // namespace shearpin
