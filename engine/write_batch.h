// WriteBatch: changes that become visible, and survive a crash, together or not at all.
//
// Later changes of the same key in a batch win over earlier ones. Empty keys and values are legal.
// Thread safety: one thread at a time. Ownership: copies what it is given.
//
// Representation, also the payload of a WAL record (little endian; varints as in LEB128):
//   u32 count, then count times: u8 type (ValueType), varint32 key length, key,
//   and for kValue varint32 value length, value; for kRangeDelete varint32 end length, end.
// A type that a build does not know is Corruption to it, never skipped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/status.h"

namespace shearpin {

class WriteBatch {
 public:
  WriteBatch();

  void Put(std::string_view key, std::string_view value);
  void Delete(std::string_view key);
  // Deletes every key in [begin, end). Adds nothing to the batch if that range is empty.
  void DeleteRange(std::string_view begin, std::string_view end);
  void Clear();

  uint32_t count() const;
  bool empty() const { return count() == 0; }
  // Bytes of the representation.
  size_t ByteSize() const { return rep_.size(); }

  // The sequence number of the first change, set by DB::Write as soon as it was assigned (even if
  // the write then failed); 0 before. Change i of the batch has first_sequence() + i.
  uint64_t first_sequence() const { return first_sequence_; }

  // Receives the changes in order.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void Put(std::string_view key, std::string_view value) = 0;
    virtual void Delete(std::string_view key) = 0;
    virtual void DeleteRange(std::string_view begin, std::string_view end) = 0;
  };
  // Corruption if the representation is damaged; changes before the damage were handed over.
  Status Iterate(Handler* handler) const;

  // The encoded form above, and back. FromRepresentation checks all of it.
  std::string_view representation() const { return rep_; }
  static StatusOr<WriteBatch> FromRepresentation(std::string_view rep);

 private:
  friend class WriteQueue;  // assigns first_sequence_
  std::string rep_;
  uint64_t first_sequence_ = 0;
};

}  // namespace shearpin
