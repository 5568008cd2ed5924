// Snapshot: a pinned state of the database.
//
// Thread safety: may be read from many threads. Ownership: by the caller; must be destroyed
// before its DB.
#pragma once

#include <cstdint>

namespace shearpin {

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  // Everything with this sequence number or a lower one is visible.
  virtual uint64_t sequence() const = 0;
};

}  // namespace shearpin
