// JoinedLog: the logs of several epochs as one, without the recoveries that came between.
//
// A sync of a manifest that was forgotten takes what was only in tables (writes without a log,
// tables taken in) and leaves what stands in logs, those of later epochs included. What that makes
// is a state(n, F) of no epoch's own log, since a later epoch's base has those tables in it.
//
// Values; pure functions. Cost: that of inserting every entry again, and of LongestLike a state for
// each entry: these are asked only where no epoch's own log explains what was recovered.
#pragma once

#include <memory>
#include <span>

#include "model/commit_log.h"
#include "model/prefix.h"

namespace shearpin::model {

// One epoch's log and, but for the last, what of it the next one's base was made of. Borrowed.
struct EpochPart {
  const CommitLog* log = nullptr;
  const Prefix* carried = nullptr;  // null: all of it
};

// The longest prefix of `log` that makes the same state as `accepted` does, where pairs that may
// vanish count for nothing: which of them it was that a recovery brought back nobody can tell.
Prefix LongestLike(const CommitLog& log, const Prefix& accepted);

// How many of the first `positions` entries of `part` go into a joined log.
size_t CarriedBefore(const EpochPart& part, size_t positions);

// Over the first part's base, the carried entries of all, in order.
std::shared_ptr<const CommitLog> JoinLogs(std::span<const EpochPart> parts);

}  // namespace shearpin::model
