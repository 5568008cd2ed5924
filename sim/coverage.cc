#include "sim/coverage.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "engine/event_listener.h"
#include "faultfs/fault_rule.h"
#include "faultfs/profile.h"
#include "sim/knobs.h"

namespace shearpin::sim {
namespace {

using Condition = std::function<bool(const Plan&)>;

bool Always(const Plan&) { return true; }

uint64_t OptionOf(const Plan& plan, std::string_view name, uint64_t otherwise) {
  for (const auto& [option, value] : plan.options) {
    if (option == name) return value;
  }
  return otherwise;
}

Condition Has(StepKind kind) {
  return [kind](const Plan& plan) {
    return std::any_of(plan.clients.begin(), plan.clients.end(), [kind](const auto& steps) {
      return std::any_of(steps.begin(), steps.end(),
                         [kind](const Step& step) { return step.kind == kind; });
    });
  };
}

Condition Both(Condition a, Condition b) {
  return [a = std::move(a), b = std::move(b)](const Plan& plan) { return a(plan) && b(plan); };
}

bool HasFaults(const Plan& plan) { return !plan.faults.empty(); }
bool DamagesSilently(const Plan& plan) {
  return std::any_of(plan.faults.begin(), plan.faults.end(), [](const std::string& text) {
    const StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
    return rule.ok() && faultfs::BreaksPromise(rule->effect) &&
           rule->effect != faultfs::EffectKind::kLyingFlush;
  });
}
bool HasNoFaults(const Plan& plan) { return plan.faults.empty(); }
bool HasManyClients(const Plan& plan) { return plan.clients.size() > 1; }
bool IsDeep(const Plan& plan) { return plan.StepCount() >= 900; }
bool HasSmallBuffers(const Plan& plan) {
  return OptionOf(plan, "write_buffer_size", 64 << 20) <= 8192 && plan.StepCount() >= 60;
}
bool Merges(const Plan& plan) {
  return HasSmallBuffers(plan) && OptionOf(plan, "compaction_style", 0) != 3;
}
bool Filters(const Plan& plan) {
  return Merges(plan) && OptionOf(plan, "compaction_filter", 0) != 0;
}
bool HasBudget(const Plan& plan) { return OptionOf(plan, "memory_budget", 0) != 0; }
bool HasNested(const Plan& plan) {
  return std::any_of(plan.crashes.begin(), plan.crashes.end(),
                     [](const CrashSpec& crash) { return !crash.nested.empty(); });
}
bool CapacityIsSet(const Plan& plan) {
  return plan.capacity != 0 || Has(StepKind::kCapacity)(plan);
}

struct EventRow {
  EventKind kind;
  std::string_view configuration;
  uint64_t least_seeds;
  Condition applies;
};

// Least numbers of runs: about twenty times as many as it took to happen once on average when
// they were set, so that a sound harness misses one in some hundred million campaigns.
std::vector<EventRow> EventRows() {
  constexpr std::string_view kAny = "any plan";
  constexpr std::string_view kSmall = "small memtables";
  constexpr std::string_view kMerges = "small memtables, merges allowed";
  constexpr std::string_view kFaulty = "fault rules";
  return {
      {EventKind::kOpened, kAny, 30, Always},
      {EventKind::kRecoveredLog, kAny, 30, Always},
      {EventKind::kTornTail, kAny, 200, Always},
      {EventKind::kDroppedLog, kAny, 400, Always},
      {EventKind::kWalCreated, kAny, 30, Always},
      {EventKind::kWalRetired, kSmall, 30, HasSmallBuffers},
      {EventKind::kMemtableFrozen, kSmall, 30, HasSmallBuffers},
      {EventKind::kFlushBegun, kSmall, 30, HasSmallBuffers},
      {EventKind::kFlushDone, kSmall, 30, HasSmallBuffers},
      {EventKind::kCompactionBegun, kMerges, 100, Merges},
      {EventKind::kCompactionDone, kMerges, 100, Merges},
      {EventKind::kTrivialMove, kMerges, 200, Merges},
      {EventKind::kTombstoneDropped, kMerges, 400, Merges},
      {EventKind::kVersionDropped, kMerges, 200, Merges},
      {EventKind::kCoveredDropped, "merges and delete-range steps", 400,
       Both(Merges, Has(StepKind::kDeleteRange))},
      {EventKind::kRangeDeleteDropped, "merges and delete-range steps", 400,
       Both(Merges, Has(StepKind::kDeleteRange))},
      {EventKind::kFiltered, "merges and a compaction filter", 400, Filters},
      {EventKind::kTableRemoved, kMerges, 100, Merges},
      {EventKind::kManifestRotated, kAny, 40, Always},
      {EventKind::kManifestFallback, kAny, 2000, Always},
      {EventKind::kOrphanRemoved, kAny, 40, Always},
      {EventKind::kGroupCommit, "several clients", 400, HasManyClients},
      {EventKind::kTransactionCommitted, "txn-commit steps", 200, Has(StepKind::kTxnCommit)},
      {EventKind::kTransactionConflict, "txn-commit steps, several clients", 2000,
       Both(Has(StepKind::kTxnCommit), HasManyClients)},
      {EventKind::kWriteStalled, kSmall, 400, HasSmallBuffers},
      {EventKind::kWriteDelayed, kMerges, 2000, Merges},
      {EventKind::kWriterPoisoned, kFaulty, 200, HasFaults},
      {EventKind::kBackgroundError, kFaulty, 400, HasFaults},
      {EventKind::kClosed, kAny, 30, Always},
      {EventKind::kRetrySucceeded, kFaulty, 4000, HasFaults},
      {EventKind::kResumed, "fault rules and resume steps", 1000,
       Both(HasFaults, Has(StepKind::kResume))},
      {EventKind::kTableIngested, "ingest steps", 100, Has(StepKind::kIngest)},
      {EventKind::kCheckpointDone, "checkpoint steps, no fault rules", 200,
       Both(Has(StepKind::kCheckpoint), HasNoFaults)},
      {EventKind::kFilterDamaged, kFaulty, 40000, HasFaults},
      {EventKind::kWriteStallEnded, kSmall, 400, HasSmallBuffers},
      {EventKind::kTableSetAside, "merges, faults that damage silently", 4000,
       Both(Merges, DamagesSilently)},
      {EventKind::kMemtableCut, "a memory budget, small memtables", 400,
       Both(HasBudget, HasSmallBuffers)},
  };
}

void AddEvents(std::vector<Expectation>* table) {
  for (EventRow& row : EventRows()) {
    table->push_back({"event:" + std::string(EventKindName(row.kind)),
                      std::string(row.configuration), row.least_seeds, std::move(row.applies)});
  }
  // Each policy has code of its own for the same events.
  for (const char* policy : {"leveled", "tiered", "simple"}) {
    const Condition applies = [policy](const Plan& plan) {
      return Merges(plan) && PolicyOf(plan) == policy;
    };
    for (const EventKind kind : {EventKind::kCompactionDone, EventKind::kTombstoneDropped}) {
      table->push_back({"event:" + std::string(EventKindName(kind)),
                        std::string(policy) + " compaction, small memtables", 600, applies});
    }
  }
}

void AddFault(std::string name, uint64_t least_seeds, std::vector<Expectation>* table) {
  Condition applies = [name](const Plan& plan) {
    return std::any_of(plan.faults.begin(), plan.faults.end(),
                       [&](const std::string& rule) { return FaultName(rule) == name; });
  };
  std::string configuration = "a fault rule with effect=" + name;
  table->push_back({"fault:" + std::move(name), std::move(configuration), least_seeds, applies});
}

void AddFaults(std::vector<Expectation>* table) {
  for (int i = 0; i < faultfs::kEffectKinds; ++i) {
    const auto kind = static_cast<faultfs::EffectKind>(i);
    if (kind != faultfs::EffectKind::kSyncFail) {
      AddFault(std::string(faultfs::EffectKindName(kind)), 200, table);
      continue;
    }
    for (const auto mode : {faultfs::SyncFailure::kKeepNewClean, faultfs::SyncFailure::kRevertOld,
                            faultfs::SyncFailure::kReportNext, faultfs::SyncFailure::kShutdown}) {
      AddFault("sync_fail:" + std::string(faultfs::SyncFailureName(mode)), 200, table);
    }
  }
  table->push_back({"fault:disk_full", "a limited capacity", 400, CapacityIsSet});
  table->push_back({"fault:spurious_wakeup", "a scheduler that wakes spuriously", 400,
                    [](const Plan& plan) { return plan.scheduler.spurious_per_1024 != 0; }});
}

void AddSteps(std::vector<Expectation>* table) {
  for (int i = 0; i < kNumStepKinds; ++i) {
    const auto kind = static_cast<StepKind>(i);
    const std::string name(StepKindName(kind));
    table->push_back({"step:" + name, "plans with " + name, 30, Has(kind)});
  }
}

void AddStatuses(std::vector<Expectation>* table) {
  const auto add = [&](StatusCode code, std::string configuration, uint64_t least_seeds,
                       Condition applies) {
    table->push_back({"status:" + std::string(StatusCodeName(code)), std::move(configuration),
                      least_seeds, std::move(applies)});
  };
  add(StatusCode::kOk, "any plan", 30, Always);
  add(StatusCode::kNotFound, "get steps", 100, Has(StepKind::kGet));
  add(StatusCode::kBusy, "txn-commit steps, several clients", 2000,
      Both(Has(StepKind::kTxnCommit), HasManyClients));
  add(StatusCode::kIoError, "fault rules", 200, HasFaults);
  add(StatusCode::kNoSpace, "a limited capacity", 400, CapacityIsSet);
}

void AddCrashes(std::vector<Expectation>* table) {
  for (const std::string_view profile : faultfs::ProfileNames()) {
    table->push_back({"crash:power", "profile " + std::string(profile), 40,
                      [profile](const Plan& plan) { return plan.profile == profile; }});
  }
  table->push_back({"crash:process", "any plan", 100, Always});
  table->push_back({"crash:nested", "nested crashes", 40, HasNested});
  table->push_back({"crash:nested-twice", "nested crashes", 200, HasNested});
  for (const char* moment : {"before", "midway", "after"}) {
    table->push_back({"crash:" + std::string(moment), "any plan", 100, Always});
  }
  table->push_back({"tree:3", "1,000 steps or more", 400, IsDeep});
  table->push_back({"tree:4", "1,000 steps or more", 2000, IsDeep});
}

}  // namespace

std::vector<Expectation> StandardExpectations() {
  std::vector<Expectation> table;
  AddEvents(&table);
  AddFaults(&table);
  AddSteps(&table);
  AddStatuses(&table);
  AddCrashes(&table);
  return table;
}

std::map<std::string, uint64_t> ProbesOf(const RunResult& result) {
  std::map<std::string, uint64_t> probes = result.probes;
  for (const auto& [name, count] : result.events) probes["event:" + name] += count;
  for (const auto& [name, count] : result.faults) probes["fault:" + name] += count;
  for (size_t i = 0; i < result.steps.size(); ++i) {
    if (result.steps[i] == 0) continue;
    probes["step:" + std::string(StepKindName(static_cast<StepKind>(i)))] = result.steps[i];
  }
  for (size_t i = 0; i < result.statuses.size(); ++i) {
    if (result.statuses[i] == 0) continue;
    probes["status:" + std::string(StatusCodeName(static_cast<StatusCode>(i)))] =
        result.statuses[i];
  }
  return probes;
}

std::string FaultName(const std::string& rule) {
  const StatusOr<faultfs::FaultRule> parsed = faultfs::FaultRule::Parse(rule);
  if (!parsed.ok()) return {};
  std::string name(faultfs::EffectKindName(parsed->effect));
  if (parsed->effect == faultfs::EffectKind::kSyncFail) {
    name += ':';
    name += faultfs::SyncFailureName(parsed->sync_failure);
  }
  return name;
}

std::string PolicyOf(const Plan& plan) {
  constexpr std::array<const char*, 4> kNames = {"leveled", "tiered", "simple", "none"};
  return kNames[OptionOf(plan, "compaction_style", 0) % kNames.size()];
}

CoverageMarks MarksOf(const std::vector<Expectation>& expectations, const Plan& plan,
                      const RunResult& result) {
  const std::map<std::string, uint64_t> probes = ProbesOf(result);
  CoverageMarks marks;
  for (uint32_t i = 0; i < expectations.size(); ++i) {
    if (!expectations[i].applies(plan)) continue;
    marks.due.push_back(i);
    if (probes.count(expectations[i].probe) != 0) marks.met.push_back(i);
  }
  return marks;
}

Coverage::Coverage(std::vector<Expectation> expectations)
    : expectations_(std::move(expectations)),
      due_(expectations_.size(), 0),
      met_(expectations_.size(), 0) {}

void Coverage::Add(const CoverageMarks& marks) {
  for (const uint32_t i : marks.due) ++due_.at(i);
  for (const uint32_t i : marks.met) ++met_.at(i);
}

std::vector<Coverage::Line> Coverage::Lines() const {
  std::vector<Line> lines;
  for (size_t i = 0; i < expectations_.size(); ++i) {
    lines.push_back({&expectations_[i], due_[i], met_[i]});
  }
  return lines;
}

std::vector<std::string> Coverage::Missing() const {
  std::vector<std::string> missing;
  for (const Line& line : Lines()) {
    if (!line.missing()) continue;
    missing.push_back(line.expectation->probe + " never happened in " + std::to_string(line.due) +
                      " runs of: " + line.expectation->configuration + " (" +
                      std::to_string(line.expectation->least_seeds) + " runs are enough)");
  }
  return missing;
}

}  // namespace shearpin::sim
