#include "sim/machine.h"

#include "engine/base/check.h"

namespace shearpin::sim {

Machine::Machine(std::unique_ptr<faultfs::SimDisk> disk, RunContext* context,
                 BeforeChange before_change)
    : context_(context),
      disk_(std::move(disk)),
      fs_(disk_.get(), this),
      before_change_(std::move(before_change)) {}

Machine::~Machine() {
  RunResult& result = context_->result();
  result.file_system_calls += fs_.calls();
  for (int i = 0; i < faultfs::kEffectKinds; ++i) {
    const auto kind = static_cast<faultfs::EffectKind>(i);
    const uint64_t fired = fs_.fired()[static_cast<size_t>(i)];
    if (kind != faultfs::EffectKind::kSyncFail && fired != 0) {
      result.faults[std::string(faultfs::EffectKindName(kind))] += fired;
    }
  }
  for (size_t i = 0; i < fs_.sync_failures().size(); ++i) {
    if (fs_.sync_failures()[i] == 0) continue;
    const auto mode = static_cast<faultfs::SyncFailure>(i);
    result.faults["sync_fail:" + std::string(faultfs::SyncFailureName(mode))] +=
        fs_.sync_failures()[i];
  }
  for (const auto& [cell, count] : fs_.fired_by_call()) result.matrix[cell] += count;
  for (size_t i = 0; i < result.calls.size(); ++i) result.calls[i] += fs_.calls_by_kind()[i];
  if (fs_.disk_full() != 0) result.faults["disk_full"] += fs_.disk_full();
}

void Machine::AddFaults(const std::vector<std::string>& rules) {
  for (const std::string& text : rules) {
    StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
    SHEARPIN_CHECK(rule.ok(), "the plan's parser or generator let a malformed fault through");
    fs_.AddRule(*rule);
  }
}

void Machine::Heal() {
  fs_.ClearRules();
  SetCapacity(0);
}

void Machine::SetCapacity(uint64_t bytes) { disk_->SetCapacity(bytes == 0 ? UINT64_MAX : bytes); }

// Only calls that change the disk are counted: a crash before a read leaves what a crash before
// the next change leaves.
void Machine::Arm(const Strike& strike) {
  if (strike.calls == 0) {
    fs_.Freeze();
    return;
  }
  faultfs::CrashTrigger trigger;
  trigger.calls = strike.calls - 1;
  trigger.kinds = strike.of ? faultfs::SetOf(*strike.of) : faultfs::kMutatingCalls;
  trigger.moment = strike.moment;
  trigger.bytes = strike.bytes;
  fs_.CrashAtCall(trigger);
}

bool Machine::shut_down() const {
  return fs_.sync_failures()[static_cast<size_t>(faultfs::SyncFailure::kShutdown)] != 0;
}

uint64_t Machine::failed_syncs() const {
  uint64_t sum = 0;
  for (const uint64_t fired : fs_.sync_failures()) sum += fired;
  return sum;
}

void Machine::Before(const faultfs::FsCall& call) {
  context_->scheduler().Point(faultfs::CallKindName(call.kind).data());
  if ((faultfs::SetOf(call.kind) & faultfs::kMutatingCalls) == 0 || crashed()) return;
  if (before_change_) before_change_();
  ++changes_;
}

void Machine::InFlight(const faultfs::FsCall&) { context_->scheduler().Point("in-flight"); }

void Machine::Delay(const faultfs::FsCall&, uint64_t micros) {
  DeterministicScheduler& scheduler = context_->scheduler();
  scheduler.SleepUntil(scheduler.NowMicros() + micros);
}

void Machine::After(const faultfs::FsCall& call, const Status& result) {
  const uint64_t hash = call.data.empty() ? 0 : call.DataHash();
  context_->trace().Record(faultfs::CallKindName(call.kind), call.path, call.second_path,
                           call.offset, call.size, hash,
                           result.ok() ? std::string_view("OK") : result.message());
}

void Machine::Crashed(const faultfs::FsCall& call) {
  context_->trace().Record("crash-within", faultfs::CallKindName(call.kind), call.path);
}

}  // namespace shearpin::sim
