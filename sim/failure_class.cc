#include "sim/failure_class.h"

#include "engine/base/check.h"

namespace shearpin::sim {

std::string_view FailureClassName(FailureClass failure_class) {
  switch (failure_class) {
    case FailureClass::kDurableWriteLost:
      return "durable write lost";
    case FailureClass::kHoleBeforeDurable:
      return "hole before a durable write";
    case FailureClass::kHoleAfterDurable:
      return "hole after the last durable write";
    case FailureClass::kBatchTorn:
      return "batch torn";
    case FailureClass::kResurrectedDelete:
      return "resurrected delete";
    case FailureClass::kWrongData:
      return "wrong data";
    case FailureClass::kWillNotOpen:
      return "will not open";
    case FailureClass::kWrongRead:
      return "wrong read";
    case FailureClass::kOrderBroken:
      return "order broken";
    case FailureClass::kUnexpectedError:
      return "unexpected error";
    case FailureClass::kNoProgress:
      return "no progress";
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
  }
  return "unknown";
}

std::optional<FailureClass> FindFailureClass(std::string_view name) {
  for (int i = 0; i < kFailureClasses; ++i) {
    const auto failure_class = static_cast<FailureClass>(i);
    if (FailureClassName(failure_class) == name) return failure_class;
  }
  return std::nullopt;
}

FailureClass ClassOf(model::FailureClass failure_class) {
  switch (failure_class) {
    case model::FailureClass::kNone:
      break;
    case model::FailureClass::kDurableWriteLost:
      return FailureClass::kDurableWriteLost;
    case model::FailureClass::kHoleBeforeDurable:
      return FailureClass::kHoleBeforeDurable;
    case model::FailureClass::kHoleAfterDurable:
      return FailureClass::kHoleAfterDurable;
    case model::FailureClass::kBatchTorn:
      return FailureClass::kBatchTorn;
    case model::FailureClass::kResurrectedDelete:
      return FailureClass::kResurrectedDelete;
    case model::FailureClass::kWrongData:
      return FailureClass::kWrongData;
    case model::FailureClass::kWillNotOpen:
      return FailureClass::kWillNotOpen;
    case model::FailureClass::kNoProgress:
      return FailureClass::kNoProgress;
    case model::FailureClass::kWrongRead:
      return FailureClass::kWrongRead;
    case model::FailureClass::kOrderBroken:
      return FailureClass::kOrderBroken;
  }
  SHEARPIN_CHECK(false, "nothing is wrong, and that is no class");
}

}  // namespace shearpin::sim
