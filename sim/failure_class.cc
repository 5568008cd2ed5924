#include "sim/failure_class.h"

#include <utility>

#include "engine/base/check.h"

namespace shearpin::sim {
namespace {

// The model's own classes under the simulator's names.
constexpr std::pair<FailureClass, model::FailureClass> kOfModel[] = {
    {FailureClass::kDurableWriteLost, model::FailureClass::kDurableWriteLost},
    {FailureClass::kHoleBeforeDurable, model::FailureClass::kHoleBeforeDurable},
    {FailureClass::kHoleAfterDurable, model::FailureClass::kHoleAfterDurable},
    {FailureClass::kBatchTorn, model::FailureClass::kBatchTorn},
    {FailureClass::kResurrectedDelete, model::FailureClass::kResurrectedDelete},
    {FailureClass::kWrongData, model::FailureClass::kWrongData},
    {FailureClass::kWillNotOpen, model::FailureClass::kWillNotOpen},
    {FailureClass::kNoProgress, model::FailureClass::kNoProgress},
    {FailureClass::kWrongRead, model::FailureClass::kWrongRead},
    {FailureClass::kOrderBroken, model::FailureClass::kOrderBroken},
};

}  // namespace

std::string_view FailureClassName(FailureClass failure_class) {
  for (const auto& [ours, models] : kOfModel) {
    if (ours == failure_class) return model::FailureClassName(models);
  }
  switch (failure_class) {
    case FailureClass::kUndetectedDamage:
      return "undetected damage";
    case FailureClass::kUnexpectedError:
      return "unexpected error";
    case FailureClass::kDeadlock:
      return "deadlock";
    case FailureClass::kLivelock:
      return "livelock";
    case FailureClass::kLeak:
      return "leak";
    case FailureClass::kOrphanFile:
      return "orphan file";
    case FailureClass::kProcessCrashed:
      return "process crashed";
    case FailureClass::kProcessHung:
      return "process hung";
    case FailureClass::kDigestDiffers:
      return "digest differs";
    case FailureClass::kNeverHappened:
      return "never happened";
    default:
      return "unknown";
  }
}

std::optional<FailureClass> FindFailureClass(std::string_view name) {
  for (int i = 0; i < kFailureClasses; ++i) {
    const auto failure_class = static_cast<FailureClass>(i);
    if (FailureClassName(failure_class) == name) return failure_class;
  }
  return std::nullopt;
}

FailureClass ClassOf(model::FailureClass failure_class) {
  for (const auto& [ours, models] : kOfModel) {
    if (models == failure_class) return ours;
  }
  SHEARPIN_CHECK(false, "nothing is wrong, and that is no class");
}

}  // namespace shearpin::sim
