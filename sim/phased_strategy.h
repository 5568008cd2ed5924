// PhasedStrategy: a plan's scheduler strategy, which starts afresh at each phase of a run (an
// opening, an image), so that one recovery more or less (a shrinker leaves out siblings) does not
// shift the schedule of what comes after. Records what it decides, if asked to.
//
// PCT's estimate of an opening's length is the length of the opening before it; of the first, and
// of images, it is the plan's: an image must not depend on those that were checked before it.
//
// Thread safety: none; one scheduler's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "sim/lagging_strategy.h"
#include "sim/pct_strategy.h"
#include "sim/plan.h"
#include "sim/recorded_schedule.h"
#include "sim/scheduling_strategy.h"

namespace shearpin::sim {

enum class Recording : uint8_t { kOff, kOn };

class PhasedStrategy final : public SchedulingStrategy {
 public:
  PhasedStrategy(const SchedulerSpec& spec, Recording recording);

  // `name` and `number` tell this phase from all others.
  void Begin(std::string_view name, uint64_t number);
  // The run is over.
  void End();

  // What was recorded, as a spec that replays it; after End, with Recording::kOn.
  SchedulerSpec TakeRecorded();
  // Of a recorded schedule that did not fit; after End.
  uint64_t divergences() const;
  std::string first_divergence() const;

  void OnSpawn(FiberId fiber, std::string_view name) override { top_->OnSpawn(fiber, name); }
  FiberId PickNext(const SchedulingPoint& point) override { return top_->PickNext(point); }
  size_t PickWaiter(std::span<const FiberId> waiters) override { return top_->PickWaiter(waiters); }
  bool WakeSpuriously(FiberId waiter) override { return top_->WakeSpuriously(waiter); }

 private:
  bool IsOpening() const { return phase_name_ == "opening"; }

  const SchedulerSpec spec_;
  std::variant<std::monostate, RandomWalk, PctStrategy, LaggingStrategy, RecordedSchedule>
      strategy_;
  std::optional<ScheduleRecorder> recorder_;
  SchedulingStrategy* top_ = nullptr;  // the recorder, or what it listens to
  std::string phase_name_;
  uint64_t opening_steps_ = 0;  // of the last opening that PCT ran; 0: none yet
};

}  // namespace shearpin::sim
