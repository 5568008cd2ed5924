// ImageRecovery: what a subject makes of one image of a disk: opened, read in every way, closed,
// on a machine of its own that has nothing to do with the run the image came from.
//
// Made to be used many thousand times: scheduler and buffers are kept, nothing is put on record,
// and no fault is injected. Every recovery starts from the same schedule and the same entropy, so
// that equal images leave equal disks.
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
#include "faultfs/profile.h"
#include "faultfs/sim_disk.h"
#include "sim/execution_backend.h"
#include "sim/failure_class.h"
#include "sim/plan.h"
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
  // Right before each call of the recovery that changes the disk or makes it durable; `calls`
  // counts from 1. And once when it has ended.
  using BeforeChange = std::function<void(const faultfs::SimDisk& disk, uint64_t calls)>;

  enum class Turns : uint8_t { kPlan, kReaderFirst };

  // `number` tells this machine's entropy from that of others.
  ImageRecovery(const Plan& plan, const faultfs::Profile& profile, SubjectFactory* factory,
                ExecutionBackend* fibers, Turns turns, uint64_t number);
  ~ImageRecovery();
  ImageRecovery(const ImageRecovery&) = delete;
  ImageRecovery& operator=(const ImageRecovery&) = delete;

  // `named`: keys to ask for besides those found.
  Defect Run(const faultfs::DiskImage& image, const std::vector<std::string>& named,
             const BeforeChange& before_change = {});

  // After a Run without a defect: everything found, until the next one.
  std::span<const model::KeyValue> pairs() const { return reader_.pairs(); }

 private:
  class Watcher;
  struct Machine;

  Defect OpenAndRead(faultfs::SimDisk* disk, faultfs::FsObserver* observer,
                     const std::vector<std::string>& named);

  const Plan& plan_;
  const Turns turns_;
  const SchedulerSpec spec_;
  const faultfs::Profile profile_;
  SubjectFactory* const factory_;
  ExecutionBackend* const fibers_;
  const uint64_t number_;
  const std::string directory_;
  std::unique_ptr<Machine> machine_;
  StateReader reader_;
};

}  // namespace shearpin::sim
