// ClientTransaction: one transaction of a client, judged by the model.
//
// Each read must be what the model has at the transaction's snapshot, under the transaction's own
// writes. When a serializable one has committed, everything that it read from the snapshot must
// also be what the model has right before the commit: then it might as well have run there, alone.
// That is what serial order means. A conflict needs somebody who wrote since the snapshot.
//
// Thread safety: one fiber. Ownership: owns the subject's transaction, borrows the rest; must be
// destroyed before the subject is closed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/batch.h"
#include "sim/plan.h"
#include "sim/run_context.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

// Puts a model's operation into a subject's batch.
void AddTo(SubjectBatch* batch, const model::Operation& operation);

class ClientTransaction {
 public:
  // Null if the subject has no transactions.
  static std::unique_ptr<ClientTransaction> Begin(RunContext* context, Subject* subject,
                                                  bool serializable);

  void Write(const Mutation& mutation);
  // Statuses are the subject's, but OK where a key is not there; what the model says against an
  // answer goes to the context.
  Status Get(std::string key);
  Status Scan(const Step& step);
  Status Commit(Durability durability);

  uint64_t sequence() const { return transaction_->sequence(); }
  uint64_t first_sequence() const { return transaction_->first_sequence(); }

 private:
  using Entries = std::vector<std::pair<std::string, std::string>>;
  // A stretch of keys that was read, under the first `writes` of the transaction's own.
  struct Observation {
    model::Range range;
    size_t writes = 0;
  };

  ClientTransaction(RunContext* context, bool serializable,
                    std::unique_ptr<SubjectTransaction> transaction)
      : context_(context), serializable_(serializable), transaction_(std::move(transaction)) {}

  // What the transaction must see in the range: the model's state under its own writes.
  model::State Expected(const model::Range& range) const;
  bool Wrote(std::string_view key, size_t writes) const;
  void CheckSerial() const;
  void FailRead(std::string message) const;
  Status WalkBackAndForth(Iterator* iterator, bool forward, const Entries& found) const;

  RunContext* const context_;
  const bool serializable_;
  const std::unique_ptr<SubjectTransaction> transaction_;
  model::Batch writes_;
  std::vector<Observation> observations_;
};

}  // namespace shearpin::sim
