#include "engine/manifest/manifest.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/manifest/file_names.h"
#include "engine/wal/log_reader.h"

namespace shearpin {
namespace {

// "MANIFEST-000012 4096 <16 hex digits>\n": name, promised length, XXH3-64 of what stands before
// the second blank.
std::string EncodeCurrent(uint64_t number, uint64_t promised) {
  std::string text = ManifestName(number) + " " + std::to_string(promised);
  char checksum[20];
  std::snprintf(checksum, sizeof checksum, " %016llx\n",
                static_cast<unsigned long long>(Checksum(text, 0)));
  return text + checksum;
}

bool DecodeCurrent(std::string_view text, uint64_t* number, uint64_t* promised) {
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return false;
  if (ParseFileName(text.substr(0, blank), number) != FileKind::kManifest) return false;
  const std::string_view rest = text.substr(blank + 1);
  const size_t digits = rest.find(' ');
  if (digits == std::string_view::npos) return false;
  const auto parsed = std::from_chars(rest.data(), rest.data() + digits, *promised);
  if (parsed.ec != std::errc() || parsed.ptr != rest.data() + digits) return false;
  // Writing it again and comparing checks the checksum and admits no second spelling.
  return text == EncodeCurrent(*number, *promised);
}

struct ManifestFile {
  ManifestState state;
  uint64_t end = 0;       // of the last whole record
  uint64_t promised = 0;  // by records beyond the damage
  bool clean_end = true;
  bool has_snapshot = false;
};

// Reads the whole records of one MANIFEST. `path` is only for messages.
StatusOr<ManifestFile> ParseManifest(const std::string& path, std::string_view contents,
                                     uint64_t number) {
  auto reader = LogReader::Open(LogKind::kManifest, contents);
  if (!reader.ok()) return reader.status().Prefixed(path);
  if (reader->header().number != number) {
    return Status::Corruption(path + ": its header says it is number " +
                              std::to_string(reader->header().number));
  }
  ManifestFile file;
  file.state.database_id = reader->header().database_id;
  file.state.manifest_number = number;
  LogRecord record;
  while (reader->Next(&record)) {
    VersionEdit edit;
    Status status = edit.Decode(record.payload);
    if (status.ok()) status = file.state.Apply(std::move(edit));
    if (!status.ok()) {
      return status.Prefixed(path + ": record at offset " + std::to_string(record.offset));
    }
    file.has_snapshot = true;
  }
  file.end = reader->end();
  file.promised = reader->PromiseBeyondEnd();
  file.clean_end = reader->CleanEnd();
  return file;
}

// M5: without CURRENT the newest whole MANIFEST is the one that CURRENT named, or one that holds
// the same state and was about to be named.
StatusOr<Manifest::Recovered> RecoverWithoutCurrent(FileSystem* fs, const std::string& directory) {
  SHEARPIN_ASSIGN_OR_RETURN(std::vector<std::string> names, fs->ListDir(directory));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    uint64_t number;
    if (ParseFileName(name, &number) == FileKind::kManifest) numbers.push_back(number);
  }
  std::sort(numbers.rbegin(), numbers.rend());
  for (const uint64_t number : numbers) {
    const std::string path = JoinPath(directory, ManifestName(number));
    std::string contents;
    SHEARPIN_RETURN_IF_ERROR(ReadFile(fs, path, &contents));
    auto file = ParseManifest(path, contents, number);
    if (!file.ok() && file.status().IsNotSupported()) return file.status();
    // One whose snapshot is not whole was never named by a durable CURRENT.
    if (!file.ok() || !file->has_snapshot) continue;
    if (file->promised > file->end) {
      return Status::Corruption(path + ": damaged at offset " + std::to_string(file->end) +
                                ", though " + std::to_string(file->promised) +
                                " bytes were durable");
    }
    return Manifest::Recovered{std::move(file->state), true, !file->clean_end};
  }
  return Status::NotFound(directory + ": no CURRENT and no whole MANIFEST");
}

}  // namespace

Status ManifestState::Apply(VersionEdit edit) {
  if (edit.next_file_number) next_file_number = std::max(next_file_number, *edit.next_file_number);
  if (edit.flushed_sequence) flushed_sequence = std::max(flushed_sequence, *edit.flushed_sequence);
  if (edit.log_floor) log_floor = std::max(log_floor, *edit.log_floor);
  for (const SealedLog& log : edit.sealed_logs) sealed_logs[log.number] = log.length;
  for (const auto& [level, number] : edit.removed) {
    if (levels[level].erase(number) == 0) {
      return Status::Corruption("edit removes table " + std::to_string(number) + " from level " +
                                std::to_string(level) + ", where it is not");
    }
  }
  for (auto& [level, file] : edit.added) {
    const uint64_t number = file.number;
    if (!levels[level].try_emplace(number, std::move(file)).second) {
      return Status::Corruption("edit adds table " + std::to_string(number) + " to level " +
                                std::to_string(level) + ", where it is already");
    }
    next_file_number = std::max(next_file_number, number + 1);
  }
  return Status::Ok();
}

VersionEdit ManifestState::Snapshot() const {
  VersionEdit edit;
  edit.next_file_number = next_file_number;
  edit.flushed_sequence = flushed_sequence;
  edit.log_floor = log_floor;
  for (int level = 0; level < kNumLevels; ++level) {
    for (const auto& [number, file] : levels[level]) edit.added.emplace_back(level, file);
  }
  return edit;
}

StatusOr<Manifest::Recovered> Manifest::Recover(FileSystem* fs, const std::string& directory) {
  const std::string current = JoinPath(directory, CurrentName());
  std::string text;
  const Status read = ReadFile(fs, current, &text);
  if (read.IsNotFound()) return RecoverWithoutCurrent(fs, directory);
  if (!read.ok()) return read;

  uint64_t number = 0, promised = 0;
  if (!DecodeCurrent(text, &number, &promised)) {
    return Status::Corruption(current + ": does not name a MANIFEST with a valid checksum (" +
                              std::to_string(text.size()) + " bytes)");
  }
  const std::string path = JoinPath(directory, ManifestName(number));
  std::string contents;
  const Status opened = ReadFile(fs, path, &contents);
  if (opened.IsNotFound()) {
    return Status::Corruption(path + ": named by CURRENT and missing");
  }
  if (!opened.ok()) return opened;
  SHEARPIN_ASSIGN_OR_RETURN(ManifestFile file, ParseManifest(path, contents, number));
  promised = std::max(promised, file.promised);
  if (file.end < promised) {
    return Status::Corruption(path + ": damaged or cut at offset " + std::to_string(file.end) +
                              ", though " + std::to_string(promised) + " bytes were durable");
  }
  return Recovered{std::move(file.state), false, !file.clean_end};
}

Manifest::Manifest(FileSystem* fs, Entropy* entropy, std::string directory, ManifestState state)
    : fs_(fs), entropy_(entropy), directory_(std::move(directory)), state_(std::move(state)) {}

Status Manifest::Fail(const Status& status) {
  error_.Update(status);
  return status;
}

Status Manifest::WriteNew(uint64_t number, const ManifestState& state) {
  const LogHeader header{.database_id = state.database_id,
                         .number = number,
                         .salt = entropy_->Next(),
                         .predecessor = state.manifest_number};
  const std::string path = JoinPath(directory_, ManifestName(number));
  SHEARPIN_ASSIGN_OR_RETURN(log_, LogWriter::Create(fs_, path, LogKind::kManifest, header));
  SHEARPIN_RETURN_IF_ERROR(log_->Append(state.flushed_sequence, state.Snapshot().Encode()));
  return log_->Sync();
}

Status Manifest::WriteCurrent(uint64_t number, uint64_t promised) {
  const std::string temp = JoinPath(directory_, CurrentTempName());
  // Never truncate a file of this name in place: a rename that was not atomic may have left it as
  // a second name of CURRENT itself.
  const Status removed = fs_->Unlink(temp);
  if (!removed.ok() && !removed.IsNotFound()) return removed;
  SHEARPIN_ASSIGN_OR_RETURN(auto file, fs_->OpenWritable(temp, OpenMode::kCreateNew));
  SHEARPIN_RETURN_IF_ERROR(file->Append(EncodeCurrent(number, promised)));
  // Without this sync the rename could reach the disk before the bytes: an empty CURRENT.
  SHEARPIN_RETURN_IF_ERROR(file->Sync());
  SHEARPIN_RETURN_IF_ERROR(file->Close());
  SHEARPIN_RETURN_IF_ERROR(fs_->Rename(temp, JoinPath(directory_, CurrentName())));
  // Only now may anything that the old CURRENT needs be unlinked.
  return fs_->SyncDir(directory_);
}

Status Manifest::Rotate(uint64_t number, const VersionEdit& edit) {
  SHEARPIN_RETURN_IF_ERROR(error_);
  ManifestState next = state_;
  Status status = next.Apply(edit);
  if (!status.ok()) return Fail(status);
  next.next_file_number = std::max(next.next_file_number, number + 1);
  const uint64_t old_number = state_.manifest_number;
  const std::unique_ptr<LogWriter> old_log = std::move(log_);

  status = WriteNew(number, next);
  if (!status.ok()) return Fail(status);
  // The entry of the new MANIFEST must be durable before a CURRENT that names it can be.
  status = fs_->SyncDir(directory_);
  if (!status.ok()) return Fail(status);
  status = WriteCurrent(number, log_->synced_size());
  if (!status.ok()) return Fail(status);

  state_ = std::move(next);
  state_.manifest_number = number;
  state_.sealed_logs.clear();
  // Everything the old log said is durable in the new one: an error here loses nothing, and an
  // unlink that fails or comes back leaves an orphan that the next open removes.
  if (old_log != nullptr) old_log->Close().IgnoreError();
  if (old_number != 0) {
    fs_->Unlink(JoinPath(directory_, ManifestName(old_number))).IgnoreError();
  }
  return Status::Ok();
}

Status Manifest::Append(const VersionEdit& edit) {
  SHEARPIN_RETURN_IF_ERROR(error_);
  SHEARPIN_CHECK(log_ != nullptr, "Append before Rotate");
  Status status = log_->Append(state_.flushed_sequence, edit.Encode());
  if (status.ok()) status = log_->Sync();
  if (status.ok()) status = state_.Apply(edit);
  return status.ok() ? status : Fail(status);
}

Status Manifest::Seal() {
  SHEARPIN_RETURN_IF_ERROR(error_);
  const Status status = WriteCurrent(log_->number(), log_->synced_size());
  return status.ok() ? status : Fail(status);
}

Status Manifest::Close() { return log_ != nullptr ? log_->Close() : Status::Ok(); }

}  // namespace shearpin
