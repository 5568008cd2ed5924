// Opening: recovery, from CURRENT to the first write. Closing is in db_background.cc.
#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "engine/db/batch_inserter.h"
#include "engine/db/db_impl.h"
#include "engine/db/stored_options.h"
#include "engine/db/table_writer.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

Status DB::Impl::Open() {
  SHEARPIN_RETURN_IF_ERROR(PrepareDirectory());
  if (options_.info_log) {
    info_log_ = std::make_unique<InfoLog>(options_.env, directory_, options_.info_log_rotate_size);
    events_.SetLog(info_log_.get());
    info_log_->Say(InfoLog::Level::kInfo, "opening " + directory_ + " " + OptionsText(options_));
  }
  Status status = Recover();
  if (!status.ok() && info_log_ != nullptr) {
    info_log_->Say(InfoLog::Level::kError, "open-failed " + status.ToString());
  }
  return status;
}

Status DB::Impl::Recover() {
  SHEARPIN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_->ListDir(directory_));
  auto recovered = Manifest::Recover(fs_, directory_);
  ManifestState state;
  if (recovered.ok()) {
    SHEARPIN_RETURN_IF_ERROR(CheckStoredOptions(options_, directory_, recovered->state));
    if (recovered->fallback) Notify(EventKind::kManifestFallback, recovered->state.manifest_number);
    state = std::move(recovered->state);
  } else if (recovered.status().IsNotFound()) {
    SHEARPIN_RETURN_IF_ERROR(CheckNeverCreated(names));
    state.database_id = options_.env.entropy->Next();
  } else {
    return recovered.status();
  }
  SHEARPIN_RETURN_IF_ERROR(CheckTables(state));
  if (options_.verify_on_open) SHEARPIN_RETURN_IF_ERROR(VerifyStored(state));
  database_id_ = state.database_id;

  // Numbers of files that no MANIFEST names, leftovers of a crash, must not be used again.
  next_file_number_ = state.next_file_number;
  for (const std::string& name : names) {
    uint64_t number;
    if (ParseFileName(name, &number) != FileKind::kUnknown) {
      next_file_number_ = std::max(next_file_number_, number + 1);
    }
  }

  version_ = std::make_shared<Version>();
  shape_.reset();
  ApplyMemoryBudget();
  VersionEdit edit;
  LogEnd log_end;
  SHEARPIN_RETURN_IF_ERROR(ReplayLogs(state, names, &log_end, &edit));

  // I8: the log that will take the first write, then the MANIFEST that names it and the recovered
  // tables. The log's header holds how much of the old logs was accepted: should this recovery
  // crash before CURRENT is durable, the next one decides the same way.
  const uint64_t log_number = NewFileNumber();
  SHEARPIN_ASSIGN_OR_RETURN(log_, CreateLog(log_number, log_end, 0));
  const uint64_t manifest_number = NewFileNumber();
  edit.next_file_number = next_file_number_;
  edit.flushed_sequence = last_sequence_;
  edit.log_floor = log_number;
  manifest_ = std::make_unique<Manifest>(fs_, options_.env.entropy, directory_, std::move(state));
  SHEARPIN_RETURN_IF_ERROR(manifest_->Rotate(manifest_number, edit));
  Notify(EventKind::kManifestRotated, manifest_number);
  manifest_size_at_open_ = manifest_->size();

  AddTables(manifest_->state());
  published_.store(last_sequence_, std::memory_order_release);
  active_ = std::make_shared<MemTable>(memtable_limit_);
  RebuildReadState();
  UpdateDebt();
  RemoveOrphans(FindOrphans(names));
  Notify(EventKind::kOpened, 0, 0,
         "database=" + std::to_string(database_id_) +
             " last-sequence=" + std::to_string(last_sequence_) +
             " tables=" + std::to_string(version_->AllTables().size()));
  Lock lock(mutex_);
  if (CompactionDue()) StartCompacting();
  return Status::Ok();
}

void DB::Impl::AddTables(const ManifestState& state) {
  Version::Change change;
  for (int level = 0; level < kNumLevels; ++level) {
    for (const auto& [number, meta] : state.levels[level]) {
      change.added.emplace_back(level, NewTableFile(meta));
    }
  }
  version_ = version_->With(change);
  shape_.reset();
}

Status DB::Impl::PrepareDirectory() {
  const std::string lock_path = JoinPath(directory_, LockName());
  if (options_.create_if_missing) {
    SHEARPIN_RETURN_IF_ERROR(fs_->CreateDir(directory_));
    // The new directory's own entry stands in its parent.
    SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(ParentDirectory(directory_)));
  } else {
    const Status exists = fs_->Exists(directory_);
    if (exists.IsNotFound()) {
      return Status::InvalidArgument(directory_ + ": no such directory");
    }
    SHEARPIN_RETURN_IF_ERROR(exists);
    // A directory that is no database is left as it was, without a LOCK file.
    if (fs_->Exists(lock_path).IsNotFound()) {
      const auto recovered = Manifest::Recover(fs_, directory_);
      if (recovered.status().IsNotFound()) {
        return Status::InvalidArgument(directory_ + ": not a database: it has no CURRENT file");
      }
    }
  }
  SHEARPIN_ASSIGN_OR_RETURN(file_lock_, fs_->LockFile(lock_path));
  return Status::Ok();
}

// Neither CURRENT nor a whole MANIFEST: a directory in which nothing was ever acknowledged, or one
// that lost them. The difference is whether anything stands in tables or logs; the first log is
// made, and perhaps preallocated, before the first MANIFEST.
Status DB::Impl::CheckNeverCreated(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    uint64_t number;
    const FileKind kind = ParseFileName(name, &number);
    bool holds_data = kind == FileKind::kTable;
    if (kind == FileKind::kWal) {
      std::string log;
      SHEARPIN_RETURN_IF_ERROR(ReadFile(fs_, JoinPath(directory_, name), &log));
      holds_data = log.find_first_not_of('\0', kLogHeaderSize) != std::string::npos;
    }
    if (holds_data) {
      return Status::Corruption(directory_ + ": CURRENT and MANIFEST are missing, though " + name +
                                " is there");
    }
  }
  if (!options_.create_if_missing) {
    return Status::InvalidArgument(directory_ + ": not a database: it has no CURRENT file");
  }
  return Status::Ok();
}

// A missing or cut table means data that is gone for certain: better said now than at the first
// read that needs it. Damage inside is found by the reads that need it.
Status DB::Impl::CheckTables(const ManifestState& state) {
  for (const auto& files : state.levels) {
    for (const auto& [number, meta] : files) {
      const std::string path = JoinPath(directory_, TableName(number));
      auto size = fs_->FileSize(path);
      if (size.status().IsNotFound()) {
        return Status::Corruption(path + ": missing, though the MANIFEST needs it");
      }
      if (!size.ok()) return size.status();
      if (*size != meta.size) {
        return Status::Corruption(path + ": has " + std::to_string(*size) +
                                  " bytes, the MANIFEST says " + std::to_string(meta.size));
      }
    }
  }
  return Status::Ok();
}

// The error of the first damaged table in the MANIFEST's order, whichever thread came to it first.
Status DB::Impl::VerifyStored(const ManifestState& state) {
  Version::Tables tables;
  for (const auto& files : state.levels) {
    for (const auto& [number, meta] : files) tables.push_back(NewTableFile(meta));
  }
  std::vector<Status> found(tables.size());
  std::atomic<size_t> next{0};
  const auto verify = [&] {
    for (size_t i; (i = next.fetch_add(1)) < tables.size();) found[i] = VerifyTable(*tables[i]);
  };
  // This thread is one of them.
  std::vector<std::unique_ptr<Scheduler::ThreadHandle>> others;
  const auto wanted = static_cast<size_t>(options_.max_file_opening_threads);
  while (others.size() + 1 < std::min(wanted, tables.size())) {
    others.push_back(scheduler_->Spawn("shearpin-open", verify));
  }
  verify();
  for (const auto& other : others) other->Join();
  for (const Status& status : found) SHEARPIN_RETURN_IF_ERROR(status);
  return Status::Ok();
}

// Into tables that are added to `edit`; if that is null, into the active memtable alone.
Status DB::Impl::ReplayLogs(const ManifestState& state, const std::vector<std::string>& names,
                            LogEnd* log_end, VersionEdit* edit) {
  last_sequence_ = state.flushed_sequence;
  LogRecoveryInput input{.directory = directory_,
                         .database_id = state.database_id,
                         .log_floor = state.log_floor,
                         .sealed_logs = state.sealed_logs,
                         .log_numbers = {}};
  // Logs of a database whose creation never became durable are of another database id.
  if (state.manifest_number == 0) return Status::Ok();
  for (const std::string& name : names) {
    uint64_t number;
    if (ParseFileName(name, &number) == FileKind::kWal) input.log_numbers.push_back(number);
  }
  std::sort(input.log_numbers.begin(), input.log_numbers.end());

  active_ = std::make_shared<MemTable>();
  auto replay = [&](const std::string& path, const LogRecord& record) -> Status {
    const auto where = [&] { return path + ": record at offset " + std::to_string(record.offset); };
    auto batch = WriteBatch::FromRepresentation(record.payload);
    if (!batch.ok()) return batch.status().Prefixed(where());
    const SequenceNumber last = record.sequence + batch->count() - 1;
    if (last <= state.flushed_sequence) return Status::Ok();
    if (record.sequence <= last_sequence_ || last > kMaxSequence) {
      return Status::Corruption(where() + ": sequence " + std::to_string(record.sequence) +
                                " after " + std::to_string(last_sequence_));
    }
    MemTable::Hint hint;
    BatchInserter inserter(scheduler_, active_.get(), record.sequence, &hint);
    SHEARPIN_RETURN_IF_ERROR(batch->Iterate(&inserter));
    if (inserter.repeated()) return Status::Corruption(where() + ": repeats an earlier change");
    last_sequence_ = last;
    if (edit == nullptr || active_->ApproximateBytes() < memtable_limit_) return Status::Ok();
    return WriteRecoveredTable(edit);
  };
  SHEARPIN_ASSIGN_OR_RETURN(*log_end, RecoverLogs(fs_, input, &events_, replay));
  return edit == nullptr || active_->empty() ? Status::Ok() : WriteRecoveredTable(edit);
}

// What logs held goes into tables at once, not back into a log: the bytes just read may stand in
// the page cache only, marked clean by a sync that failed before the restart, and no sync of the
// old files would ever write them.
Status DB::Impl::WriteRecoveredTable(VersionEdit* edit) {
  SHEARPIN_ASSIGN_OR_RETURN(FileMeta meta, WriteMemtable(*active_, NewFileNumber(), {}));
  edit->added.emplace_back(0, std::move(meta));
  active_ = std::make_shared<MemTable>();
  return Status::Ok();
}

// I5, I8: only what the MANIFEST that is durable now does not name. An unlink that comes back
// after a crash is found here again.
std::vector<DB::Impl::Orphan> DB::Impl::FindOrphans(const std::vector<std::string>& names) const {
  const ManifestState& state = manifest_->state();
  std::vector<Orphan> orphans;
  for (const std::string& name : names) {
    uint64_t number;
    bool orphan = false;
    switch (ParseFileName(name, &number)) {
      case FileKind::kManifest:
        orphan = number != manifest_->number();
        break;
      case FileKind::kWal:
        orphan = number < state.log_floor;
        break;
      case FileKind::kTable:
        orphan = true;
        for (const auto& files : state.levels) orphan &= files.count(number) == 0;
        break;
      case FileKind::kUnknown:
      case FileKind::kCurrent:
      case FileKind::kCurrentTemp:  // Rotate has just made and renamed its own
      case FileKind::kLock:
      case FileKind::kInfoLog:
        break;
    }
    if (orphan) orphans.push_back({name, number});
  }
  return orphans;
}

void DB::Impl::RemoveOrphans(const std::vector<Orphan>& orphans) {
  for (const Orphan& orphan : orphans) {
    const Status removed = fs_->Unlink(JoinPath(directory_, orphan.name));
    // Not found: Rotate unlinked the old MANIFEST itself. Another error: an orphan that stays is
    // garbage, not danger, and the next open tries again.
    if (removed.ok()) Notify(EventKind::kOrphanRemoved, orphan.number);
  }
}

}  // namespace shearpin
