// Iterator: a cursor over the keys of a database in bytewise order, at one sequence number.
//
// Sees what was published when it was made, whatever is written later. Tombstones are hidden.
// Thread safety: one thread at a time. Ownership: must be destroyed before its DB.
// Errors: when Valid() is false, status() tells the end of the range (OK) from an error; after an
// error only a new Seek may make it valid again.
#pragma once

#include <string_view>

#include "engine/status.h"

namespace shearpin {

class Iterator {
 public:
  virtual ~Iterator() = default;

  virtual bool Valid() const = 0;
  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first key >= target.
  virtual void Seek(std::string_view target) = 0;
  // To the last key <= target.
  virtual void SeekForPrev(std::string_view target) = 0;
  // Require Valid().
  virtual void Next() = 0;
  virtual void Prev() = 0;
  // Valid until the next call that moves the iterator.
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual Status status() const = 0;
};

}  // namespace shearpin
