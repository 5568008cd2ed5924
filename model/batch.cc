#include "model/batch.h"

namespace shearpin::model {

bool IsAboveLower(std::string_view key, const Bound& bound) {
  if (bound.kind == Bound::Kind::kUnbounded) return true;
  const int order = key.compare(bound.key);
  return bound.kind == Bound::Kind::kInclusive ? order >= 0 : order > 0;
}

bool IsBelowUpper(std::string_view key, const Bound& bound) {
  if (bound.kind == Bound::Kind::kUnbounded) return true;
  const int order = key.compare(bound.key);
  return bound.kind == Bound::Kind::kInclusive ? order <= 0 : order < 0;
}

}  // namespace shearpin::model
