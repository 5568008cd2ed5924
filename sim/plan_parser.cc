// Text to plan. One method for each kind of line; the first mistake ends it with its line.
#include <optional>

#include "faultfs/profile.h"
#include "sim/knobs.h"
#include "sim/line_reader.h"
#include "sim/plan.h"

namespace shearpin::sim {
namespace {

constexpr uint64_t kAny = UINT64_MAX;
constexpr uint64_t kMost32 = UINT32_MAX;
constexpr uint64_t kMostChangePoints = 1000;

class PlanParser {
 public:
  explicit PlanParser(std::string_view file) : file_(file) {}

  StatusOr<Plan> Parse(std::string_view text);

 private:
  bool ParseLine(LineReader* line);
  bool ParseHeader(std::string_view key, LineReader* line);
  bool ParseScheduler(LineReader* line);
  bool ParseKernel(LineReader* line);
  bool ParseSchedule(LineReader* line);
  static bool ParseDecision(LineReader* line, std::vector<Decision>* decisions);
  bool ParseOption(LineReader* line);
  bool ParseFault(LineReader* line);
  bool ParseCrash(LineReader* line);
  bool ParseNested(LineReader* line);
  bool ParseSibling(LineReader* line);
  bool ParseChoice(LineReader* line, CrashChoice* choice);
  bool ParseStep(StepKind kind, LineReader* line);
  bool ParseStepArguments(LineReader* line, Step* step);
  bool CheckCompactRange(const Step& step, LineReader* line);
  bool CheckIngest(const Step& step, LineReader* line);
  bool ParseMutations(LineReader* line, Step* step);
  bool ParseMoves(LineReader* line, Step* step);
  bool ParseRange(LineReader* line, Step* step);

  std::string_view file_;
  Plan plan_;
  CrashChoice* last_choice_ = nullptr;  // what a sibling line belongs to
  bool versioned_ = false;
};

std::optional<StepKind> FindStepKind(std::string_view name) {
  for (int i = 0; i < kNumStepKinds; ++i) {
    if (StepKindName(static_cast<StepKind>(i)) == name) return static_cast<StepKind>(i);
  }
  return std::nullopt;
}

bool TakeDurability(LineReader* line, Durability* durability) {
  std::string_view word;
  if (!line->TakeWord("a durability (none, process or sync)", &word)) return false;
  for (const Durability d : {Durability::kNone, Durability::kProcess, Durability::kSync}) {
    if (DurabilityName(d) == word) {
      *durability = d;
      return true;
    }
  }
  return line->Fail("expected a durability (none, process or sync), found '" + std::string(word) +
                    "'");
}

bool TakeSlot(LineReader* line, int* slot) {
  uint64_t number = 0;
  if (!line->TakeNumber("a slot", kMaxSlots - 1, &number)) return false;
  *slot = static_cast<int>(number);
  return true;
}

bool TakePer1024(std::string_view what, LineReader* line, uint32_t* per_1024) {
  uint64_t number = 0;
  if (!line->TakeNumber(what, 1024, &number)) return false;
  *per_1024 = static_cast<uint32_t>(number);
  return true;
}

bool TakeCallKind(LineReader* line, std::optional<faultfs::CallKind>* kind) {
  std::string_view word;
  if (!line->TakeWord("a call", &word)) return false;
  for (int i = 0; i < faultfs::kCallKinds; ++i) {
    const auto each = static_cast<faultfs::CallKind>(i);
    if (faultfs::CallKindName(each) != word) continue;
    if ((faultfs::SetOf(each) & faultfs::kMutatingCalls) == 0) break;
    *kind = each;
    return true;
  }
  return line->Fail("'" + std::string(word) + "' is no call that changes the disk");
}

bool TakeStrike(LineReader* line, Strike* strike) {
  if (!line->ExpectToken("calls=") || !line->TakeNumber("calls", kMost32, &strike->calls)) {
    return false;
  }
  if (line->TryToken("of=") && !TakeCallKind(line, &strike->of)) return false;
  if (line->TryToken("path=") && !line->TakeQuoted(&strike->path)) return false;
  if (line->TryToken("moment=")) {
    std::string_view word;
    if (!line->TakeWord("a moment", &word)) return false;
    using faultfs::CrashMoment;
    bool known = false;
    for (const auto moment : {CrashMoment::kBefore, CrashMoment::kMidway, CrashMoment::kAfter}) {
      if (faultfs::CrashMomentName(moment) != word) continue;
      strike->moment = moment;
      known = true;
    }
    if (!known) {
      return line->Fail("unknown moment '" + std::string(word) +
                        "' (expected before, midway or after)");
    }
  }
  return !line->TryToken("bytes=") || line->TakeNumber("bytes", kMost32, &strike->bytes);
}

bool TakeBound(LineReader* line, KeyBound* bound) {
  if (line->TryToken("including:")) {
    bound->kind = BoundKind::kInclusive;
  } else if (line->TryToken("excluding:")) {
    bound->kind = BoundKind::kExclusive;
  } else {
    return line->Fail("expected 'including:' or 'excluding:' and a key");
  }
  return line->TakeBytes(&bound->key);
}

StatusOr<Plan> PlanParser::Parse(std::string_view text) {
  int number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    LineReader line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.AtEnd()) continue;
    if (!ParseLine(&line) || !line.ExpectEnd()) {
      return Status::InvalidArgument(std::string(file_) + ":" + std::to_string(number) + ": " +
                                     line.reason());
    }
  }
  if (!versioned_) {
    return Status::InvalidArgument(std::string(file_) + ":" + std::to_string(number + 1) +
                                   ": expected 'shearpin-plan " + std::to_string(kPlanVersion) +
                                   "', found the end of the file");
  }
  for (size_t i = 0; i < plan_.crashes.size(); ++i) {
    const CrashStart& start = plan_.crashes[i].start;
    if (start.after != CrashStart::After::kStep) continue;
    if (start.client >= plan_.clients.size() || start.step >= plan_.clients[start.client].size()) {
      return Status::InvalidArgument(std::string(file_) + ": crash " + std::to_string(i) +
                                     " comes after step " + std::to_string(start.client) + "." +
                                     std::to_string(start.step) + ", which is not in the plan");
    }
  }
  return std::move(plan_);
}

bool PlanParser::ParseLine(LineReader* line) {
  std::string_view key;
  if (!line->TakeWord("a keyword", &key)) return false;
  if (!versioned_) {
    uint64_t version = 0;
    if (key != "shearpin-plan") {
      return line->Fail("expected 'shearpin-plan " + std::to_string(kPlanVersion) + "', found '" +
                        std::string(key) + "'");
    }
    if (!line->TakeNumber("the version of the format", kAny, &version)) return false;
    if (version != kPlanVersion) {
      return line->Fail("version " + std::to_string(version) + " is unknown, this build reads " +
                        std::to_string(kPlanVersion));
    }
    versioned_ = true;
    return true;
  }
  if (key == "client") {
    plan_.clients.emplace_back();
    return true;
  }
  if (key == "crash") return ParseCrash(line);
  if (key == "nested") return ParseNested(line);
  if (key == "sibling") return ParseSibling(line);
  if (const auto kind = FindStepKind(key); kind && !plan_.clients.empty()) {
    return ParseStep(*kind, line);
  }
  return ParseHeader(key, line);
}

bool PlanParser::ParseHeader(std::string_view key, LineReader* line) {
  if (key == "seed") return line->TakeNumber("the seed", kAny, &plan_.seed);
  if (key == "entropy") return line->TakeNumber("a seed", kAny, &plan_.entropy_seed);
  if (key == "crash-stream") return line->TakeNumber("a seed", kAny, &plan_.crash_seed);
  if (key == "capacity") return line->TakeNumber("bytes", kAny, &plan_.capacity);
  if (key == "powersafe-overwrite") {
    uint64_t number = 0;
    if (!line->TakeNumber("0 or 1", 1, &number)) return false;
    plan_.powersafe_overwrite = number != 0;
    return true;
  }
  if (key == "scheduler") return ParseScheduler(line);
  if (key == "kernel") return ParseKernel(line);
  if (key == "schedule") return ParseSchedule(line);
  if (key == "option") return ParseOption(line);
  if (key == "fault") return ParseFault(line);
  if (key == "profile") {
    std::string_view name;
    if (!line->TakeWord("the name of a profile", &name)) return false;
    if (faultfs::FindProfile(name) == nullptr) {
      std::string known;
      for (const std::string_view profile : faultfs::ProfileNames()) {
        known += (known.empty() ? "" : ", ") + std::string(profile);
      }
      return line->Fail("unknown profile '" + std::string(name) + "' (expected one of " + known +
                        ")");
    }
    plan_.profile = name;
    return true;
  }
  if (FindStepKind(key)) {
    return line->Fail("step '" + std::string(key) + "' stands before the first 'client' line");
  }
  return line->Fail("unknown keyword '" + std::string(key) +
                    "' (expected a header, 'client', a step, 'crash', 'nested' or 'sibling')");
}

bool PlanParser::ParseScheduler(LineReader* line) {
  SchedulerSpec& spec = plan_.scheduler;
  std::string_view name;
  if (!line->TakeWord("a strategy", &name)) return false;
  if (name != kRandomWalkStrategy && name != kPctStrategy && name != kLaggingStrategy &&
      name != kRecordedStrategy) {
    return line->Fail("unknown strategy '" + std::string(name) +
                      "' (expected random-walk, pct, lagging or recorded)");
  }
  spec = {};  // of several such lines the last one counts, whole
  spec.strategy = name;
  const bool walks = name == kRandomWalkStrategy || name == kLaggingStrategy;
  const bool drawn = name != kRecordedStrategy;
  const auto take = [line](std::string_view what, uint64_t lowest, uint64_t highest,
                           uint64_t* number) {
    if (line->TakeNumber(what, highest, number) && *number < lowest) {
      line->Fail(std::string(what) + " is at least " + std::to_string(lowest));
    }
  };
  while (!line->AtEnd() && !line->failed()) {
    uint64_t number = 0;
    if (drawn && line->TryToken("seed=")) {
      line->TakeNumber("a seed", kAny, &spec.seed);
    } else if (walks && line->TryToken("stay=")) {
      TakePer1024("stay", line, &spec.stay_per_1024);
    } else if (name == kPctStrategy && line->TryToken("depth=")) {
      take("depth", 1, kMostChangePoints, &number);
      spec.depth = static_cast<uint32_t>(number);
    } else if (name == kLaggingStrategy && line->TryToken("every=")) {
      take("every", 1, kMost32, &number);
      spec.every = static_cast<uint32_t>(number);
    } else if ((name == kPctStrategy || name == kLaggingStrategy) && line->TryToken("steps=")) {
      take("steps", 1, kMost32, &spec.steps);
    } else if (drawn && line->TryToken("spurious=")) {
      TakePer1024("spurious", line, &spec.spurious_per_1024);
    } else if (line->TryToken("micros=")) {
      line->TakeNumber("micros", 1'000'000, &spec.micros_per_point);
    } else {
      line->Fail(name == kRandomWalkStrategy ? "expected seed=, stay=, spurious= or micros="
                 : walks ? "expected seed=, stay=, every=, steps=, spurious= or micros="
                 : drawn ? "expected seed=, depth=, steps=, spurious= or micros="
                         : "expected micros=");
    }
  }
  return !line->failed();
}

bool PlanParser::ParseKernel(LineReader* line) {
  KernelSpec& spec = plan_.kernel;
  while (!line->AtEnd() && !line->failed()) {
    if (line->TryToken("commit=")) {
      line->TakeNumber("commit", kAny, &spec.commit);
    } else if (line->TryToken("expiry=")) {
      line->TakeNumber("expiry", kAny, &spec.expiry);
    } else if (line->TryToken("evict=")) {
      line->TakeNumber("evict", kAny, &spec.evict);
    } else {
      return line->Fail("expected 'commit=', 'expiry=' or 'evict=' and microseconds");
    }
  }
  return !line->failed();
}

// A phase whose decisions fill several lines goes on from the line before.
bool PlanParser::ParseSchedule(LineReader* line) {
  if (plan_.scheduler.strategy != kRecordedStrategy) {
    return line->Fail("'schedule' stands without 'scheduler recorded' before it");
  }
  std::string_view name;
  uint64_t number = 0;
  if (!line->TakeWord("a phase", &name) || !line->TakeNumber("its number", kAny, &number)) {
    return false;
  }
  Schedule& schedule = plan_.scheduler.schedule;
  if (schedule.empty() || schedule.back().phase != name || schedule.back().number != number) {
    for (const PhaseSchedule& earlier : schedule) {
      if (earlier.phase != name || earlier.number != number) continue;
      return line->Fail("the schedule of this phase stands in two places");
    }
    schedule.push_back({std::string(name), number, {}});
  }
  while (!line->AtEnd() && !line->failed()) ParseDecision(line, &schedule.back().decisions);
  return !line->failed();
}

bool PlanParser::ParseDecision(LineReader* line, std::vector<Decision>* decisions) {
  Decision decision;
  if (!line->TakeNumber("a decision", kAny, &decision.at)) return false;
  if (line->TryToken(":")) {
    std::string_view fiber;
    if (!line->TakeWord("a fiber", &fiber)) return false;
    decision.fiber = fiber;
  } else if (line->TryToken("^")) {
    decision.kind = DecisionKind::kNotify;
    if (!line->TakeNumber("a waiter", kMost32, &decision.waiter)) return false;
    if (decision.waiter == 0) return line->Fail("waiter 0 is woken without a decision");
  } else if (line->TryToken("!")) {
    decision.kind = DecisionKind::kSpurious;
  } else {
    return line->Fail("expected ':FIBER', '^WAITER' or '!' after the number of a decision");
  }
  for (auto before = decisions->rbegin(); before != decisions->rend(); ++before) {
    if (before->kind != decision.kind) continue;
    if (before->at < decision.at) break;
    return line->Fail("decision " + std::to_string(decision.at) + " stands behind decision " +
                      std::to_string(before->at) + " of its kind");
  }
  decisions->push_back(std::move(decision));
  return true;
}

bool PlanParser::ParseOption(LineReader* line) {
  std::string_view name;
  uint64_t value = 0;
  if (!line->TakeWord("the name of an option", &name)) return false;
  const Knob* knob = FindKnob(name);
  if (knob == nullptr) return line->Fail("unknown option '" + std::string(name) + "'");
  if (!line->TakeNumber("option " + std::string(name), knob->highest, &value)) return false;
  if (value < knob->lowest) {
    return line->Fail("option " + std::string(name) + " is " + std::to_string(value) +
                      ", at least " + std::to_string(knob->lowest) + " is needed");
  }
  for (const auto& [earlier, unused] : plan_.options) {
    if (earlier == name) return line->Fail("option " + std::string(name) + " is given twice");
  }
  plan_.options.emplace_back(name, value);
  return true;
}

bool PlanParser::ParseFault(LineReader* line) {
  const std::string text(line->Rest());
  const StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
  if (!rule.ok()) return line->Fail("fault: " + std::string(rule.status().message()));
  plan_.faults.push_back(text);
  return true;
}

bool PlanParser::ParseChoice(LineReader* line, CrashChoice* choice) {
  while (!line->AtEnd() && !line->failed()) {
    if (line->TryToken("kind=power")) {
      choice->process = false;
    } else if (line->TryToken("kind=process")) {
      choice->process = true;
    } else if (line->TryToken("image=draw")) {
      choice->image.clear();
    } else if (line->TryToken("image=")) {
      if (!line->TakeQuoted(&choice->image)) return false;
      const auto image = faultfs::CrashPlan::Parse(choice->image);
      if (!image.ok()) return line->Fail("image: " + std::string(image.status().message()));
    } else if (line->TryToken("siblings=")) {
      uint64_t siblings = 0;
      line->TakeNumber("a number of siblings", kMost32, &siblings);
      choice->draw_siblings = static_cast<uint32_t>(siblings);
    } else {
      line->Fail("expected kind=power, kind=process, image=draw, image=\"...\" or siblings=N");
    }
  }
  return !line->failed();
}

bool PlanParser::ParseCrash(LineReader* line) {
  CrashSpec crash;
  if (!line->ExpectToken("after=")) return false;
  if (line->TryToken("step:")) {
    crash.start.after = CrashStart::After::kStep;
    uint64_t client = 0;
    uint64_t step = 0;
    if (!line->TakeNumber("a client", kMost32, &client) || !line->ExpectToken(".") ||
        !line->TakeNumber("a step", kMost32, &step)) {
      return false;
    }
    crash.start.client = static_cast<uint32_t>(client);
    crash.start.step = static_cast<uint32_t>(step);
  } else if (line->TryToken("boot")) {
    crash.start.after = CrashStart::After::kBoot;
  } else if (!line->TryToken("previous")) {
    return line->Fail("expected 'previous', 'boot' or 'step:CLIENT.STEP' after 'after='");
  }
  if (!TakeStrike(line, &crash.strike) || !ParseChoice(line, &crash.choice)) return false;
  plan_.crashes.push_back(std::move(crash));
  last_choice_ = &plan_.crashes.back().choice;
  return true;
}

bool PlanParser::ParseNested(LineReader* line) {
  if (plan_.crashes.empty()) return line->Fail("'nested' stands before the first 'crash' line");
  NestedCrash nested;
  if (!TakeStrike(line, &nested.strike)) return false;
  if (nested.strike.calls == 0) return line->Fail("calls of a nested crash count from 1");
  if (!ParseChoice(line, &nested.choice)) return false;
  plan_.crashes.back().nested.push_back(std::move(nested));
  last_choice_ = &plan_.crashes.back().nested.back().choice;
  return true;
}

bool PlanParser::ParseSibling(LineReader* line) {
  if (last_choice_ == nullptr) return line->Fail("'sibling' stands before the first 'crash' line");
  std::string image;
  if (!line->TakeQuoted(&image)) return false;
  const auto parsed = faultfs::CrashPlan::Parse(image);
  if (!parsed.ok()) return line->Fail("sibling: " + std::string(parsed.status().message()));
  last_choice_->siblings.push_back(std::move(image));
  return true;
}

bool PlanParser::ParseStep(StepKind kind, LineReader* line) {
  Step step;
  step.kind = kind;
  if (!ParseStepArguments(line, &step)) return false;
  plan_.clients.back().push_back(std::move(step));
  return true;
}

bool PlanParser::ParseStepArguments(LineReader* line, Step* step) {
  switch (step->kind) {
    case StepKind::kPut:
    case StepKind::kDelete:
    case StepKind::kDeleteRange: {
      Mutation& mutation = step->mutations.emplace_back();
      mutation.kind = step->kind == StepKind::kPut      ? MutationKind::kPut
                      : step->kind == StepKind::kDelete ? MutationKind::kDelete
                                                        : MutationKind::kDeleteRange;
      return line->TakeBytes(&mutation.key) &&
             (mutation.kind == MutationKind::kDelete || line->TakeBytes(&mutation.value)) &&
             TakeDurability(line, &step->durability);
    }
    case StepKind::kBatch:
      return TakeDurability(line, &step->durability) && ParseMutations(line, step);
    case StepKind::kIngest:
      return ParseMutations(line, step) && CheckIngest(*step, line);
    case StepKind::kTxnBegin:
      if (!TakeSlot(line, &step->slot)) return false;
      if (line->TryToken("serializable")) return true;
      step->serializable = false;
      return line->ExpectToken("snapshot");
    case StepKind::kTxnWrite:
      return TakeSlot(line, &step->slot) && ParseMutations(line, step);
    case StepKind::kTxnGet:
      return TakeSlot(line, &step->slot) && line->TakeBytes(&step->key);
    case StepKind::kTxnScan:
      if (!TakeSlot(line, &step->slot)) return false;
      step->forward = line->TryToken("forward");
      if (!step->forward && !line->ExpectToken("backward")) return false;
      return line->TakeNumber("a limit", kMost32, &step->amount) && ParseRange(line, step);
    case StepKind::kTxnCommit:
      return TakeSlot(line, &step->slot) && TakeDurability(line, &step->durability);
    case StepKind::kGet:
      return line->TakeBytes(&step->key) && ParseRange(line, step);
    case StepKind::kScan:
      if (line->TryToken("forward")) return ParseRange(line, step);
      step->forward = false;
      return line->ExpectToken("backward") && ParseRange(line, step);
    case StepKind::kIteratorOpen:
      return TakeSlot(line, &step->slot) && ParseRange(line, step);
    case StepKind::kIteratorWalk:
      return TakeSlot(line, &step->slot) && ParseMoves(line, step);
    case StepKind::kIteratorClose:
    case StepKind::kSnapshotTake:
    case StepKind::kSnapshotCheck:
    case StepKind::kSnapshotRelease:
    case StepKind::kTxnRollback:
      return TakeSlot(line, &step->slot);
    case StepKind::kProperty:
      return line->TakeQuoted(&step->name);
    case StepKind::kSleep:
      return line->TakeNumber("microseconds", uint64_t{3600} * 1000 * 1000, &step->amount);
    case StepKind::kCapacity:
      return line->TakeNumber("bytes", kAny, &step->amount);
    case StepKind::kWriteBack:
      return line->TakeNumber("a number of changes", kMost32, &step->amount);
    case StepKind::kCompactRange:
      return ParseRange(line, step) && CheckCompactRange(*step, line);
    case StepKind::kSync:
    case StepKind::kFlush:
    case StepKind::kReopen:
    case StepKind::kVerify:
    case StepKind::kEvict:
    case StepKind::kCheckpoint:
    case StepKind::kResume:
    case StepKind::kWait:
    case StepKind::kReadOnly:
      return true;
  }
  return false;
}

bool PlanParser::CheckCompactRange(const Step& step, LineReader* line) {
  if (step.snapshot >= 0) return line->Fail("compact-range takes no snapshot");
  if (step.lower.kind != BoundKind::kExclusive && step.upper.kind != BoundKind::kExclusive) {
    return true;
  }
  return line->Fail("the ends of compact-range are included: expected 'including:'");
}

bool PlanParser::CheckIngest(const Step& step, LineReader* line) {
  for (const Mutation& mutation : step.mutations) {
    if (mutation.kind == MutationKind::kDeleteRange) {
      return line->Fail("a table that is built outside takes no delete-range");
    }
  }
  return true;
}

bool PlanParser::ParseMutations(LineReader* line, Step* step) {
  while (!line->AtEnd()) {
    std::string_view word;
    if (!line->TakeWord("'put', 'delete' or 'delete-range'", &word)) return false;
    Mutation& mutation = step->mutations.emplace_back();
    if (word == "delete") {
      mutation.kind = MutationKind::kDelete;
    } else if (word == "delete-range") {
      mutation.kind = MutationKind::kDeleteRange;
    } else if (word != "put") {
      return line->Fail("expected 'put', 'delete' or 'delete-range', found '" + std::string(word) +
                        "'");
    }
    if (!line->TakeBytes(&mutation.key)) return false;
    if (mutation.kind != MutationKind::kDelete && !line->TakeBytes(&mutation.value)) return false;
  }
  return true;
}

bool PlanParser::ParseMoves(LineReader* line, Step* step) {
  while (!line->AtEnd()) {
    std::string_view word;
    if (!line->TakeWord("a move", &word)) return false;
    Move& move = step->moves.emplace_back();
    bool known = false;
    for (int i = 0; i <= static_cast<int>(MoveKind::kSeekForPrev); ++i) {
      if (MoveKindName(static_cast<MoveKind>(i)) != word) continue;
      move.kind = static_cast<MoveKind>(i);
      known = true;
    }
    if (!known) {
      return line->Fail("unknown move '" + std::string(word) +
                        "' (expected first, last, next, prev, seek or seek-prev)");
    }
    const bool seeks = move.kind == MoveKind::kSeek || move.kind == MoveKind::kSeekForPrev;
    if (seeks && !line->TakeBytes(&move.key)) return false;
  }
  return true;
}

bool PlanParser::ParseRange(LineReader* line, Step* step) {
  const bool bounded = step->kind != StepKind::kGet;
  const bool snapshots = step->kind != StepKind::kTxnScan;
  while (!line->AtEnd() && !line->failed()) {
    if (snapshots && line->TryToken("snapshot=")) {
      TakeSlot(line, &step->snapshot);
    } else if (bounded && line->TryToken("lower=")) {
      TakeBound(line, &step->lower);
    } else if (bounded && line->TryToken("upper=")) {
      TakeBound(line, &step->upper);
    } else {
      line->Fail(!bounded    ? "expected snapshot="
                 : snapshots ? "expected lower=, upper= or snapshot="
                             : "expected lower= or upper=");
    }
  }
  return !line->failed();
}

}  // namespace

StatusOr<Plan> ParsePlan(std::string_view text, std::string_view file) {
  return PlanParser(file).Parse(text);
}

}  // namespace shearpin::sim
