// CheckCheckpoint: a copy of the store is there and holds what it held when it was made, read as it
// is and opened as a store.
//
// Thread safety: one fiber at a time. Ownership: borrows everything for the duration of the call.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "model/batch.h"
#include "model/failure.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

// A durable copy of the store, and what it holds.
struct CheckpointCopy {
  std::string directory;
  model::State state;
};

struct CheckpointFinding {
  // What it holds that it should not, or lacks.
  model::Violation violation;
  // Else the subject's first error, and what it was doing then.
  Status status;
  std::string doing;
  bool opened = false;
};

using OpenStore =
    std::function<StatusOr<std::unique_ptr<Subject>>(std::string_view directory, bool read_only)>;

// Pairs for which `may_vanish` is true may be missing; it may be empty.
CheckpointFinding CheckCheckpoint(const CheckpointCopy& copy, bool read_only, const OpenStore& open,
                                  const model::MayVanish& may_vanish);

}  // namespace shearpin::sim
