// OpenReadOnly: what a directory holds, without a lock and without writing, perhaps beside a
// writer.
//
// The writer unlinks a file only after the MANIFEST says that it is not needed. So whoever misses
// one has read an old MANIFEST, and finds CURRENT, MANIFEST or directory changed when he looks
// again; then he starts anew. Tables are opened at once: an open file outlives its name.
//
// The tables are those of a MANIFEST that is read after the logs: what comes into tables without a
// log (IngestTable) is there before any later change goes to one. Of the logs only what is newer
// than those tables counts, since a merge may have dropped what deleted it from them.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/db/db_impl.h"
#include "engine/manifest/file_names.h"

namespace shearpin {
namespace {

// A writer that changes its files faster than they are read, again and again.
constexpr int kMostAttempts = 100;
// In a preallocated log a record may be read half while it is being written, the next one whole.
constexpr int kUnchangedAttempts = 3;

std::shared_ptr<MemTable> NewerThan(const MemTable& all, SequenceNumber sequence) {
  auto newer = std::make_shared<MemTable>();
  const auto it = all.NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (SequenceOf(it->key()) <= sequence) continue;
    const bool fresh =
        newer->Add(SequenceOf(it->key()), TypeOf(it->key()), UserKey(it->key()), it->value());
    SHEARPIN_CHECK(fresh, "a memtable held one change twice");
  }
  for (const RangeTombstone& range : all.AllRanges()) {
    if (range.sequence > sequence) newer->AddRange(range.sequence, range.begin, range.end);
  }
  return newer;
}

}  // namespace

Status DB::Impl::OpenReadOnly() {
  read_only_ = true;
  // The writer may unlink a table at any time; only a file that stays open outlives that.
  table_context_.files = nullptr;
  write_error_ = Status::NotSupported(directory_ + ": opened for reading only");
  int unchanged = 0;
  for (int attempt = 1;; ++attempt) {
    const auto before = Fingerprint();
    const Status status = LoadState();
    if (status.ok()) break;
    const auto after = Fingerprint();
    const bool changed = !before.ok() || !after.ok() || *before != *after;
    if (!changed) ++unchanged;
    if (attempt == kMostAttempts || unchanged == kUnchangedAttempts || status.IsInvalidArgument()) {
      return status;
    }
  }
  published_.store(last_sequence_, std::memory_order_release);
  RebuildReadState();
  Notify(EventKind::kOpened);
  return Status::Ok();
}

// Differs after any change of what the database consists of.
StatusOr<std::string> DB::Impl::Fingerprint() const {
  std::string text;
  SHEARPIN_RETURN_IF_ERROR(ReadFile(fs_, JoinPath(directory_, CurrentName()), &text));
  SHEARPIN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_->ListDir(directory_));
  for (const std::string& name : names) {
    text += name + "\n";
    uint64_t number;
    if (ParseFileName(name, &number) != FileKind::kManifest) continue;
    SHEARPIN_ASSIGN_OR_RETURN(const uint64_t size, fs_->FileSize(JoinPath(directory_, name)));
    text += std::to_string(size) + "\n";
  }
  return text;
}

Status DB::Impl::LoadState() {
  const auto before = Manifest::Recover(fs_, directory_);
  if (before.status().IsNotFound()) {
    return Status::InvalidArgument(directory_ + ": not a database: it has no CURRENT file");
  }
  if (!before.ok()) return before.status();
  database_id_ = before->state.database_id;
  // Listed after the MANIFEST was read and before any log is: a log in the list is as long as it
  // will be if a later one is in the list too.
  SHEARPIN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_->ListDir(directory_));
  active_ = std::make_shared<MemTable>();
  LogEnd log_end;
  SHEARPIN_RETURN_IF_ERROR(ReplayLogs(before->state, names, &log_end, nullptr));

  const auto after = Manifest::Recover(fs_, directory_);
  if (!after.ok()) return after.status();
  const ManifestState& state = after->state;
  // A sync that fails may take back, with the page, an edit that the first read has seen: the logs
  // below its floor were passed by, and the table that stood for them is gone again.
  if (state.log_floor < before->state.log_floor ||
      state.flushed_sequence < before->state.flushed_sequence) {
    return Status::IoError(directory_ + ": its MANIFEST went back while it was read");
  }
  if (state.flushed_sequence > before->state.flushed_sequence) {
    active_ = NewerThan(*active_, state.flushed_sequence);
    last_sequence_ = std::max(last_sequence_, state.flushed_sequence);
  }
  SHEARPIN_RETURN_IF_ERROR(CheckTables(state));
  version_ = std::make_shared<Version>();
  AddTables(state);
  for (const auto& table : version_->AllTables()) {
    // One that is damaged fails the reads that need it, not this.
    const Status opened = table->Open().status();
    if (!opened.ok() && fs_->Exists(table->path()).IsNotFound()) return opened;
  }
  return Status::Ok();
}

}  // namespace shearpin
