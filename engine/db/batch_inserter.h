// BatchInserter: puts the changes of write batches into a memtable, each under the next sequence
// number.
//
// Thread safety: one thread at a time. Ownership: borrows scheduler, memtable and hint.
#pragma once

#include <string_view>

#include "engine/base/internal_key.h"
#include "engine/env/scheduler.h"
#include "engine/memtable/memtable.h"
#include "engine/write_batch.h"

namespace shearpin {

class BatchInserter : public WriteBatch::Handler {
 public:
  // Each change is reachable for readers as soon as it is in, and must not be seen before the last
  // one is: so there is a scheduling point before each. `hint` is of the memtable and outlives
  // this: keys of one batch after another are often near.
  BatchInserter(Scheduler* scheduler, MemTable* memtable, SequenceNumber first,
                MemTable::Hint* hint)
      : scheduler_(scheduler), memtable_(memtable), sequence_(first), hint_(hint) {}

  void Put(std::string_view key, std::string_view value) override {
    scheduler_->Yield("insert");
    repeated_ |= !memtable_->Add(sequence_++, ValueType::kValue, key, value, hint_);
  }
  void Delete(std::string_view key) override {
    scheduler_->Yield("insert");
    repeated_ |= !memtable_->Add(sequence_++, ValueType::kDelete, key, {}, hint_);
  }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    scheduler_->Yield("insert");
    memtable_->AddRange(sequence_++, begin, end);
  }

  // Whether a key was there already under the number that it was to get. The caller knows whether
  // that is a damaged log or a mistake of its own.
  bool repeated() const { return repeated_; }

 private:
  Scheduler* const scheduler_;
  MemTable* const memtable_;
  SequenceNumber sequence_;
  MemTable::Hint* const hint_;
  bool repeated_ = false;
};

}  // namespace shearpin
