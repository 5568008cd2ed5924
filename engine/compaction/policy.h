// CompactionPolicy: which tables to merge next. Pure functions of a TreeShape.
//
// Sources: RocksDB's leveled compaction with dynamic level targets ("Dynamic Leveled Compaction",
// RocksDB wiki), its universal compaction for the tiered policy, and MiniLSM's simple leveled one.
//
// Laws every policy keeps (policy_test.cc states them as properties):
//   P1  Inputs are not busy, and no two running plans write overlapping ranges into one level.
//   P2  Inputs are closed: a table of an input level that shares a user key with the inputs'
//       range, and is not newer than them, is an input; so versions of a key stay in age order.
//   P3  When nothing more is picked, the shape is within the policy's limits.
//   P4  A damaged table is never an input, nor what must not be merged around it; the rest goes on.
//       P3 does not hold then.
//
// Thread safety: const methods from many threads. Ownership: a policy owns its parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/compaction/tree_shape.h"
#include "engine/options.h"

namespace shearpin {

class CompactionPolicy {
 public:
  virtual ~CompactionPolicy() = default;

  // The most urgent compaction that can run beside those that are running, if any is due.
  virtual std::optional<CompactionPlan> Pick(const TreeShape& shape) const = 0;

  // Bytes that must be rewritten before the tree is within its limits, roughly; writes are
  // delayed in proportion.
  virtual uint64_t PendingBytes(const TreeShape& shape) const = 0;

  // The next step of merging everything that overlaps [begin, end] (null: unbounded) into one run,
  // beginning at `*level` (0 at first), which is moved on to where the following step begins.
  // Nothing when it is done; `*blocked` then says that a running compaction is in the way.
  virtual std::optional<CompactionPlan> PickManual(const TreeShape& shape,
                                                   const std::string_view* begin,
                                                   const std::string_view* end, int* level,
                                                   bool* blocked) const = 0;
};

std::unique_ptr<CompactionPolicy> NewCompactionPolicy(const Options& options);

}  // namespace shearpin
