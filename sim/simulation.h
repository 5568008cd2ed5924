// Simulation: one run of one plan, from an empty disk to the last check. See simulator.h.
//
// Thread safety: Main is the main fiber of the scheduler; the rest belongs to it. Ownership: owns
// machine and subject, borrows what it is given.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/client_session.h"
#include "sim/crash_chooser.h"
#include "sim/crash_probe.h"
#include "sim/machine.h"
#include "sim/phased_strategy.h"
#include "sim/rarest_recovery.h"
#include "sim/recovery_check.h"
#include "sim/rng.h"
#include "sim/run_context.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

class Simulation {
 public:
  Simulation(const Plan& plan, SubjectFactory* factory, ExecutionBackend* fibers,
             const Trace::Sink& sink, CrashProbe* probe, Recording recording);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Runs to the end or to the first failure. True unless fibers had to be abandoned: then this
  // object must not be destroyed.
  bool Run();

  // After Run.
  RunResult TakeResult();

 private:
  enum class Recovered : uint8_t {
    kYes,
    kCrashed,
    kFailed,
    kRefused,  // the storage had broken its promises, and the subject says so: the run is over
  };
  static bool IsOver(Recovered recovered) {
    return recovered == Recovered::kFailed || recovered == Recovered::kRefused;
  }

  void Main();
  void RunOpenings();

  // Openings.
  StatusOr<std::unique_ptr<Subject>> Open(Machine* machine, std::string_view directory,
                                          bool read_only);
  Recovered Recover(model::CrashKind kind, const model::Verdict* same);
  Recovered CheckRecovered(model::CrashKind kind, const model::Verdict* same);
  void RunClients();
  void RunClient(Opening* opening, uint32_t client);
  void CloseSubject();
  void DiscardSubject();
  bool AllStepsDone() const;

  // Crashes.
  void ArmNextCrash();
  void ShowCrashPoint();
  bool CrashIsDue(const CrashSpec& crash) const;
  bool RecoverFromCrash();
  bool Strike(CrashChoice* choice, bool recovery_crashes, std::optional<model::Verdict>* same);
  bool VerifySiblings(CrashChoice* choice, const std::vector<faultfs::PendingOp>& ops);
  bool VerifyImage(const faultfs::CrashPlan& choice, model::CrashKind kind,
                   model::Verdict* verdict);
  bool RecoverImage(const faultfs::DiskImage& image, model::CrashKind kind,
                    model::Verdict* verdict);
  faultfs::DiskImage ImageOf(const faultfs::CrashPlan& choice);
  bool IsRefusal(RecoveryCheck::Outcome outcome);
  bool CheckReadOnly(Machine* machine, model::CrashKind kind, std::optional<model::Verdict>* found);
  bool CheckCheckpoints(Machine* machine);
  bool CheckCheckpoint(Machine* machine, const CheckpointCopy& copy, bool read_only, bool* refused);
  bool OpenAndCheckImage(Machine* machine, model::CrashKind kind, const model::Verdict* same,
                         model::Verdict* verdict);
  void TellLosses(const faultfs::CrashPlan& choice, const std::vector<faultfs::PendingOp>& ops);
  void BootFrom(std::unique_ptr<faultfs::SimDisk> disk, bool with_cache);
  void Remount();

  // The end.
  void CheckLiveness();
  bool Progress(const Status& status, std::string_view what);
  bool WriteAndReadBack();
  bool MergeAndTidy();
  Status CheckNoOrphans();
  Status CheckAtRest();
  void NoteTree();

  void BeginPhase(std::string_view name, uint64_t number);
  static model::CrashKind Worse(model::CrashKind a, model::CrashKind b);
  model::CrashKind AtLeastSuspect(model::CrashKind kind) const;

  const Plan& plan_;
  const Recording recording_;
  SubjectFactory* const factory_;
  CrashProbe* const probe_;  // may be null
  faultfs::Profile profile_;
  Trace trace_;
  VirtualClock clock_;
  PhasedStrategy strategy_;
  DeterministicScheduler scheduler_;
  RunContext context_;
  RecoveryCheck check_;
  CrashChooser chooser_;
  RarestRecovery rarest_;  // among the siblings of the crash at hand
  std::optional<StreamEntropy> entropy_;
  bool flush_on_close_ = false;
  bool verify_on_open_ = false;

  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Subject> subject_;
  StopReason stop_ = StopReason::kNone;
  std::vector<uint32_t> next_step_;  // by client
  size_t next_crash_ = 0;
  bool crash_armed_ = false;
  // From where on a crash of the plan that stood here would count its calls: Machine::changes() of
  // then. Nothing while no crash could come.
  std::optional<uint64_t> strikes_from_;
  bool healed_ = false;
  uint64_t openings_ = 0;
  uint64_t images_ = 0;
  uint64_t crash_number_ = 0;

  // The worst crash since the model last knew the state for certain, and how many failed syncs
  // the machine had then.
  model::CrashKind worst_ = model::CrashKind::kClean;
  bool suspect_ = false;
  // What machines before this one did to it meanwhile.
  model::CrashKind harm_ = model::CrashKind::kClean;
  uint64_t known_failed_syncs_ = 0;
};

}  // namespace shearpin::sim
