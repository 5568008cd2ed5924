// The range-delete block: a table's range tombstones, in fragments.
//
// One entry for each fragment and sequence number: key = internal key (begin, sequence,
// kRangeDelete), value = end. Sorted as internal keys: fragments ascend and do not overlap, entries
// of one fragment have the same end and descending sequence numbers. README.md, "Range deletes".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/range_tombstones.h"
#include "engine/status.h"

namespace shearpin {

// The bytes of the block, without trailer. NotSupported if it would be too large.
StatusOr<std::string> EncodeRangeDeletes(const std::vector<RangeTombstones::Fragment>& fragments);

// Corruption, with the reason, if anything is not as said above: a tombstone that is passed over
// would bring deleted keys back.
StatusOr<RangeTombstones> DecodeRangeDeletes(std::string_view block);

}  // namespace shearpin
