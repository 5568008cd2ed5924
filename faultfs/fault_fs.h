// FaultFs: the FileSystem of one simulated process on a SimDisk, with faults by rule and a crash
// on a given call.
//
// It is mechanism and owns no randomness: which rules stand and when the machine crashes is told
// to it. After a crash (CrashAtCall, Freeze) the disk no longer changes and every call fails with
// an injected IoError; the engine above is then shut down normally, while images are taken from
// the disk it can no longer reach.
//
// Thread safety: fibers of one OS thread; the observer's callbacks may switch between them.
// Ownership: disk and observer are not owned; files and locks must be destroyed before the
// FaultFs and the disk. Every error that a rule or a crash made is MarkInjected().
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/env/file_system.h"
#include "faultfs/fault_rule.h"
#include "faultfs/fs_call.h"
#include "faultfs/sim_disk.h"

namespace shearpin::faultfs {

class FsObserver {
 public:
  virtual ~FsObserver() = default;
  // Before the call has any effect: a scheduling point.
  virtual void Before(const FsCall& call) { static_cast<void>(call); }
  // Between the start and the completion of a sync: what other fibers write now is not covered
  // by it. Also a scheduling point.
  virtual void InFlight(const FsCall& call) { static_cast<void>(call); }
  // A kLatency rule fired: let that much simulated time pass. Comes after Before.
  virtual void Delay(const FsCall& call, uint64_t micros) {
    static_cast<void>(call);
    static_cast<void>(micros);
  }
  // A promise was broken, and the call will not say so: `path` is not what it should be. Comes
  // before After; the offset is where in the file, if that is known.
  virtual void Damaged(const FsCall& call, EffectKind effect, std::string_view path,
                       uint64_t offset) {
    static_cast<void>(call);
    static_cast<void>(effect);
    static_cast<void>(path);
    static_cast<void>(offset);
  }
  // The call has its effect and result. Last callback of every call.
  virtual void After(const FsCall& call, const Status& result) {
    static_cast<void>(call);
    static_cast<void>(result);
  }
  // The crash trigger went off within this call. The disk holds what it will ever hold.
  virtual void Crashed(const FsCall& call) { static_cast<void>(call); }
};

// Where within its call a crash comes.
enum class CrashMoment : uint8_t {
  kBefore,  // the call has no effect
  kMidway,  // an append has written CrashTrigger::bytes; a sync has started; else as kBefore
  kAfter,   // the call has its whole effect, and nobody hears of it
};
std::string_view CrashMomentName(CrashMoment moment);

struct CrashTrigger {
  uint64_t calls = 0;  // the (calls + 1)-th matching call from now
  CallKindSet kinds = kAllCalls;
  std::string path_glob = "*";  // as in a FaultRule: the file's path, or either of a rename's
  CrashMoment moment = CrashMoment::kBefore;
  uint64_t bytes = 0;  // kMidway
};

class FaultFs final : public FileSystem {
 public:
  // `observer` may be null.
  FaultFs(SimDisk* disk, FsObserver* observer);
  ~FaultFs() override;

  // Rules are tried in the order they were added. Several latencies add up; of the other effects
  // the first that fires is applied.
  void AddRule(const FaultRule& rule);
  void ClearRules();

  void CrashAtCall(const CrashTrigger& trigger);
  // Also one whose call has begun and waits: no crash comes after this, unless a new one is set.
  void CancelCrash();
  // The machine stops now.
  void Freeze();
  bool frozen() const { return frozen_; }

  uint64_t calls() const { return calls_; }
  // How often each effect was applied, by EffectKind, and each mode of sync_fail. A promise counts
  // where it was broken.
  const std::array<uint64_t, kEffectKinds>& fired() const { return fired_; }
  const std::array<uint64_t, 4>& sync_failures() const { return sync_failures_; }
  // The same by call, those that happened: "sync eio", "append disk_full", "sync
  // sync_fail:shutdown".
  const std::map<std::string, uint64_t>& fired_by_call() const { return fired_by_call_; }
  // Calls by CallKind.
  const std::array<uint64_t, kCallKinds>& calls_by_kind() const { return calls_by_kind_; }
  // How often the byte budget of the disk refused something.
  uint64_t disk_full() const { return disk_full_; }

  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override;
  StatusOr<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                       OpenMode mode) override;
  Status CreateDir(const std::string& path) override;
  Status RemoveDir(const std::string& path) override;
  StatusOr<std::vector<std::string>> ListDir(const std::string& path) override;
  Status SyncDir(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Unlink(const std::string& path) override;
  Status Truncate(const std::string& path, uint64_t size) override;
  StatusOr<uint64_t> FileSize(const std::string& path) override;
  Status Exists(const std::string& path) override;
  StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;

 private:
  class ReadableFile;
  class AppendableFile;
  class Lock;
  class Attempt;
  struct ActiveRule {
    FaultRule rule;
    uint64_t matched = 0;
    uint64_t applied = 0;
  };

  SimDisk* const disk_;
  FsObserver* const observer_;
  std::vector<ActiveRule> rules_;
  CallKindSet ruled_calls_ = 0;   // the union of the rules' calls
  std::vector<uint32_t> locked_;  // inodes
  bool crash_armed_ = false;
  uint64_t cancellations_ = 0;
  CrashTrigger trigger_;
  bool frozen_ = false;
  bool shut_down_ = false;
  uint64_t calls_ = 0;
  std::array<uint64_t, kEffectKinds> fired_ = {};
  std::array<uint64_t, 4> sync_failures_ = {};
  uint64_t disk_full_ = 0;
  std::map<std::string, uint64_t> fired_by_call_;
  std::array<uint64_t, kCallKinds> calls_by_kind_ = {};
};

}  // namespace shearpin::faultfs
