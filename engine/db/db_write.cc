// Writing: group commit, durability, and the switch to a new log and memtable.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/db/batch_inserter.h"
#include "engine/db/db_impl.h"
#include "engine/manifest/file_names.h"

namespace shearpin {
namespace {

constexpr size_t kMaxKeyBytes = size_t{64} << 20;
constexpr size_t kMaxValueBytes = size_t{1} << 30;

// Refuses what the formats cannot hold, before it gets a sequence number.
class SizeCheck : public WriteBatch::Handler {
 public:
  void Put(std::string_view key, std::string_view value) override {
    too_large_ |= key.size() > kMaxKeyBytes || value.size() > kMaxValueBytes;
  }
  void Delete(std::string_view key) override { too_large_ |= key.size() > kMaxKeyBytes; }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    too_large_ |= std::max(begin.size(), end.size()) > kMaxKeyBytes;
  }
  bool too_large() const { return too_large_; }

 private:
  bool too_large_ = false;
};

Status CheckBatch(const WriteBatch& batch) {
  // The sum bounds each part; only a batch that might hold something too large is looked through.
  if (batch.ByteSize() <= kMaxKeyBytes) return Status::Ok();
  SizeCheck check;
  SHEARPIN_RETURN_IF_ERROR(batch.Iterate(&check));
  if (check.too_large())
    return Status::InvalidArgument("a key is larger than 64 MiB, or a value than 1 GiB");
  if (batch.ByteSize() > UINT32_MAX / 2) {
    return Status::InvalidArgument("a write batch is larger than 2 GiB");
  }
  return Status::Ok();
}

}  // namespace

Status DB::Impl::Write(WriteBatch* batch, const WriteOptions& options,
                       const WriteQueue::Validate* validate) {
  const Stopwatch stopwatch(&statistics_, Latency::kWrite);
  SHEARPIN_RETURN_IF_ERROR(CheckBatch(*batch));
  WriteQueue::Writer writer(&mutex_, batch, options.durability, validate);
  Lock lock(mutex_);
  Status status;
  if (!queue_.Join(&writer, &status)) return status;
  status = MakeRoom(batch->ByteSize(), &lock);
  // Making room may have let go of the mutex, but nobody else leads meanwhile.
  if (status.ok() && validate != nullptr) status = (*validate)({});
  if (status.ok()) status = Commit(&lock);
  queue_.Finish(status);
  return status;
}

// For what must not have a write beside it; waits for its turn.
Status DB::Impl::LeadAlone(Lock* lock, const std::function<Status()>& task) {
  SHEARPIN_CHECK(lock->owns_lock());
  WriteQueue::Writer turn(&mutex_, nullptr, Durability::kNone);
  Status status;
  // Nobody takes along a writer without a batch, so its turn comes.
  const bool leads = queue_.Join(&turn, &status);
  SHEARPIN_CHECK(leads);
  queue_.TakeGroup(0);
  status = closed_ ? Status::Aborted(directory_ + ": the database is closed") : task();
  queue_.Finish(status);
  return status;
}

Status DB::Impl::MakeRoom(size_t bytes, Lock* lock) {
  std::optional<uint64_t> stalled_at;
  const Status status = AwaitRoom(bytes, &stalled_at, lock);
  if (stalled_at) {
    const uint64_t stalled = statistics_.NowMicros() - *stalled_at;
    statistics_.AddLocked(Counter::kStallMicros, stalled);
    Notify(EventKind::kWriteStallEnded, 0, stalled);
  }
  return status;
}

// `*stalled_at` is set where the writer first had to wait for background work.
Status DB::Impl::AwaitRoom(size_t bytes, std::optional<uint64_t>* stalled_at, Lock* lock) {
  for (bool delayed = false;;) {
    if (closed_) return Status::Aborted(directory_ + ": the database is closed");
    SHEARPIN_RETURN_IF_ERROR(write_error_);
    if (debt_ > 0 && debt_ < kFullDebt && !delayed) {
      delayed = true;
      Delay(bytes, lock);
      continue;
    }
    const bool stopped = debt_ >= kFullDebt;
    const size_t written = active_->ApproximateBytes();
    if (!stopped && written < memtable_limit_) return Status::Ok();
    if (!stopped && !MemtablesFull()) {
      if (written < options_.write_buffer_size) Notify(EventKind::kMemtableCut, 0, written);
      return SwitchMemtable(lock);
    }
    // Nobody can tell when a try will succeed: the writer hears of the error instead of waiting.
    if (stopped) {
      SHEARPIN_RETURN_IF_ERROR(compaction_retry_.error().Prefixed("writes wait for a merge"));
      SHEARPIN_RETURN_IF_ERROR(DamageInTheWay().Prefixed("writes wait for a merge"));
    } else {
      SHEARPIN_RETURN_IF_ERROR(flush_retry_.error().Prefixed("writes wait for a flush"));
    }
    if (!*stalled_at) {
      *stalled_at = statistics_.NowMicros();
      Notify(EventKind::kWriteStalled, 0, 0, stopped ? "waits-for=merge" : "waits-for=flush");
    }
    progress_.Wait();
  }
}

// Requires mutex_.
bool DB::Impl::MemtablesFull() const {
  return frozen_.size() + 1 >= static_cast<size_t>(options_.max_write_buffers) ||
         !RoomForMemtable();
}

// Requires mutex_. How far the tree is between the triggers, in thousandths: 0 is no reason to
// slow down, kFullDebt one to stop. Whoever writes is slowed down in proportion long before, so
// that a stop, which would be felt in the tail of latencies, stays rare.
void DB::Impl::UpdateDebt() {
  debt_ = 0;
  if (options_.compaction_style == CompactionStyle::kNone) return;
  auto share = [](uint64_t value, uint64_t soft, uint64_t hard) -> uint64_t {
    if (value < soft) return 0;
    if (value >= hard) return kFullDebt;
    return 1 + (value - soft) * (kFullDebt - 1) / (hard - soft);
  };
  debt_ = std::max(
      share(version_->level(0).size(), static_cast<uint64_t>(options_.level0_slowdown_trigger),
            static_cast<uint64_t>(options_.level0_stop_trigger)),
      share(policy_->PendingBytes(Shape()), options_.soft_pending_compaction_bytes,
            options_.hard_pending_compaction_bytes));
}

// Lets the writer wait until the bytes written so far fit the delayed rate. Waits shorter than a
// timer's grain are saved up.
void DB::Impl::Delay(size_t bytes, Lock* lock) {
  constexpr uint64_t kGrainMicros = 1000;
  const uint64_t rate =
      std::max<uint64_t>(options_.delayed_write_rate * (kFullDebt - debt_) / kFullDebt, 1024);
  const uint64_t now = scheduler_->NowMicros();
  next_write_micros_ = std::max(now, next_write_micros_) + bytes * 1000000 / rate;
  if (next_write_micros_ < now + kGrainMicros) return;
  Notify(EventKind::kWriteDelayed, 0, next_write_micros_ - now);
  const uint64_t deadline = next_write_micros_;
  lock->unlock();
  scheduler_->SleepUntil(deadline);
  lock->lock();
}

Status DB::Impl::Commit(Lock* lock) {
  const WriteQueue::Group group = queue_.TakeGroup(last_sequence_ + 1);
  if (last_sequence_ + group.count > kMaxSequence) {
    return Status::NotSupported("sequence numbers are used up");
  }
  // Taken before the write and never given back: after a failure they are burnt (I7).
  last_sequence_ += group.count;
  if (group.batches.size() > 1) Notify(EventKind::kGroupCommit, 0, group.batches.size());
  const std::shared_ptr<LogWriter> log = log_;
  const std::shared_ptr<MemTable> memtable = active_;
  std::vector<std::shared_ptr<LogWriter>> older;
  if (group.durability == Durability::kSync) older.assign(older_logs_.begin(), older_logs_.end());

  const uint64_t acknowledged_end = log->size();

  lock->unlock();
  Status status = AppendAndSync(group, older, log.get());
  if (status.ok()) {
    InsertGroup(group, memtable.get());
    scheduler_->Yield("publish");
    // One store makes the whole group visible (I1). Nothing else is published meanwhile: this
    // thread leads.
    if (group.count != 0) {
      published_.store(group.first_sequence + group.count - 1, std::memory_order_release);
    }
  }
  lock->lock();
  if (group.count != 0) CountGroup(group, log->size() - acknowledged_end);
  for (const WriteBatch* batch : group.batches) {
    if (status.ok()) history_.Record(*batch);
  }
  if (!status.ok()) {
    Poison(status);
    failed_log_end_ = acknowledged_end;
    // The record may be in the log, whole, and come back at the next recovery.
    if (group.count != 0) status.MarkIndeterminate();
  }
  return status;
}

// Requires mutex_.
void DB::Impl::CountGroup(const WriteQueue::Group& group, uint64_t log_bytes) {
  uint64_t user_bytes = 0;
  for (const WriteBatch* batch : group.batches) user_bytes += batch->ByteSize();
  statistics_.AddLocked(Counter::kWriteGroups, 1);
  statistics_.AddLocked(Counter::kWriteBatches, group.batches.size());
  statistics_.AddLocked(Counter::kKeysWritten, group.count);
  statistics_.AddLocked(Counter::kUserBytesWritten, user_bytes);
  statistics_.AddLocked(Counter::kWalBytesWritten, log_bytes);
}

Status DB::Impl::AppendAndSync(const WriteQueue::Group& group,
                               const std::vector<std::shared_ptr<LogWriter>>& older,
                               LogWriter* log) {
  if (group.count != 0 && group.durability != Durability::kNone) {
    char count_bytes[4];
    std::vector<std::string_view> parts;
    GroupPayload(group, count_bytes, &parts);
    const auto fill =
        group.durability == Durability::kSync ? LogWriter::Fill::kNow : LogWriter::Fill::kLater;
    SHEARPIN_RETURN_IF_ERROR(log->Append(group.first_sequence, parts, fill));
  }
  if (group.durability != Durability::kSync) return Status::Ok();
  const Stopwatch stopwatch(&statistics_, Latency::kSync);
  statistics_.Add(Counter::kWalSyncs);
  // I3: a durable record in this log behind a hole in an older one would not survive recovery.
  for (const auto& old : older) SHEARPIN_RETURN_IF_ERROR(old->Sync());
  return log->Sync();
}

void DB::Impl::InsertGroup(const WriteQueue::Group& group, MemTable* memtable) {
  BatchInserter inserter(memtable, group.first_sequence, &insert_hint_);
  for (const WriteBatch* batch : group.batches) {
    const Status status = batch->Iterate(&inserter);
    SHEARPIN_CHECK(status.ok(), "a batch that was built here does not decode");
  }
  SHEARPIN_CHECK(!inserter.repeated(), "a sequence number was used twice");
}

// Requires that the caller leads the queue. Freezes the active memtable and begins a new log.
Status DB::Impl::SwitchMemtable(Lock* lock) {
  const uint64_t number = NewFileNumber();
  const std::shared_ptr<LogWriter> old = log_;
  lock->unlock();
  auto created = CreateLog(number, {old->number(), old->size()}, old->synced_size());
  lock->lock();
  if (!created.ok()) {
    Poison(created.status());
    return created.status();
  }
  log_ = *std::move(created);
  older_logs_.push_back(old);
  Notify(EventKind::kMemtableFrozen, 0, active_->ApproximateBytes());
  frozen_.push_back({active_, number});
  active_ = std::make_shared<MemTable>(memtable_limit_);
  insert_hint_ = {};
  RebuildReadState();
  StartFlushing();
  return Status::Ok();
}

StatusOr<std::shared_ptr<LogWriter>> DB::Impl::CreateLog(uint64_t number, const LogEnd& predecessor,
                                                         uint64_t predecessor_synced) {
  const LogHeader header{.database_id = database_id_,
                         .number = number,
                         .salt = options_.env.entropy->Next(),
                         .predecessor = predecessor.number,
                         .predecessor_length = predecessor.length,
                         .predecessor_synced = predecessor_synced};
  const std::string path = JoinPath(directory_, WalName(number));
  SHEARPIN_ASSIGN_OR_RETURN(auto log, LogWriter::Create(fs_, path, LogKind::kWal, header));
  // I2. The header first, so that a longer file proves that there was one; then the entry, so that
  // no record is acknowledged in a file that a crash may unlist.
  SHEARPIN_RETURN_IF_ERROR(log->Sync());
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(directory_));
  if (options_.wal_preallocate_size > 0) {
    Status status = log->Preallocate(options_.wal_preallocate_size);
    if (status.ok() && options_.wal_mapped) status = log->MapAppends();
    if (!status.ok() && !status.IsNotSupported()) return status;
  }
  Notify(EventKind::kWalCreated, number);
  return std::shared_ptr<LogWriter>(std::move(log));
}

void DB::Impl::Poison(const Status& status) {
  if (write_error_.ok()) {
    write_error_ = status.Prefixed("writes stopped until Resume() or a reopen");
    Notify(EventKind::kWriterPoisoned, 0, 0, status.ToString());
  }
  // Writers that wait for room will find none.
  progress_.NotifyAll();
}

}  // namespace shearpin
