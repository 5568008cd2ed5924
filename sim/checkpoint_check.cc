#include "sim/checkpoint_check.h"

#include "sim/bytes.h"

namespace shearpin::sim {
namespace {

// Walks what is there and what should be together. The status is the iterator's.
Status Compare(Subject* subject, const CheckpointCopy& copy, const model::MayVanish& may_vanish,
               model::Violation* violation) {
  const auto iterator = subject->NewIterator(Bound::Unbounded(), Bound::Unbounded(), nullptr);
  auto expected = copy.state.begin();
  const auto skip_gone = [&](bool all, std::string_view key) {
    while (may_vanish && expected != copy.state.end() && (all || expected->first < key) &&
           may_vanish(expected->first, expected->second)) {
      ++expected;
    }
  };
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    skip_gone(false, iterator->key());
    if (expected == copy.state.end() || expected->first != iterator->key() ||
        expected->second != iterator->value()) {
      *violation = {model::FailureClass::kWrongData,
                    "checkpoint " + copy.directory + " holds " + Abbreviated(iterator->key()) +
                        " where it should hold " +
                        (expected == copy.state.end() ? "nothing" : Abbreviated(expected->first))};
      return {};
    }
    ++expected;
  }
  SHEARPIN_RETURN_IF_ERROR(iterator->status());
  skip_gone(true, "");
  if (expected != copy.state.end()) {
    *violation = {model::FailureClass::kWrongData,
                  "checkpoint " + copy.directory + " lacks " + Abbreviated(expected->first)};
  }
  return {};
}

}  // namespace

CheckpointFinding CheckCheckpoint(const CheckpointCopy& copy, bool read_only, const OpenStore& open,
                                  const model::MayVanish& may_vanish) {
  CheckpointFinding finding;
  StatusOr<std::unique_ptr<Subject>> opened = open(copy.directory, read_only);
  if (!opened.ok()) {
    finding.status = opened.status();
    finding.doing = "opening checkpoint " + copy.directory;
    return finding;
  }
  finding.opened = true;
  finding.doing = "reading checkpoint " + copy.directory;
  finding.status = Compare(opened->get(), copy, may_vanish, &finding.violation);
  if (!finding.status.ok() || !finding.violation.ok()) return finding;
  finding.status = (*opened)->VerifyChecksums();
  return finding;
}

}  // namespace shearpin::sim
