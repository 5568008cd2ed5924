#include "sim/state_reader.h"

#include "sim/bytes.h"

namespace shearpin::sim {

using model::FailureClass;
using model::Violation;

Status StateReader::Read(Subject* subject, const std::vector<std::string>& named,
                         Violation* violation) {
  SHEARPIN_RETURN_IF_ERROR(CollectForward(subject));
  SHEARPIN_RETURN_IF_ERROR(CompareBackward(subject, violation));
  if (!violation->ok()) return {};
  return CompareGets(subject, named, violation);
}

Status StateReader::CollectForward(Subject* subject) {
  arena_.clear();
  sizes_.clear();
  pairs_.clear();
  const auto iterator = subject->NewIterator(Bound::Unbounded(), Bound::Unbounded(), nullptr);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    sizes_.emplace_back(iterator->key().size(), iterator->value().size());
    arena_ += iterator->key();
    arena_ += iterator->value();
  }
  const std::string_view bytes = arena_;
  size_t offset = 0;
  for (const auto& [key_size, value_size] : sizes_) {
    pairs_.push_back({bytes.substr(offset, key_size), bytes.substr(offset + key_size, value_size)});
    offset += key_size + value_size;
  }
  return iterator->status();
}

Status StateReader::CompareBackward(Subject* subject, Violation* violation) {
  const auto iterator = subject->NewIterator(Bound::Unbounded(), Bound::Unbounded(), nullptr);
  size_t left = pairs_.size();
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
    const std::string_view key = iterator->key();
    if (left != 0 && pairs_[left - 1].key == key && pairs_[left - 1].value == iterator->value()) {
      --left;
      continue;
    }
    while (left != 0 && pairs_[left - 1].key > key && MayBeGone(pairs_[left - 1])) --left;
    if (left == 0 || pairs_[left - 1].key != key || pairs_[left - 1].value != iterator->value()) {
      *violation = {FailureClass::kWrongData,
                    "the recovered store's backward scan found " + Abbreviated(iterator->key()) +
                        " where its forward scan found " +
                        (left == 0 ? "nothing" : Abbreviated(pairs_[left - 1].key))};
      return {};
    }
    --left;
  }
  SHEARPIN_RETURN_IF_ERROR(iterator->status());
  while (left != 0 && MayBeGone(pairs_[left - 1])) --left;
  if (left != 0) {
    *violation = {FailureClass::kWrongData, "the recovered store's backward scan ended before " +
                                                Abbreviated(pairs_[left - 1].key) +
                                                ", which its forward scan found"};
  }
  return {};
}

// Walks what is there and what is named together, both sorted.
Status StateReader::CompareGets(Subject* subject, const std::vector<std::string>& named,
                                Violation* violation) {
  size_t next_named = 0;
  for (const model::KeyValue& pair : pairs_) {
    for (; next_named < named.size(); ++next_named) {
      const int order = named[next_named].compare(pair.key);
      if (order == 0) ++next_named;
      if (order >= 0) break;
      SHEARPIN_RETURN_IF_ERROR(CompareGet(subject, named[next_named], nullptr, violation));
    }
    SHEARPIN_RETURN_IF_ERROR(CompareGet(subject, pair.key, &pair.value, violation));
  }
  for (; next_named < named.size(); ++next_named) {
    SHEARPIN_RETURN_IF_ERROR(CompareGet(subject, named[next_named], nullptr, violation));
  }
  return {};
}

Status StateReader::CompareGet(Subject* subject, std::string_view key,
                               const std::string_view* expected, Violation* violation) {
  Status status = subject->Get(key, nullptr, &value_);
  if (!status.ok() && !status.IsNotFound()) return status;
  if (status.ok() == (expected != nullptr) && (expected == nullptr || value_ == *expected)) {
    return {};
  }
  if (!status.ok() && expected != nullptr && MayBeGone({key, *expected})) return {};
  if (violation->ok()) {
    *violation = {FailureClass::kWrongData,
                  "the recovered store's get of " + Abbreviated(key) + " found " +
                      (status.ok() ? Abbreviated(value_) : "nothing") + ", its scan found " +
                      (expected != nullptr ? Abbreviated(*expected) : "nothing")};
  }
  return {};
}

}  // namespace shearpin::sim
