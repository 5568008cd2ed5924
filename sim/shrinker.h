// Shrinker: makes a failing plan smaller as long as it fails in the same class.
//
// Delta debugging (Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE
// TSE 2002) over every list of a plan, chunks first, then over everything that has a simpler form;
// round after round until nothing gives way. When no step can go as it is, the failure is looked
// for *nearby*: without the step, but with other images of its crashes, or under another schedule.
// At last the schedule is recorded, and its switches are a list like the others.
//
// The result is the same whatever the number of processes, as long as only the budget of runs
// binds: candidates are tried in an order, and the first one that fails is taken.
//
// Every step goes down in the order of PlanSize. So a plan that was shrunk to the end is a
// fixpoint.
//
// Thread safety: one thread at a time. Ownership: borrows the trials.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/phased_strategy.h"
#include "sim/plan.h"
#include "sim/plan_edits.h"
#include "sim/plan_lists.h"
#include "sim/plan_size.h"
#include "sim/seed_report.h"

namespace shearpin::sim {

// Runs plans, each in a process that may crash.
class PlanTrials {
 public:
  virtual ~PlanTrials() = default;
  // What was found in each; nothing where nothing was. Fewer, if they were called off.
  virtual std::vector<std::optional<Finding>> Run(std::span<const Plan> plans,
                                                  Recording recording) = 0;
  // As many as are run at a time.
  virtual size_t width() const = 0;
  // Whether to end soon: time is up, or somebody said so.
  virtual bool called_off() const = 0;
};

struct ShrinkOptions {
  uint64_t most_runs = 5000;
};

struct Shrunk {
  FailureClass failure_class;
  std::string message;  // of the shrunk plan's failure
  Plan original;        // as its run wrote it down
  Plan plan;
  uint64_t runs = 0;
  bool finished = false;  // nothing more gives way; else the budget ended it
};

class Shrinker {
 public:
  // Called whenever the plan has become smaller.
  using OnProgress = std::function<void(const Plan& plan, uint64_t runs)>;

  Shrinker(PlanTrials* trials, const ShrinkOptions& options, OnProgress on_progress)
      : trials_(trials), options_(options), on_progress_(std::move(on_progress)) {}

  // Nothing if the plan does not fail.
  std::optional<Shrunk> Shrink(const Plan& plan);

 private:
  struct Found {
    size_t index;
    Finding finding;
  };

  bool Spent() const { return runs_ >= options_.most_runs || trials_->called_off(); }
  // The first candidate that fails in the class; those that are not smaller are passed over.
  std::optional<Found> FirstFailing(std::span<const Plan> candidates);
  // Goes on from the first candidate that fails and is smaller; where it stood, else nothing.
  std::optional<size_t> Take(std::span<const Plan> candidates);
  bool Accept(const Plan& plan, const Finding& finding);

  bool Reduce(const PlanList& list);
  bool Simplify(std::vector<PlanEdit> (*simpler)(const Plan& plan));
  bool TakeEdited(std::span<const PlanEdit> edits);
  bool Round();
  bool SearchNearby();
  bool RecordSchedule();

  PlanTrials* const trials_;
  const ShrinkOptions options_;
  const OnProgress on_progress_;
  FailureClass failure_class_ = FailureClass::kWrongData;
  std::string message_;
  Plan plan_;
  PlanSize size_;  // its
  uint64_t runs_ = 0;
};

}  // namespace shearpin::sim
