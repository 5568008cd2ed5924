#include "sim/plan_lists.h"

#include <algorithm>

#include "faultfs/crash_plan.h"
#include "sim/plan_parts.h"
#include "sim/plan_size.h"

namespace shearpin::sim {
namespace {

using faultfs::CrashPlan;
using faultfs::KeepRule;

bool Within(size_t i, size_t begin, size_t end) { return i >= begin && i < end; }

// Drops the steps that `drops(client, step)` names, and clients that have none left. A crash after
// a step that goes comes after the one before it.
template <typename Drops>
Plan WithoutSteps(const Plan& plan, const Drops& drops) {
  Plan next = plan;
  next.clients.clear();
  constexpr uint32_t kGone = UINT32_MAX;
  std::vector<uint32_t> new_client(plan.clients.size(), kGone);
  // By client and step: how many steps of its client up to and with it stay.
  std::vector<std::vector<uint32_t>> kept(plan.clients.size());
  for (uint32_t client = 0; client < plan.clients.size(); ++client) {
    std::vector<Step> steps;
    for (uint32_t step = 0; step < plan.clients[client].size(); ++step) {
      if (!drops(client, step)) steps.push_back(plan.clients[client][step]);
      kept[client].push_back(static_cast<uint32_t>(steps.size()));
    }
    if (steps.empty()) continue;
    new_client[client] = static_cast<uint32_t>(next.clients.size());
    next.clients.push_back(std::move(steps));
  }
  for (CrashSpec& crash : next.crashes) {
    if (crash.start.after != CrashStart::After::kStep) continue;
    const uint32_t left = kept[crash.start.client][crash.start.step];
    if (left == 0) {
      crash.start = {};
    } else {
      crash.start.client = new_client[crash.start.client];
      crash.start.step = left - 1;
    }
  }
  return next;
}

// What ImageTermsOf counts: of a list the operations that are dropped (the others stay), of the
// rules that name operations those, and tears and fills of all.
size_t TermCount(const CrashPlan& image) {
  size_t count = image.tears.size() + image.fills.size() + image.ops.size();
  if (image.keep == KeepRule::kList) {
    count += static_cast<size_t>(std::count(image.bits.begin(), image.bits.end(), '0'));
  }
  return count;
}

template <typename T>
void EraseWithin(std::vector<T>* list, size_t* at, size_t begin, size_t end) {
  std::vector<T> kept;
  for (T& each : *list) {
    if (!Within((*at)++, begin, end)) kept.push_back(std::move(each));
  }
  *list = std::move(kept);
}

void EraseTerms(CrashPlan* image, size_t* at, size_t begin, size_t end) {
  EraseWithin(&image->tears, at, begin, end);
  EraseWithin(&image->fills, at, begin, end);
  EraseWithin(&image->ops, at, begin, end);
  if (image->keep == KeepRule::kList) {
    for (char& bit : image->bits) {
      if (bit == '0' && Within((*at)++, begin, end)) bit = '1';
    }
  }
  // What names nothing any more has a simpler name.
  if (image->keep == KeepRule::kExcept && image->ops.empty()) image->keep = KeepRule::kAll;
  if (image->keep == KeepRule::kOnly && image->ops.empty()) image->keep = KeepRule::kNone;
  if (image->keep == KeepRule::kNeed && image->ops.empty()) image->keep = KeepRule::kNone;
}

}  // namespace

PlanList StepsOf() {
  return {"steps", [](const Plan& plan) { return plan.StepCount(); },
          [](const Plan& plan, size_t begin, size_t end) {
            std::vector<size_t> first;  // by client: the number of its first step
            size_t number = 0;
            for (const auto& steps : plan.clients) {
              first.push_back(number);
              number += steps.size();
            }
            return WithoutSteps(plan, [&](uint32_t client, uint32_t step) {
              return Within(first[client] + step, begin, end);
            });
          }};
}

PlanList ClientsOf() {
  return {"clients", [](const Plan& plan) { return plan.clients.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            return WithoutSteps(
                plan, [&](uint32_t client, uint32_t) { return Within(client, begin, end); });
          }};
}

PlanList CrashesOf() {
  return {"crashes", [](const Plan& plan) { return plan.crashes.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            EraseWithin(&next.crashes, &at, begin, end);
            return next;
          }};
}

PlanList NestedOf() {
  return {"nested crashes",
          [](const Plan& plan) {
            size_t count = 0;
            for (const CrashSpec& crash : plan.crashes) count += crash.nested.size();
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            for (CrashSpec& crash : next.crashes) EraseWithin(&crash.nested, &at, begin, end);
            return next;
          }};
}

PlanList SiblingsOf() {
  return {"siblings",
          [](const Plan& plan) {
            Plan copy = plan;
            size_t count = 0;
            ForEachChoice(&copy, [&](CrashChoice* choice) { count += choice->siblings.size(); });
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            ForEachChoice(&next, [&](CrashChoice* choice) {
              EraseWithin(&choice->siblings, &at, begin, end);
            });
            return next;
          }};
}

PlanList FaultsOf() {
  return {"faults", [](const Plan& plan) { return plan.faults.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            EraseWithin(&next.faults, &at, begin, end);
            return next;
          }};
}

PlanList OptionsOf() {
  return {"options", [](const Plan& plan) { return plan.options.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            EraseWithin(&next.options, &at, begin, end);
            return next;
          }};
}

// The first of each step does not count.
PlanList ChangesOf() {
  return {"changes",
          [](const Plan& plan) {
            size_t count = 0;
            for (const auto& steps : plan.clients) {
              for (const Step& step : steps) {
                count += std::max<size_t>(step.mutations.size(), 1) - 1;
                count += std::max<size_t>(step.moves.size(), 1) - 1;
              }
            }
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            const auto erase = [&](auto* list) {
              if (list->size() < 2) return;
              // The last one counts as the first: what is left may be any of them.
              auto last = std::move(list->back());
              list->pop_back();
              EraseWithin(list, &at, begin, end);
              list->push_back(std::move(last));
            };
            ForEachStep(&next, [&](Step* step) {
              erase(&step->mutations);
              erase(&step->moves);
            });
            return next;
          }};
}

PlanList DecisionsOf() {
  return {"decisions", [](const Plan& plan) { return DecisionCount(plan.scheduler.schedule); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            for (PhaseSchedule& phase : next.scheduler.schedule) {
              EraseWithin(&phase.decisions, &at, begin, end);
            }
            std::erase_if(next.scheduler.schedule,
                          [](const PhaseSchedule& phase) { return phase.decisions.empty(); });
            return next;
          }};
}

PlanList ImageTermsOf() {
  return {"image terms",
          [](const Plan& plan) {
            Plan copy = plan;
            size_t count = 0;
            ForEachImage(&copy, [&](std::string* text) { count += TermCount(ParseImage(*text)); });
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            ForEachImage(&next, [&](std::string* text) {
              CrashPlan image = ParseImage(*text);
              EraseTerms(&image, &at, begin, end);
              *text = image.ToString();
            });
            return next;
          }};
}

}  // namespace shearpin::sim
