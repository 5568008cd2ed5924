// InternalIterator: a cursor over internal keys (internal_key.h) in their order.
//
// The position (valid, key, value, status) lives in this base class and is read without a virtual
// call; only movement is virtual, so a merge pays one indirect call per step.
// Thread safety: one thread at a time. Ownership: what it iterates over outlives it.
// Errors: when Valid() is false, status() tells the end (OK) from an error. An error never skips
// what it could not read: the iterator is invalid until a new Seek, SeekForPrev, SeekToFirst or
// SeekToLast, which may succeed elsewhere.
#pragma once

#include <string_view>

#include "engine/status.h"

namespace shearpin {

class InternalIterator {
 public:
  InternalIterator() = default;
  virtual ~InternalIterator() = default;
  InternalIterator(const InternalIterator&) = delete;
  InternalIterator& operator=(const InternalIterator&) = delete;

  bool Valid() const { return valid_; }
  // Require Valid(). Views into memory that stays until the next call that moves the iterator.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  const Status& status() const { return status_; }

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first entry >= target, an internal key.
  virtual void Seek(std::string_view target) = 0;
  // To the last entry <= target, an internal key.
  virtual void SeekForPrev(std::string_view target) = 0;
  // Require Valid().
  virtual void Next() = 0;
  virtual void Prev() = 0;

 protected:
  void SetEntry(std::string_view key, std::string_view value) {
    valid_ = true;
    key_ = key;
    value_ = value;
  }
  void SetEnd() { valid_ = false; }
  void SetError(Status status) {
    valid_ = false;
    status_ = std::move(status);
  }
  void ClearError() {
    if (!status_.ok()) [[unlikely]]
      status_ = Status::Ok();
  }

 private:
  bool valid_ = false;
  std::string_view key_;
  std::string_view value_;
  Status status_;
};

}  // namespace shearpin
