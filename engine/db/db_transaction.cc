// Transactions: see transaction.h for what they promise.
//
// Validation and the assignment of sequence numbers are one step under the database mutex, by the
// leader of the write queue: what was committed before is in the history, what stands before the
// batch in the same group is looked through, and everything else comes later. A group is recorded
// when it is published; a transaction that begins before that has an older snapshot and is
// registered by then, for both need the mutex.
#include <memory>
#include <string>
#include <utility>

#include "engine/db/db_impl.h"
#include "engine/db/transaction_iterator.h"
#include "engine/db/transaction_writes.h"

namespace shearpin {

class DB::Impl::OptimisticTransaction : public Transaction {
 public:
  OptimisticTransaction(Impl* db, Isolation isolation, std::unique_ptr<Snapshot> snapshot)
      : db_(db),
        isolation_(isolation),
        snapshot_(std::move(snapshot)),
        sequence_(snapshot_->sequence()) {}
  ~OptimisticTransaction() override { End(); }

  Status Put(std::string_view key, std::string_view value) override {
    SHEARPIN_RETURN_IF_ERROR(CheckActive());
    writes_.Put(key, value);
    return Status::Ok();
  }

  Status Delete(std::string_view key) override {
    SHEARPIN_RETURN_IF_ERROR(CheckActive());
    writes_.Delete(key);
    return Status::Ok();
  }

  Status DeleteRange(std::string_view begin, std::string_view end) override {
    SHEARPIN_RETURN_IF_ERROR(CheckActive());
    writes_.DeleteRange(begin, end);
    return Status::Ok();
  }

  Status Get(std::string_view key, std::string* value) override {
    SHEARPIN_RETURN_IF_ERROR(CheckActive());
    std::string_view own;
    switch (writes_.Find(key, &own)) {
      case Lookup::Kind::kValue:
        value->assign(own);
        return Status::Ok();
      case Lookup::Kind::kDeleted:
        return Status::NotFound("no such key");
      case Lookup::Kind::kAbsent:
        break;
    }
    if (isolation_ == Isolation::kSerializable) reads_.AddKey(key);
    ReadOptions options;
    options.snapshot = snapshot_.get();
    return db_->Get(key, value, options);
  }

  std::unique_ptr<Iterator> NewIterator(const Bound& lower, const Bound& upper) override {
    ReadOptions options;
    options.snapshot = snapshot_.get();
    options.lower = lower;
    options.upper = upper;
    auto base = active() ? db_->NewIterator(options) : NewEndedIterator();
    return NewTransactionIterator(std::move(base), lower, upper, &writes_,
                                  isolation_ == Isolation::kSerializable ? &reads_ : nullptr);
  }

  Status Commit(const WriteOptions& options) override {
    SHEARPIN_RETURN_IF_ERROR(CheckActive());
    const Status status = writes_.batch().empty() ? Status::Ok() : Write(options);
    End();
    if (status.ok()) db_->Notify(EventKind::kTransactionCommitted);
    return status;
  }

  Status Rollback() override {
    SHEARPIN_RETURN_IF_ERROR(CheckActive());
    End();
    return Status::Ok();
  }

  uint64_t sequence() const override { return sequence_; }
  uint64_t first_sequence() const override { return writes_.batch().first_sequence(); }

 private:
  // Stays at its end, whose status says that the transaction has ended.
  class EndedIterator : public Iterator {
   public:
    bool Valid() const override { return false; }
    void SeekToFirst() override {}
    void SeekToLast() override {}
    void Seek(std::string_view) override {}
    void SeekForPrev(std::string_view) override {}
    void Next() override {}
    void Prev() override {}
    std::string_view key() const override { return {}; }
    std::string_view value() const override { return {}; }
    Status status() const override { return Ended(); }
  };

  static Status Ended() { return Status::Aborted("the transaction has ended"); }
  static std::unique_ptr<Iterator> NewEndedIterator() { return std::make_unique<EndedIterator>(); }
  bool active() const { return snapshot_ != nullptr; }
  Status CheckActive() const { return active() ? Status::Ok() : Ended(); }

  Status Write(const WriteOptions& options) {
    const KeySet needed =
        isolation_ == Isolation::kSerializable ? std::move(reads_) : writes_.Keys();
    bool conflict = false;
    const WriteQueue::Validate validate = [&](const std::vector<WriteBatch*>& ahead) {
      Status status = db_->history_.Check(needed, sequence_);
      for (const WriteBatch* batch : ahead) {
        if (status.ok()) status = CheckBatch(needed, *batch);
      }
      conflict = !status.ok();
      return status;
    };
    const Status status = db_->Write(writes_.mutable_batch(), options, &validate);
    if (conflict) db_->Notify(EventKind::kTransactionConflict);
    return status;
  }

  void End() {
    if (!active()) return;
    db_->EndTransaction(sequence_);
    snapshot_.reset();
  }

  Impl* const db_;
  const Isolation isolation_;
  std::unique_ptr<Snapshot> snapshot_;  // null: ended
  const SequenceNumber sequence_;
  TransactionWrites writes_;
  KeySet reads_;
};

std::unique_ptr<Transaction> DB::Impl::BeginTransaction(const TransactionOptions& options) {
  std::unique_ptr<Snapshot> snapshot;
  {
    Lock lock(mutex_);
    snapshot = PinLatest();
    history_.Begin(snapshot->sequence());
  }
  return std::make_unique<OptimisticTransaction>(this, options.isolation, std::move(snapshot));
}

void DB::Impl::EndTransaction(SequenceNumber snapshot) {
  Lock lock(mutex_);
  history_.End(snapshot);
}

}  // namespace shearpin
