// ReadState: what a reader needs to see, pinned together. Immutable; shared by readers.
#pragma once

#include <memory>
#include <vector>

#include "engine/manifest/version.h"
#include "engine/memtable/memtable.h"

namespace shearpin {

struct ReadState : std::enable_shared_from_this<ReadState> {
  std::shared_ptr<const MemTable> active;
  std::vector<std::shared_ptr<const MemTable>> frozen;  // newest first
  std::shared_ptr<const Version> version;
};

}  // namespace shearpin
