// Verdict: what a recovery was found to be, by CrashOracle; KvModel goes on from an accepted one.
//
// A value; thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/failure.h"
#include "model/prefix.h"

namespace shearpin::model {

struct [[nodiscard]] Verdict {
  FailureClass failure_class = FailureClass::kNone;
  std::string message;  // empty if ok

  // Where ok(): the lowest pair that explains the state, as sequence numbers.
  uint64_t n = 0;
  uint64_t flushed = 0;  // F

  // The same as positions in the commit log, with the runs of failed batches that were left out
  // though later ones are there; and the position of the durable floor. KvModel::Rebase wants it.
  Prefix prefix;
  size_t floor_position = 0;
  // How many rebases ago the log was the model's that these are positions in: 0, unless the
  // storage broke its promises.
  size_t epochs_back = 0;
  // That log, where it is made of several epochs' (model/joined_log.h).
  std::shared_ptr<const CommitLog> joined;
  // What the store numbers next is above this: the lowest of the floors in all of them.
  uint64_t floor_sequence = 0;

  // Keys of that state that were missing, as they may be by a compaction filter.
  std::vector<std::string> vanished;

  bool ok() const { return failure_class == FailureClass::kNone; }
};

}  // namespace shearpin::model
