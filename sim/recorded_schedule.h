// RecordedSchedule replays the decisions of a plan; ScheduleRecorder writes down what another
// strategy decides, so that replaying it makes the same history.
//
// A recording may no longer fit: the engine has changed, or a shrinker took steps away. Where the
// fiber it names cannot run there, where fewer wait than it says, or where a phase ends before a
// decision's turn has come, the default takes its place and the *divergence* is counted and told.
//
// Thread safety: none; one scheduler's. Ownership: a recording is borrowed, and so are the
// strategies that a recorder listens to.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sim/schedule.h"
#include "sim/scheduling_strategy.h"

namespace shearpin::sim {

class RecordedSchedule final : public SchedulingStrategy {
 public:
  explicit RecordedSchedule(const Schedule* schedule) : schedule_(schedule) {}

  // The phase before it has ended. At the end of the run, with no name, that is all.
  void Begin(std::string_view phase, uint64_t number);

  uint64_t divergences() const { return divergences_; }
  // Of the first: "opening 2: at choice 17 client1 could not run". Empty if there is none.
  const std::string& first_divergence() const { return first_divergence_; }

  void OnSpawn(FiberId fiber, std::string_view name) override { labels_.OnSpawn(fiber, name); }
  FiberId PickNext(const SchedulingPoint& point) override;
  size_t PickWaiter(std::span<const FiberId> waiters) override;
  bool WakeSpuriously(FiberId waiter) override;

 private:
  // The decision on this question, if there is one; counts the question.
  const Decision* Ask(DecisionKind kind);
  // Moves on to the next decision of the kind.
  void Advance(DecisionKind kind);
  void Diverge(const std::string& what);

  struct Line {
    uint64_t asked = 0;
    size_t next = 0;  // in the phase's decisions: the next of this kind, or the end
  };

  const Schedule* const schedule_;
  const PhaseSchedule* phase_ = nullptr;
  std::array<Line, kDecisionKinds> lines_;
  FiberLabels labels_;
  uint64_t divergences_ = 0;
  std::string first_divergence_;
};

// What a fiber does where nobody decided: goes on if it can, else the one spawned first runs.
FiberId DefaultPick(const SchedulingPoint& point);

class ScheduleRecorder final : public SchedulingStrategy {
 public:
  // Listens to `strategy` from here on.
  void Begin(std::string_view phase, uint64_t number, SchedulingStrategy* strategy);
  // Phases without a decision are left out.
  Schedule Take();

  void OnSpawn(FiberId fiber, std::string_view name) override;
  FiberId PickNext(const SchedulingPoint& point) override;
  size_t PickWaiter(std::span<const FiberId> waiters) override;
  bool WakeSpuriously(FiberId waiter) override;

 private:
  Decision* Add(DecisionKind kind, uint64_t at);

  SchedulingStrategy* strategy_ = nullptr;
  Schedule schedule_;
  std::array<uint64_t, kDecisionKinds> asked_ = {};
  FiberLabels labels_;
};

}  // namespace shearpin::sim
