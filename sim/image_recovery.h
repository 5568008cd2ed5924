// ImageRecovery: what a subject makes of one image of a disk: opened, read in every way, closed,
// on a machine of its own that has nothing to do with the run the image came from.
//
// Made to be used many thousand times: scheduler and buffers are kept, and nothing is put on
// record. Every recovery starts from the same schedule and the same entropy, so that equal images
// leave equal disks. It is fault-free, or under the plan's rules: then it is tried again as in a
// run, until the faults are lifted for good.
//
// The subject's own threads either take turns as the plan says (kPlan), or get one only where the
// reader waits (kReaderFirst): a merge that the opening made due then ends before it begins.
//
// Thread safety: one OS thread; may run inside a fiber of another scheduler, and another
// ImageRecovery inside one of its own. Ownership: borrows plan, factory and fibers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "faultfs/disk_image.h"
#include "faultfs/fault_fs.h"
#include "faultfs/profile.h"
#include "faultfs/sim_disk.h"
#include "model/crash_oracle.h"
#include "sim/checkpoint_check.h"
#include "sim/execution_backend.h"
#include "sim/failure_class.h"
#include "sim/plan.h"
#include "sim/rng.h"
#include "sim/state_reader.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

// What went wrong; no class means that nothing did.
struct Defect {
  std::optional<FailureClass> failure_class;
  std::string message;
  bool ok() const { return !failure_class.has_value(); }
};

class ImageRecovery {
 public:
  // Where a recovery could crash: right before each call that changes the disk or makes it durable.
  struct Place {
    const faultfs::SimDisk& disk;
    // Everything was read, and pairs() has it: what is there is there for good. The subject is
    // being closed now, or has been.
    bool settled = false;
    uint64_t calls = 0;  // from 1, since the recovery began or since it has been settled
    // What the disk did meanwhile, in this recovery.
    bool sync_failed = false;
    bool damaged = false;
    model::CrashKind harm = model::CrashKind::kClean;
    bool harm_shows = false;  // without a loss of power
  };
  // Called for each of them, and once when the subject has been closed.
  using BeforeChange = std::function<void(const Place& place)>;

  // What is asked of a recovery besides, each the dearer way.
  struct Terms {
    std::span<const CheckpointCopy> checkpoints;  // they are there too
    bool may_refuse = false;     // storage broken before: Corruption and IoError are answers
    bool with_faults = false;    // under the plan's rules
    bool must_progress = false;  // afterwards it takes a write, and has it
  };

  enum class Turns : uint8_t { kPlan, kReaderFirst };

  // `number` tells this machine's entropy from that of others.
  ImageRecovery(const Plan& plan, const faultfs::Profile& profile, SubjectFactory* factory,
                ExecutionBackend* fibers, Turns turns, uint64_t number);
  ~ImageRecovery();
  ImageRecovery(const ImageRecovery&) = delete;
  ImageRecovery& operator=(const ImageRecovery&) = delete;

  // `named`: keys to ask for besides those found.
  Defect Run(const faultfs::DiskImage& image, const std::vector<std::string>& named,
             const Terms& terms, const BeforeChange& before_change = {}) {
    return Run(std::make_unique<faultfs::SimDisk>(image, profile_), named, terms, before_change);
  }
  // On a disk of which something may be pending.
  Defect Run(std::unique_ptr<faultfs::SimDisk> disk, const std::vector<std::string>& named,
             const Terms& terms, const BeforeChange& before_change = {});

  // The last Run ended without a defect, but the subject has refused what was asked of it.
  bool refused() const { return refused_; }
  // After a Run without a defect and not refused: everything found, until the next one.
  std::span<const model::KeyValue> pairs() const { return reader_.pairs(); }

 private:
  class Watcher;
  struct Machine;
  // One Run.
  struct Task {
    const std::vector<std::string>& named;
    const Terms& terms;
    std::unique_ptr<faultfs::SimDisk> disk;
    std::unique_ptr<Watcher> watcher;  // null: nobody looks, and there is no fault
    std::unique_ptr<faultfs::FaultFs> fs;
    bool excused = false;  // the last error is a fault's work or a refusal
  };

  void Boot(Task* task, bool with_faults);
  Defect Recover(Task* task);
  Defect OpenAndRead(Task* task);
  Defect Excuse(Task* task, FailureClass failure_class, const Status& status,
                std::string_view doing);
  Defect CheckCopies(Task* task);
  Defect CheckProgress(Task* task);
  StatusOr<std::unique_ptr<Subject>> Open(Task* task, std::string_view directory, bool read_only);

  const Plan& plan_;
  const Turns turns_;
  const SchedulerSpec spec_;
  const faultfs::Profile profile_;
  SubjectFactory* const factory_;
  ExecutionBackend* const fibers_;
  const uint64_t number_;
  std::unique_ptr<Machine> machine_;
  const model::MayVanish may_vanish_;
  StateReader reader_;
  std::optional<StreamEntropy> entropy_;
  bool refused_ = false;
};

}  // namespace shearpin::sim
