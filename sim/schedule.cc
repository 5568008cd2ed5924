#include "sim/schedule.h"

namespace shearpin::sim {
namespace {

bool IsLabelCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

}  // namespace

size_t DecisionCount(const Schedule& schedule) {
  size_t count = 0;
  for (const PhaseSchedule& phase : schedule) count += phase.decisions.size();
  return count;
}

void AppendDecision(const Decision& decision, std::string* text) {
  *text += std::to_string(decision.at);
  switch (decision.kind) {
    case DecisionKind::kRun:
      *text += ':' + decision.fiber;
      break;
    case DecisionKind::kNotify:
      *text += '^' + std::to_string(decision.waiter);
      break;
    case DecisionKind::kSpurious:
      *text += '!';
      break;
  }
}

void FiberLabels::Begin() {
  labels_.clear();
  spawned_.clear();
}

void FiberLabels::OnSpawn(FiberId fiber, std::string_view name) {
  std::string label(name);
  for (char& c : label) {
    if (!IsLabelCharacter(c)) c = '_';
  }
  if (const uint64_t before = spawned_[label]++; before != 0) {
    label += '.' + std::to_string(before + 1);
  }
  labels_.insert_or_assign(fiber, std::move(label));
}

std::string FiberLabels::Of(FiberId fiber) const {
  if (fiber == 0) return "main";
  const auto found = labels_.find(fiber);
  return found != labels_.end() ? found->second : "fiber." + std::to_string(fiber);
}

}  // namespace shearpin::sim
