// Checkpoint: the tables of one moment, linked into a directory of their own.
#include <string>
#include <utility>

#include "engine/db/db_impl.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

StatusOr<uint64_t> DB::Impl::Checkpoint(const std::string& directory) {
  // With everything in tables no log has to be copied, which would have to be synced first, and cut
  // where its acknowledged records end.
  SHEARPIN_RETURN_IF_ERROR(Flush());
  const Status exists = fs_->Exists(directory);
  if (exists.ok()) return Status::AlreadyExists(directory + ": exists already");
  if (!exists.IsNotFound()) return exists;

  ManifestState state;
  std::shared_ptr<const Version> version;
  {
    // Together they are one moment. The version keeps its tables from being unlinked (I9).
    std::lock_guard manifest_lock(manifest_mutex_);
    Lock lock(mutex_);
    state = manifest_->state();
    version = version_;
  }
  const uint64_t sequence = state.flushed_sequence;
  std::vector<std::string> made;
  const Status status = FillCheckpoint(directory, *version, std::move(state), &made);
  if (!status.ok()) {
    // CURRENT stands last in the list: without it, what is left is not a database.
    for (auto it = made.rbegin(); it != made.rend(); ++it) {
      fs_->Unlink(JoinPath(directory, *it)).IgnoreError();
    }
    fs_->RemoveDir(directory).IgnoreError();
  }
  version.reset();
  ReleaseReader();
  if (!status.ok()) return status.Prefixed("checkpoint");
  Notify(EventKind::kCheckpointDone, 0, sequence);
  return sequence;
}

// CURRENT comes last, when everything that it leads to is durable, and so is `directory`'s own
// entry.
Status DB::Impl::FillCheckpoint(const std::string& directory, const Version& version,
                                ManifestState state, std::vector<std::string>* made) {
  SHEARPIN_RETURN_IF_ERROR(fs_->CreateDir(directory));
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(ParentDirectory(directory)));
  for (const auto& table : version.AllTables()) {
    // Its bytes have been durable since the MANIFEST first named it (I4).
    const std::string name = TableName(table->meta().number);
    SHEARPIN_RETURN_IF_ERROR(fs_->Link(table->path(), JoinPath(directory, name)));
    made->push_back(name);
  }
  // A database of its own: its logs must never pass for this one's.
  state.database_id = options_.env.entropy->Next();
  state.manifest_number = 0;
  state.sealed_logs.clear();
  const uint64_t log_number = state.next_file_number;
  const LogHeader header{
      .database_id = state.database_id, .number = log_number, .salt = options_.env.entropy->Next()};
  auto log =
      LogWriter::Create(fs_, JoinPath(directory, WalName(log_number)), LogKind::kWal, header);
  // One that exists belongs to another checkpoint that is being made in the same place.
  if (!log.status().IsAlreadyExists()) {
    for (const std::string& name :
         {WalName(log_number), ManifestName(log_number + 1), CurrentTempName(), CurrentName()}) {
      made->push_back(name);
    }
  }
  SHEARPIN_RETURN_IF_ERROR(log.status());
  SHEARPIN_RETURN_IF_ERROR((*log)->Sync());
  SHEARPIN_RETURN_IF_ERROR((*log)->Close());
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(directory));

  VersionEdit edit;
  edit.log_floor = log_number;
  edit.next_file_number = log_number + 1;
  Manifest manifest(fs_, options_.env.entropy, directory, std::move(state));
  SHEARPIN_RETURN_IF_ERROR(manifest.Rotate(log_number + 1, edit));
  return manifest.Close();
}

}  // namespace shearpin
