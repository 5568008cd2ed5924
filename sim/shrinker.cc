#include "sim/shrinker.h"

#include <algorithm>

#include "engine/base/check.h"
#include "sim/nearby_plans.h"

namespace shearpin::sim {
namespace {

// The run's own words for the plan, with everything drawn written down; a process that crashed had
// none.
Plan WrittenDown(const Finding& finding, const Plan& given) {
  if (finding.plan.empty()) return given;
  StatusOr<Plan> plan = ParsePlan(finding.plan, "the plan of a finding");
  SHEARPIN_CHECK(plan.ok(), "a run wrote down what is no plan");
  return *std::move(plan);
}

}  // namespace

std::optional<Shrunk> Shrinker::Shrink(const Plan& plan) {
  const auto first = trials_->Run({&plan, 1}, Recording::kOff);
  ++runs_;
  if (first.empty() || !first[0]) return std::nullopt;
  failure_class_ = first[0]->failure_class;
  message_ = first[0]->message;
  plan_ = WrittenDown(*first[0], plan);
  size_ = SizeOf(plan_);
  Shrunk shrunk;
  shrunk.failure_class = failure_class_;
  shrunk.original = plan_;
  // What failed in one image does not need the others.
  const Plan focused = WithOnlySibling(plan_, first[0]->sibling);
  Take({&focused, 1});
  Simplify(SimplerSchedules);
  // Likewise without a kernel whose clock every later edit shifts.
  Simplify(SimplerHeaders);
  while (!Spent()) {
    if (Round() || SearchNearby() || RecordSchedule()) continue;
    shrunk.finished = !Spent();
    break;
  }
  shrunk.plan = std::move(plan_);
  shrunk.message = message_;
  shrunk.runs = runs_;
  return shrunk;
}

std::optional<Shrinker::Found> Shrinker::FirstFailing(std::span<const Plan> candidates) {
  size_t begin = 0;
  while (begin < candidates.size() && !Spent()) {
    const size_t left = std::min<uint64_t>(candidates.size() - begin, options_.most_runs - runs_);
    const size_t count = std::min(left, trials_->width());
    const auto outcomes = trials_->Run(candidates.subspan(begin, count), Recording::kOff);
    for (size_t i = 0; i < outcomes.size(); ++i) {
      // Those behind were tried for nothing, and do not count: so the count, and what is tried
      // under a budget, does not depend on the width.
      ++runs_;
      if (outcomes[i] && outcomes[i]->failure_class == failure_class_) {
        return Found{begin + i, *outcomes[i]};
      }
    }
    begin += count;
  }
  return std::nullopt;
}

bool Shrinker::Accept(const Plan& plan, const Finding& finding) {
  const PlanSize size = SizeOf(plan);
  if (size >= size_) return false;
  // A crash that is reached only now was drawn, and is written down.
  Plan written = WrittenDown(finding, plan);
  const PlanSize written_size = SizeOf(written);
  size_ = std::min(size, written_size);
  plan_ = written_size < size ? std::move(written) : plan;
  message_ = finding.message;
  on_progress_(plan_, runs_);
  return true;
}

std::optional<size_t> Shrinker::Take(std::span<const Plan> candidates) {
  std::vector<Plan> smaller;
  std::vector<size_t> places;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (SizeOf(candidates[i]) >= size_) continue;
    smaller.push_back(candidates[i]);
    places.push_back(i);
  }
  const auto found = FirstFailing(smaller);
  if (!found || !Accept(smaller[found->index], found->finding)) return std::nullopt;
  return places[found->index];
}

// From the end, since what comes after the failure is the surest to go.
bool Shrinker::Reduce(const PlanList& list) {
  bool progress = false;
  for (size_t chunk = list.count(plan_); chunk > 0; chunk /= 2) {
    size_t end = list.count(plan_);
    while (end > 0 && !Spent()) {
      std::vector<Plan> candidates;
      std::vector<size_t> begins;
      for (size_t stop = end; stop > 0 && candidates.size() < trials_->width();) {
        const size_t begin = stop > chunk ? stop - chunk : 0;
        candidates.push_back(list.without(plan_, begin, stop));
        begins.push_back(begin);
        stop = begin;
      }
      const auto taken = Take(candidates);
      end = taken ? begins[*taken] : begins.back();
      progress |= taken.has_value();
    }
  }
  return progress;
}

// Starts over after each success: the bolder candidates come first.
bool Shrinker::Simplify(std::vector<PlanEdit> (*simpler)(const Plan& plan)) {
  bool progress = false;
  while (!Spent() && TakeEdited(simpler(plan_))) progress = true;
  return progress;
}

// As Take, of the plan with each of the edits.
bool Shrinker::TakeEdited(std::span<const PlanEdit> edits) {
  for (size_t at = 0; at < edits.size() && !Spent();) {
    std::vector<Plan> smaller;
    for (; at < edits.size() && smaller.size() < trials_->width(); ++at) {
      Plan candidate = plan_;
      edits[at](&candidate);
      if (SizeOf(candidate) < size_) smaller.push_back(std::move(candidate));
    }
    const auto found = FirstFailing(smaller);
    if (found) return Accept(smaller[found->index], found->finding);
  }
  return false;
}

bool Shrinker::Round() {
  bool progress = false;
  progress |= Reduce(SiblingsOf());
  progress |= Reduce(CrashesOf());
  progress |= Reduce(NestedOf());
  progress |= Simplify(PromotedSiblings);
  progress |= Reduce(StepsOf());
  progress |= Reduce(ClientsOf());
  progress |= Simplify(FewerClients);
  progress |= Reduce(FaultsOf());
  progress |= Reduce(OptionsOf());
  progress |= Reduce(ChangesOf());
  progress |= Simplify(SimplerFaults);
  progress |= Simplify(SimplerSteps);
  progress |= Simplify(SimplerImages);
  progress |= Reduce(ImageTermsOf());
  progress |= Simplify(SimplerStrikes);
  progress |= Simplify(SimplerSchedules);
  progress |= Reduce(DecisionsOf());
  progress |= Simplify(ShorterBytes);
  progress |= Simplify(SimplerHeaders);
  return progress;
}

// One step less, and the failure somewhere near: what the run wrote down is gone on with, with the
// one image that failed. If the failure needs the others too (they were checked before it), they
// stay, and the next round takes them away one by one.
bool Shrinker::SearchNearby() {
  const PlanList steps = StepsOf();
  for (size_t step = steps.count(plan_); step-- > 0 && !Spent();) {
    const std::vector<Plan> nearby = Nearby(steps.without(plan_, step, step + 1));
    const auto found = FirstFailing(nearby);
    if (!found) continue;
    const Plan written = WrittenDown(found->finding, nearby[found->index]);
    const Plan focused = WithOnlySibling(written, found->finding.sibling);
    const auto again = FirstFailing({&focused, 1});
    if (again ? Accept(focused, again->finding) : Accept(written, found->finding)) return true;
  }
  return false;
}

bool Shrinker::RecordSchedule() {
  if (plan_.scheduler.strategy == kRecordedStrategy || Spent()) return false;
  const auto outcome = trials_->Run({&plan_, 1}, Recording::kOn);
  ++runs_;
  if (outcome.empty() || !outcome[0] || outcome[0]->plan.empty()) return false;
  const Plan recorded = WrittenDown(*outcome[0], plan_);
  return Take({&recorded, 1}).has_value();
}

}  // namespace shearpin::sim
