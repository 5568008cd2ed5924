// Plan to text. The parser (plan_parser.cc) reads back exactly what is written here.
#include "sim/plan.h"

namespace shearpin::sim {
namespace {

void AppendBound(std::string_view name, const KeyBound& bound, std::string* text) {
  if (bound.kind == BoundKind::kUnbounded) return;
  *text += ' ';
  *text += name;
  *text += bound.kind == BoundKind::kInclusive ? "=including:" : "=excluding:";
  bound.key.AppendText(text);
}

void AppendMutation(const Mutation& mutation, std::string* text) {
  constexpr std::string_view kNames[] = {" put ", " delete ", " delete-range "};
  *text += kNames[static_cast<size_t>(mutation.kind)];
  mutation.key.AppendText(text);
  if (mutation.kind == MutationKind::kDelete) return;
  *text += ' ';
  mutation.value.AppendText(text);
}

void AppendSnapshot(const Step& step, std::string* text) {
  if (step.snapshot >= 0) *text += " snapshot=" + std::to_string(step.snapshot);
}

void AppendStrike(const Strike& strike, std::string* text) {
  *text += " calls=" + std::to_string(strike.calls);
  if (strike.of.has_value()) {
    *text += " of=";
    *text += faultfs::CallKindName(*strike.of);
  }
  if (!strike.path.empty()) {
    *text += " path=";
    AppendQuoted(strike.path, text);
  }
  if (strike.moment != faultfs::CrashMoment::kBefore) {
    *text += " moment=";
    *text += faultfs::CrashMomentName(strike.moment);
  }
  if (strike.bytes != 0) *text += " bytes=" + std::to_string(strike.bytes);
}

void AppendChoice(const CrashChoice& choice, std::string* text) {
  *text += choice.process ? " kind=process" : " kind=power";
  if (choice.image.empty()) {
    *text += " image=draw";
  } else {
    *text += " image=";
    AppendQuoted(choice.image, text);
  }
  if (choice.draw_siblings != 0) *text += " siblings=" + std::to_string(choice.draw_siblings);
  *text += '\n';
  for (const std::string& sibling : choice.siblings) {
    *text += "    sibling ";
    AppendQuoted(sibling, text);
    *text += '\n';
  }
}

void AppendCrash(const CrashSpec& crash, std::string* text) {
  *text += "crash after=";
  if (crash.start.after == CrashStart::After::kPrevious) {
    *text += "previous";
  } else if (crash.start.after == CrashStart::After::kBoot) {
    *text += "boot";
  } else {
    *text += "step:" + std::to_string(crash.start.client) + "." + std::to_string(crash.start.step);
  }
  AppendStrike(crash.strike, text);
  AppendChoice(crash.choice, text);
  for (const NestedCrash& nested : crash.nested) {
    *text += "  nested";
    AppendStrike(nested.strike, text);
    AppendChoice(nested.choice, text);
  }
}

void AppendScheduler(const SchedulerSpec& spec, std::string* text) {
  *text += "scheduler " + spec.strategy;
  if (spec.strategy != kRecordedStrategy) *text += " seed=" + std::to_string(spec.seed);
  if (spec.strategy == kRandomWalkStrategy || spec.strategy == kLaggingStrategy) {
    *text += " stay=" + std::to_string(spec.stay_per_1024);
  }
  if (spec.strategy == kLaggingStrategy) {
    *text += " every=" + std::to_string(spec.every) + " steps=" + std::to_string(spec.steps);
  }
  if (spec.strategy == kPctStrategy) {
    *text += " depth=" + std::to_string(spec.depth) + " steps=" + std::to_string(spec.steps);
  }
  if (spec.strategy != kRecordedStrategy) {
    *text += " spurious=" + std::to_string(spec.spurious_per_1024);
  }
  *text += " micros=" + std::to_string(spec.micros_per_point) + "\n";
  constexpr size_t kOnALine = 12;
  for (const PhaseSchedule& phase : spec.schedule) {
    for (size_t i = 0; i < phase.decisions.size(); ++i) {
      if (i % kOnALine == 0) {
        if (i != 0) *text += '\n';
        *text += "schedule " + phase.phase + " " + std::to_string(phase.number);
      }
      *text += ' ';
      AppendDecision(phase.decisions[i], text);
    }
    *text += '\n';
  }
}

}  // namespace

std::string_view StepKindName(StepKind kind) {
  constexpr std::string_view kNames[kNumStepKinds] = {
      "put",
      "delete",
      "batch",
      "get",
      "scan",
      "iterator-open",
      "iterator-walk",
      "iterator-close",
      "snapshot-take",
      "snapshot-check",
      "snapshot-release",
      "sync",
      "flush",
      "reopen",
      "verify",
      "property",
      "sleep",
      "capacity",
      "evict",
      "write-back",
      "compact-range",
      "checkpoint",
      "resume",
      "delete-range",
      "txn-begin",
      "txn-write",
      "txn-get",
      "txn-scan",
      "txn-commit",
      "txn-rollback",
      "ingest",
      "wait",
      "read-only",
  };
  return kNames[static_cast<int>(kind)];
}

std::string_view MoveKindName(MoveKind kind) {
  constexpr std::string_view kNames[] = {"first", "last", "next", "prev", "seek", "seek-prev"};
  return kNames[static_cast<int>(kind)];
}

std::string_view DurabilityName(Durability durability) {
  switch (durability) {
    case Durability::kNone:
      return "none";
    case Durability::kProcess:
      return "process";
    case Durability::kSync:
      return "sync";
  }
  return "";
}

size_t Plan::StepCount() const {
  size_t count = 0;
  for (const auto& steps : clients) count += steps.size();
  return count;
}

void AppendStepText(const Step& step, std::string* text) {
  *text += StepKindName(step.kind);
  switch (step.kind) {
    case StepKind::kPut:
    case StepKind::kDelete:
    case StepKind::kDeleteRange: {
      *text += ' ';
      step.mutations[0].key.AppendText(text);
      if (step.kind != StepKind::kDelete) {
        *text += ' ';
        step.mutations[0].value.AppendText(text);
      }
      *text += ' ';
      *text += DurabilityName(step.durability);
      break;
    }
    case StepKind::kBatch:
      *text += ' ';
      *text += DurabilityName(step.durability);
      for (const Mutation& mutation : step.mutations) AppendMutation(mutation, text);
      break;
    case StepKind::kIngest:
      for (const Mutation& mutation : step.mutations) AppendMutation(mutation, text);
      break;
    case StepKind::kTxnBegin:
      *text += ' ' + std::to_string(step.slot);
      *text += step.serializable ? " serializable" : " snapshot";
      break;
    case StepKind::kTxnWrite:
      *text += ' ' + std::to_string(step.slot);
      for (const Mutation& mutation : step.mutations) AppendMutation(mutation, text);
      break;
    case StepKind::kTxnGet:
      *text += ' ' + std::to_string(step.slot) + ' ';
      step.key.AppendText(text);
      break;
    case StepKind::kTxnScan:
      *text += ' ' + std::to_string(step.slot);
      *text += step.forward ? " forward " : " backward ";
      *text += std::to_string(step.amount);
      AppendBound("lower", step.lower, text);
      AppendBound("upper", step.upper, text);
      break;
    case StepKind::kTxnCommit:
      *text += ' ' + std::to_string(step.slot) + ' ';
      *text += DurabilityName(step.durability);
      break;
    case StepKind::kGet:
      *text += ' ';
      step.key.AppendText(text);
      AppendSnapshot(step, text);
      break;
    case StepKind::kScan:
    case StepKind::kIteratorOpen:
      if (step.kind == StepKind::kScan) {
        *text += step.forward ? " forward" : " backward";
      } else {
        *text += ' ' + std::to_string(step.slot);
      }
      AppendBound("lower", step.lower, text);
      AppendBound("upper", step.upper, text);
      AppendSnapshot(step, text);
      break;
    case StepKind::kCompactRange:
      AppendBound("lower", step.lower, text);
      AppendBound("upper", step.upper, text);
      break;
    case StepKind::kIteratorWalk:
      *text += ' ' + std::to_string(step.slot);
      for (const Move& move : step.moves) {
        *text += ' ';
        *text += MoveKindName(move.kind);
        if (move.kind == MoveKind::kSeek || move.kind == MoveKind::kSeekForPrev) {
          *text += ' ';
          move.key.AppendText(text);
        }
      }
      break;
    case StepKind::kIteratorClose:
    case StepKind::kSnapshotTake:
    case StepKind::kSnapshotCheck:
    case StepKind::kSnapshotRelease:
    case StepKind::kTxnRollback:
      *text += ' ' + std::to_string(step.slot);
      break;
    case StepKind::kProperty:
      *text += ' ';
      AppendQuoted(step.name, text);
      break;
    case StepKind::kSleep:
    case StepKind::kCapacity:
    case StepKind::kWriteBack:
      *text += ' ' + std::to_string(step.amount);
      break;
    case StepKind::kSync:
    case StepKind::kFlush:
    case StepKind::kReopen:
    case StepKind::kVerify:
    case StepKind::kEvict:
    case StepKind::kCheckpoint:
    case StepKind::kResume:
    case StepKind::kWait:
    case StepKind::kReadOnly:
      break;
  }
}

std::string FormatPlan(const Plan& plan) {
  std::string text = "shearpin-plan " + std::to_string(kPlanVersion) + "\n";
  text += "seed " + std::to_string(plan.seed) + "\n";
  text += "profile " + plan.profile + "\n";
  if (!plan.powersafe_overwrite) text += "powersafe-overwrite 0\n";
  AppendScheduler(plan.scheduler, &text);
  text += "entropy " + std::to_string(plan.entropy_seed) + "\n";
  text += "crash-stream " + std::to_string(plan.crash_seed) + "\n";
  if (plan.kernel != KernelSpec()) {
    text += "kernel commit=" + std::to_string(plan.kernel.commit);
    text += " expiry=" + std::to_string(plan.kernel.expiry);
    text += " evict=" + std::to_string(plan.kernel.evict) + "\n";
  }
  text += "capacity " + std::to_string(plan.capacity) + "\n";
  for (const auto& [name, value] : plan.options) {
    text += "option " + name + " " + std::to_string(value) + "\n";
  }
  for (const std::string& fault : plan.faults) text += "fault " + fault + "\n";
  for (const auto& steps : plan.clients) {
    text += "client\n";
    for (const Step& step : steps) {
      text += "  ";
      AppendStepText(step, &text);
      text += '\n';
    }
  }
  for (const CrashSpec& crash : plan.crashes) AppendCrash(crash, &text);
  return text;
}

}  // namespace shearpin::sim
