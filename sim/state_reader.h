// StateReader: reads everything an open subject holds, in every way it can be read, and holds the
// ways against each other.
//
// Forward scan, backward scan, a Get for each key that is there and for each named one that is
// not. Linear in the state. Buffers are reused from one reading to the next.
//
// Thread safety: one fiber at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/status.h"
#include "model/batch.h"
#include "model/failure.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

class StateReader {
 public:
  // Pairs for which `may_vanish` is true may go at any time: a merge drops them.
  explicit StateReader(model::MayVanish may_vanish) : may_vanish_(std::move(may_vanish)) {}

  // The status is the subject's first error. `*violation` becomes what contradicts itself.
  // `named`: keys to ask for though they may not be there, sorted.
  Status Read(Subject* subject, const std::vector<std::string>& named, model::Violation* violation);

  // What the forward scan found, in its order; until the next Read.
  std::span<const model::KeyValue> pairs() const { return pairs_; }

 private:
  Status CollectForward(Subject* subject);
  Status CompareBackward(Subject* subject, model::Violation* violation);
  Status CompareGets(Subject* subject, const std::vector<std::string>& named,
                     model::Violation* violation);
  Status CompareGet(Subject* subject, std::string_view key, const std::string_view* expected,
                    model::Violation* violation);

  bool MayBeGone(const model::KeyValue& pair) const {
    return may_vanish_ && may_vanish_(pair.key, pair.value);
  }

  const model::MayVanish may_vanish_;
  std::string arena_;
  std::vector<std::pair<size_t, size_t>> sizes_;
  std::vector<model::KeyValue> pairs_;
  std::string value_;
};

}  // namespace shearpin::sim
