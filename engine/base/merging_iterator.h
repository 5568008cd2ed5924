// Merging: several sorted sources as one.
//
// Two children never hold the same internal key, except after a recovery that reads a log again
// whose memtable had reached a table already: then the child with the lower index wins (put newer
// sources first) and the key is emitted once. Within one child keys are distinct.
// Errors: a child's error ends the merge with that status; its keys are never just left out.
// A binary heap of cached keys that remembers the runner-up: a step that stays within one child
// costs one comparison.
#pragma once

#include <memory>
#include <vector>

#include "engine/base/internal_iterator.h"

namespace shearpin {

// No children give an empty iterator; one child is returned as it is.
std::unique_ptr<InternalIterator> NewMergingIterator(
    std::vector<std::unique_ptr<InternalIterator>> children);

// An iterator over nothing, with this status.
std::unique_ptr<InternalIterator> NewEmptyIterator(Status status);

}  // namespace shearpin
