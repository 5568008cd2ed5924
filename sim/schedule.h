// Schedule: the decisions of a run, written down: where its fibers did not take turns as they
// would have by themselves. A part of a plan; RecordedSchedule replays it and ScheduleRecorder
// makes it.
//
// By itself (the *default*) the current fiber goes on as long as it can, else the one spawned
// first runs; the longest waiter is notified; no wait wakes without a notification. A decision is
// an exception to that, at the n-th time that the phase was asked this kind of question:
//
//   17:client1    at the 18th choice among fibers, client1 ran
//   3^1           at the 4th notification with several waiters, the second of them was woken
//   9!            the 10th wait returned without a notification
//
// Fibers are called by what they are (the second of a name in its phase is "client1.2"), not by
// number: a plan that lost a step still means the same by them. Dropping decisions always leaves
// a schedule.
//
// Thread safety: values, pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scheduling_strategy.h"

namespace shearpin::sim {

enum class DecisionKind : uint8_t { kRun, kNotify, kSpurious };
inline constexpr int kDecisionKinds = 3;

struct Decision {
  DecisionKind kind = DecisionKind::kRun;
  uint64_t at = 0;      // counted from 0 in its phase, among questions of its kind
  std::string fiber;    // kRun: its label
  uint64_t waiter = 0;  // kNotify: its place in the queue; 0 is the default and no decision
  bool operator==(const Decision&) const = default;
};

// A phase of a run ("opening" 2, "image" 7) begins with no decision made. Within it, decisions of
// one kind have rising places.
struct PhaseSchedule {
  std::string phase;
  uint64_t number = 0;
  std::vector<Decision> decisions;
  bool operator==(const PhaseSchedule&) const = default;
};

using Schedule = std::vector<PhaseSchedule>;

size_t DecisionCount(const Schedule& schedule);

void AppendDecision(const Decision& decision, std::string* text);

// What the fibers of a phase are called.
class FiberLabels {
 public:
  // Forgets all but the main fiber, the only one that is there when a phase begins.
  void Begin();
  void OnSpawn(FiberId fiber, std::string_view name);
  // A fiber of an earlier phase that is still there has a label that names its number.
  std::string Of(FiberId fiber) const;

 private:
  std::map<FiberId, std::string> labels_;
  std::map<std::string, uint64_t, std::less<>> spawned_;  // by name
};

}  // namespace shearpin::sim
