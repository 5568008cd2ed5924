#include "sim/image_recovery.h"

#include <utility>

#include "faultfs/fault_fs.h"
#include "sim/deterministic_scheduler.h"
#include "sim/outcome_class.h"
#include "sim/phased_strategy.h"
#include "sim/plan_terms.h"
#include "sim/rng.h"
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

// Tells of the calls that a strike would count.
class ImageRecovery::Watcher final : public faultfs::FsObserver {
 public:
  Watcher(Machine* machine, const faultfs::SimDisk* disk, const BeforeChange* before_change)
      : machine_(machine), disk_(disk), before_change_(before_change) {}

  void Before(const faultfs::FsCall& call) override {
    machine_->scheduler.Point(faultfs::CallKindName(call.kind).data());
    if ((faultfs::SetOf(call.kind) & faultfs::kMutatingCalls) == 0) return;
    (*before_change_)(*disk_, ++calls_);
  }
  void AtEnd() { (*before_change_)(*disk_, ++calls_); }

 private:
  Machine* const machine_;
  const faultfs::SimDisk* const disk_;
  const BeforeChange* const before_change_;
  uint64_t calls_ = 0;
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
      directory_("/db"),
      machine_(std::make_unique<Machine>(spec_, turns_, fibers)),
      reader_(MayVanishOf(plan)) {}

ImageRecovery::~ImageRecovery() = default;

Defect ImageRecovery::Run(const faultfs::DiskImage& image, const std::vector<std::string>& named,
                          const BeforeChange& before_change) {
  machine_->strategy.Begin("recovery", number_);
  Defect defect;
  const RunReport report = machine_->scheduler.Run([&] {
    faultfs::SimDisk disk(image, profile_);
    if (!before_change) {
      defect = OpenAndRead(&disk, nullptr, named);
      return;
    }
    Watcher watcher(machine_.get(), &disk, &before_change);
    defect = OpenAndRead(&disk, &watcher, named);
    watcher.AtEnd();
  });
  if (report.ok()) return defect;
  // Its fibers are abandoned and still refer to it.
  static_cast<void>(machine_.release());
  machine_ = std::make_unique<Machine>(spec_, turns_, fibers_);
  return {ClassOf(report.outcome), report.description};
}

Defect ImageRecovery::OpenAndRead(faultfs::SimDisk* disk, faultfs::FsObserver* observer,
                                  const std::vector<std::string>& named) {
  faultfs::FaultFs fs(disk, observer);
  StreamEntropy entropy(Rng::Stream(plan_.entropy_seed, "recovery", number_));
  SubjectConfig config;
  config.env.file_system = &fs;
  config.env.clock = &machine_->clock;
  config.env.scheduler = &machine_->scheduler;
  config.env.entropy = &entropy;
  config.directory = directory_;
  config.options = plan_.options;
  StatusOr<std::unique_ptr<Subject>> opened = factory_->Open(config);
  if (!opened.ok()) return {FailureClass::kWillNotOpen, opened.status().ToString()};
  const std::unique_ptr<Subject> subject = *std::move(opened);
  model::Violation violation;
  Status status = reader_.Read(subject.get(), named, &violation);
  const Status closed = subject->Close();
  if (!violation.ok()) return {ClassOf(violation.failure_class), violation.message};
  if (status.ok()) status = closed;
  if (status.ok()) return {};
  return {FailureClass::kUnexpectedError,
          "reading or closing a recovered store: " + status.ToString()};
}

}  // namespace shearpin::sim
