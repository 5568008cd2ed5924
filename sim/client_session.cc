#include "sim/client_session.h"

#include <algorithm>
#include <map>
#include <optional>

#include "sim/plan_terms.h"
#include "sim/story.h"

namespace shearpin::sim {
namespace {

using model::KeyValue;
using model::KvModel;

}  // namespace

// An open iterator, and the model's cursors at every sequence number that it may stand for: one
// if it reads at a snapshot, else those of the batches that became visible while it was made.
// What it returns rules them out one by one.
struct ClientSession::IteratorSlot {
  std::unique_ptr<Iterator> iterator;
  std::vector<model::Cursor> cursors;
  uint64_t faults_before = 0;
  bool positioned = false;
};

ClientSession::ClientSession(Opening* opening, uint32_t client)
    : opening_(opening), context_(opening->context), client_(client) {}

ClientSession::~ClientSession() = default;

void ClientSession::Execute(uint32_t index, const Step& step, bool resumes) {
  context_->BeginStep(client_, index);
  if (context_->trace().has_sink()) context_->trace().Note(TellStep(client_, index, step));
  sequence_ = 0;
  resumes_ = resumes;
  Status status;
  switch (step.kind) {
    case StepKind::kPut:
    case StepKind::kDelete:
    case StepKind::kBatch:
    case StepKind::kDeleteRange:
      status = Write(step);
      break;
    case StepKind::kGet:
      status = Get(step);
      break;
    case StepKind::kScan:
      status = Scan(step);
      break;
    case StepKind::kIteratorOpen:
      status = OpenIterator(step);
      break;
    case StepKind::kIteratorWalk:
      status = Walk(step);
      break;
    case StepKind::kIteratorClose:
      iterators_[static_cast<size_t>(step.slot)].reset();
      break;
    case StepKind::kSnapshotTake:
      status = TakeSnapshot(step);
      break;
    case StepKind::kSnapshotCheck:
      status = CheckSnapshot(step);
      break;
    case StepKind::kSnapshotRelease:
      snapshots_[static_cast<size_t>(step.slot)].reset();
      break;
    case StepKind::kTxnBegin:
    case StepKind::kTxnWrite:
    case StepKind::kTxnGet:
    case StepKind::kTxnScan:
    case StepKind::kTxnRollback:
      status = Transact(step);
      break;
    case StepKind::kTxnCommit:
      status = CommitTransaction(step);
      break;
    case StepKind::kSync:
      status = Sync();
      break;
    case StepKind::kFlush:
      status = Flush();
      break;
    case StepKind::kCompactRange:
      status = CompactRange(step);
      break;
    case StepKind::kReopen:
      if (!opening_->Stopping()) opening_->stop = StopReason::kReopen;
      break;
    case StepKind::kVerify:
      status = Verify();
      break;
    case StepKind::kProperty:
      status = Property(step);
      break;
    case StepKind::kSleep:
      context_->scheduler().SleepUntil(context_->scheduler().NowMicros() + step.amount);
      break;
    case StepKind::kCapacity:
      opening_->machine->SetCapacity(step.amount);
      break;
    case StepKind::kEvict:
      opening_->machine->Evict();
      break;
    case StepKind::kWriteBack:
      if (!opening_->machine->crashed()) opening_->machine->disk().WriteBack(step.amount);
      break;
    case StepKind::kCheckpoint:
      status = Checkpoint();
      break;
    case StepKind::kResume:
      status = Resume();
      break;
    case StepKind::kIngest:
      status = Ingest(step);
      break;
    case StepKind::kWait:
      status = Wait();
      break;
    case StepKind::kReadOnly:
      status = ReadOnly();
      break;
  }
  ++context_->result().operations;
  ++context_->result().steps[static_cast<size_t>(step.kind)];
  ++context_->result().statuses[static_cast<size_t>(status.code())];
  context_->Remember(client_, index, status.code(), sequence_);
  // The digest has the step by its place; a reader wants its words.
  Trace& trace = context_->trace();
  for (const uint64_t number :
       {uint64_t{client_}, uint64_t{index}, static_cast<uint64_t>(status.code()), sequence_}) {
    trace.Mix(number);
  }
  if (trace.has_sink()) trace.Note(TellAnswer(client_, index, step, status, sequence_));
}

Status ClientSession::JudgeRead(Status status) {
  if (!status.ok()) context_->CheckInjected(status, "a read");
  return status;
}

// With several clients, what one waits for may be what another one's read has failed at.
Status ClientSession::JudgeLookup(Status status, uint64_t faults_before) {
  const Machine& machine = *opening_->machine;
  const bool judged = context_->plan().clients.size() == 1 && !context_->storage_broken() &&
                      !machine.crashed() && !machine.shut_down();
  if (judged && !status.ok() && status.injected() && machine.faults_fired() == faults_before) {
    context_->Fail(FailureClass::kUnexpectedError,
                   "a read: " + status.ToString() + " (of a fault that was over when it began)");
  }
  return JudgeRead(std::move(status));
}

void ClientSession::CheckIndeterminate(const Status& status) {
  if (status.ok() || sequence_ == 0 || status.indeterminate()) return;
  context_->Fail(FailureClass::kUnexpectedError,
                 "a write at sequence " + std::to_string(sequence_) + ": " + status.ToString() +
                     " (it may come back, and the error does not say so)");
}

Status ClientSession::JudgeWrite(Status status, std::string_view what) {
  if (!status.ok() && context_->CheckInjected(status, what) && !resumes_ &&
      opening_->stop == StopReason::kNone) {
    opening_->stop = StopReason::kErrored;
  }
  return status;
}

Status ClientSession::Write(const Step& step) {
  const std::unique_ptr<SubjectBatch> batch = opening_->subject->NewBatch();
  model::Batch changes;
  changes.reserve(step.mutations.size());
  for (const Mutation& mutation : step.mutations) {
    model::Operation operation;
    const bool counts = ToOperation(mutation, &operation);
    AddTo(batch.get(), operation);
    if (counts) changes.push_back(std::move(operation));
  }
  const KvModel::BatchId id = context_->Issue(std::move(changes), step.durability, batch.get());
  Status status = opening_->subject->Write(batch.get(), EngineDurability(step.durability));
  context_->Landed(id);
  sequence_ = batch->first_sequence();
  CheckIndeterminate(status);
  context_->Check(status.ok() ? context_->model().Acknowledge(id, sequence_)
                              : context_->model().Fail(id, sequence_));
  return JudgeWrite(std::move(status), "a write");
}

Status ClientSession::Transact(const Step& step) {
  std::unique_ptr<ClientTransaction>& slot = transactions_[static_cast<size_t>(step.slot)];
  if (step.kind == StepKind::kTxnBegin) {
    slot = ClientTransaction::Begin(context_, opening_->subject, step.serializable);
    if (slot != nullptr) sequence_ = slot->sequence();
    return {};
  }
  if (slot == nullptr) return {};
  const uint64_t faults_before = opening_->machine->faults_fired();
  switch (step.kind) {
    case StepKind::kTxnWrite:
      for (const Mutation& mutation : step.mutations) slot->Write(mutation);
      return {};
    case StepKind::kTxnGet:
      return JudgeLookup(slot->Get(step.key.Materialise()), faults_before);
    case StepKind::kTxnScan:
      return JudgeLookup(slot->Scan(step), faults_before);
    default:
      slot.reset();
      return {};
  }
}

Status ClientSession::CommitTransaction(const Step& step) {
  // Taken out of its slot: whoever reads meanwhile finds what is in flight.
  const std::unique_ptr<ClientTransaction> transaction =
      std::move(transactions_[static_cast<size_t>(step.slot)]);
  if (transaction == nullptr) return {};
  Status status = transaction->Commit(step.durability);
  sequence_ = transaction->first_sequence();
  if (status.IsBusy() && !status.injected()) return status;
  CheckIndeterminate(status);
  return JudgeWrite(std::move(status), "a commit");
}

const Snapshot* ClientSession::SnapshotOf(const Step& step) const {
  return step.snapshot < 0 ? nullptr : snapshots_[static_cast<size_t>(step.snapshot)].get();
}

Status ClientSession::Get(const Step& step) {
  const std::string_view key = step.key.View(&key_scratch_);
  const Snapshot* snapshot = SnapshotOf(step);
  const KvModel::Moment begin = context_->model().Now();
  const uint64_t faults_before = opening_->machine->faults_fired();
  std::string value;
  Status status = opening_->subject->Get(key, snapshot, &value);
  if (!status.ok() && !status.IsNotFound()) return JudgeLookup(std::move(status), faults_before);
  context_->PollInFlight();
  const std::string_view view = value;
  if (snapshot == nullptr) {
    context_->Check(context_->model().CheckGet(key, status.ok() ? &view : nullptr, begin));
    return status;
  }
  const std::optional<std::string_view> expected = context_->model().Get(key, snapshot->sequence());
  const bool gone = !status.ok() && expected && context_->model().MayBeGone(key, *expected);
  if (!gone && (expected.has_value() != status.ok() || (expected && *expected != view))) {
    context_->Fail(FailureClass::kWrongRead,
                   WrongRead("get " + Abbreviated(key) + " at snapshot " +
                                 std::to_string(snapshot->sequence()),
                             status.ok() ? Abbreviated(view) : "nothing",
                             expected ? Abbreviated(*expected) : "nothing"));
  }
  return status;
}

Status ClientSession::Scan(const Step& step) {
  const Snapshot* snapshot = SnapshotOf(step);
  const KvModel::Moment begin = context_->model().Now();
  const uint64_t faults_before = opening_->machine->faults_fired();
  const std::unique_ptr<Iterator> iterator = opening_->subject->NewIterator(
      EngineBound(step.lower, &key_scratch_), EngineBound(step.upper, &upper_scratch_), snapshot);
  if (Status status = Collect(iterator.get(), step.forward); !status.ok()) {
    return JudgeLookup(std::move(status), faults_before);
  }
  context_->PollInFlight();
  CompareScan(step, snapshot, begin);
  return {};
}

Status ClientSession::Collect(Iterator* iterator, bool forward) {
  arena_.clear();
  sizes_.clear();
  forward ? iterator->SeekToFirst() : iterator->SeekToLast();
  while (iterator->Valid()) {
    sizes_.emplace_back(iterator->key().size(), iterator->value().size());
    arena_ += iterator->key();
    arena_ += iterator->value();
    forward ? iterator->Next() : iterator->Prev();
  }
  return iterator->status();
}

void ClientSession::MakePairs(bool forward) {
  pairs_.clear();
  const std::string_view bytes = arena_;
  size_t offset = 0;
  for (const auto& [key_size, value_size] : sizes_) {
    pairs_.push_back({bytes.substr(offset, key_size), bytes.substr(offset + key_size, value_size)});
    offset += key_size + value_size;
  }
  if (!forward) std::reverse(pairs_.begin(), pairs_.end());
}

void ClientSession::CompareScan(const Step& step, const Snapshot* snapshot,
                                const KvModel::Moment& begin) {
  MakePairs(step.forward);
  const model::Range range = {ModelBound(step.lower), ModelBound(step.upper)};
  if (snapshot == nullptr) {
    context_->Check(context_->model().CheckScan(range, pairs_, begin));
    return;
  }
  model::Cursor cursor(&context_->model(), range, snapshot->sequence());
  cursor.SeekToFirst();
  for (size_t i = 0; i < pairs_.size() || cursor.Valid(); ++i) {
    const bool found = i < pairs_.size();
    if (found && cursor.Valid() && pairs_[i].key == cursor.key() &&
        pairs_[i].value == cursor.value()) {
      cursor.Next();
      continue;
    }
    if (cursor.Valid() && context_->model().MayBeGone(cursor.key(), cursor.value())) {
      cursor.Next();
      --i;
      continue;
    }
    context_->Fail(
        FailureClass::kWrongRead,
        WrongRead(std::string(step.forward ? "forward" : "backward") + " scan at snapshot " +
                      std::to_string(snapshot->sequence()),
                  ShowPair(found, found ? pairs_[i].key : "", found ? pairs_[i].value : ""),
                  ShowPair(cursor.Valid(), cursor.Valid() ? cursor.key() : "",
                           cursor.Valid() ? cursor.value() : "")));
    return;
  }
}

Status ClientSession::OpenIterator(const Step& step) {
  auto slot = std::make_unique<IteratorSlot>();
  const Snapshot* snapshot = SnapshotOf(step);
  const KvModel::Moment begin = context_->model().Now();
  slot->faults_before = opening_->machine->faults_fired();
  slot->iterator = opening_->subject->NewIterator(
      EngineBound(step.lower, &key_scratch_), EngineBound(step.upper, &upper_scratch_), snapshot);
  context_->PollInFlight();
  const model::Range range = {ModelBound(step.lower), ModelBound(step.upper)};
  const KvModel& model = context_->model();
  if (snapshot != nullptr) {
    slot->cursors.emplace_back(&model, range, snapshot->sequence());
  } else {
    slot->cursors.emplace_back(&model, range, begin.visible);
    const auto& entries = model.log().entries();
    for (size_t i = model.log().PositionAfter(begin.visible); i < entries.size(); ++i) {
      slot->cursors.emplace_back(&model, range, entries[i].last_sequence);
    }
  }
  iterators_[static_cast<size_t>(step.slot)] = std::move(slot);
  return {};
}

Status ClientSession::Walk(const Step& step) {
  std::unique_ptr<IteratorSlot>& slot = iterators_[static_cast<size_t>(step.slot)];
  if (slot == nullptr) return {};
  for (const sim::Move& move : step.moves) {
    if (!Move(slot.get(), move)) continue;
    if (Status status = slot->iterator->status(); !slot->iterator->Valid() && !status.ok()) {
      const uint64_t faults_before = slot->faults_before;
      slot.reset();  // where an error left it is nobody's business
      return JudgeLookup(std::move(status), faults_before);
    }
    CompareCursors(slot.get(), move);
    if (context_->failed()) return {};
  }
  return {};
}

// False if the move is not legal where the iterator stands.
bool ClientSession::Move(IteratorSlot* slot, const sim::Move& move) {
  const bool steps = move.kind == MoveKind::kNext || move.kind == MoveKind::kPrev;
  if (steps && !(slot->positioned && slot->iterator->Valid())) return false;
  slot->positioned = true;
  const std::string_view key = move.key.View(&key_scratch_);
  const auto apply = [&](auto& cursor) {
    switch (move.kind) {
      case MoveKind::kFirst:
        return cursor.SeekToFirst();
      case MoveKind::kLast:
        return cursor.SeekToLast();
      case MoveKind::kNext:
        return cursor.Next();
      case MoveKind::kPrev:
        return cursor.Prev();
      case MoveKind::kSeek:
        return cursor.Seek(key);
      case MoveKind::kSeekForPrev:
        return cursor.SeekForPrev(key);
    }
  };
  apply(*slot->iterator);
  for (model::Cursor& cursor : slot->cursors) apply(cursor);
  return true;
}

void ClientSession::CompareCursors(IteratorSlot* slot, const sim::Move& move) {
  const Iterator& found = *slot->iterator;
  std::string expected;
  const bool forward =
      move.kind == MoveKind::kFirst || move.kind == MoveKind::kNext || move.kind == MoveKind::kSeek;
  std::erase_if(slot->cursors, [&](model::Cursor& cursor) {
    const auto equal = [&] {
      return cursor.Valid() == found.Valid() &&
             (!found.Valid() || (cursor.key() == found.key() && cursor.value() == found.value()));
    };
    while (!equal() && cursor.Valid() &&
           context_->model().MayBeGone(cursor.key(), cursor.value())) {
      forward ? cursor.Next() : cursor.Prev();
    }
    const bool agrees = equal();
    if (!agrees) {
      if (!expected.empty()) expected += " or ";
      expected += ShowPair(cursor.Valid(), cursor.Valid() ? cursor.key() : "",
                           cursor.Valid() ? cursor.value() : "");
    }
    return !agrees;
  });
  // In rising order, so the first is the lowest that it can have been from the beginning.
  if (!slot->cursors.empty()) return context_->model().Observe(slot->cursors.front().sequence());
  std::string what = "iterator after " + std::string(MoveKindName(move.kind));
  if (move.key.size() != 0) what += " " + Abbreviated(move.key.Materialise());
  context_->Fail(FailureClass::kWrongRead,
                 WrongRead(what,
                           ShowPair(found.Valid(), found.Valid() ? found.key() : "",
                                    found.Valid() ? found.value() : ""),
                           expected));
}

Status ClientSession::TakeSnapshot(const Step& step) {
  const KvModel::Moment begin = context_->model().Now();
  std::unique_ptr<Snapshot> snapshot = opening_->subject->GetSnapshot();
  context_->PollInFlight();
  sequence_ = snapshot->sequence();
  if (const model::Violation order = context_->model().CheckSnapshot(sequence_, begin);
      !order.ok()) {
    context_->Fail(ClassOf(order.failure_class), "a snapshot " + order.message);
  }
  snapshots_[static_cast<size_t>(step.slot)] = std::move(snapshot);
  return {};
}

Status ClientSession::CheckSnapshot(const Step& step) {
  if (snapshots_[static_cast<size_t>(step.slot)] == nullptr) return {};
  Step scan;
  scan.kind = StepKind::kScan;
  scan.snapshot = step.slot;
  return Scan(scan);
}

Status ClientSession::Sync() {
  const KvModel::Moment begin = context_->model().Now();
  Status status = opening_->subject->Sync();
  if (status.ok()) context_->model().AcknowledgeSync(begin);
  return JudgeWrite(std::move(status), "a sync");
}

Status ClientSession::Flush() {
  const KvModel::Moment begin = context_->model().Now();
  Status status = opening_->subject->Flush();
  if (status.ok()) context_->model().AcknowledgeFlush(begin);
  return JudgeWrite(std::move(status), "a flush");
}

// Merging changes no answer, but it flushes first.
Status ClientSession::CompactRange(const Step& step) {
  const KvModel::Moment begin = context_->model().Now();
  const std::string_view lower = step.lower.key.View(&key_scratch_);
  const std::string_view upper = step.upper.key.View(&upper_scratch_);
  Status status =
      opening_->subject->CompactRange(step.lower.kind == BoundKind::kUnbounded ? nullptr : &lower,
                                      step.upper.kind == BoundKind::kUnbounded ? nullptr : &upper);
  if (status.ok()) context_->model().AcknowledgeFlush(begin);
  return JudgeWrite(std::move(status), "a compaction");
}

Status ClientSession::Checkpoint() {
  const KvModel::Moment begin = context_->model().Now();
  std::string directory = context_->NextCheckpointDirectory();
  const StatusOr<uint64_t> made = opening_->subject->Checkpoint(directory);
  if (made.status().IsNotSupported()) return made.status();
  if (!made.ok()) return JudgeRead(made.status());
  context_->PollInFlight();
  sequence_ = *made;
  context_->model().AcknowledgeFlush(begin);
  if (const model::Violation order = context_->model().CheckSnapshot(sequence_, begin);
      !order.ok()) {
    context_->Fail(ClassOf(order.failure_class), "a checkpoint " + order.message);
  }
  context_->checkpoints().push_back({std::move(directory), context_->model().StateAt(sequence_)});
  return {};
}

// The last change of a key counts, as in a batch. What is before the table's number is in tables
// when it is there, so everything up to it is as after a flush.
Status ClientSession::Ingest(const Step& step) {
  std::map<std::string, model::Operation> changes;
  for (const Mutation& mutation : step.mutations) {
    model::Operation operation;
    ToOperation(mutation, &operation);
    changes.insert_or_assign(operation.key, operation);
  }
  const std::string path = context_->NextTablePath();
  const std::unique_ptr<SubjectBatch> table =
      changes.empty() ? nullptr : opening_->subject->NewTable(path);
  if (table == nullptr) return Status::NotSupported("no table to take in");
  model::Batch batch;
  for (const auto& [key, operation] : changes) {
    AddTo(table.get(), operation);
    batch.push_back(operation);
  }
  const uint64_t last = batch.size() - 1;
  const KvModel::Moment begin = context_->model().Now();
  // The manifest alone knows of it. One that forgets leaves a hole among logged writes, as a write
  // without a log does.
  const auto durability = context_->model().keeps_past() ? Durability::kNone : Durability::kSync;
  const KvModel::BatchId id = context_->Issue(std::move(batch), durability, table.get());
  Status status = opening_->subject->Ingest(table.get());
  context_->Landed(id);
  sequence_ = table->first_sequence();
  CheckIndeterminate(status);
  context_->Check(status.ok() ? context_->model().Acknowledge(id, sequence_)
                              : context_->model().Fail(id, sequence_));
  if (status.ok()) {
    context_->model().AcknowledgeFlush({.acknowledged = sequence_ + last, .events = begin.events});
  }
  opening_->machine->fs().Unlink(path).IgnoreError();
  return sequence_ == 0 ? JudgeRead(std::move(status)) : JudgeWrite(std::move(status), "a table");
}

// What a reader finds in the files of a live writer is what a recovery from them would find.
// Where a failed sync has taken bytes with it, that is less than what was acknowledged.
Status ClientSession::ReadOnly() {
  const model::CrashOracle& oracle = context_->oracle();
  const auto floor = oracle.FloorNow(model::CrashKind::kProcessDeath);
  const auto durable_floor = oracle.FloorNow(model::CrashKind::kPowerLoss);
  const uint64_t resumed = context_->events().count(EventKind::kResumed);
  StatusOr<std::unique_ptr<Subject>> reader = opening_->open_again(true);
  if (reader.status().IsNotSupported()) return reader.status();
  CheckSecondWriter();
  Status status = reader.status();
  if (reader.ok()) {
    status = Collect((*reader)->NewIterator({}, {}, nullptr).get(), true);
    const Status closed = (*reader)->Close();
    if (status.ok()) status = closed;
  }
  const bool bytes_lost = opening_->machine->failed_syncs() > opening_->failed_syncs;
  if (status.IsCorruption() && bytes_lost) return status;
  if (!status.ok()) return JudgeRead(std::move(status));
  // It may have found what failed, and was gone for good by its end.
  if (context_->events().count(EventKind::kResumed) != resumed) return {};
  context_->PollInFlight();
  MakePairs(true);
  const Machine& machine = *opening_->machine;
  const bool harmed = machine.harm_shows() && machine.harm() != model::CrashKind::kClean;
  const auto kind = harmed       ? model::CrashKind::kBrokenStorage
                    : bytes_lost ? model::CrashKind::kPowerLoss
                                 : model::CrashKind::kProcessDeath;
  const model::Verdict verdict = oracle.CheckRecovery(pairs_, kind,
                                                      harmed       ? model::CrashOracle::Floor()
                                                      : bytes_lost ? durable_floor
                                                                   : floor);
  sequence_ = verdict.n;
  if (!verdict.ok()) {
    context_->Fail(ClassOf(verdict.failure_class),
                   "a reader beside the writer: " + verdict.message);
  }
  return {};
}

// The directory is the subject's alone.
void ClientSession::CheckSecondWriter() {
  const StatusOr<std::unique_ptr<Subject>> second = opening_->open_again(false);
  if (second.status().IsBusy()) return;
  if (!second.ok() && context_->IsExcused(second.status())) return;
  context_->Fail(FailureClass::kUnexpectedError,
                 "a second writer of the same directory: " + second.status().ToString());
}

Status ClientSession::Wait() {
  Status status = opening_->subject->WaitForBackground();
  const bool reads = std::any_of(iterators_.begin(), iterators_.end(),
                                 [](const auto& iterator) { return iterator != nullptr; });
  if (status.ok() && context_->plan().clients.size() == 1 && !reads) {
    status = opening_->check_at_rest();
  }
  return JudgeRead(std::move(status));
}

// The model hears of it by the subject's event, at the very moment.
Status ClientSession::Resume() {
  Status status = opening_->subject->Resume();
  if (!status.IsNotSupported()) return JudgeWrite(std::move(status), "resuming");
  if (opening_->stop == StopReason::kNone) opening_->stop = StopReason::kErrored;
  return status;
}

// A failed sync may have taken bytes of a log with it, for good and in plain sight: then it is
// right to find them missing.
Status ClientSession::Verify() {
  const DamageCheck damage(context_->storage_broken(), opening_->machine->disk(),
                           opening_->subject);
  Status status = opening_->subject->VerifyChecksums();
  const bool bytes_lost = opening_->machine->failed_syncs() > opening_->failed_syncs;
  if (status.IsCorruption() && bytes_lost) return status;
  if (status.ok()) context_->CheckDamage(damage, opening_->subject);
  return JudgeRead(std::move(status));
}

Status ClientSession::Property(const Step& step) {
  const StatusOr<std::string> property = opening_->subject->Property(step.name);
  if (property.ok() || property.status().IsNotFound()) return {};
  return JudgeRead(property.status());
}

}  // namespace shearpin::sim
