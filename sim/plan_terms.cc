#include "sim/plan_terms.h"

#include <algorithm>

#include "engine/base/check.h"
#include "faultfs/fault_rule.h"
#include "faultfs/profile.h"

namespace shearpin::sim {

shearpin::Durability EngineDurability(Durability durability) {
  switch (durability) {
    case Durability::kNone:
      return shearpin::Durability::kNone;
    case Durability::kProcess:
      return shearpin::Durability::kProcess;
    case Durability::kSync:
      return shearpin::Durability::kSync;
  }
  SHEARPIN_CHECK(false, "no such durability");
}

shearpin::Bound EngineBound(const KeyBound& bound, std::string* scratch) {
  switch (bound.kind) {
    case BoundKind::kUnbounded:
      return Bound::Unbounded();
    case BoundKind::kInclusive:
      return Bound::Inclusive(bound.key.View(scratch));
    case BoundKind::kExclusive:
      return Bound::Exclusive(bound.key.View(scratch));
  }
  SHEARPIN_CHECK(false, "no such bound");
}

model::Bound ModelBound(const KeyBound& bound) {
  switch (bound.kind) {
    case BoundKind::kUnbounded:
      return model::Bound::Unbounded();
    case BoundKind::kInclusive:
      return model::Bound::Inclusive(bound.key.Materialise());
    case BoundKind::kExclusive:
      return model::Bound::Exclusive(bound.key.Materialise());
  }
  SHEARPIN_CHECK(false, "no such bound");
}

model::MayVanish MayVanishOf(const Plan& plan) {
  uint64_t filter = 0;
  for (const auto& [name, value] : plan.options) {
    if (name == "compaction_filter") filter = value;
  }
  switch (filter) {
    case 1:
      return [](std::string_view key, std::string_view) { return key.starts_with("prefix/a"); };
    case 2:
      return [](std::string_view key, std::string_view) { return key.starts_with("k00"); };
    case 3:
      return [](std::string_view, std::string_view value) { return value.size() % 5 == 3; };
    default:
      return nullptr;
  }
}

bool BreaksPromises(const Plan& plan) {
  if (!faultfs::FindProfile(plan.profile)->honours_flush) return true;
  return std::any_of(plan.faults.begin(), plan.faults.end(), [](const std::string& text) {
    const StatusOr<faultfs::FaultRule> rule = faultfs::FaultRule::Parse(text);
    return rule.ok() && (faultfs::BreaksPromise(rule->effect) ||
                         rule->sync_failure == faultfs::SyncFailure::kReportNext);
  });
}

bool ToOperation(const Mutation& mutation, model::Operation* operation) {
  switch (mutation.kind) {
    case MutationKind::kPut:
      *operation = model::Operation::Put(mutation.key.Materialise(), mutation.value.Materialise());
      return true;
    case MutationKind::kDelete:
      *operation = model::Operation::Delete(mutation.key.Materialise());
      return true;
    case MutationKind::kDeleteRange:
      *operation =
          model::Operation::DeleteRange(mutation.key.Materialise(), mutation.value.Materialise());
      return operation->key < operation->value;
  }
  SHEARPIN_CHECK(false, "no such mutation");
}

std::string ShowPair(bool valid, std::string_view key, std::string_view value) {
  return valid ? Abbreviated(key) + " = " + Abbreviated(value) : "the end";
}

std::string WrongRead(std::string_view what, std::string_view found, std::string_view expected) {
  return std::string(what) + ": found " + std::string(found) + ", expected " +
         std::string(expected);
}

}  // namespace shearpin::sim
