// ClientSession: one client between two openings of the subject: executes its steps one by one
// and judges every answer by the model.
//
// Thread safety: one fiber. Ownership: owns its snapshots and iterators, borrows the rest; must be
// destroyed before the subject is closed.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "model/cursor.h"
#include "sim/client_transaction.h"
#include "sim/machine.h"
#include "sim/run_context.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

// Why the clients of an opening were called back.
enum class StopReason : uint8_t {
  kNone,
  kReopen,   // a step asked for it
  kErrored,  // a write or sync failed: the writer is poisoned until the next opening
};

// What the sessions of one opening share.
struct Opening {
  RunContext* context;
  Machine* machine;
  Subject* subject;
  uint64_t failed_syncs = machine->failed_syncs();  // when it began
  StopReason stop = StopReason::kNone;
  // Opens the same store once more, beside the subject.
  std::function<StatusOr<std::unique_ptr<Subject>>(bool read_only)> open_again;
  // For a subject at rest that nobody reads: the directory holds what it needs and no more.
  std::function<Status()> check_at_rest;

  bool Stopping() const {
    return stop != StopReason::kNone || machine->crashed() || context->failed();
  }
};

class ClientSession {
 public:
  ClientSession(Opening* opening, uint32_t client);
  ~ClientSession();

  // Executes a step and tells the context of it. `resumes`: this client has a step ahead that
  // resumes a stopped writer, so an error does not end the opening.
  void Execute(uint32_t index, const Step& step, bool resumes);

 private:
  struct IteratorSlot;

  Status Write(const Step& step);
  Status Get(const Step& step);
  Status Scan(const Step& step);
  Status OpenIterator(const Step& step);
  Status Walk(const Step& step);
  Status Transact(const Step& step);
  Status CommitTransaction(const Step& step);
  Status TakeSnapshot(const Step& step);
  Status CheckSnapshot(const Step& step);
  Status Sync();
  Status Flush();
  Status CompactRange(const Step& step);
  Status Checkpoint();
  Status Ingest(const Step& step);
  Status ReadOnly();
  void CheckSecondWriter();
  Status Resume();
  Status Wait();
  Status Verify();
  Status Property(const Step& step);

  // An error of a read: the failure, unless a fault was injected.
  Status JudgeRead(Status status);
  // The same for one that began when so many faults had struck, and can only fail by another.
  Status JudgeLookup(Status status, uint64_t faults_before);
  // An error of a write or sync: likewise, and this opening is over.
  Status JudgeWrite(Status status, std::string_view what);
  // What has sequence numbers, and failed, may come back: the writer has to be told so.
  void CheckIndeterminate(const Status& status);
  const Snapshot* SnapshotOf(const Step& step) const;
  // Everything the iterator has, into arena_ and sizes_; then from there into pairs_, in key order.
  Status Collect(Iterator* iterator, bool forward);
  void MakePairs(bool forward);
  void CompareScan(const Step& step, const Snapshot* snapshot, const model::KvModel::Moment& begin);
  bool Move(IteratorSlot* slot, const sim::Move& move);
  void CompareCursors(IteratorSlot* slot, const sim::Move& move);

  Opening* const opening_;
  RunContext* const context_;
  const uint32_t client_;
  uint64_t sequence_ = 0;  // of the step being executed, for the report
  bool resumes_ = false;   // likewise
  std::array<std::unique_ptr<Snapshot>, kMaxSlots> snapshots_;
  std::array<std::unique_ptr<IteratorSlot>, kMaxSlots> iterators_;
  std::array<std::unique_ptr<ClientTransaction>, kMaxSlots> transactions_;
  std::string key_scratch_;
  std::string value_scratch_;
  std::string upper_scratch_;
  std::string arena_;
  std::vector<std::pair<size_t, size_t>> sizes_;
  std::vector<model::KeyValue> pairs_;
};

}  // namespace shearpin::sim
