#include "sim/phased_strategy.h"

#include <utility>

#include "engine/base/check.h"

namespace shearpin::sim {

PhasedStrategy::PhasedStrategy(const SchedulerSpec& spec, Recording recording) : spec_(spec) {
  if (recording == Recording::kOn) recorder_.emplace();
  if (spec.strategy == kRecordedStrategy) strategy_.emplace<RecordedSchedule>(&spec_.schedule);
  Begin("run", 0);
}

void PhasedStrategy::Begin(std::string_view name, uint64_t number) {
  if (const auto* const pct = std::get_if<PctStrategy>(&strategy_)) {
    if (IsOpening() && pct->steps() != 0) opening_steps_ = pct->steps();
  }
  phase_name_ = name;
  if (auto* const recorded = std::get_if<RecordedSchedule>(&strategy_)) {
    recorded->Begin(name, number);
    top_ = recorded;
  } else if (spec_.strategy == kPctStrategy) {
    const uint64_t steps = IsOpening() && opening_steps_ != 0 ? opening_steps_ : spec_.steps;
    top_ = &strategy_.emplace<PctStrategy>(
        Rng::Stream(spec_.seed, name, number),
        PctStrategy::Options{
            .depth = spec_.depth, .steps = steps, .spurious_per_1024 = spec_.spurious_per_1024});
  } else if (spec_.strategy == kLaggingStrategy) {
    top_ = &strategy_.emplace<LaggingStrategy>(
        Rng::Stream(spec_.seed, name, number),
        LaggingStrategy::Options{.stay_per_1024 = spec_.stay_per_1024,
                                 .every = spec_.every,
                                 .steps = spec_.steps,
                                 .spurious_per_1024 = spec_.spurious_per_1024});
  } else {
    SHEARPIN_CHECK(spec_.strategy == kRandomWalkStrategy, "no such strategy");
    top_ = &strategy_.emplace<RandomWalk>(
        Rng::Stream(spec_.seed, name, number),
        RandomWalk::Options{.stay_per_1024 = spec_.stay_per_1024,
                            .spurious_per_1024 = spec_.spurious_per_1024});
  }
  if (!recorder_) return;
  recorder_->Begin(name, number, top_);
  top_ = &*recorder_;
}

void PhasedStrategy::End() {
  if (auto* const recorded = std::get_if<RecordedSchedule>(&strategy_)) recorded->Begin("", 0);
}

SchedulerSpec PhasedStrategy::TakeRecorded() {
  SchedulerSpec recorded;
  recorded.strategy = kRecordedStrategy;
  recorded.micros_per_point = spec_.micros_per_point;
  recorded.schedule = recorder_->Take();
  return recorded;
}

uint64_t PhasedStrategy::divergences() const {
  const auto* const recorded = std::get_if<RecordedSchedule>(&strategy_);
  return recorded != nullptr ? recorded->divergences() : 0;
}

std::string PhasedStrategy::first_divergence() const {
  const auto* const recorded = std::get_if<RecordedSchedule>(&strategy_);
  return recorded != nullptr ? recorded->first_divergence() : std::string();
}

}  // namespace shearpin::sim
