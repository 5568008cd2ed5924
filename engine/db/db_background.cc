// Flushing frozen memtables, installing edits, removing what is obsolete; and closing.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/db/db_impl.h"
#include "engine/db/table_writer.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

// Requires mutex_. The thread starts with the first memtable to flush: a database that is opened,
// read and closed never pays for it.
void DB::Impl::StartFlushing() {
  if (flusher_ == nullptr) {
    flusher_ = scheduler_->Spawn("shearpin-flush", [this] { FlushLoop(); });
  }
  flush_work_.NotifyOne();
}

void DB::Impl::FlushLoop() {
  Lock lock(mutex_);
  for (;;) {
    while (!stopping_ && (frozen_.empty() || !write_error_.ok())) flush_work_.Wait();
    if (stopping_) return;
    if (scheduler_->NowMicros() < flush_retry_.not_before()) {
      flush_work_.WaitUntil(flush_retry_.not_before());
      continue;
    }
    ++background_jobs_;
    EndOfTry(FlushOldest(&lock), &flush_retry_);
    --background_jobs_;
    progress_.NotifyAll();
  }
}

// Requires mutex_. After an error of the MANIFEST the writer is poisoned, and there is no next try.
void DB::Impl::EndOfTry(const Status& status, RetryBackoff* retry) {
  if (status.ok()) {
    if (!retry->error().ok()) Notify(EventKind::kRetrySucceeded);
    retry->Succeeded();
  } else {
    Notify(EventKind::kBackgroundError, 0, 0, status.ToString());
    retry->Failed(status, scheduler_->NowMicros());
  }
}

Status DB::Impl::FlushOldest(Lock* lock) {
  const Frozen oldest = frozen_.front();
  const uint64_t number = NewFileNumber();
  std::vector<SequenceNumber> snapshots(snapshots_.begin(), snapshots_.end());
  lock->unlock();
  Notify(EventKind::kFlushBegun, number);
  const Stopwatch stopwatch(&statistics_, Latency::kFlush);
  auto meta = WriteMemtable(*oldest.memtable, number, std::move(snapshots));
  if (!meta.ok()) {
    // No MANIFEST names it, so it is only a waste of space, which may be what is missing.
    fs_->Unlink(JoinPath(directory_, TableName(number))).IgnoreError();
    lock->lock();
    return meta.status();
  }
  const uint64_t bytes = meta->size;
  VersionEdit edit;
  edit.flushed_sequence = oldest.memtable->largest_sequence();
  edit.log_floor = oldest.next_log;
  edit.added.emplace_back(0, *meta);
  std::vector<std::shared_ptr<LogWriter>> retired;
  lock->lock();
  SHEARPIN_RETURN_IF_ERROR(
      ApplyEdit(std::move(edit), {.removed = {}, .added = {{0, NewTableFile(*meta)}}}, lock, [&] {
        frozen_.pop_front();
        while (!older_logs_.empty() && older_logs_.front()->number() < oldest.next_log) {
          retired.push_back(std::move(older_logs_.front()));
          older_logs_.pop_front();
        }
      }));
  lock->unlock();
  RetireLogs(std::move(retired));
  lock->lock();
  Notify(EventKind::kFlushDone, number, bytes, "took-micros=" + std::to_string(stopwatch.Micros()));
  if (CompactionDue()) StartCompacting();
  return Status::Ok();
}

// Everything that a reader may still see; what lies below may hold any key, so tombstones stay.
StatusOr<FileMeta> DB::Impl::WriteMemtable(const MemTable& memtable, uint64_t number,
                                           std::vector<SequenceNumber> snapshots) {
  const RangeTombstones deletes(memtable.AllRanges());
  RangeTombstoneCutter ranges(deletes, snapshots,
                              [](std::string_view, std::string_view) { return true; });
  const auto all = memtable.NewIterator();
  CompactionIterator kept(all.get(), {.snapshots = std::move(snapshots),
                                      .covered_below = [](std::string_view) { return true; },
                                      .filter = nullptr,
                                      .range_deletes = &deletes});
  kept.SeekToFirst();
  return WriteTable(fs_, directory_, database_id_, number, BuilderOptions(), &kept, &ranges,
                    nullptr, [this](uint64_t bytes) { background_rate_.Take(bytes); });
}

// Makes an edit durable and then visible: with the lock held again, `change` is applied to the
// version and `publish` is called, before any reader sees either.
Status DB::Impl::ApplyEdit(VersionEdit edit, const Version::Change& change, Lock* lock,
                           const std::function<void()>& publish) {
  lock->unlock();
  std::lock_guard manifest_lock(manifest_mutex_);
  lock->lock();
  edit.next_file_number = next_file_number_;
  const bool rotate = manifest_->size() >= options_.manifest_rotate_size;
  const uint64_t manifest_number = rotate ? NewFileNumber() : 0;
  lock->unlock();
  const Status status = rotate ? manifest_->Rotate(manifest_number, edit) : manifest_->Append(edit);
  if (rotate && status.ok()) Notify(EventKind::kManifestRotated, manifest_number);
  scheduler_->Yield("apply-edit");
  lock->lock();
  if (!status.ok()) {
    Poison(status);
    return status;
  }
  version_ = version_->With(change);
  shape_.reset();
  publish();
  scheduler_->Yield("publish-edit");
  RebuildReadState();
  UpdateDebt();
  return Status::Ok();
}

// I9. A table that a reader still pins stays until that reader lets go (ReleaseReader); what is
// left at the end of the process is an orphan that the next open removes.
void DB::Impl::RemoveObsoleteTables(Lock* lock) {
  const bool reclaimed = read_state_.Reclaim();
  // After an error of the MANIFEST, the next recovery may find that it names them still (I7).
  if (!write_error_.ok()) return;
  Version::Tables unused;
  std::erase_if(obsolete_, [&](Version::TablePtr& table) {
    // Nothing that is reachable from here gives out new references, so one means this one.
    if (table.use_count() > 1) return false;
    unused.push_back(std::move(table));
    return true;
  });
  any_obsolete_.store(!reclaimed || !obsolete_.empty());
  if (unused.empty()) return;
  ++background_jobs_;
  lock->unlock();
  for (const auto& table : unused) {
    fs_->Unlink(table->path()).IgnoreError();
    Notify(EventKind::kTableRemoved, table->meta().number);
  }
  lock->lock();
  --background_jobs_;
  progress_.NotifyAll();
}

// A reader has just let go of its state, and may have been the last to need a table.
void DB::Impl::ReleaseReader() {
  if (!any_obsolete_.load()) return;
  Lock lock(mutex_);
  RemoveObsoleteTables(&lock);
}

Status DB::Impl::WaitForBackground() {
  Lock lock(mutex_);
  const uint64_t failures = flush_retry_.failures() + compaction_retry_.failures();
  flush_retry_.Hurry();
  flush_work_.NotifyAll();
  compaction_retry_.Hurry();
  compaction_work_.NotifyAll();
  for (;;) {
    SHEARPIN_RETURN_IF_ERROR(write_error_);
    if (flush_retry_.failures() + compaction_retry_.failures() != failures) {
      SHEARPIN_RETURN_IF_ERROR(flush_retry_.error());
      SHEARPIN_RETURN_IF_ERROR(compaction_retry_.error());
    }
    if (background_jobs_ == 0 && frozen_.empty() && !CompactionDue()) break;
    progress_.Wait();
  }
  RemoveObsoleteTables(&lock);
  return Status::Ok();
}

// I5. Their data is in durable tables: an unlink that fails or comes back can lose none of it. The
// files are closed by their last owner: a sync write may have taken them along a moment ago.
void DB::Impl::RetireLogs(std::vector<std::shared_ptr<LogWriter>> logs) {
  for (const auto& log : logs) {
    fs_->Unlink(log->path()).IgnoreError();
    Notify(EventKind::kWalRetired, log->number());
  }
}

Status DB::Impl::Flush() {
  Lock lock(mutex_);
  const Status switched = LeadAlone(&lock, [&] {
    SHEARPIN_RETURN_IF_ERROR(write_error_);
    if (MemtablesFull()) SHEARPIN_RETURN_IF_ERROR(flush_retry_.error());
    return active_->empty() ? Status::Ok() : SwitchMemtable(&lock);
  });
  if (!switched.ok()) return switched;
  // The memtables are flushed in order, so those frozen by now are the first of the queue. By
  // number, and not by address: another one may soon have the address of one that is gone.
  const uint64_t last = frozen_.empty() ? 0 : frozen_.back().next_log;
  auto waiting = [&] { return !frozen_.empty() && frozen_.front().next_log <= last; };
  const uint64_t failures = flush_retry_.failures();
  if (last != 0) {
    flush_retry_.Hurry();
    flush_work_.NotifyOne();
  }
  while (waiting()) {
    SHEARPIN_RETURN_IF_ERROR(write_error_);
    if (flush_retry_.failures() != failures) return flush_retry_.error();
    progress_.Wait();
  }
  return Status::Ok();
}

// After a clean close, every byte of log and MANIFEST is promised: damage to any of it is told
// from a torn tail when the directory is opened again.
Status DB::Impl::Seal() {
  const bool wrote = log_->size() > kLogHeaderSize || !older_logs_.empty() ||
                     manifest_->size() != manifest_size_at_open_;
  if (!wrote) return Status::Ok();
  VersionEdit edit;
  for (const auto& log : older_logs_) {
    SHEARPIN_RETURN_IF_ERROR(log->Sync());
    edit.sealed_logs.push_back({log->number(), log->size()});
  }
  SHEARPIN_RETURN_IF_ERROR(log_->Sync());
  edit.sealed_logs.push_back({log_->number(), log_->size()});
  SHEARPIN_RETURN_IF_ERROR(manifest_->Append(edit));
  return manifest_->Seal();
}

Status DB::Impl::Close() {
  Status status;
  {
    Lock lock(mutex_);
    if (closed_) return Status::Aborted(directory_ + ": the database is closed already");
    if (read_only_) {
      closed_ = true;
      return Status::Ok();
    }
    if (!write_error_.ok()) status = write_error_;
  }
  if (status.ok() && options_.flush_on_close) status = Flush();
  {
    Lock lock(mutex_);
    closed_ = true;
    stopping_ = true;
    flush_work_.NotifyAll();
    compaction_work_.NotifyAll();
  }
  // Compactions are started by flushes, so the flushing thread goes first.
  if (flusher_ != nullptr) flusher_->Join();
  for (const auto& compactor : compactors_) compactor->Join();
  {
    Lock lock(mutex_);
    // Background work may have failed since.
    status.Update(write_error_);
    RemoveObsoleteTables(&lock);
  }
  // I7: after a failure nothing more is promised.
  if (status.ok()) status = Seal();
  for (const auto& log : older_logs_) status.Update(log->Close());
  status.Update(log_->Close());
  if (resume_log_ != nullptr) status.Update(resume_log_->Close());
  status.Update(manifest_->Close());
  Notify(EventKind::kClosed, 0, 0, status.ToString());
  events_.SetLog(nullptr);
  info_log_.reset();
  file_lock_.reset();
  return status;
}

}  // namespace shearpin
