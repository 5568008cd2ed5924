#include "faultfs/fault_fs.h"

#include <algorithm>
#include <cerrno>

#include "engine/base/check.h"
#include "faultfs/system_error.h"

namespace shearpin::faultfs {
namespace {

// The system call that PosixFileSystem would name in its message.
std::string_view SystemCallOf(CallKind kind) {
  switch (kind) {
    case CallKind::kOpenRead:
    case CallKind::kOpenWrite:
      return "open";
    case CallKind::kRead:
      return "pread";
    case CallKind::kAppend:
      return "pwrite";
    case CallKind::kSync:
      return "fdatasync";
    case CallKind::kPreallocate:
      return "fallocate";
    case CallKind::kClose:
      return "close";
    case CallKind::kSize:
    case CallKind::kExists:
      return "stat";
    case CallKind::kCreateDir:
      return "mkdir";
    case CallKind::kRemoveDir:
      return "rmdir";
    case CallKind::kListDir:
      return "opendir";
    case CallKind::kSyncDir:
      return "fsync";
    case CallKind::kRename:
      return "rename";
    case CallKind::kLink:
      return "link";
    case CallKind::kUnlink:
      return "unlink";
    case CallKind::kTruncate:
      return "truncate";
    case CallKind::kLock:
      return "lock";
  }
  return "call";
}

Status Injected(const FsCall& call, int error) {
  Status status = call.second_path.empty()
                      ? SystemError(SystemCallOf(call.kind), call.path, error)
                      : SystemError(SystemCallOf(call.kind), call.path, call.second_path, error);
  return std::move(status.MarkInjected());
}

Status MachineCrashed(const FsCall& call) {
  std::string message(SystemCallOf(call.kind));
  message.append(" ").append(call.path).append(": the simulated machine has crashed");
  Status status = Status::IoError(message);
  return std::move(status.MarkInjected());
}

bool IsSync(CallKind kind) { return kind == CallKind::kSync || kind == CallKind::kSyncDir; }

bool CanBefall(EffectKind effect, CallKind kind) { return (CallsOf(effect) & SetOf(kind)) != 0; }

OpenHow HowOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kCreateNew:
      return OpenHow::kCreateNew;
    case OpenMode::kTruncate:
      return OpenHow::kTruncate;
    case OpenMode::kAppend:
      break;
  }
  return OpenHow::kAppend;
}

}  // namespace

std::string_view CrashMomentName(CrashMoment moment) {
  switch (moment) {
    case CrashMoment::kBefore:
      return "before";
    case CrashMoment::kMidway:
      return "midway";
    case CrashMoment::kAfter:
      break;
  }
  return "after";
}

// One call on its way: announces it, decides what befalls it, and reports its end.
//
//   Attempt attempt(fs, call);
//   if (!attempt.Admitted()) return attempt.Refuse();
//   ... the effect ...
//   return attempt.Finish(status);
class FaultFs::Attempt {
 public:
  // Copied from a rule: rules may be replaced while an observer runs.
  struct Effect {
    bool befalls = false;
    EffectKind kind = EffectKind::kIoError;
    SyncFailure sync_failure = SyncFailure::kKeepNewClean;
    uint64_t amount = 0;
  };

  Attempt(FaultFs* fs, const FsCall& call) : fs_(fs), call_(call) {
    call_.ordinal = fs_->calls_++;
    ++fs_->calls_by_kind_[static_cast<size_t>(call_.kind)];
    if (fs_->observer_ != nullptr) fs_->observer_->Before(call_);
  }

  // False: the call fails with no effect, as Refuse() says.
  bool Admitted() {
    if (Stopped()) return false;
    const CallKindSet kind = SetOf(call_.kind);
    if (fs_->crash_armed_ && (fs_->trigger_.kinds & kind) != 0 && IsOf(fs_->trigger_.path_glob) &&
        fs_->trigger_.calls-- == 0) {
      fs_->crash_armed_ = false;
      crash_ = fs_->trigger_.moment;
      crashes_ = true;
      cancellations_ = fs_->cancellations_;
      const bool has_middle = call_.kind == CallKind::kAppend || IsSync(call_.kind);
      if (crash_ == CrashMoment::kBefore || (crash_ == CrashMoment::kMidway && !has_middle)) {
        Crash();
        return false;
      }
    }
    if ((fs_->ruled_calls_ & kind) != 0) ApplyRules();
    if (Stopped()) return false;  // while a latency passed
    if (!effect_.befalls) return true;
    switch (effect_.kind) {
      case EffectKind::kIoError:
        refused_ = Injected(call_, EIO);
        return false;
      case EffectKind::kNoSpace:
        refused_ = Injected(call_, ENOSPC);
        return false;
      default:
        return true;
    }
  }

  Status Refuse() { return End(std::move(refused_)); }

  Status Finish(Status status) {
    if (Crashes() && !fs_->frozen_) {
      Crash();
      status = std::move(refused_);
    }
    return End(std::move(status));
  }

  // How an admitted call goes wrong on its way.
  const Effect& effect() const { return effect_; }
  bool befalls(EffectKind kind) const { return effect_.befalls && effect_.kind == kind; }
  bool crashes_midway() const { return Crashes() && crash_ == CrashMoment::kMidway; }
  FsCall* call() { return &call_; }

  // For a sync, between its start and its end. False if the machine stopped meanwhile.
  bool PassInFlight() {
    if (fs_->observer_ != nullptr) fs_->observer_->InFlight(call_);
    return !Stopped();
  }

  // The effect has broken a promise about `path`.
  void Broke(std::string_view path, uint64_t offset = 0) {
    if (BreaksPromise(effect_.kind)) {
      ++fs_->fired_[static_cast<size_t>(effect_.kind)];
      CountByCall(EffectKindName(effect_.kind));
    }
    if (fs_->observer_ != nullptr) fs_->observer_->Damaged(call_, effect_.kind, path, offset);
  }

  Status DiskFull() {
    ++fs_->disk_full_;
    CountByCall("disk_full");
    return Injected(call_, ENOSPC);
  }

 private:
  void CountByCall(std::string_view effect) {
    std::string cell(CallKindName(call_.kind));
    cell.append(" ").append(effect);
    ++fs_->fired_by_call_[cell];
  }

  // A crash may be cancelled while its call waits.
  bool Crashes() const { return crashes_ && cancellations_ == fs_->cancellations_; }

  bool Stopped() {
    if (fs_->frozen_) {
      refused_ = MachineCrashed(call_);
    } else if (fs_->shut_down_) {
      refused_ = Injected(call_, EIO);
    } else {
      return false;
    }
    return true;
  }

  void Crash() {
    fs_->frozen_ = true;
    refused_ = MachineCrashed(call_);
    if (fs_->observer_ != nullptr) fs_->observer_->Crashed(call_);
  }

  // The file, or either name of a rename.
  bool IsOf(std::string_view glob) const {
    return GlobMatches(glob, call_.path) ||
           (!call_.second_path.empty() && GlobMatches(glob, call_.second_path));
  }

  void ApplyRules() {
    uint64_t delay = 0;
    for (ActiveRule& active : fs_->rules_) {
      const FaultRule& rule = active.rule;
      if ((rule.calls & SetOf(call_.kind)) == 0 || !CanBefall(rule.effect, call_.kind)) continue;
      if (!IsOf(rule.path_glob)) continue;
      if (active.matched++ < rule.skip) continue;
      if (rule.times != FaultRule::kAlways && active.applied >= rule.times) continue;
      if (rule.effect == EffectKind::kLatency) {
        delay += rule.amount;
      } else if (!effect_.befalls) {
        effect_ = {.befalls = true,
                   .kind = rule.effect,
                   .sync_failure = rule.sync_failure,
                   .amount = rule.amount};
      } else {
        continue;
      }
      ++active.applied;
      if (BreaksPromise(rule.effect)) continue;  // Broke counts it, if it comes to that
      ++fs_->fired_[static_cast<size_t>(rule.effect)];
      std::string effect(EffectKindName(rule.effect));
      if (rule.effect == EffectKind::kSyncFail) {
        ++fs_->sync_failures_[static_cast<size_t>(rule.sync_failure)];
        effect.append(":").append(SyncFailureName(rule.sync_failure));
      }
      CountByCall(effect);
    }
    if (delay > 0 && fs_->observer_ != nullptr) fs_->observer_->Delay(call_, delay);
  }

  Status End(Status status) {
    if (fs_->observer_ != nullptr) fs_->observer_->After(call_, status);
    return status;
  }

  FaultFs* const fs_;
  FsCall call_;
  Status refused_;
  bool crashes_ = false;
  uint64_t cancellations_ = 0;  // when it was chosen to crash
  CrashMoment crash_ = CrashMoment::kBefore;
  Effect effect_;
};

// Files. -----------------------------------------------------------------------------------------

class FaultFs::ReadableFile final : public RandomAccessFile {
 public:
  ReadableFile(FaultFs* fs, std::string path, OpenFile file)
      : fs_(fs), path_(std::move(path)), file_(std::move(file)) {}

  Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const override {
    *result = std::string_view();
    Attempt attempt(fs_, {.kind = CallKind::kRead, .path = path_, .offset = offset, .size = n});
    if (!attempt.Admitted()) return attempt.Refuse();
    uint64_t rotten = 0;
    if (attempt.befalls(EffectKind::kBitRot) &&
        fs_->disk_->Rot(file_, offset, n, attempt.effect().amount, false, &rotten)) {
      attempt.Broke(path_, rotten);
    }
    // A block that does not match its checksum is an error to a file system that keeps them.
    if (fs_->disk_->profile().checksums_data && fs_->disk_->IsDamaged(file_, offset, n)) {
      return attempt.Finish(Injected(*attempt.call(), EIO));
    }
    size_t count = 0;
    if (attempt.befalls(EffectKind::kStaleRead) && !fs_->disk_->profile().checksums_data) {
      bool stale = false;
      count = fs_->disk_->ReadStale(file_, offset, n, attempt.effect().amount, scratch, &stale);
      if (stale) attempt.Broke(path_, offset);
    } else {
      count = fs_->disk_->Read(file_, offset, n, scratch);
    }
    if (attempt.befalls(EffectKind::kShortRead) && count > 0) {
      count = std::min<size_t>(count - 1, attempt.effect().amount);
      attempt.Broke(path_, offset + count);
    }
    *result = {scratch, count};
    attempt.call()->data = *result;
    return attempt.Finish(Status::Ok());
  }

  StatusOr<uint64_t> Size() const override {
    Attempt attempt(fs_, {.kind = CallKind::kSize, .path = path_});
    if (!attempt.Admitted()) return attempt.Refuse();
    const uint64_t size = fs_->disk_->Size(file_);
    SHEARPIN_RETURN_IF_ERROR(attempt.Finish(Status::Ok()));
    return size;
  }

 private:
  FaultFs* const fs_;
  const std::string path_;
  const OpenFile file_;
};

class FaultFs::AppendableFile final : public WritableFile {
 public:
  AppendableFile(FaultFs* fs, std::string path, OpenFile file, uint64_t size)
      : fs_(fs), path_(std::move(path)), file_(std::move(file)), size_(size) {}
  ~AppendableFile() override { static_cast<void>(AppendableFile::Close()); }

  Status Append(std::string_view data) override {
    SHEARPIN_CHECK(open_, "Append after Close");
    Attempt attempt(fs_, {.kind = CallKind::kAppend,
                          .path = path_,
                          .offset = size_,
                          .size = data.size(),
                          .data = data});
    if (!attempt.Admitted()) return attempt.Refuse();
    size_t wanted = data.size();
    if (attempt.effect().befalls) {
      wanted = std::min<size_t>(wanted == 0 ? 0 : wanted - 1, attempt.effect().amount);
    }
    if (attempt.crashes_midway()) wanted = std::min<size_t>(wanted, fs_->trigger_.bytes);
    const size_t written = fs_->disk_->Write(file_, size_, data.substr(0, wanted));
    size_ += written;
    if (written < wanted) return attempt.Finish(attempt.DiskFull());
    if (attempt.effect().befalls) return attempt.Finish(Injected(*attempt.call(), EIO));
    return attempt.Finish(Status::Ok());
  }

  Status Sync() override {
    SHEARPIN_CHECK(open_, "Sync after Close");
    Attempt attempt(fs_, {.kind = CallKind::kSync, .path = path_});
    if (!attempt.Admitted()) return attempt.Refuse();
    const SyncTicket ticket = fs_->disk_->StartSync(file_);
    if (!attempt.PassInFlight()) return attempt.Refuse();
    if (attempt.crashes_midway()) return attempt.Finish(Status::Ok());
    Status status = Complete(&attempt, ticket);
    // Whatever a disk reports at a sync goes back to an injected failure.
    return attempt.Finish(std::move(status.MarkInjected()));
  }

  Status Preallocate(uint64_t size) override {
    SHEARPIN_CHECK(open_, "Preallocate after Close");
    Attempt attempt(fs_, {.kind = CallKind::kPreallocate, .path = path_, .size = size});
    if (!attempt.Admitted()) return attempt.Refuse();
    if (size <= size_) return attempt.Finish(Status::Ok());
    if (!fs_->disk_->Allocate(file_, size)) return attempt.Finish(attempt.DiskFull());
    preallocated_ = true;
    return attempt.Finish(Status::Ok());
  }

  Status Close() override {
    if (!open_) return Status::Ok();
    open_ = false;
    Attempt attempt(fs_, {.kind = CallKind::kClose, .path = path_, .size = size_});
    const bool admitted = attempt.Admitted();
    if (admitted && preallocated_) fs_->disk_->Resize(file_, size_);
    if (admitted) Decay(&attempt);
    // The descriptor is gone even when closing fails.
    { const OpenFile closed = std::move(file_); }
    return admitted ? attempt.Finish(Status::Ok()) : attempt.Refuse();
  }

  uint64_t Size() const override { return size_; }

 private:
  // The end of a sync that began with `ticket`, as the effect has it.
  Status Complete(Attempt* attempt, const SyncTicket& ticket) {
    SimDisk* const disk = fs_->disk_;
    const Attempt::Effect& effect = attempt->effect();
    if (!effect.befalls) return disk->FinishSync(&file_, ticket);
    std::string victim;
    switch (effect.kind) {
      case EffectKind::kSyncFail:
        if (effect.sync_failure == SyncFailure::kShutdown) {
          fs_->shut_down_ = true;
          return Injected(*attempt->call(), EIO);
        }
        if (effect.sync_failure == SyncFailure::kReportNext) attempt->Broke(path_);
        return disk->FailSync(&file_, ticket, effect.sync_failure);
      case EffectKind::kLyingFlush:
        attempt->Broke(path_);
        return Status::Ok();
      case EffectKind::kLostWrite:
        if (disk->LoseWrite(ticket, effect.amount)) attempt->Broke(path_);
        return disk->FinishSync(&file_, ticket);
      case EffectKind::kMisdirectedWrite:
        if (disk->MisdirectWrite(ticket, effect.amount, &victim)) {
          attempt->Broke(path_);
          if (!victim.empty()) attempt->Broke(victim);
        }
        return disk->FinishSync(&file_, ticket);
      default:
        break;
    }
    Status status = disk->FinishSync(&file_, ticket);
    Decay(attempt);
    return status;
  }

  // Bit rot in what the platter holds, while the page cache holds what was written.
  void Decay(Attempt* attempt) {
    uint64_t offset = 0;
    if (attempt->befalls(EffectKind::kBitRot) &&
        fs_->disk_->Rot(file_, 0, UINT64_MAX, attempt->effect().amount, true, &offset)) {
      attempt->Broke(path_, offset);
    }
  }

  FaultFs* const fs_;
  const std::string path_;
  OpenFile file_;
  uint64_t size_;
  bool preallocated_ = false;
  bool open_ = true;
};

class FaultFs::Lock final : public FileLock {
 public:
  Lock(FaultFs* fs, OpenFile file) : fs_(fs), file_(std::move(file)) {
    fs_->locked_.push_back(file_.inode());
  }
  ~Lock() override { std::erase(fs_->locked_, file_.inode()); }

 private:
  FaultFs* const fs_;
  const OpenFile file_;
};

// The file system. -------------------------------------------------------------------------------

FaultFs::FaultFs(SimDisk* disk, FsObserver* observer) : disk_(disk), observer_(observer) {}

FaultFs::~FaultFs() { SHEARPIN_CHECK(locked_.empty(), "a lock outlives its file system"); }

void FaultFs::AddRule(const FaultRule& rule) {
  rules_.push_back({.rule = rule});
  ruled_calls_ |= rule.calls;
  if (rule.effect == EffectKind::kStaleRead) disk_->KeepRecycled();
}

void FaultFs::ClearRules() {
  rules_.clear();
  ruled_calls_ = 0;
}

void FaultFs::CrashAtCall(const CrashTrigger& trigger) {
  trigger_ = trigger;
  crash_armed_ = true;
}

void FaultFs::CancelCrash() {
  crash_armed_ = false;
  ++cancellations_;
}

void FaultFs::Freeze() { frozen_ = true; }

StatusOr<std::unique_ptr<RandomAccessFile>> FaultFs::OpenRandomAccess(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kOpenRead, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  StatusOr<OpenFile> file = disk_->Open(path, OpenHow::kRead);
  SHEARPIN_RETURN_IF_ERROR(attempt.Finish(file.status()));
  return std::unique_ptr<RandomAccessFile>(
      std::make_unique<ReadableFile>(this, path, *std::move(file)));
}

StatusOr<std::unique_ptr<WritableFile>> FaultFs::OpenWritable(const std::string& path,
                                                              OpenMode mode) {
  Attempt attempt(
      this, {.kind = CallKind::kOpenWrite, .path = path, .size = static_cast<uint64_t>(mode)});
  if (!attempt.Admitted()) return attempt.Refuse();
  StatusOr<OpenFile> file = disk_->Open(path, HowOf(mode));
  const uint64_t size = file.ok() ? disk_->Size(*file) : 0;
  SHEARPIN_RETURN_IF_ERROR(attempt.Finish(file.status()));
  return std::unique_ptr<WritableFile>(
      std::make_unique<AppendableFile>(this, path, *std::move(file), size));
}

Status FaultFs::CreateDir(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kCreateDir, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  return attempt.Finish(disk_->CreateDir(path));
}

Status FaultFs::RemoveDir(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kRemoveDir, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  return attempt.Finish(disk_->RemoveDir(path));
}

StatusOr<std::vector<std::string>> FaultFs::ListDir(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kListDir, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  StatusOr<std::vector<std::string>> names = disk_->ListDir(path);
  SHEARPIN_RETURN_IF_ERROR(attempt.Finish(names.status()));
  return names;
}

Status FaultFs::SyncDir(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kSyncDir, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  const StatusOr<SyncTicket> ticket = disk_->StartSyncDir(path);
  if (!ticket.ok()) return attempt.Finish(ticket.status());
  if (!attempt.PassInFlight()) return attempt.Refuse();
  if (attempt.crashes_midway()) return attempt.Finish(Status::Ok());
  if (attempt.befalls(EffectKind::kLyingFlush)) {
    attempt.Broke(path);
    return attempt.Finish(Status::Ok());
  }
  if (attempt.effect().befalls) {
    // A journal that cannot be written keeps its entries; no mode makes a directory forget them.
    shut_down_ |= attempt.effect().sync_failure == SyncFailure::kShutdown;
    return attempt.Finish(Injected(*attempt.call(), EIO));
  }
  disk_->FinishSyncDir(*ticket);
  return attempt.Finish(Status::Ok());
}

Status FaultFs::Rename(const std::string& from, const std::string& to) {
  Attempt attempt(this, {.kind = CallKind::kRename, .path = from, .second_path = to});
  if (!attempt.Admitted()) return attempt.Refuse();
  return attempt.Finish(disk_->Rename(from, to));
}

Status FaultFs::Link(const std::string& from, const std::string& to) {
  Attempt attempt(this, {.kind = CallKind::kLink, .path = from, .second_path = to});
  if (!attempt.Admitted()) return attempt.Refuse();
  return attempt.Finish(disk_->Link(from, to));
}

Status FaultFs::Unlink(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kUnlink, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  return attempt.Finish(disk_->Unlink(path));
}

Status FaultFs::Truncate(const std::string& path, uint64_t size) {
  Attempt attempt(this, {.kind = CallKind::kTruncate, .path = path, .size = size});
  if (!attempt.Admitted()) return attempt.Refuse();
  return attempt.Finish(disk_->Truncate(path, size));
}

StatusOr<uint64_t> FaultFs::FileSize(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kSize, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  StatusOr<uint64_t> size = disk_->FileSize(path);
  SHEARPIN_RETURN_IF_ERROR(attempt.Finish(size.status()));
  return size;
}

Status FaultFs::Exists(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kExists, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  return attempt.Finish(disk_->Exists(path));
}

StatusOr<std::unique_ptr<FileLock>> FaultFs::LockFile(const std::string& path) {
  Attempt attempt(this, {.kind = CallKind::kLock, .path = path});
  if (!attempt.Admitted()) return attempt.Refuse();
  StatusOr<OpenFile> file = disk_->Open(path, OpenHow::kLock);
  if (!file.ok()) return attempt.Finish(file.status());
  const bool held = std::count(locked_.begin(), locked_.end(), file->inode()) > 0;
  SHEARPIN_RETURN_IF_ERROR(attempt.Finish(held ? LockBusy(path) : Status::Ok()));
  return std::unique_ptr<FileLock>(std::make_unique<Lock>(this, *std::move(file)));
}

}  // namespace shearpin::faultfs
