#include "sim/image_recovery.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "sim/damage_check.h"
#include "sim/deterministic_scheduler.h"
#include "sim/harm.h"
#include "sim/outcome_class.h"
#include "sim/phased_strategy.h"
#include "sim/plan_terms.h"
#include "sim/rng.h"
#include "sim/store_paths.h"
#include "sim/trace.h"
#include "sim/virtual_clock.h"

namespace shearpin::sim {
namespace {

// A recovery takes some hundred.
constexpr uint64_t kMostPoints = 2'000'000;

// For a machine on which who runs goes on until he waits.
SchedulerSpec ReaderFirst(SchedulerSpec spec) {
  spec.strategy = "random-walk";
  return spec;
}

}  // namespace

// What a deadlock spoils: abandoned fibers refer to it.
struct ImageRecovery::Machine {
  Machine(const SchedulerSpec& spec, Turns turns, ExecutionBackend* fibers)
      : strategy(spec, Recording::kOff),
        scheduler(fibers, &clock, &strategy, &trace,
                  {.max_points = kMostPoints,
                   .micros_per_point = spec.micros_per_point,
                   .run_to_wait = turns == Turns::kReaderFirst}) {}

  VirtualClock clock;
  Trace trace;
  PhasedStrategy strategy;
  DeterministicScheduler scheduler;
};

// Tells of the calls that a strike would count, and remembers what the disk did.
class ImageRecovery::Watcher final : public faultfs::FsObserver {
 public:
  // No place is told if `before_change` is empty.
  Watcher(Machine* machine, const BeforeChange* before_change)
      : machine_(machine), before_change_(before_change) {}

  void Attach(const faultfs::SimDisk* disk, const faultfs::FaultFs* fs) {
    disk_ = disk;
    fs_ = fs;
    if (!disk->profile().honours_flush) harm_ = model::CrashKind::kBrokenStorage;
  }
  // Of what follows a plan cannot name the places.
  void Mute() { muted_ = true; }

  void Before(const faultfs::FsCall& call) override {
    machine_->scheduler.Point(faultfs::CallKindName(call.kind).data());
    if ((faultfs::SetOf(call.kind) & faultfs::kMutatingCalls) != 0) Tell();
  }
  void InFlight(const faultfs::FsCall&) override { machine_->scheduler.Point("in-flight"); }
  void Delay(const faultfs::FsCall&, uint64_t micros) override {
    machine_->scheduler.Stall(micros);
  }
  void Damaged(const faultfs::FsCall& call, faultfs::EffectKind effect, std::string_view path,
               uint64_t offset) override {
    damaged_ = true;
    const model::CrashKind harm = HarmOf(call, effect, path, offset);
    if (harm == model::CrashKind::kClean) return;
    harm_ = model::Together(harm_, harm);
    harm_shows_ |= effect != faultfs::EffectKind::kLyingFlush;
  }
  void After(const faultfs::FsCall& call, const Status& result) override {
    damaged_ |=
        !result.ok() && call.kind == faultfs::CallKind::kSync && !disk_->profile().honours_flush;
  }

  void Settle() {
    settled_ = true;
    calls_ = 0;
  }
  void Tell() {
    if (muted_ || !*before_change_) return;
    const auto& failures = fs_->sync_failures();
    (*before_change_)({.disk = *disk_,
                       .settled = settled_,
                       .calls = ++calls_,
                       .sync_failed = std::any_of(failures.begin(), failures.end(),
                                                  [](uint64_t times) { return times != 0; }),
                       .damaged = damaged_,
                       .harm = harm_,
                       .harm_shows = harm_shows_});
  }
  bool damaged() const { return damaged_; }

 private:
  Machine* const machine_;
  const BeforeChange* const before_change_;
  const faultfs::SimDisk* disk_ = nullptr;
  const faultfs::FaultFs* fs_ = nullptr;
  bool muted_ = false;
  bool settled_ = false;
  uint64_t calls_ = 0;
  bool damaged_ = false;
  model::CrashKind harm_ = model::CrashKind::kClean;
  bool harm_shows_ = false;
};

ImageRecovery::ImageRecovery(const Plan& plan, const faultfs::Profile& profile,
                             SubjectFactory* factory, ExecutionBackend* fibers, Turns turns,
                             uint64_t number)
    : plan_(plan),
      turns_(turns),
      spec_(turns == Turns::kPlan ? plan.scheduler : ReaderFirst(plan.scheduler)),
      profile_(profile),
      factory_(factory),
      fibers_(fibers),
      number_(number),
      machine_(std::make_unique<Machine>(spec_, turns_, fibers)),
      may_vanish_(MayVanishOf(plan)),
      reader_(may_vanish_) {}

ImageRecovery::~ImageRecovery() = default;

Defect ImageRecovery::Run(std::unique_ptr<faultfs::SimDisk> disk,
                          const std::vector<std::string>& named, const Terms& terms,
                          const BeforeChange& before_change) {
  machine_->strategy.Begin("recovery", number_);
  refused_ = false;
  Task task = {.named = named, .terms = terms, .disk = std::move(disk), .watcher = {}, .fs = {}};
  Defect defect;
  const RunReport report = machine_->scheduler.Run([&] {
    if (before_change || terms.with_faults) {
      task.watcher = std::make_unique<Watcher>(machine_.get(), &before_change);
    }
    defect = Recover(&task);
    if (!defect.ok() || refused_) return;
    if (task.watcher != nullptr) {
      task.watcher->Tell();
      task.watcher->Mute();
    }
    task.fs->ClearRules();
    task.disk->SetCapacity(UINT64_MAX);
    defect = CheckCopies(&task);
    if (defect.ok() && terms.must_progress) defect = CheckProgress(&task);
  });
  if (report.ok()) return defect;
  // Its fibers are abandoned and still refer to all of it.
  static_cast<void>(machine_.release());
  static_cast<void>(task.fs.release());
  static_cast<void>(task.watcher.release());
  static_cast<void>(task.disk.release());
  machine_ = std::make_unique<Machine>(spec_, turns_, fibers_);
  return {ClassOf(report.outcome), report.description};
}

void ImageRecovery::Boot(Task* task, bool with_faults) {
  task->fs = std::make_unique<faultfs::FaultFs>(task->disk.get(), task->watcher.get());
  if (task->watcher != nullptr) task->watcher->Attach(task->disk.get(), task->fs.get());
  if (!with_faults) return;
  for (const std::string& text : plan_.faults) {
    const StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
    SHEARPIN_CHECK(rule.ok(), "the plan's parser or generator let a malformed fault through");
    task->fs->AddRule(*rule);
  }
  if (plan_.capacity != 0) task->disk->SetCapacity(plan_.capacity);
}

// As Simulation recovers: an error that a fault stands behind is tried again, for the last times
// without faults.
Defect ImageRecovery::Recover(Task* task) {
  bool faulty = task->terms.with_faults;
  Boot(task, faulty);
  for (int attempt = 1;; ++attempt) {
    constexpr auto kShutdown = static_cast<size_t>(faultfs::SyncFailure::kShutdown);
    if (task->fs->sync_failures()[kShutdown] != 0) {
      // It is mounted again, with what was durable.
      faultfs::CrashPlan nothing;
      nothing.keep = faultfs::KeepRule::kNone;
      const faultfs::DiskImage image = task->disk->Materialise(nothing);
      task->fs.reset();
      task->disk = std::make_unique<faultfs::SimDisk>(image, profile_);
      Boot(task, faulty);
      task->watcher->Mute();
    }
    task->excused = false;
    Defect defect = OpenAndRead(task);
    if (defect.ok() || !task->excused) return defect;
    const bool broken =
        task->terms.may_refuse || (task->watcher != nullptr && task->watcher->damaged());
    if (!task->terms.with_faults || attempt > kFaultyAttempts + 1) {
      if (!broken) return defect;
      refused_ = true;
      return {};
    }
    if (attempt == kFaultyAttempts) {
      faulty = false;
      task->fs->ClearRules();
      task->disk->SetCapacity(UINT64_MAX);
    }
  }
}

StatusOr<std::unique_ptr<Subject>> ImageRecovery::Open(Task* task, std::string_view directory,
                                                       bool read_only) {
  SubjectConfig config;
  config.env.file_system = task->fs.get();
  config.env.clock = &machine_->clock;
  config.env.scheduler = &machine_->scheduler;
  config.env.entropy = &*entropy_;
  config.directory = directory;
  config.options = plan_.options;
  config.read_only = read_only;
  return factory_->Open(config);
}

// The defect that an error is, unless it turns out to be excused.
Defect ImageRecovery::Excuse(Task* task, FailureClass failure_class, const Status& status,
                             std::string_view doing) {
  const bool broken =
      task->terms.may_refuse || (task->watcher != nullptr && task->watcher->damaged());
  task->excused = status.injected() || (broken && (status.IsCorruption() || status.IsIoError()));
  return {failure_class, std::string(doing) + status.ToString()};
}

Defect ImageRecovery::OpenAndRead(Task* task) {
  entropy_.emplace(Rng::Stream(plan_.entropy_seed, "recovery", number_));
  StatusOr<std::unique_ptr<Subject>> opened = Open(task, kStoreDirectory, false);
  if (!opened.ok()) return Excuse(task, FailureClass::kWillNotOpen, opened.status(), "");
  const std::unique_ptr<Subject> subject = *std::move(opened);
  const bool broken =
      task->terms.may_refuse || (task->watcher != nullptr && task->watcher->damaged());
  const DamageCheck damage(broken, *task->disk, subject.get());
  model::Violation violation;
  Status status = reader_.Read(subject.get(), task->named, &violation);
  std::string missed;
  if (broken && status.ok() && violation.ok()) {
    status = subject->VerifyChecksums();
    if (status.ok()) missed = damage.Missed(subject.get());
  }
  if (task->watcher != nullptr && status.ok() && violation.ok()) task->watcher->Settle();
  const Status closed = subject->Close();
  if (!violation.ok()) return {ClassOf(violation.failure_class), violation.message};
  if (!missed.empty()) return {FailureClass::kUndetectedDamage, std::move(missed)};
  constexpr std::string_view kDoing = "reading or closing a recovered store: ";
  if (!status.ok()) return Excuse(task, FailureClass::kUnexpectedError, status, kDoing);
  if (closed.ok()) return {};
  // What was found, was found.
  Defect defect = Excuse(task, FailureClass::kUnexpectedError, closed, kDoing);
  return task->excused ? Defect() : defect;
}

Defect ImageRecovery::CheckCopies(Task* task) {
  for (const CheckpointCopy& copy : task->terms.checkpoints) {
    for (const bool read_only : {true, false}) {
      const CheckpointFinding found = CheckCheckpoint(
          copy, read_only,
          [&](std::string_view directory, bool reads) { return Open(task, directory, reads); },
          may_vanish_);
      if (!found.violation.ok()) {
        return {ClassOf(found.violation.failure_class), found.violation.message};
      }
      if (found.status.ok()) continue;
      Defect defect =
          Excuse(task, FailureClass::kUnexpectedError, found.status, found.doing + ": ");
      if (!task->excused) return defect;
      // Where none can be read any more, a writer would make one anew.
      break;
    }
  }
  return {};
}

// The faults are over: it opens again, and a durable write goes in and can be read.
Defect ImageRecovery::CheckProgress(Task* task) {
  constexpr std::string_view kKey = "progress";
  const auto stuck = [task](const Status& status, std::string_view doing) {
    if (task->terms.may_refuse || (task->watcher != nullptr && task->watcher->damaged())) {
      return Defect();
    }
    return Defect{FailureClass::kNoProgress, "after a recovery without faults, " +
                                                 std::string(doing) + ": " + status.ToString()};
  };
  StatusOr<std::unique_ptr<Subject>> opened = Open(task, kStoreDirectory, false);
  if (!opened.ok()) return stuck(opened.status(), "opening again");
  const std::unique_ptr<Subject> subject = *std::move(opened);
  const std::unique_ptr<SubjectBatch> batch = subject->NewBatch();
  batch->Put(kKey, "made");
  std::string value;
  Status status = subject->Write(batch.get(), shearpin::Durability::kSync);
  if (!status.ok()) return stuck(status, "a write");
  status = subject->Get(kKey, nullptr, &value);
  if (!status.ok() && !may_vanish_) return stuck(status, "a read of what was written");
  status = subject->Close();
  return status.ok() ? Defect() : stuck(status, "closing");
}

}  // namespace shearpin::sim
