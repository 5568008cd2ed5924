// The parts of a plan, visited one by one, for those who edit plans.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "engine/base/check.h"
#include "faultfs/crash_plan.h"
#include "faultfs/fault_rule.h"
#include "sim/plan.h"

namespace shearpin::sim {

template <typename Visit>
void ForEachStep(Plan* plan, const Visit& visit) {
  for (auto& steps : plan->clients) {
    for (Step& step : steps) visit(&step);
  }
}

// Of crashes and of those nested in them.
template <typename Visit>
void ForEachChoice(Plan* plan, const Visit& visit) {
  for (CrashSpec& crash : plan->crashes) {
    visit(&crash.choice);
    for (NestedCrash& nested : crash.nested) visit(&nested.choice);
  }
}

// Every image that is written down, as text.
template <typename Visit>
void ForEachImage(Plan* plan, const Visit& visit) {
  ForEachChoice(plan, [&](CrashChoice* choice) {
    if (!choice->process && !choice->image.empty()) visit(&choice->image);
    for (std::string& sibling : choice->siblings) visit(&sibling);
  });
}

// Every key that a plan names, there or in a bound.
template <typename Visit>
void ForEachKey(Plan* plan, const Visit& visit) {
  ForEachStep(plan, [&](Step* step) {
    for (Mutation& mutation : step->mutations) {
      visit(&mutation.key);
      if (mutation.kind == MutationKind::kDeleteRange) visit(&mutation.value);
    }
    const bool has_key = step->kind == StepKind::kGet || step->kind == StepKind::kTxnGet;
    if (has_key) visit(&step->key);
    if (step->lower.kind != BoundKind::kUnbounded) visit(&step->lower.key);
    if (step->upper.kind != BoundKind::kUnbounded) visit(&step->upper.key);
    for (Move& move : step->moves) {
      if (move.kind == MoveKind::kSeek || move.kind == MoveKind::kSeekForPrev) visit(&move.key);
    }
  });
}

template <typename Visit>
void ForEachValue(Plan* plan, const Visit& visit) {
  ForEachStep(plan, [&](Step* step) {
    for (Mutation& mutation : step->mutations) {
      if (mutation.kind == MutationKind::kPut) visit(&mutation.value);
    }
  });
}

// What a legal plan holds does parse.
inline faultfs::CrashPlan ParseImage(const std::string& text) {
  StatusOr<faultfs::CrashPlan> image = faultfs::CrashPlan::Parse(text);
  SHEARPIN_CHECK(image.ok(), "an image that does not parse");
  return *std::move(image);
}

inline faultfs::FaultRule ParseFault(const std::string& text) {
  StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
  SHEARPIN_CHECK(rule.ok(), "a fault that does not parse");
  return *std::move(rule);
}

}  // namespace shearpin::sim
