#include "sim/recovery_check.h"

#include "sim/story.h"

namespace shearpin::sim {

RecoveryCheck::Outcome RecoveryCheck::Check(Subject* subject, model::CrashKind kind,
                                            model::Verdict* verdict) {
  if (const Outcome outcome = Read(subject); outcome != Outcome::kLegal) return outcome;
  *verdict = context_->oracle().CheckRecovery(pairs_, kind);
  return Judge(*verdict);
}

RecoveryCheck::Outcome RecoveryCheck::CheckSame(Subject* subject, const model::Verdict& first) {
  if (const Outcome outcome = Read(subject); outcome != Outcome::kLegal) return outcome;
  return Judge(context_->oracle().CheckSameRecovery(pairs_, first));
}

RecoveryCheck::Outcome RecoveryCheck::Read(Subject* subject) {
  const Status status = ReadAll(subject);
  if (context_->failed()) return Outcome::kFailed;
  if (status.ok()) return Outcome::kLegal;
  return context_->CheckInjected(status, "reading the recovered store") ? Outcome::kFaulted
                                                                        : Outcome::kFailed;
}

RecoveryCheck::Outcome RecoveryCheck::Judge(const model::Verdict& verdict) {
  Trace& trace = context_->trace();
  trace.RecordUntold("recovered", verdict.n, verdict.flushed, pairs_.size());
  if (trace.has_sink()) trace.Note(TellVerdict(verdict, pairs_.size()));
  if (verdict.ok()) return Outcome::kLegal;
  context_->Fail(ClassOf(verdict.failure_class), verdict.message);
  return Outcome::kFailed;
}

Status RecoveryCheck::ReadAll(Subject* subject) {
  SHEARPIN_RETURN_IF_ERROR(CollectForward(subject));
  SHEARPIN_RETURN_IF_ERROR(CompareBackward(subject));
  SHEARPIN_RETURN_IF_ERROR(CompareGets(subject));
  return subject->VerifyChecksums();
}

Status RecoveryCheck::CollectForward(Subject* subject) {
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

Status RecoveryCheck::CompareBackward(Subject* subject) {
  const auto iterator = subject->NewIterator(Bound::Unbounded(), Bound::Unbounded(), nullptr);
  size_t left = pairs_.size();
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
    if (left == 0 || pairs_[left - 1].key != iterator->key() ||
        pairs_[left - 1].value != iterator->value()) {
      context_->Fail(FailureClass::kWrongData,
                     "the recovered store's backward scan found " + Abbreviated(iterator->key()) +
                         " where its forward scan found " +
                         (left == 0 ? "nothing" : Abbreviated(pairs_[left - 1].key)));
      return {};
    }
    --left;
  }
  SHEARPIN_RETURN_IF_ERROR(iterator->status());
  if (left != 0) {
    context_->Fail(FailureClass::kWrongData, "the recovered store's backward scan ended before " +
                                                 Abbreviated(pairs_[left - 1].key) +
                                                 ", which its forward scan found");
  }
  return {};
}

// Walks what is there and what the plan names together, both sorted.
Status RecoveryCheck::CompareGets(Subject* subject) {
  const std::vector<std::string>& named = context_->keys();
  size_t next_named = 0;
  const auto compare = [&](std::string_view key, const std::string_view* expected) {
    Status status = subject->Get(key, nullptr, &value_);
    if (!status.ok() && !status.IsNotFound()) return status;
    if (status.ok() != (expected != nullptr) || (expected != nullptr && value_ != *expected)) {
      context_->Fail(FailureClass::kWrongData,
                     "the recovered store's get of " + Abbreviated(key) + " found " +
                         (status.ok() ? Abbreviated(value_) : "nothing") + ", its scan found " +
                         (expected != nullptr ? Abbreviated(*expected) : "nothing"));
    }
    return Status();
  };
  for (const model::KeyValue& pair : pairs_) {
    for (; next_named < named.size() && named[next_named] < pair.key; ++next_named) {
      SHEARPIN_RETURN_IF_ERROR(compare(named[next_named], nullptr));
    }
    if (next_named < named.size() && named[next_named] == pair.key) ++next_named;
    SHEARPIN_RETURN_IF_ERROR(compare(pair.key, &pair.value));
  }
  for (; next_named < named.size(); ++next_named) {
    SHEARPIN_RETURN_IF_ERROR(compare(named[next_named], nullptr));
  }
  return {};
}

}  // namespace shearpin::sim
