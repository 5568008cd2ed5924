// BatchInserter: puts the changes of write batches into a memtable, each under the next sequence
// number.
//
// Thread safety: one thread at a time. Ownership: borrows memtable and hint.
#pragma once

#include <string_view>

#include "engine/base/internal_key.h"
#include "engine/memtable/memtable.h"
#include "engine/write_batch.h"

namespace shearpin {

class BatchInserter : public WriteBatch::Handler {
 public:
  // `hint` is of the memtable and outlives this: keys of one batch after another are often near.
  BatchInserter(MemTable* memtable, SequenceNumber first, MemTable::Hint* hint)
      : memtable_(memtable), sequence_(first), hint_(hint) {}

  void Put(std::string_view key, std::string_view value) override {
    repeated_ |= !memtable_->Add(sequence_++, ValueType::kValue, key, value, hint_);
  }
  void Delete(std::string_view key) override {
    repeated_ |= !memtable_->Add(sequence_++, ValueType::kDelete, key, {}, hint_);
  }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    memtable_->AddRange(sequence_++, begin, end);
  }

  // Whether a key was there already under the number that it was to get. The caller knows whether
  // that is a damaged log or a mistake of its own.
  bool repeated() const { return repeated_; }

 private:
  MemTable* const memtable_;
  SequenceNumber sequence_;
  MemTable::Hint* const hint_;
  bool repeated_ = false;
};

}  // namespace shearpin
