#include "sim/recorded_schedule.h"

#include <utility>

namespace shearpin::sim {

FiberId DefaultPick(const SchedulingPoint& point) {
  return point.current != kNoFiber ? point.current : point.runnable.front();
}

// ---- Replay ----

void RecordedSchedule::Begin(std::string_view phase, uint64_t number) {
  if (phase_ != nullptr) {
    for (const Line& line : lines_) {
      if (line.next >= phase_->decisions.size()) continue;
      const Decision& left = phase_->decisions[line.next];
      std::string text;
      AppendDecision(left, &text);
      Diverge("it ended before decision " + text);
    }
  }
  labels_.Begin();
  phase_ = nullptr;
  for (const PhaseSchedule& each : *schedule_) {
    if (each.phase == phase && each.number == number) phase_ = &each;
  }
  for (int kind = 0; kind < kDecisionKinds; ++kind) {
    lines_[static_cast<size_t>(kind)] = {.asked = 0, .next = SIZE_MAX};
    Advance(static_cast<DecisionKind>(kind));
  }
}

// `next` wraps from SIZE_MAX, before the first, to 0.
void RecordedSchedule::Advance(DecisionKind kind) {
  Line& line = lines_[static_cast<size_t>(kind)];
  ++line.next;
  if (phase_ == nullptr) return;
  while (line.next < phase_->decisions.size() && phase_->decisions[line.next].kind != kind) {
    ++line.next;
  }
}

const Decision* RecordedSchedule::Ask(DecisionKind kind) {
  Line& line = lines_[static_cast<size_t>(kind)];
  const uint64_t question = line.asked++;
  if (phase_ == nullptr || line.next >= phase_->decisions.size()) return nullptr;
  const Decision& decision = phase_->decisions[line.next];
  if (decision.at != question) return nullptr;
  Advance(kind);
  return &decision;
}

void RecordedSchedule::Diverge(const std::string& what) {
  if (divergences_++ != 0) return;
  first_divergence_ = phase_->phase + " " + std::to_string(phase_->number) + ": " + what;
}

FiberId RecordedSchedule::PickNext(const SchedulingPoint& point) {
  const Decision* const decision = Ask(DecisionKind::kRun);
  if (decision == nullptr) return DefaultPick(point);
  for (const FiberId fiber : point.runnable) {
    if (labels_.Of(fiber) == decision->fiber) return fiber;
  }
  Diverge("at choice " + std::to_string(decision->at) + " " + decision->fiber + " could not run");
  return DefaultPick(point);
}

size_t RecordedSchedule::PickWaiter(std::span<const FiberId> waiters) {
  const Decision* const decision = Ask(DecisionKind::kNotify);
  if (decision == nullptr) return 0;
  if (decision->waiter < waiters.size()) return decision->waiter;
  Diverge("at notification " + std::to_string(decision->at) + " only " +
          std::to_string(waiters.size()) + " waited");
  return 0;
}

bool RecordedSchedule::WakeSpuriously(FiberId) { return Ask(DecisionKind::kSpurious) != nullptr; }

// ---- Recording ----

void ScheduleRecorder::Begin(std::string_view phase, uint64_t number,
                             SchedulingStrategy* strategy) {
  strategy_ = strategy;
  labels_.Begin();
  asked_ = {};
  schedule_.push_back({std::string(phase), number, {}});
}

Schedule ScheduleRecorder::Take() {
  std::erase_if(schedule_, [](const PhaseSchedule& phase) { return phase.decisions.empty(); });
  return std::move(schedule_);
}

void ScheduleRecorder::OnSpawn(FiberId fiber, std::string_view name) {
  labels_.OnSpawn(fiber, name);
  strategy_->OnSpawn(fiber, name);
}

Decision* ScheduleRecorder::Add(DecisionKind kind, uint64_t at) {
  Decision& decision = schedule_.back().decisions.emplace_back();
  decision.kind = kind;
  decision.at = at;
  return &decision;
}

FiberId ScheduleRecorder::PickNext(const SchedulingPoint& point) {
  const uint64_t at = asked_[static_cast<size_t>(DecisionKind::kRun)]++;
  const FiberId picked = strategy_->PickNext(point);
  if (picked != DefaultPick(point)) Add(DecisionKind::kRun, at)->fiber = labels_.Of(picked);
  return picked;
}

size_t ScheduleRecorder::PickWaiter(std::span<const FiberId> waiters) {
  const uint64_t at = asked_[static_cast<size_t>(DecisionKind::kNotify)]++;
  const size_t picked = strategy_->PickWaiter(waiters);
  if (picked != 0) Add(DecisionKind::kNotify, at)->waiter = picked;
  return picked;
}

bool ScheduleRecorder::WakeSpuriously(FiberId waiter) {
  const uint64_t at = asked_[static_cast<size_t>(DecisionKind::kSpurious)]++;
  const bool wakes = strategy_->WakeSpuriously(waiter);
  if (wakes) Add(DecisionKind::kSpurious, at);
  return wakes;
}

}  // namespace shearpin::sim
