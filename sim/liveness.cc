// What a subject owes besides its answers: once the faults are over it works, and at rest it leaves
// nothing behind.
#include <algorithm>
#include <memory>
#include <string>

#include "sim/simulation.h"

namespace shearpin::sim {

using model::CrashKind;

bool Simulation::Progress(const Status& status, std::string_view what) {
  if (status.ok()) return true;
  context_.Fail(FailureClass::kNoProgress,
                "after the faults had stopped, " + std::string(what) + ": " + status.ToString());
  return false;
}

// Liveness: once the faults have stopped, the subject opens, writes, flushes, syncs, reads, closes
// and opens again with everything there, and leaves no file that nothing needs.
void Simulation::CheckLiveness() {
  trace_.RecordUntold("liveness");
  trace_.Note("phase: the faults are over; does it work, and leave nothing behind?");
  healed_ = true;
  machine_->fs().CancelCrash();
  machine_->Heal();
  const CrashKind kind =
      stop_ == StopReason::kErrored ? CrashKind::kProcessDeath : CrashKind::kClean;
  if (Recover(kind, nullptr) != Recovered::kYes) return;
  NoteTree();
  if (!WriteAndReadBack() || !MergeAndTidy()) return;
  CloseSubject();
  if (context_.failed() || Recover(CrashKind::kClean, nullptr) != Recovered::kYes) return;
  const Status orphans = CheckNoOrphans();
  if (orphans.IsCorruption()) context_.Fail(FailureClass::kOrphanFile, orphans.ToString());
  CloseSubject();
}

Status Simulation::CheckNoOrphans() {
  return factory_->CheckNoOrphans(subject_.get(), &machine_->fs(), std::string(kStoreDirectory));
}

// What is left only until the next opening fills the disk of those who never close. Where a call to
// remove something has failed, it may be left.
Status Simulation::CheckAtRest() {
  if (machine_->crashed() || machine_->failed_calls(faultfs::CallKind::kUnlink) != 0) return {};
  const Status orphans = CheckNoOrphans();
  if (!orphans.IsCorruption()) return orphans;
  if (!context_.storage_broken()) {
    context_.Fail(FailureClass::kOrphanFile, "at rest: " + orphans.ToString());
  }
  return {};
}

// What was written, flushed and merged in this opening leaves nothing that only the next one takes
// away; and a merge of everything leaves one sorted run.
bool Simulation::MergeAndTidy() {
  if (!Progress(subject_->CompactRange(nullptr, nullptr), "a merge of everything")) return false;
  if (!Progress(subject_->WaitForBackground(), "background work")) return false;
  const StatusOr<std::string> levels = subject_->Property("levels");
  if (levels.ok() && std::count(levels->begin(), levels->end(), '\n') > 1) {
    context_.Fail(FailureClass::kNoProgress,
                  "a merge of everything left more than one level:\n" + *levels);
    return false;
  }
  const Status orphans = CheckNoOrphans();
  if (orphans.IsCorruption()) {
    context_.Fail(FailureClass::kOrphanFile, "before it was closed: " + orphans.ToString());
  }
  return !context_.failed();
}

// How many levels hold tables.
void Simulation::NoteTree() {
  const StatusOr<std::string> levels = subject_->Property("levels");
  if (!levels.ok()) return;
  const auto count = std::count(levels->begin(), levels->end(), '\n');
  for (int i = 1; i <= count; ++i) ++context_.result().probes["tree:" + std::to_string(i)];
}

bool Simulation::WriteAndReadBack() {
  constexpr std::string_view kKey = "liveness";
  for (const Durability durability : {Durability::kProcess, Durability::kSync}) {
    const std::unique_ptr<SubjectBatch> batch = subject_->NewBatch();
    const std::string value(DurabilityName(durability));
    batch->Put(kKey, value);
    const auto id =
        context_.Issue({model::Operation::Put(std::string(kKey), value)}, durability, batch.get());
    const Status status = subject_->Write(batch.get(), durability == Durability::kSync
                                                           ? shearpin::Durability::kSync
                                                           : shearpin::Durability::kProcess);
    context_.Landed(id);
    if (!Progress(status, "a write")) return false;
    if (!context_.Check(context_.model().Acknowledge(id, batch->first_sequence()))) return false;
  }
  const model::KvModel::Moment begin = context_.model().Now();
  if (!Progress(subject_->Flush(), "a flush")) return false;
  context_.model().AcknowledgeFlush(begin);
  if (!Progress(subject_->Sync(), "a sync")) return false;
  std::string value;
  if (!Progress(subject_->Get(kKey, nullptr, &value), "a read")) return false;
  const std::string_view view = value;
  return context_.Check(context_.model().CheckGet(kKey, &view, begin));
}

}  // namespace shearpin::sim
