// Diagnosis: why no legal prefix explains a recovered state, in one class and one sentence.
//
// Each key of the recovered state is traced to the versions that have its value. A batch is
// *missing* where some key it wrote shows only older versions, and *there* where some key shows
// its version and no other. Values that several batches wrote are evidence for none of them. The
// classes are tried in this order, each on the lowest batch in sequence order that shows it, so
// that one state has one class:
//
//   wrong data          a value that no batch of this history committed for the key;
//   batch torn          a batch that is both there and missing;
//   resurrected delete  a missing delete of a key that has an older value, while a later batch is
//                       there;
//   durable write lost  a missing batch that was acknowledged as durable itself, or a key whose
//                       value was settled by an earlier recovery;
//   hole before ...     a missing batch below the durable floor;
//   hole after ...      a missing batch above it while a later one is there.
//
// If nothing is conclusive the nearest legal prefix is taken for what should have been there.
//
// Pure functions. Cost: linear in the versions of all keys; the nearest prefix, entries x keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/batch.h"
#include "model/commit_log.h"
#include "model/failure.h"

namespace shearpin::model {

// What the recovery owed.
struct Demand {
  size_t floor = 0;    // position: all logged entries below
  size_t flushed = 0;  // position: all entries below
  // Acknowledged entries at least this durable were durable in their own right, and so were
  // logged ones acknowledged by `durable_events` and all acknowledged by `flushed_events`.
  Durability durable = Durability::kSync;
  uint64_t durable_events = 0;
  uint64_t flushed_events = 0;
  bool everything = false;  // all entries below the floor were durable in their own right
};

// `recovered` is in strict key order and is not a legal state.
Violation Diagnose(const CommitLog& log, std::span<const KeyValue> recovered, const Demand& demand);

}  // namespace shearpin::model
