#include "sim/subject/toy_subject.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

namespace shearpin::sim {
namespace {

using Versions = std::map<uint64_t, std::optional<std::string>>;  // by sequence; none: deleted
using Table = std::map<std::string, Versions, std::less<>>;

enum class ToyKind : uint8_t { kPut, kDelete, kDeleteRange };

struct ToyChange {
  ToyKind kind = ToyKind::kPut;
  std::string key;
  std::string value;
};

class ToyBatch : public SubjectBatch {
 public:
  void Put(std::string_view key, std::string_view value) override {
    changes.push_back({ToyKind::kPut, std::string(key), std::string(value)});
  }
  void Delete(std::string_view key) override {
    changes.push_back({ToyKind::kDelete, std::string(key), {}});
  }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    if (begin >= end) return;
    changes.push_back({ToyKind::kDeleteRange, std::string(begin), std::string(end)});
  }
  uint64_t first_sequence() const override { return first; }

  std::vector<ToyChange> changes;
  uint64_t first = 0;
};

class ToySnapshot : public Snapshot {
 public:
  explicit ToySnapshot(uint64_t sequence) : sequence_(sequence) {}
  uint64_t sequence() const override { return sequence_; }

 private:
  const uint64_t sequence_;
};

void AppendNumber(std::string* to, uint64_t number) {
  to->append(reinterpret_cast<const char*>(&number), sizeof number);
}

void AppendString(std::string* to, std::string_view bytes) {
  AppendNumber(to, bytes.size());
  *to += bytes;
}

bool TakeNumber(std::string_view* from, uint64_t* number) {
  if (from->size() < sizeof *number) return false;
  std::memcpy(number, from->data(), sizeof *number);
  from->remove_prefix(sizeof *number);
  return true;
}

bool TakeString(std::string_view* from, std::string* bytes) {
  uint64_t size = 0;
  if (!TakeNumber(from, &size) || size > from->size()) return false;
  *bytes = from->substr(0, size);
  from->remove_prefix(size);
  return true;
}

uint64_t Fnv(std::string_view bytes) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

// Of a record in this log: a block that once was another log's does not pass.
uint64_t Checksum(std::string_view path, std::string_view payload) {
  return Fnv(payload) ^ Fnv(path);
}

constexpr uint64_t kUnsynced = 16;  // added to the kind of a change, for kForgetsUnsynced

// Length, checksum, first sequence, changes.
// `mark` is 0 or kUnsynced.
std::string EncodeRecord(const std::string& path, uint64_t first,
                         const std::vector<ToyChange>& changes, uint64_t mark = 0) {
  std::string payload;
  AppendNumber(&payload, first);
  AppendNumber(&payload, changes.size());
  for (const ToyChange& change : changes) {
    AppendNumber(&payload, static_cast<uint64_t>(change.kind) + mark);
    AppendString(&payload, change.key);
    AppendString(&payload, change.value);
  }
  std::string record;
  AppendNumber(&record, payload.size());
  AppendNumber(&record, Checksum(path, payload));
  return record + payload;
}

std::string LogPath(const std::string& directory, uint64_t number) {
  return directory + "/log-" + std::to_string(1'000'000 + number);
}

const std::optional<std::string>* VisibleAt(const Versions& versions, uint64_t sequence) {
  auto after = versions.upper_bound(sequence);
  if (after == versions.begin()) return nullptr;
  return &std::prev(after)->second;
}

// A copy of the range as of a sequence number, with a position.
class ToyIterator : public Iterator {
 public:
  explicit ToyIterator(std::map<std::string, std::string> pairs)
      : pairs_(std::move(pairs)), at_(pairs_.end()) {}
  bool Valid() const override { return at_ != pairs_.end(); }
  void SeekToFirst() override { at_ = pairs_.begin(); }
  void SeekToLast() override { at_ = pairs_.empty() ? pairs_.end() : std::prev(pairs_.end()); }
  void Seek(std::string_view target) override { at_ = pairs_.lower_bound(std::string(target)); }
  void SeekForPrev(std::string_view target) override {
    at_ = pairs_.upper_bound(std::string(target));
    Prev();
  }
  void Next() override { ++at_; }
  void Prev() override { at_ = at_ == pairs_.begin() ? pairs_.end() : std::prev(at_); }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }
  Status status() const override { return {}; }

 private:
  std::map<std::string, std::string> pairs_;
  std::map<std::string, std::string>::iterator at_;
};

bool AboveLower(std::string_view key, const Bound& bound) {
  if (bound.kind == Bound::Kind::kUnbounded) return true;
  return bound.kind == Bound::Kind::kInclusive ? key >= bound.key : key > bound.key;
}

bool BelowUpper(std::string_view key, const Bound& bound) {
  if (bound.kind == Bound::Kind::kUnbounded) return true;
  return bound.kind == Bound::Kind::kInclusive ? key <= bound.key : key < bound.key;
}

class ToySubject : public Subject {
 public:
  ToySubject(const SubjectConfig& config, ToyBug bug)
      : fs_(config.env.file_system),
        directory_(config.directory),
        bug_(bug),
        mutex_(config.env.scheduler),
        other_(config.env.scheduler),
        scheduler_(config.env.scheduler),
        never_(&mutex_) {}

  Status Recover();
  // Reads what is there, and writes nothing. InvalidArgument where there is no store.
  Status RecoverReadOnly();

  std::unique_ptr<SubjectBatch> NewBatch() override { return std::make_unique<ToyBatch>(); }
  Status Write(SubjectBatch* batch, shearpin::Durability durability) override;
  Status Get(std::string_view key, const Snapshot* snapshot, std::string* value) override;
  std::unique_ptr<Iterator> NewIterator(const Bound& lower, const Bound& upper,
                                        const Snapshot* snapshot) override;
  std::unique_ptr<Snapshot> GetSnapshot() override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<ToySnapshot>(published_);
  }
  Status Sync() override;
  Status Flush() override { return Sync(); }
  Status CompactRange(const std::string_view*, const std::string_view*) override { return Sync(); }
  Status Resume() override { return Status::NotSupported("a toy is reopened"); }
  StatusOr<uint64_t> Checkpoint(const std::string& directory) override;
  Status VerifyChecksums() override { return {}; }
  StatusOr<std::string> Property(std::string_view) override { return Status::NotFound("none"); }
  Status Close() override;

 private:
  // False where the log does not begin with a whole record.
  StatusOr<bool> Load(const std::string& path);
  Status WriteNewLog(uint64_t number);
  std::vector<ToyChange> State() const;
  Status RemoveLogs(const std::vector<std::string>& names);
  void Apply(uint64_t first, const std::vector<ToyChange>& changes);

  FileSystem* const fs_;
  const std::string directory_;
  const ToyBug bug_;
  Mutex mutex_;
  Mutex other_;
  Scheduler* const scheduler_;
  CondVar never_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<WritableFile> log_;
  std::string log_path_;
  Table table_;
  uint64_t next_ = 1;
  uint64_t published_ = 0;
  Status error_;
  bool damaged_ = false;  // the log that was loaded last, at its end or before
  bool stuck_ = false;
};

void ToySubject::Apply(uint64_t first, const std::vector<ToyChange>& changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    const ToyChange& change = changes[i];
    if (change.kind == ToyKind::kDelete) {
      table_[change.key][first + i] = std::nullopt;
    } else if (change.kind == ToyKind::kPut) {
      table_[change.key][first + i] = change.value;
    } else {
      const auto end = table_.lower_bound(change.value);
      for (auto at = table_.lower_bound(change.key); at != end; ++at) {
        at->second[first + i] = std::nullopt;
      }
    }
  }
  published_ = std::max(published_, first + changes.size() - 1);
  next_ = std::max(next_, first + changes.size());
}

StatusOr<bool> ToySubject::Load(const std::string& path) {
  std::string bytes;
  SHEARPIN_RETURN_IF_ERROR(ReadFile(fs_, path, &bytes));
  table_.clear();
  std::string_view rest = bytes;
  bool any = false;
  damaged_ = false;
  while (!rest.empty()) {
    uint64_t size = 0;
    uint64_t checksum = 0;
    if (!TakeNumber(&rest, &size) || !TakeNumber(&rest, &checksum) || size > rest.size() ||
        size == 0) {
      damaged_ = any;
      break;
    }
    std::string_view payload = rest.substr(0, size);
    rest.remove_prefix(size);
    if (Checksum(path, payload) != checksum) {
      damaged_ = any;
      if (bug_ == ToyBug::kSkipsDamage && any) continue;
      if (bug_ == ToyBug::kRefusesTornTail && any) return Status::Corruption(path + ": damaged");
      break;
    }
    uint64_t first = 0;
    uint64_t count = 0;
    TakeNumber(&payload, &first);
    TakeNumber(&payload, &count);
    bool unsynced = false;
    std::vector<ToyChange> changes(count);
    for (ToyChange& change : changes) {
      uint64_t kind = 0;
      TakeNumber(&payload, &kind);
      unsynced |= kind >= kUnsynced;
      change.kind = static_cast<ToyKind>(kind % kUnsynced);
      TakeString(&payload, &change.key);
      TakeString(&payload, &change.value);
      if (bug_ == ToyBug::kWrongValue && any && !change.value.empty()) change.value += "!";
    }
    any = true;
    if (unsynced) changes.clear();
    if (bug_ == ToyBug::kForgetsDelete) {
      std::erase_if(changes, [](const ToyChange& change) { return change.kind != ToyKind::kPut; });
    }
    Apply(first, changes);
  }
  if (damaged_ && bug_ == ToyBug::kAbortsOnDamage) std::abort();
  while (damaged_ && bug_ == ToyBug::kHangsOnDamage)
    std::atomic_signal_fence(std::memory_order_seq_cst);
  return any;
}

std::vector<ToyChange> ToySubject::State() const {
  std::vector<ToyChange> state;
  for (const auto& [key, versions] : table_) {
    const auto* visible = VisibleAt(versions, UINT64_MAX);
    if (visible == nullptr || !visible->has_value()) continue;
    state.push_back({ToyKind::kPut, key, **visible});
  }
  return state;
}

// The state as one record, durable under its name before anything older goes.
Status ToySubject::WriteNewLog(uint64_t number) {
  const std::vector<ToyChange> state = State();
  table_.clear();
  const uint64_t first = next_;
  log_path_ = LogPath(directory_, number);
  SHEARPIN_ASSIGN_OR_RETURN(log_, fs_->OpenWritable(log_path_, OpenMode::kTruncate));
  SHEARPIN_RETURN_IF_ERROR(log_->Append(EncodeRecord(log_path_, first, state)));
  SHEARPIN_RETURN_IF_ERROR(log_->Sync());
  if (bug_ != ToyBug::kNoDirectorySync) SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(directory_));
  Apply(first, state);
  return {};
}

Status ToySubject::Recover() {
  SHEARPIN_RETURN_IF_ERROR(fs_->CreateDir(directory_));
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir("/"));
  SHEARPIN_ASSIGN_OR_RETURN(lock_, fs_->LockFile(directory_ + "/LOCK"));
  SHEARPIN_ASSIGN_OR_RETURN(std::vector<std::string> names, fs_->ListDir(directory_));
  std::erase(names, "LOCK");
  uint64_t number = 0;
  if (!names.empty()) number = std::stoull(names.back().substr(4)) - 1'000'000;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    SHEARPIN_ASSIGN_OR_RETURN(const bool whole, Load(directory_ + "/" + *name));
    if (whole && bug_ == ToyBug::kTrustsCache && !damaged_) {
      log_path_ = directory_ + "/" + *name;
      SHEARPIN_ASSIGN_OR_RETURN(log_, fs_->OpenWritable(log_path_, OpenMode::kAppend));
      return {};
    }
    if (whole) break;
  }
  stuck_ = bug_ == ToyBug::kStuckOnDamage && (damaged_ || names.size() > 1);
  const Status written = WriteNewLog(number + 1);
  if (bug_ == ToyBug::kCleansUp && !written.ok()) {
    SHEARPIN_RETURN_IF_ERROR(RemoveLogs(names));
  }
  SHEARPIN_RETURN_IF_ERROR(written);
  if (bug_ == ToyBug::kLeavesFiles || stuck_) return {};
  return RemoveLogs(names);
}

Status ToySubject::RemoveLogs(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    SHEARPIN_RETURN_IF_ERROR(fs_->Unlink(directory_ + "/" + name));
  }
  return {};
}

Status ToySubject::RecoverReadOnly() {
  StatusOr<std::vector<std::string>> names = fs_->ListDir(directory_);
  if (names.status().IsNotFound()) return Status::InvalidArgument(directory_ + ": no store");
  SHEARPIN_RETURN_IF_ERROR(names.status());
  std::erase(*names, "LOCK");
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    SHEARPIN_ASSIGN_OR_RETURN(const bool whole, Load(directory_ + "/" + *name));
    if (whole) return {};
  }
  return Status::InvalidArgument(directory_ + ": no store");
}

// A log of its own with the whole state in it, under a name that is durable last.
StatusOr<uint64_t> ToySubject::Checkpoint(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  SHEARPIN_RETURN_IF_ERROR(log_->Sync());
  SHEARPIN_RETURN_IF_ERROR(fs_->CreateDir(directory));
  const std::string path = LogPath(directory, 1);
  SHEARPIN_ASSIGN_OR_RETURN(auto copy, fs_->OpenWritable(path, OpenMode::kTruncate));
  SHEARPIN_RETURN_IF_ERROR(copy->Append(EncodeRecord(path, next_, State())));
  if (bug_ != ToyBug::kCopyNotSynced) SHEARPIN_RETURN_IF_ERROR(copy->Sync());
  SHEARPIN_RETURN_IF_ERROR(copy->Close());
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(directory));
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir("/"));
  return published_;
}

Status ToySubject::Write(SubjectBatch* batch, shearpin::Durability durability) {
  auto* toy = static_cast<ToyBatch*>(batch);
  const bool syncs = durability == shearpin::Durability::kSync;
  if (bug_ == ToyBug::kDeadlock && syncs) {
    const std::lock_guard first(other_);
    const std::lock_guard second(mutex_);
  }
  while (bug_ == ToyBug::kSpins && syncs && published_ > 20) scheduler_->Yield("poll");
  const std::lock_guard lock(mutex_);
  if (bug_ == ToyBug::kDeadlock && !syncs) const std::lock_guard second(other_);
  if (!error_.ok()) return error_;
  if (stuck_) return Status::IoError("stuck");
  if (bug_ == ToyBug::kInventsError && next_ % 10 == 0) return Status::IoError("for no reason");
  if (!toy->changes.empty()) {
    toy->first = next_;
    next_ += toy->changes.size();
    if (bug_ == ToyBug::kTornBatch) {
      for (size_t i = 0; i < toy->changes.size() && error_.ok(); ++i) {
        error_ = log_->Append(EncodeRecord(log_path_, toy->first + i, {toy->changes[i]}));
      }
    } else {
      const bool forgets = bug_ == ToyBug::kForgetsUnsynced && !syncs;
      error_ =
          log_->Append(EncodeRecord(log_path_, toy->first, toy->changes, forgets ? kUnsynced : 0));
    }
  }
  if (error_.ok() && syncs && bug_ != ToyBug::kNoSync) {
    const Status synced = log_->Sync();
    if (bug_ != ToyBug::kSwallowsSyncError) error_ = synced;
  }
  if (!error_.ok()) {
    Status failed = error_;
    return failed.MarkIndeterminate();
  }
  if (!toy->changes.empty()) Apply(toy->first, toy->changes);
  return {};
}

Status ToySubject::Get(std::string_view key, const Snapshot* snapshot, std::string* value) {
  const std::lock_guard lock(mutex_);
  const auto versions = table_.find(key);
  if (versions == table_.end()) return Status::NotFound("no such key");
  uint64_t at = snapshot != nullptr ? snapshot->sequence() : published_;
  if (bug_ == ToyBug::kStaleRead && at == published_) --at;
  const auto* visible = VisibleAt(versions->second, at);
  if (visible == nullptr || !visible->has_value()) return Status::NotFound("no such key");
  *value = **visible;
  return {};
}

std::unique_ptr<Iterator> ToySubject::NewIterator(const Bound& lower, const Bound& upper,
                                                  const Snapshot* snapshot) {
  const std::lock_guard lock(mutex_);
  const uint64_t at = snapshot != nullptr ? snapshot->sequence() : published_;
  std::map<std::string, std::string> pairs;
  for (const auto& [key, versions] : table_) {
    if (!AboveLower(key, lower) || !BelowUpper(key, upper)) continue;
    const auto* visible = VisibleAt(versions, at);
    if (visible != nullptr && visible->has_value()) pairs[key] = **visible;
  }
  return std::make_unique<ToyIterator>(std::move(pairs));
}

Status ToySubject::Sync() {
  const std::lock_guard lock(mutex_);
  if (error_.ok()) error_ = log_->Sync();
  return error_;
}

Status ToySubject::Close() {
  if (bug_ == ToyBug::kHangsOnClose && published_ > 20) {
    const std::lock_guard lock(mutex_);
    for (;;) never_.Wait();
  }
  while (bug_ == ToyBug::kRearmsTimer && published_ > 20) {
    scheduler_->SleepUntil(scheduler_->NowMicros() + 3'600'000'000);
  }
  // Always, as the option flush_on_close would have it.
  if (log_ == nullptr) return {};  // opened for reading only
  if (error_.ok()) error_ = log_->Sync();
  const Status closed = log_->Close();
  log_.reset();
  lock_.reset();
  return error_.ok() ? closed : error_;
}

}  // namespace

StatusOr<std::unique_ptr<Subject>> ToyFactory::Open(const SubjectConfig& config) {
  auto subject = std::make_unique<ToySubject>(config, bug_);
  SHEARPIN_RETURN_IF_ERROR(config.read_only ? subject->RecoverReadOnly() : subject->Recover());
  return std::unique_ptr<Subject>(std::move(subject));
}

Status ToyFactory::CheckNoOrphans(Subject*, FileSystem* fs, const std::string& directory) {
  SHEARPIN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->ListDir(directory));
  // What it is stuck on, it needs.
  if (names.size() <= 2 || bug_ == ToyBug::kStuckOnDamage) return {};
  return Status::Corruption(directory + "/" + names[1] + ": nothing needs this file");
}

}  // namespace shearpin::sim
