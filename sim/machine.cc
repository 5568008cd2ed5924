#include "sim/machine.h"

#include "engine/base/check.h"
#include "faultfs/micro_op.h"
#include "sim/harm.h"
#include "sim/story.h"

namespace shearpin::sim {

Machine::Machine(std::unique_ptr<faultfs::SimDisk> disk, RunContext* context,
                 BeforeChange before_change)
    : context_(context),
      disk_(std::move(disk)),
      fs_(disk_.get(), this),
      before_change_(std::move(before_change)) {
  const uint64_t now = context_->scheduler().NowMicros();
  next_commit_ = now + context_->plan().kernel.commit;
  next_evict_ = now + context_->plan().kernel.evict;
  // Of a disk that lies nobody knows what a loss of power leaves.
  if (!disk_->profile().honours_flush) harm_ = model::CrashKind::kBrokenStorage;
}

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
    context_->trace().Note("crash: the machine stops here; the dying process sees errors");
    return Stop();
  }
  if (strike.calls != kAfterWorkload) {
    context_->trace().Note("crash: the machine will stop; changing calls until then:",
                           strike.calls);
  }
  faultfs::CrashTrigger trigger;
  trigger.calls = strike.calls - 1;
  trigger.kinds = strike.of ? faultfs::SetOf(*strike.of) : faultfs::kMutatingCalls;
  if (!strike.path.empty()) trigger.path_glob = strike.path;
  trigger.moment = strike.moment;
  trigger.bytes = strike.bytes;
  fs_.CrashAtCall(trigger);
}

void Machine::Stop() {
  CatchUp();
  fs_.Freeze();
}

void Machine::InheritHarm(const Machine& before) {
  harm_ = before.harm_;
  harm_shows_ = before.harm_shows_;
}

void Machine::CatchUp() {
  const KernelSpec& kernel = context_->plan().kernel;
  if (crashed() || (kernel.commit == 0 && kernel.evict == 0)) return;
  const uint64_t now = context_->scheduler().NowMicros();
  std::map<std::string, uint64_t>& faults = context_->result().faults;
  if (kernel.commit != 0 && now >= next_commit_) {
    // Nothing was logged since the call before, so that the first commit since then had all of it.
    marks_.push_back({next_commit_, disk_->LogPosition()});
    next_commit_ = now - (now - next_commit_) % kernel.commit + kernel.commit;
    const size_t committed = disk_->CommitBefore(marks_.back().position);
    uint64_t expired = 0;
    while (kernel.expiry != 0 && !marks_.empty() && now - marks_.front().micros >= kernel.expiry) {
      expired = marks_.front().position;
      marks_.pop_front();
    }
    if (kernel.expiry == 0) marks_.clear();
    const size_t written = expired == 0 ? 0 : disk_->WriteBackBefore(expired);
    if (committed != 0) faults["journal_commit"] += committed;
    if (written != 0) faults["write_back"] += written;
    if (committed + written != 0) context_->trace().Record("kernel-commit", committed, written);
  }
  if (kernel.evict != 0 && now >= next_evict_) {
    next_evict_ = now - (now - next_evict_) % kernel.evict + kernel.evict;
    Evict();
  }
}

void Machine::Evict() {
  const size_t changed = disk_->Evict();
  if (changed == 0) return;
  context_->result().faults["evicted_block"] += changed;
  context_->trace().Record("evicted", changed);
}

bool Machine::shut_down() const {
  return fs_.sync_failures()[static_cast<size_t>(faultfs::SyncFailure::kShutdown)] != 0;
}

uint64_t Machine::failed_syncs() const {
  uint64_t sum = 0;
  for (const uint64_t fired : fs_.sync_failures()) sum += fired;
  return sum;
}

uint64_t Machine::faults_fired() const {
  uint64_t sum = fs_.disk_full();
  for (int i = 0; i < faultfs::kEffectKinds; ++i) {
    const auto kind = static_cast<faultfs::EffectKind>(i);
    if (kind != faultfs::EffectKind::kLatency) sum += fs_.fired()[static_cast<size_t>(i)];
  }
  return sum;
}

void Machine::Before(const faultfs::FsCall& call) {
  context_->scheduler().Point(faultfs::CallKindName(call.kind).data());
  CatchUp();
  if ((faultfs::SetOf(call.kind) & faultfs::kMutatingCalls) == 0 || crashed()) return;
  if (before_change_) before_change_();
  ++changes_;
}

void Machine::InFlight(const faultfs::FsCall&) { context_->scheduler().Point("in-flight"); }

void Machine::Delay(const faultfs::FsCall&, uint64_t micros) {
  context_->scheduler().Stall(micros);
}

void Machine::After(const faultfs::FsCall& call, const Status& result) {
  const uint64_t hash = call.data.empty() ? 0 : call.DataHash();
  Trace& trace = context_->trace();
  trace.RecordUntold(faultfs::CallKindName(call.kind), call.path, call.second_path, call.offset,
                     call.size, hash, result.ok() ? std::string_view("OK") : result.message());
  if (trace.has_sink()) trace.Note(TellCall(call, hash, result, crashed()));
  if (!result.ok() && !result.IsNotFound()) ++failed_calls_[static_cast<size_t>(call.kind)];
  // What an earlier sync only claimed to have written is lost by this one too, and shows at the
  // next eviction.
  if (!result.ok() && call.kind == faultfs::CallKind::kSync && !disk_->profile().honours_flush) {
    context_->BreakStorage();
  }
}

void Machine::Damaged(const faultfs::FsCall& call, faultfs::EffectKind effect,
                      std::string_view path, uint64_t offset) {
  using model::CrashKind;
  const std::string_view name = faultfs::EffectKindName(effect);
  context_->BreakStorage();
  context_->trace().Record("damage", name, path, offset);
  context_->RememberNote("damage: " + std::string(name) + " of " + std::string(path) + " at " +
                         std::to_string(offset));
  const CrashKind harm = HarmOf(call, effect, path, offset);
  if (harm == CrashKind::kClean) return;
  harm_ = model::Together(harm_, harm);
  if (harm >= CrashKind::kForgottenSync) context_->model().Freeze();
  // Ignored by the disk, it is still in the cache; anything else an eviction may bring to light.
  harm_shows_ |= effect != faultfs::EffectKind::kLyingFlush;
}

void Machine::Crashed(const faultfs::FsCall& call) {
  Trace& trace = context_->trace();
  trace.RecordUntold("crash-within", faultfs::CallKindName(call.kind), call.path);
  trace.Note("crash: the machine stops here, within", faultfs::CallKindName(call.kind), call.path);
}

}  // namespace shearpin::sim
