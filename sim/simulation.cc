#include "sim/simulation.h"

#include <algorithm>

#include "engine/base/check.h"
#include "sim/outcome_class.h"
#include "sim/plan_terms.h"
#include "sim/story.h"

namespace shearpin::sim {
namespace {

using faultfs::CrashPlan;
using faultfs::DiskImage;
using faultfs::SimDisk;
using model::CrashKind;
using model::Verdict;

// A run of the generator's size takes some ten thousand points.
constexpr uint64_t kMostPoints = 20'000'000;

}  // namespace

Simulation::Simulation(const Plan& plan, SubjectFactory* factory, ExecutionBackend* fibers,
                       const Trace::Sink& sink, CrashProbe* probe, Recording recording)
    : plan_(plan),
      recording_(recording),
      factory_(factory),
      probe_(probe),
      profile_(*faultfs::FindProfile(plan.profile)),
      strategy_(plan.scheduler, recording),
      scheduler_(fibers, &clock_, &strategy_, &trace_,
                 {.max_points = kMostPoints, .micros_per_point = plan.scheduler.micros_per_point}),
      context_(plan, &trace_, &scheduler_),
      check_(&context_),
      chooser_(Rng::Stream(plan.crash_seed, "crashes")),
      rarest_(&context_.events()),
      next_step_(plan.clients.size(), 0) {
  if (sink) {
    trace_.SetSink([this, sink](std::string_view line) {
      sink(StoryLine(clock_.NowMicros() - VirtualClock::kStartMicros, scheduler_.current_name(),
                     line));
    });
  }
  if (BreaksPromises(plan)) context_.model().KeepPast();
  profile_.powersafe_overwrite = plan.powersafe_overwrite;
  for (const auto& [name, value] : plan.options) {
    if (name == "flush_on_close") flush_on_close_ = value != 0;
    if (name == "verify_on_open") verify_on_open_ = value != 0;
  }
}

bool Simulation::Run() {
  const RunReport report = scheduler_.Run([this] { Main(); });
  if (report.ok()) return true;
  context_.Fail(ClassOf(report.outcome), report.description + context_.DescribeClients());
  context_.result().abandoned = true;
  return false;
}

RunResult Simulation::TakeResult() {
  RunResult& result = context_.result();
  for (int i = 0; i < static_cast<int>(EventKind::kNumEventKinds); ++i) {
    const auto kind = static_cast<EventKind>(i);
    if (const uint64_t count = context_.events().count(kind); count != 0) {
      result.events[std::string(EventKindName(kind))] = count;
    }
  }
  if (scheduler_.spurious_wakeups() != 0) {
    result.faults["spurious_wakeup"] = scheduler_.spurious_wakeups();
  }
  result.scheduling_points = scheduler_.points();
  result.simulated_micros = clock_.NowMicros() - VirtualClock::kStartMicros;
  result.digest = trace_.Digest();
  strategy_.End();
  result.schedule_divergences = strategy_.divergences();
  result.first_divergence = strategy_.first_divergence();
  if (recording_ == Recording::kOn) result.plan.scheduler = strategy_.TakeRecorded();
  return std::move(result);
}

void Simulation::Main() {
  BootFrom(std::make_unique<SimDisk>(profile_), false);
  strikes_from_ = 0;
  if (!plan_.crashes.empty() && plan_.crashes[0].start.after == CrashStart::After::kBoot) {
    ArmNextCrash();
  }
  RunOpenings();
  strikes_from_.reset();
  // On storage that broke its promises nothing is owed but not to lie.
  if (!context_.failed() && !context_.storage_broken()) CheckLiveness();
  subject_.reset();
  machine_.reset();
}

// Each round opens the subject, from what a crash left or where it was closed, lets the clients go
// on, and closes it.
void Simulation::RunOpenings() {
  CrashKind kind = CrashKind::kClean;
  for (;;) {
    const bool was_crashed = machine_->crashed();
    if (was_crashed) {
      if (!RecoverFromCrash()) return;
    } else {
      const Recovered recovered = Recover(kind, nullptr);
      if (IsOver(recovered)) return;
      if (recovered == Recovered::kCrashed) continue;
    }
    if (!CheckCheckpoints(machine_.get())) return;
    if (was_crashed) strikes_from_ = machine_->changes();
    ArmNextCrash();
    RunClients();
    if (context_.failed()) return;
    if (stop_ == StopReason::kNone && AllStepsDone()) {
      Status rest = subject_->WaitForBackground();
      if (rest.ok()) rest = CheckAtRest();
      if (!rest.ok() && !context_.CheckInjected(rest, "at rest")) return;
    }
    CloseSubject();
    if (context_.failed()) return;
    if (machine_->crashed()) continue;
    if (AllStepsDone()) {
      ShowCrashPoint();
      if (next_crash_ == plan_.crashes.size()) return;
      machine_->Stop();  // the workload is over and the crash has not come: it comes now
      continue;
    }
    ++context_.result().reopenings;
    kind = stop_ == StopReason::kErrored ? CrashKind::kProcessDeath : CrashKind::kClean;
  }
}

bool Simulation::AllStepsDone() const {
  for (size_t i = 0; i < next_step_.size(); ++i) {
    if (next_step_[i] < plan_.clients[i].size()) return false;
  }
  return true;
}

void Simulation::BeginPhase(std::string_view name, uint64_t number) {
  trace_.RecordUntold("phase", name, number);
  trace_.Note("phase:", name, number);
  strategy_.Begin(name, number);
  scheduler_.RenewBudgets();
  entropy_.emplace(Rng::Stream(plan_.entropy_seed, name, number));
}

// From what a loss of power left, or with the page cache as it is.
void Simulation::BootFrom(std::unique_ptr<SimDisk> disk, bool with_cache) {
  const std::unique_ptr<Machine> before = std::move(machine_);
  Machine::BeforeChange before_change;
  if (probe_ != nullptr) before_change = [this] { ShowCrashPoint(); };
  machine_ = std::make_unique<Machine>(std::move(disk), &context_, std::move(before_change));
  if (before != nullptr) {
    suspect_ = suspect_ || before->failed_syncs() > known_failed_syncs_;
    if (with_cache) {
      machine_->InheritHarm(*before);
    } else {
      harm_ = model::Together(harm_, before->harm());
    }
  }
  known_failed_syncs_ = 0;
  if (healed_) return;
  machine_->AddFaults(plan_.faults);
  machine_->SetCapacity(plan_.capacity);
}

CrashKind Simulation::Worse(CrashKind a, CrashKind b) { return std::max(a, b); }

// After a failed sync even the page cache may have lost what was in it; and what else the disk did
// to what it was given.
CrashKind Simulation::AtLeastSuspect(CrashKind kind) const {
  const bool suspect = suspect_ || machine_->failed_syncs() > known_failed_syncs_;
  if (suspect || machine_->harm_shows()) kind = Worse(kind, CrashKind::kPowerLoss);
  if (kind < CrashKind::kPowerLoss) return kind;
  return Worse(kind, model::Together(harm_, machine_->harm()));
}

StatusOr<std::unique_ptr<Subject>> Simulation::Open(Machine* machine, std::string_view directory,
                                                    bool read_only) {
  SubjectConfig config;
  config.env.file_system = &machine->fs();
  config.env.clock = &clock_;
  config.env.scheduler = &scheduler_;
  config.env.entropy = &*entropy_;
  config.directory = directory;
  config.read_only = read_only;
  config.options = plan_.options;
  config.listener = &context_.events();
  if (!verify_on_open_ || read_only || directory != kStoreDirectory) return factory_->Open(config);
  const DamageCheck damage(context_.storage_broken(), machine->disk(), nullptr);
  StatusOr<std::unique_ptr<Subject>> opened = factory_->Open(config);
  if (opened.ok()) context_.CheckDamage(damage, opened->get());
  return opened;
}

Simulation::Recovered Simulation::Recover(CrashKind kind, const Verdict* same) {
  for (int attempt = 1;; ++attempt) {
    if (machine_->shut_down()) Remount();
    BeginPhase("opening", openings_++);
    StatusOr<std::unique_ptr<Subject>> opened = Open(machine_.get(), kStoreDirectory, false);
    if (opened.ok()) {
      subject_ = std::move(*opened);
      const Recovered recovered = CheckRecovered(Worse(kind, worst_), same);
      if (recovered == Recovered::kYes) return recovered;
      DiscardSubject();
      if (recovered == Recovered::kFailed || context_.failed()) return Recovered::kFailed;
    } else if (!context_.IsExcused(opened.status()) ||
               (attempt > kFaultyAttempts + 1 && !context_.storage_broken())) {
      context_.Fail(FailureClass::kWillNotOpen, opened.status().ToString());
      return Recovered::kFailed;
    }
    if (machine_->crashed()) return Recovered::kCrashed;
    if (attempt > kFaultyAttempts + 1 && context_.storage_broken()) {
      ++context_.result().refusals;
      return Recovered::kRefused;
    }
    if (attempt == kFaultyAttempts) {
      healed_ = true;
      machine_->Heal();
    }
  }
}

// kCrashed also where faults kept it from being read; the machine tells.
Simulation::Recovered Simulation::CheckRecovered(CrashKind kind, const Verdict* same) {
  Verdict verdict;
  const DamageCheck damage(context_.storage_broken(), machine_->disk(), subject_.get());
  RecoveryCheck::Outcome outcome = check_.Check(
      subject_.get(), [this, kind] { return AtLeastSuspect(kind); }, &verdict);
  if (outcome == RecoveryCheck::Outcome::kLegal && same != nullptr && !context_.storage_broken()) {
    outcome = check_.CheckSame(subject_.get(), *same);
  }
  if (outcome == RecoveryCheck::Outcome::kFailed) return Recovered::kFailed;
  if (outcome == RecoveryCheck::Outcome::kFaulted || machine_->crashed()) {
    return Recovered::kCrashed;
  }
  if (!context_.CheckDamage(damage, subject_.get())) return Recovered::kFailed;
  // What had been forgotten before this machine booted has shown now.
  if (machine_->harm() < CrashKind::kForgottenSync) context_.model().Thaw();
  context_.model().Rebase(verdict);
  worst_ = CrashKind::kClean;
  harm_ = CrashKind::kClean;
  suspect_ = false;
  known_failed_syncs_ = machine_->failed_syncs();
  return Recovered::kYes;
}

void Simulation::CloseSubject() {
  const model::KvModel::Moment begin = context_.model().Now();
  const Status status = subject_->Close();
  subject_.reset();
  trace_.RecordUntold("closed", status.code());
  if (trace_.has_sink()) trace_.Note("phase: closed, " + status.ToString());
  if (status.ok()) {
    if (flush_on_close_) context_.model().AcknowledgeFlush(begin);
  } else {
    context_.CheckInjected(status, "closing");
  }
}

// Closes a subject whose recovery the model has not accepted: it promises nothing.
void Simulation::DiscardSubject() {
  const Status status = subject_->Close();
  subject_.reset();
  trace_.RecordUntold("discarded", status.code());
  if (trace_.has_sink()) trace_.Note("phase: closed without being accepted, " + status.ToString());
  if (!status.ok()) context_.CheckInjected(status, "closing");
}

void Simulation::RunClients() {
  stop_ = StopReason::kNone;
  Opening opening = {
      .context = &context_,
      .machine = machine_.get(),
      .subject = subject_.get(),
      .open_again =
          [this](bool read_only) { return Open(machine_.get(), kStoreDirectory, read_only); },
      .check_at_rest = [this] { return CheckAtRest(); }};
  std::vector<std::unique_ptr<Scheduler::ThreadHandle>> clients;
  for (uint32_t i = 0; i < plan_.clients.size(); ++i) {
    if (next_step_[i] == plan_.clients[i].size()) continue;
    clients.push_back(scheduler_.Spawn("client" + std::to_string(i),
                                       [this, &opening, i] { RunClient(&opening, i); }));
  }
  for (auto& client : clients) client->Join();
  stop_ = opening.stop;
}

void Simulation::RunClient(Opening* opening, uint32_t client) {
  ClientSession session(opening, client);
  const std::vector<Step>& steps = plan_.clients[client];
  uint32_t& next = next_step_[client];
  while (next < steps.size() && !opening->Stopping()) {
    const uint32_t index = next++;
    const bool resumes = std::any_of(steps.begin() + next, steps.end(), [](const Step& step) {
      return step.kind == StepKind::kResume;
    });
    session.Execute(index, steps[index], resumes);
    ArmNextCrash();
  }
  context_.EndSteps(client);
}

// A crash that a plan cannot say (the file system had shut down, or the machine restarted with it)
// is not shown.
void Simulation::ShowCrashPoint() {
  if (probe_ == nullptr || !strikes_from_ || machine_->crashed() || machine_->shut_down() ||
      context_.failed()) {
    return;
  }
  context_.PollInFlight();
  // A disk that lies about flushes breaks its promises at a loss of power only.
  const auto owed = [this](CrashKind kind) {
    kind = AtLeastSuspect(kind);
    const bool lies = !profile_.honours_flush && kind >= CrashKind::kPowerLoss;
    return CrashPoint::Owed{.kind = kind, .may_refuse = context_.storage_broken() || lies};
  };
  CrashPoint point = {.disk = &machine_->disk(),
                      .model = &context_.model(),
                      .oracle = &context_.oracle(),
                      .keys = &context_.keys(),
                      .checkpoints = context_.checkpoints(),
                      .after_process_death = owed(CrashKind::kProcessDeath),
                      .after_power_loss = owed(CrashKind::kPowerLoss),
                      .faults_over = healed_,
                      .operations = context_.result().operations,
                      .start = {},
                      .calls = machine_->changes() - *strikes_from_ + 1,
                      .before = {},
                      .next_steps = next_step_};
  if (next_crash_ == 0) point.start.after = CrashStart::After::kBoot;
  point.before = std::span(context_.result().plan.crashes).first(next_crash_);
  probe_->AtCrashPoint(point);
}

bool Simulation::CrashIsDue(const CrashSpec& crash) const {
  return crash.start.after != CrashStart::After::kStep ||
         next_step_[crash.start.client] > crash.start.step;
}

void Simulation::ArmNextCrash() {
  if (crash_armed_ || next_crash_ == plan_.crashes.size() || machine_->crashed()) return;
  const CrashSpec& crash = plan_.crashes[next_crash_];
  if (!CrashIsDue(crash)) return;
  crash_armed_ = true;
  machine_->Arm(crash.strike);
}

// From the moment the machine has stopped to a recovered subject that is open again.
bool Simulation::RecoverFromCrash() {
  strikes_from_.reset();
  CrashSpec& crash = context_.result().plan.crashes[next_crash_];
  std::optional<Verdict> same;
  if (crash.strike.calls != 0) {
    ++context_.result()
          .probes["crash:" + std::string(faultfs::CrashMomentName(crash.strike.moment))];
  }
  if (!Strike(&crash.choice, !crash.nested.empty(), &same)) return false;
  uint64_t depth = 0;
  for (NestedCrash& nested : crash.nested) {
    machine_->Arm(nested.strike);
    const Recovered recovered = Recover(worst_, same ? &*same : nullptr);
    if (IsOver(recovered)) return false;
    if (recovered == Recovered::kYes) {
      // It took fewer calls than that: the crash, and those inside its recovery, do not come.
      machine_->fs().CancelCrash();
      break;
    }
    ++context_.result().nested_crashes;
    ++context_.result().probes[++depth == 1 ? "crash:nested" : "crash:nested-twice"];
    if (!Strike(&nested.choice, true, &same)) return false;
  }
  if (subject_ == nullptr) {
    const Recovered recovered = Recover(worst_, same ? &*same : nullptr);
    if (IsOver(recovered)) return false;
    SHEARPIN_CHECK(recovered == Recovered::kYes, "a crash that nobody asked for");
  }
  ++context_.result().crash_states;
  ++next_crash_;
  crash_armed_ = false;
  return true;
}

// The machine is frozen and the subject closed: writes down what the crash left, checks its
// siblings, and boots from it. `*same` is set to the one state that the recoveries from here on
// may lead to, if that is certain.
bool Simulation::Strike(CrashChoice* choice, bool recovery_crashes, std::optional<Verdict>* same) {
  SHEARPIN_CHECK(subject_ == nullptr, "a crash while the subject is open");
  ++context_.result().crashes;
  ++crash_number_;
  context_.PollInFlight();
  const SimDisk& disk = machine_->disk();
  const std::vector<faultfs::PendingOp> ops = disk.PendingOps();
  trace_.RecordUntold("crash", crash_number_, choice->process, ops.size());
  if (trace_.has_sink()) {
    trace_.Note("crash: number " + std::to_string(crash_number_) + ", " +
                (choice->process ? "the process dies" : "the power fails") + " with " +
                std::to_string(ops.size()) + " changes pending");
  }
  if (!VerifySiblings(choice, ops)) return false;
  ++context_.result().probes[choice->process ? "crash:process" : "crash:power"];
  if (choice->process) {
    context_.RememberNote("crash: the process died");
    worst_ = Worse(worst_, CrashKind::kProcessDeath);
    ++context_.result().faults["process_death"];
    BootFrom(disk.Fork(), true);
    return true;
  }
  if (choice->image.empty() && chooser_.PrefersRarest()) choice->image = rarest_.Image();
  if (choice->image.empty()) {
    choice->image = chooser_.Draw(ops, disk.recycled_count(), profile_).ToString();
  }
  const StatusOr<CrashPlan> image = CrashPlan::Parse(choice->image);
  SHEARPIN_CHECK(image.ok(), "a crash plan does not round-trip");
  worst_ = CrashKind::kPowerLoss;
  context_.RememberNote("crash: the power failed, " + choice->image);
  trace_.Note("crash: the run goes on from the image", choice->image);
  TellLosses(*image, ops);
  if (!profile_.honours_flush) context_.BreakStorage();
  if (recovery_crashes && !same->has_value() && !context_.storage_broken()) {
    // Recovery is idempotent: whatever happens inside it, what this image leads to without a
    // crash is what it leads to in the end.
    Verdict verdict;
    if (!VerifyImage(*image, worst_, &verdict)) return false;
    *same = verdict;
  }
  BootFrom(std::make_unique<SimDisk>(ImageOf(*image), profile_), false);
  return true;
}

// What the crash leaves, with what is peculiar about it put on record.
DiskImage Simulation::ImageOf(const CrashPlan& choice) {
  faultfs::CrashTraits traits;
  DiskImage image = machine_->disk().Materialise(choice, &traits);
  const auto count = [this](const char* name, uint32_t times) {
    if (times != 0) context_.result().faults[name] += times;
  };
  count("torn_block", traits.torn_blocks);
  count("garbage_block", traits.garbage_blocks);
  count("stale_block", traits.stale_blocks);
  count("resurrected_name", traits.resurrected_names);
  return image;
}

void Simulation::TellLosses(const CrashPlan& choice, const std::vector<faultfs::PendingOp>& ops) {
  if (!trace_.has_sink()) return;
  const std::vector<bool> kept = machine_->disk().KeptOps(choice);
  for (size_t i = 0; i < ops.size(); ++i) {
    trace_.Note(kept[i] ? "crash:   kept" : "crash:   LOST", ops[i].ToString());
  }
}

bool Simulation::VerifySiblings(CrashChoice* choice, const std::vector<faultfs::PendingOp>& ops) {
  const SimDisk& disk = machine_->disk();
  for (; choice->draw_siblings > 0; --choice->draw_siblings) {
    choice->siblings.push_back(chooser_.Draw(ops, disk.recycled_count(), profile_).ToString());
  }
  std::vector<uint64_t> seen;
  rarest_.Clear();
  for (const std::string& text : choice->siblings) {
    const StatusOr<CrashPlan> sibling = CrashPlan::Parse(text);
    SHEARPIN_CHECK(sibling.ok(), "a crash plan does not round-trip");
    const uint64_t hash = disk.Materialise(*sibling).ContentHash();
    if (std::find(seen.begin(), seen.end(), hash) != seen.end()) {
      ++context_.result().equal_states;
      continue;
    }
    seen.push_back(hash);
    const bool process = sibling->kind == faultfs::CrashKind::kProcess;
    const CrashKind kind = process ? CrashKind::kProcessDeath : CrashKind::kPowerLoss;
    Verdict verdict;
    rarest_.Begin();
    if (!VerifyImage(*sibling, Worse(kind, worst_), &verdict)) {
      context_.result().failure->message += "\n  in the sibling image: " + text;
      context_.result().failure->sibling = text;
      return false;
    }
    if (!process) rarest_.End(text);
  }
  return true;
}

bool Simulation::VerifyImage(const CrashPlan& choice, CrashKind kind, Verdict* verdict) {
  kind = AtLeastSuspect(kind);
  // A disk that lies about flushes breaks its promises at a loss of power only.
  const bool was_broken = context_.storage_broken();
  if (!profile_.honours_flush && kind >= CrashKind::kPowerLoss) context_.BreakStorage();
  if (trace_.has_sink()) {
    trace_.Note("crash: what would be if the disk had kept this:", choice.ToString());
    TellLosses(choice, machine_->disk().PendingOps());
  }
  const bool legal = RecoverImage(ImageOf(choice), kind, verdict);
  context_.BreakStorage(was_broken);
  return legal;
}

bool Simulation::RecoverImage(const DiskImage& image, CrashKind kind, Verdict* verdict) {
  const uint64_t number = images_++;
  trace_.RecordUntold("image", number, image.ContentHash());
  Machine machine(std::make_unique<SimDisk>(image, profile_), &context_);
  BeginPhase("image", number);
  // Now and then without recovering first: what a reader finds is what the recovery leads to.
  std::optional<Verdict> read;
  if (number % 8 == 1 && !CheckReadOnly(&machine, kind, &read)) return false;
  if (read.has_value()) *verdict = *read;
  if (!OpenAndCheckImage(&machine, kind, read.has_value() ? &*read : nullptr, verdict))
    return false;
  if (!CheckCheckpoints(&machine)) return false;
  ++context_.result().crash_states;
  // Now and then once more: what a recovery left has to recover to the same.
  if (number % 8 != 0 || context_.storage_broken()) return true;
  return OpenAndCheckImage(&machine, kind, verdict, verdict);
}

// `*found` stays empty where there is nothing yet to read.
bool Simulation::CheckReadOnly(Machine* machine, CrashKind kind, std::optional<Verdict>* found) {
  StatusOr<std::unique_ptr<Subject>> opened = Open(machine, kStoreDirectory, true);
  if (opened.status().IsNotSupported() || opened.status().IsInvalidArgument()) return true;
  if (context_.storage_broken() && context_.IsExcused(opened.status())) return true;
  if (!opened.ok()) {
    context_.Fail(FailureClass::kWillNotOpen, "for reading only: " + opened.status().ToString());
    return false;
  }
  Verdict verdict;
  const RecoveryCheck::Outcome outcome = check_.Check(opened->get(), kind, &verdict);
  if (outcome == RecoveryCheck::Outcome::kLegal) *found = verdict;
  return outcome == RecoveryCheck::Outcome::kLegal || IsRefusal(outcome);
}

// Broken storage kept the subject from reading everything, and it said so.
bool Simulation::IsRefusal(RecoveryCheck::Outcome outcome) {
  if (outcome != RecoveryCheck::Outcome::kFaulted || !context_.storage_broken()) return false;
  ++context_.result().refusals;
  return true;
}

// Each copy that was made is there and holds what it held, read as it is and opened as a store.
bool Simulation::CheckCheckpoints(Machine* machine) {
  for (const CheckpointCopy& copy : context_.checkpoints()) {
    bool refused = false;
    if (!CheckCheckpoint(machine, copy, true, &refused)) return false;
    // Where none can be read any more, a writer would make one anew.
    if (!refused && !CheckCheckpoint(machine, copy, false, &refused)) return false;
  }
  return true;
}

bool Simulation::CheckCheckpoint(Machine* machine, const CheckpointCopy& copy, bool read_only,
                                 bool* refused) {
  const CheckpointFinding found = sim::CheckCheckpoint(
      copy, read_only,
      [&](std::string_view directory, bool reads) { return Open(machine, directory, reads); },
      MayVanishOf(plan_));
  if (!context_.Check(found.violation)) return false;
  if (found.status.ok()) return true;
  // On broken storage all of it may be gone.
  *refused = !found.opened && context_.storage_broken();
  return *refused || context_.CheckInjected(found.status, found.doing);
}

bool Simulation::OpenAndCheckImage(Machine* machine, CrashKind kind, const Verdict* same,
                                   Verdict* verdict) {
  StatusOr<std::unique_ptr<Subject>> opened = Open(machine, kStoreDirectory, false);
  if (context_.storage_broken() && context_.IsExcused(opened.status())) {
    ++context_.result().refusals;
    return true;
  }
  if (!opened.ok()) {
    context_.Fail(FailureClass::kWillNotOpen, opened.status().ToString());
    return false;
  }
  const std::unique_ptr<Subject> subject = *std::move(opened);
  const DamageCheck damage(context_.storage_broken(), machine->disk(), subject.get());
  const RecoveryCheck::Outcome outcome = same != nullptr
                                             ? check_.CheckSame(subject.get(), *same)
                                             : check_.Check(subject.get(), kind, verdict);
  const bool missed =
      outcome == RecoveryCheck::Outcome::kLegal && !context_.CheckDamage(damage, subject.get());
  const Status closed = subject->Close();
  if (IsRefusal(outcome)) return true;
  if (missed || outcome != RecoveryCheck::Outcome::kLegal) return false;
  return closed.ok() || context_.CheckInjected(closed, "closing a recovered image");
}

// A file system that shut down has written nothing since its last sync.
void Simulation::Remount() {
  CrashPlan nothing;
  nothing.keep = faultfs::KeepRule::kNone;
  trace_.RecordUntold("remount");
  trace_.Note("crash: the file system had shut down; the machine restarts");
  if (!profile_.honours_flush) context_.BreakStorage();
  context_.RememberNote("the file system had shut down; the machine restarts");
  worst_ = CrashKind::kPowerLoss;
  const DiskImage image = machine_->disk().Materialise(nothing);
  BootFrom(std::make_unique<SimDisk>(image, profile_), false);
  strikes_from_.reset();
  crash_armed_ = false;  // the trigger went with the machine; the next step sets it again
}

}  // namespace shearpin::sim
