#include "sim/plan_size.h"

#include <algorithm>

#include "engine/base/check.h"
#include "faultfs/crash_plan.h"
#include "faultfs/fault_rule.h"

namespace shearpin::sim {
namespace {

using faultfs::CrashPlan;
using faultfs::KeepRule;

// More than any plan that was written down has.
constexpr uint64_t kDrawn = 1'000'000;

uint64_t ImageSize(const std::string& text) {
  const StatusOr<CrashPlan> image = CrashPlan::Parse(text);
  SHEARPIN_CHECK(image.ok(), "an image that does not parse");
  const uint64_t torn = image->tears.size() + image->fills.size();
  switch (image->keep) {
    case KeepRule::kAll:
      return torn;
    case KeepRule::kNone:
      return torn + 1;
    case KeepRule::kPrefix:
      return torn + 2;
    case KeepRule::kOnly:
    case KeepRule::kNeed:
    case KeepRule::kExcept:
      return torn + 2 + image->ops.size();
    case KeepRule::kList:
      return torn + 3 + image->bits.size() +
             static_cast<uint64_t>(std::count(image->bits.begin(), image->bits.end(), '0'));
  }
  return torn;
}

void Add(const CrashChoice& choice, PlanSize* size) {
  ++size->crashes;
  size->siblings += choice.siblings.size() + choice.draw_siblings;
  if (!choice.process) size->image += choice.image.empty() ? kDrawn : ImageSize(choice.image);
  for (const std::string& sibling : choice.siblings) size->image += ImageSize(sibling);
}

// At once, or only when the workload ends, is simpler than somewhere between.
void Add(const Strike& strike, PlanSize* size) {
  if (strike.calls != 0) size->strike += strike.calls == kAfterWorkload ? 1 : 1 + strike.calls;
  size->strike += strike.moment != faultfs::CrashMoment::kBefore;
  size->strike += strike.bytes != 0;
  size->strike += strike.of.has_value();
  size->strike += !strike.path.empty();
}

void Add(const KeyBound& bound, PlanSize* size) {
  size->extras += bound.kind != BoundKind::kUnbounded;
  size->bytes += bound.key.size();
}

void Add(const Step& step, PlanSize* size) {
  ++size->steps;
  const size_t parts = step.mutations.size() + step.moves.size();
  size->changes += parts > 0 ? parts - 1 : 0;
  for (const Mutation& mutation : step.mutations) {
    size->bytes += mutation.key.size() + mutation.value.size();
  }
  for (const Move& move : step.moves) size->bytes += move.key.size();
  size->bytes += step.key.size();
  Add(step.lower, size);
  Add(step.upper, size);
  size->extras += step.snapshot >= 0;
}

}  // namespace

PlanSize SizeOf(const Plan& plan) {
  PlanSize size;
  size.clients = plan.clients.size();
  for (const auto& steps : plan.clients) {
    for (const Step& step : steps) Add(step, &size);
  }
  size.faults = plan.faults.size();
  for (const std::string& text : plan.faults) {
    const StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
    SHEARPIN_CHECK(rule.ok(), "a fault that does not parse");
    size.extras += rule->skip + (rule->times != 1);
  }
  for (const CrashSpec& crash : plan.crashes) {
    Add(crash.choice, &size);
    Add(crash.strike, &size);
    size.strike += crash.start.after != CrashStart::After::kPrevious;
    for (const NestedCrash& nested : crash.nested) {
      Add(nested.choice, &size);
      Add(nested.strike, &size);
    }
  }
  size.options = plan.options.size() + (plan.capacity != 0) + !plan.powersafe_overwrite +
                 (plan.scheduler.micros_per_point != 0) + (plan.kernel.commit != 0) +
                 (plan.kernel.expiry != 0) + (plan.kernel.evict != 0) +
                 (plan.profile != Plan().profile);
  const SchedulerSpec& scheduler = plan.scheduler;
  size.switches = scheduler.strategy == kRecordedStrategy ? DecisionCount(scheduler.schedule)
                  : scheduler.strategy == kPctStrategy    ? kDrawn + scheduler.depth
                                                          : 2 * kDrawn;
  if (scheduler.strategy != kRecordedStrategy) {
    size.switches += kDrawn / 2 * (scheduler.spurious_per_1024 != 0);
  }
  Plan unscheduled = plan;
  unscheduled.scheduler.schedule.clear();
  size.text = FormatPlan(unscheduled).size();
  return size;
}

std::string DescribeSize(const Plan& plan) {
  const PlanSize size = SizeOf(plan);
  const auto count = [](uint64_t n, const char* one, const char* many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
  };
  return count(size.steps, "step", "steps") + ", " + count(size.clients, "client", "clients") +
         ", " + count(size.faults, "fault", "faults") + ", " +
         count(size.crashes, "crash", "crashes") + " with " +
         count(size.siblings, "sibling", "siblings") + ", " +
         count(plan.options.size(), "option", "options") + ", " +
         count(size.bytes, "byte", "bytes") + " of keys and values, " +
         (plan.scheduler.strategy == kRecordedStrategy
              ? count(size.switches, "switch", "switches") + " of the schedule"
              : "schedule drawn (" + plan.scheduler.strategy + ")");
}

}  // namespace shearpin::sim
