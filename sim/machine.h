// Machine: one boot of the simulated computer: a disk, the file system of the one process that
// runs on it, and a record of every call.
//
// As its clock goes on, the machine commits its journal, writes back dirty data that has expired,
// and evicts clean pages, as the plan's kernel line says.
//
// Each call is a scheduling point, and so is the time between the start and the end of a sync.
// Thread safety: fibers of the context's scheduler. Ownership: owns disk and file system, borrows
// the context; the subject that runs on it is destroyed first.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>

#include "engine/env/env.h"
#include "faultfs/fault_fs.h"
#include "faultfs/sim_disk.h"
#include "sim/run_context.h"
#include "sim/store_paths.h"

namespace shearpin::sim {

class Machine : public faultfs::FsObserver {
 public:
  // Right before a call that changes the disk or makes it durable has its effect. Must not come to
  // a scheduling point of the machine's own scheduler.
  using BeforeChange = std::function<void()>;

  Machine(std::unique_ptr<faultfs::SimDisk> disk, RunContext* context,
          BeforeChange before_change = {});
  ~Machine() override;

  faultfs::SimDisk& disk() { return *disk_; }
  faultfs::FaultFs& fs() { return fs_; }
  bool crashed() const { return fs_.frozen(); }

  // The plan's fault rules. Their counters begin anew on each machine.
  void AddFaults(const std::vector<std::string>& rules);
  // The faults are over and the disk has room.
  void Heal();
  void SetCapacity(uint64_t bytes);  // 0: without limit
  void Arm(const Strike& strike);

  // The machine stops now.
  void Stop();
  // Clean pages are dropped from the cache.
  void Evict();

  // What a recovery on this disk owes after a loss of power, by the promises that the disk broke
  // to logs and names; kClean: all that one owes elsewhere. And whether that shows without one.
  model::CrashKind harm() const { return harm_; }
  bool harm_shows() const { return harm_shows_; }
  // The same disk, in the hands of another process.
  void InheritHarm(const Machine& before);

  // Calls so far that a strike counts.
  uint64_t changes() const { return changes_; }

  // The file system has stopped after a failed sync: it has to be mounted again.
  bool shut_down() const;
  // Syncs that failed so far: since then, even a reopening may find what a loss of power leaves.
  uint64_t failed_syncs() const;
  // Faults that have struck so far and may have made a call fail.
  uint64_t faults_fired() const;
  // Calls of one kind that failed so far.
  uint64_t failed_calls(faultfs::CallKind kind) const {
    return failed_calls_[static_cast<size_t>(kind)];
  }

  void Before(const faultfs::FsCall& call) override;
  void InFlight(const faultfs::FsCall& call) override;
  void Delay(const faultfs::FsCall& call, uint64_t micros) override;
  void After(const faultfs::FsCall& call, const Status& result) override;
  void Damaged(const faultfs::FsCall& call, faultfs::EffectKind effect, std::string_view path,
               uint64_t offset) override;
  void Crashed(const faultfs::FsCall& call) override;

 private:
  RunContext* const context_;
  const std::unique_ptr<faultfs::SimDisk> disk_;
  faultfs::FaultFs fs_;
  const BeforeChange before_change_;
  uint64_t changes_ = 0;
  std::array<uint64_t, faultfs::kCallKinds> failed_calls_ = {};
  model::CrashKind harm_ = model::CrashKind::kClean;
  bool harm_shows_ = false;

  // Background work. It is done when the next call comes or the machine stops: in between nobody
  // can tell.
  void CatchUp();
  struct Mark {
    uint64_t micros = 0;
    uint64_t position = 0;  // of the disk's log
  };
  std::deque<Mark> marks_;  // the commits whose operations may still be there
  uint64_t next_commit_ = 0;
  uint64_t next_evict_ = 0;
};

}  // namespace shearpin::sim
