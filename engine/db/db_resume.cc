// Resume: recovery from a failed write without reopening. The memtables hold everything that was
// acknowledged, so nothing is read back from files that may have lost it.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/db/db_impl.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

// What the database goes on with.
struct DB::Impl::Renewal {
  std::vector<std::shared_ptr<const MemTable>> memtables;  // oldest first
  std::vector<SequenceNumber> snapshots;
  LogEnd old_log_end;
  uint64_t log_number = 0;
  std::shared_ptr<LogWriter> log;
  std::unique_ptr<Manifest> manifest;
  Version::Change change;
  std::deque<std::shared_ptr<LogWriter>> old_logs;  // to be closed
};

Status DB::Impl::Resume() {
  Lock lock(mutex_);
  return LeadAlone(&lock, [&] {
    if (read_only_) return write_error_;
    return write_error_.ok() ? Status::Ok() : RecoverInPlace(&lock);
  });
}

// Requires that the caller leads the queue: log and active memtable stand still.
Status DB::Impl::RecoverInPlace(Lock* lock) {
  // Flushes and merges that began before the error end by themselves; none begins while it stands.
  while (background_jobs_ > 0) progress_.Wait();
  lock->unlock();
  std::lock_guard manifest_lock(manifest_mutex_);
  lock->lock();
  Renewal renewal;
  for (const Frozen& frozen : frozen_) renewal.memtables.push_back(frozen.memtable);
  if (!active_->empty()) renewal.memtables.push_back(active_);
  renewal.snapshots.assign(snapshots_.begin(), snapshots_.end());
  renewal.old_log_end = {log_->number(), failed_log_end_.value_or(log_->size())};
  renewal.log_number = resume_log_ ? resume_log_->number() : NewFileNumber();
  lock->unlock();
  const Status status = PrepareRenewal(&renewal);
  if (!status.ok()) {
    lock->lock();
    return status.Prefixed("resuming");
  }
  // Listed before anything new begins. Tables that a reader pins are not orphans (I9).
  std::vector<Orphan> orphans;
  auto names = fs_->ListDir(directory_);
  lock->lock();
  Install(&renewal);
  if (names.ok()) orphans = FindOrphans(*names);
  std::erase_if(orphans, [&](const Orphan& orphan) {
    return std::any_of(obsolete_.begin(), obsolete_.end(),
                       [&](const auto& table) { return table->meta().number == orphan.number; });
  });
  RemoveObsoleteTables(lock);
  if (CompactionDue()) StartCompacting();
  lock->unlock();
  // Closes what failed: nothing of it is written or synced again.
  renewal = Renewal();
  // The old logs are among them, and what failed tries left.
  RemoveOrphans(orphans);
  lock->lock();
  return Status::Ok();
}

// Requires manifest_mutex_. I10: log, tables, MANIFEST, in this order; each durable before the next
// begins. Where it ends early, the old files still say everything.
Status DB::Impl::PrepareRenewal(Renewal* renewal) {
  // A try that failed at its last step, the directory's sync after CURRENT's rename, has left it
  // open which MANIFEST a recovery will find. Its log follows from the old one and so serves both;
  // another one after the old log would pass by the log that the new MANIFEST needs.
  if (resume_log_ == nullptr) {
    SHEARPIN_ASSIGN_OR_RETURN(
        resume_log_, CreateLog(renewal->log_number, renewal->old_log_end,
                               std::min(log_->synced_size(), renewal->old_log_end.length)));
  }
  renewal->log = resume_log_;
  VersionEdit edit;
  Status status;
  for (const auto& memtable : renewal->memtables) {
    uint64_t number;
    {
      Lock lock(mutex_);
      number = NewFileNumber();
    }
    auto meta = WriteMemtable(*memtable, number, renewal->snapshots);
    if (!meta.ok()) {
      // No MANIFEST names it, nor those before it.
      fs_->Unlink(JoinPath(directory_, TableName(number))).IgnoreError();
      for (const auto& [level, table] : renewal->change.added) {
        fs_->Unlink(table->path()).IgnoreError();
      }
      return meta.status();
    }
    renewal->change.added.emplace_back(0, NewTableFile(*meta));
    edit.added.emplace_back(0, *std::move(meta));
  }
  uint64_t manifest_number;
  {
    Lock lock(mutex_);
    manifest_number = NewFileNumber();
    // Burnt numbers too: not even a record of a failed batch that stands in the old log, whole,
    // counts from here on.
    edit.flushed_sequence = last_sequence_;
    edit.log_floor = renewal->log_number;
    edit.next_file_number = next_file_number_;
  }
  // Of the state that was last certain. The edit that failed, if it was one, is not in it; should
  // it be durable after all, it says the same with other files, which go only when the new MANIFEST
  // stands.
  renewal->manifest =
      std::make_unique<Manifest>(fs_, options_.env.entropy, directory_, manifest_->state());
  SHEARPIN_RETURN_IF_ERROR(renewal->manifest->Rotate(manifest_number, edit));
  Notify(EventKind::kManifestRotated, manifest_number);
  return Status::Ok();
}

// Requires manifest_mutex_ and mutex_.
void DB::Impl::Install(Renewal* renewal) {
  manifest_.swap(renewal->manifest);
  manifest_size_at_open_ = 0;
  log_.swap(renewal->log);
  resume_log_.reset();
  failed_log_end_.reset();
  older_logs_.swap(renewal->old_logs);
  version_ = version_->With(renewal->change);
  shape_.reset();
  frozen_.clear();
  if (!active_->empty()) {
    active_ = std::make_shared<MemTable>(memtable_limit_);
    insert_hint_ = {};
  }
  write_error_ = Status();
  // The new MANIFEST says that everything up to the burnt numbers is in tables. So does what is
  // visible: else a checkpoint would hold a state of a later number than a snapshot after it.
  const SequenceNumber visible = published_.exchange(last_sequence_, std::memory_order_acq_rel);
  flush_retry_.Succeeded();
  compaction_retry_.Succeeded();
  RebuildReadState();
  UpdateDebt();
  Notify(EventKind::kResumed, log_->number(), visible);
  progress_.NotifyAll();
}

}  // namespace shearpin
