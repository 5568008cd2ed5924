#include "sim/client_transaction.h"

#include <optional>
#include <utility>

#include "model/cursor.h"
#include "sim/plan_terms.h"

namespace shearpin::sim {

using model::Operation;

void AddTo(SubjectBatch* batch, const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::kPut:
      return batch->Put(operation.key, operation.value);
    case Operation::Kind::kDelete:
      return batch->Delete(operation.key);
    case Operation::Kind::kDeleteRange:
      return batch->DeleteRange(operation.key, operation.value);
  }
}

std::unique_ptr<ClientTransaction> ClientTransaction::Begin(RunContext* context, Subject* subject,
                                                            bool serializable) {
  const model::KvModel::Moment begin = context->model().Now();
  std::unique_ptr<SubjectTransaction> transaction = subject->BeginTransaction(serializable);
  if (transaction == nullptr) return nullptr;
  context->PollInFlight();
  if (transaction->sequence() < begin.acknowledged) {
    context->Fail(FailureClass::kWrongRead,
                  "a transaction at sequence " + std::to_string(transaction->sequence()) +
                      " is older than the write acknowledged before it at sequence " +
                      std::to_string(begin.acknowledged));
  }
  return std::unique_ptr<ClientTransaction>(
      new ClientTransaction(context, serializable, std::move(transaction)));
}

void ClientTransaction::Write(const Mutation& mutation) {
  Operation operation;
  const bool counts = ToOperation(mutation, &operation);
  AddTo(transaction_.get(), operation);
  if (counts) writes_.push_back(std::move(operation));
}

void ClientTransaction::FailRead(std::string message) const {
  context_->Fail(FailureClass::kWrongRead, "transaction at sequence " + std::to_string(sequence()) +
                                               ": " + std::move(message));
}

bool ClientTransaction::Wrote(std::string_view key, size_t writes) const {
  for (size_t i = 0; i < writes; ++i) {
    if (writes_[i].Touches(key)) return true;
  }
  return false;
}

model::State ClientTransaction::Expected(const model::Range& range) const {
  model::State state;
  model::Cursor cursor(&context_->model(), range, sequence());
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    state.emplace(cursor.key(), cursor.value());
  }
  for (const Operation& write : writes_) {
    if (write.kind == Operation::Kind::kDeleteRange) {
      state.erase(state.lower_bound(write.key), state.lower_bound(write.value));
    } else if (write.kind == Operation::Kind::kDelete) {
      state.erase(write.key);
    } else if (model::IsAboveLower(write.key, range.lower) &&
               model::IsBelowUpper(write.key, range.upper)) {
      state.insert_or_assign(write.key, write.value);
    }
  }
  return state;
}

Status ClientTransaction::Get(std::string key) {
  std::string value;
  Status status = transaction_->Get(key, &value);
  if (!status.ok() && !status.IsNotFound()) return status;
  context_->PollInFlight();
  const model::Range range = {model::Bound::Inclusive(key), model::Bound::Inclusive(key)};
  const model::State expected = Expected(range);
  const bool found = status.ok();
  const bool gone =
      !found && !expected.empty() && context_->model().MayBeGone(key, expected.begin()->second);
  if (gone) {
    observations_.push_back({range, writes_.size()});
    return {};
  }
  if (found == expected.empty() || (found && expected.begin()->second != value)) {
    FailRead(WrongRead("get " + Abbreviated(key), found ? Abbreviated(value) : "nothing",
                       expected.empty() ? "nothing" : Abbreviated(expected.begin()->second)));
  }
  observations_.push_back({range, writes_.size()});
  return {};
}

// From the last of `found` to the first and back: an iterator pins what it sees, so it has to show
// the same entries.
Status ClientTransaction::WalkBackAndForth(Iterator* iterator, bool forward,
                                           const Entries& found) const {
  Status status;
  const auto shows = [&](bool ahead, const Entries::value_type& expected) {
    ahead ? iterator->Next() : iterator->Prev();
    const bool valid = iterator->Valid();
    if (!valid) status = iterator->status();
    if (!status.ok()) return false;
    if (valid && iterator->key() == expected.first && iterator->value() == expected.second) {
      return true;
    }
    FailRead(
        WrongRead(ahead ? "scan turned forward" : "scan turned backward",
                  ShowPair(valid, valid ? iterator->key() : "", valid ? iterator->value() : ""),
                  ShowPair(true, expected.first, expected.second)));
    return false;
  };
  size_t at = found.size() - 1;
  bool good = true;
  while (good && at > 0) good = shows(!forward, found[--at]);
  while (good && at + 1 < found.size()) good = shows(forward, found[++at]);
  return status;
}

Status ClientTransaction::Scan(const Step& step) {
  std::string lower, upper;
  const std::unique_ptr<Iterator> iterator =
      transaction_->NewIterator(EngineBound(step.lower, &lower), EngineBound(step.upper, &upper));
  Entries found;
  step.forward ? iterator->SeekToFirst() : iterator->SeekToLast();
  bool stopped = false;
  while (iterator->Valid()) {
    found.emplace_back(iterator->key(), iterator->value());
    stopped = found.size() == step.amount;
    if (stopped) break;
    step.forward ? iterator->Next() : iterator->Prev();
  }
  if (Status status = iterator->status(); !status.ok()) return status;
  if (stopped) SHEARPIN_RETURN_IF_ERROR(WalkBackAndForth(iterator.get(), step.forward, found));
  context_->PollInFlight();
  model::Range range = {ModelBound(step.lower), ModelBound(step.upper)};
  // Where it stopped, it knows nothing of what is beyond.
  if (stopped) {
    (step.forward ? range.upper : range.lower) = model::Bound::Inclusive(found.back().first);
  }
  const model::State expected = Expected(range);
  const std::string what = step.forward ? "forward scan" : "backward scan";
  const auto compare = [&](auto at, auto end) {
    size_t i = 0;
    for (; at != end || i < found.size(); ++at, ++i) {
      const bool has = i < found.size();
      if (has && at != end && found[i].first == at->first && found[i].second == at->second) {
        continue;
      }
      if (at != end && context_->model().MayBeGone(at->first, at->second)) {
        --i;
        continue;
      }
      return FailRead(
          WrongRead(what, ShowPair(has, has ? found[i].first : "", has ? found[i].second : ""),
                    ShowPair(at != end, at != end ? at->first : "", at != end ? at->second : "")));
    }
  };
  if (step.forward) {
    compare(expected.begin(), expected.end());
  } else {
    compare(expected.rbegin(), expected.rend());
  }
  observations_.push_back({std::move(range), writes_.size()});
  return {};
}

Status ClientTransaction::Commit(Durability durability) {
  if (writes_.empty()) return transaction_->Commit(EngineDurability(durability));
  const model::KvModel::BatchId id = context_->Issue(writes_, durability, transaction_.get());
  Status status = transaction_->Commit(EngineDurability(durability));
  context_->Landed(id);
  context_->Check(status.ok() ? context_->model().Acknowledge(id, first_sequence())
                              : context_->model().Fail(id, first_sequence()));
  if (status.ok()) {
    context_->PollInFlight();
    if (serializable_) CheckSerial();
  } else if (status.IsBusy()) {
    context_->PollInFlight();
    const auto& entries = context_->model().log().entries();
    if (entries.empty() || entries.back().last_sequence <= sequence()) {
      context_->Fail(FailureClass::kUnexpectedError, "a conflict at sequence " +
                                                         std::to_string(sequence()) +
                                                         " although nothing was written since");
    }
  }
  return status;
}

void ClientTransaction::CheckSerial() const {
  const model::KvModel& model = context_->model();
  const uint64_t before = first_sequence() - 1;
  for (const Observation& observation : observations_) {
    const auto& [lower, upper] = observation.range;
    for (const auto& [key, history] : model.log().keys()) {
      if (!model::IsAboveLower(key, lower) || !model::IsBelowUpper(key, upper)) continue;
      if (Wrote(key, observation.writes)) continue;
      const std::optional<std::string_view> then = model.Get(key, sequence());
      const std::optional<std::string_view> now = model.Get(key, before);
      if (then == now) continue;
      return FailRead(WrongRead("read " + Abbreviated(key) + " and was committed at sequence " +
                                    std::to_string(first_sequence()) + " all the same",
                                then ? Abbreviated(*then) : "nothing",
                                now ? Abbreviated(*now) : "nothing"));
    }
  }
}

}  // namespace shearpin::sim
