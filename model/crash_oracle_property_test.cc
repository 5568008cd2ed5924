// Goal: CheckRecovery accepts a state if and only if the history allows it.
// Method: random short histories over a few keys and values, told both to the model and to a
// naive record; from the record every legal state is built by enumeration of (n, F) and of the
// subsets of failed batches; then *every* state over those keys and values is judged, for each
// kind of crash, and the verdict must agree. An accepted recovery is rebased on and the history
// goes on, so that the second round starts from a recovered base.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/crash_oracle.h"
#include "model/kv_model.h"
#include "rapidcheck/gtest.h"

namespace shearpin::model {
namespace {

const std::vector<std::string> kKeys = {"", "a", "b"};
const std::vector<std::string> kValues = {"", "1", "2"};
constexpr CrashKind kKinds[] = {CrashKind::kClean, CrashKind::kProcessDeath, CrashKind::kPowerLoss};

struct Record {
  Batch batch;
  Durability durability = Durability::kProcess;
  KvModel::BatchId id = 0;
  bool issued_after_failure = false;
  uint64_t first = 0;  // 0: none yet
  enum { kInFlight, kAcknowledged, kFailed } fate = kInFlight;
  int epoch = 0;
  int acknowledged_at = 0;

  uint64_t last() const { return first + batch.size() - 1; }
  bool logged() const { return durability != Durability::kNone; }
};

// Draws from a fixed tape, so that RapidCheck shrinks the tape.
class Tape {
 public:
  explicit Tape(const std::vector<uint16_t>& numbers) : numbers_(numbers) {}
  bool more() const { return at_ < numbers_.size(); }
  size_t Below(size_t bound) { return more() ? numbers_[at_++] % bound : 0; }

 private:
  const std::vector<uint16_t>& numbers_;
  size_t at_ = 0;
};

class History {
 public:
  explicit History(Tape* tape) : tape_(tape) {}

  void Step() {
    switch (tape_->Below(13)) {
      default:
        return Issue();
      case 5:
      case 6:
      case 7:
        return End(false);
      case 8:
        return End(true);
      case 9:
        return Sync();
      case 10:
        return Flush();
      case 12:
        return Begin();
      case 11:
        return tape_->Below(2) == 0 ? Resume() : Assign();
    }
  }

  std::set<State> LegalStates(CrashKind kind) const {
    std::vector<const Record*> log;
    for (const Record& r : records_) {
      if (r.first != 0) log.push_back(&r);
    }
    std::sort(log.begin(), log.end(),
              [](const Record* a, const Record* b) { return a->first < b->first; });
    uint64_t durable = flush_floor_;
    for (const Record* r : log) {
      if (r->fate != Record::kAcknowledged || !r->logged()) continue;
      const bool survives = kind != CrashKind::kPowerLoss || r->durability == Durability::kSync ||
                            r->acknowledged_at <= synced_at_;
      if (survives) durable = std::max(durable, r->last());
    }
    std::set<State> legal;
    size_t failed = 0;
    for (const Record* r : log) failed += r->fate == Record::kFailed;
    for (size_t absent = 0; absent < (size_t{1} << failed); ++absent) {
      if (!MayBeAbsent(log, absent)) continue;
      for (size_t flushed = 0; flushed <= log.size(); ++flushed) {
        if (flushed < log.size() && log[flushed]->last() <= flush_floor_) continue;
        for (size_t n = flushed; n <= log.size(); ++n) {
          if (n < log.size() && log[n]->last() <= durable) continue;
          legal.insert(Build(log, n, flushed, absent));
        }
      }
    }
    return legal;
  }

  // Goes on from `state`, which the oracle accepted.
  void Rebase(const Verdict& verdict, const State& state) {
    model_.Rebase(verdict);
    base_ = state;
    // A correct store goes on above every number it may have kept.
    next_ += 1 + tape_->Below(3);
    records_.clear();
    poisoned_ = false;
  }

  KvModel& model() { return model_; }
  bool full() const { return records_.size() >= 7; }

 private:
  static bool MayBeAbsent(const std::vector<const Record*>& log, size_t absent) {
    const auto is_absent = [&](size_t i) {
      if (log[i]->fate != Record::kFailed) return false;
      size_t bit = 0;
      for (size_t j = 0; j < i; ++j) bit += log[j]->fate == Record::kFailed;
      return (absent >> bit & 1) != 0;
    };
    for (size_t i = 0; i < log.size(); ++i) {
      if (!is_absent(i)) continue;
      for (size_t j = i + 1; j < log.size(); ++j) {
        if (!is_absent(j) && log[j]->epoch == log[i]->epoch) return false;
      }
    }
    return true;
  }

  State Build(const std::vector<const Record*>& log, size_t n, size_t flushed,
              size_t absent) const {
    State state = base_;
    for (size_t i = 0; i < n; ++i) {
      const Record& r = *log[i];
      const bool left_out = r.fate == Record::kFailed && (absent & 1) != 0;
      if (r.fate == Record::kFailed) absent >>= 1;
      if (left_out || (!r.logged() && i >= flushed)) continue;
      for (const Operation& operation : r.batch) {
        if (operation.kind == Operation::Kind::kPut) {
          state[operation.key] = operation.value;
        } else if (operation.kind == Operation::Kind::kDeleteRange) {
          state.erase(state.lower_bound(operation.key), state.lower_bound(operation.value));
        } else {
          state.erase(operation.key);
        }
      }
    }
    return state;
  }

  void Issue() {
    if (full()) return;
    Record r;
    const size_t operations = 1 + tape_->Below(2);
    for (size_t i = 0; i < operations; ++i) {
      const std::string& key = kKeys[tape_->Below(kKeys.size())];
      const size_t value = tape_->Below(kValues.size() + 2);
      r.batch.push_back(value == kValues.size()  ? Operation::Delete(key)
                        : value > kValues.size() ? Operation::DeleteRange(key, "zz")
                                                 : Operation::Put(key, kValues[value]));
    }
    constexpr Durability kMix[] = {Durability::kNone, Durability::kProcess, Durability::kProcess,
                                   Durability::kSync};
    r.durability = kMix[tape_->Below(std::size(kMix))];
    r.issued_after_failure = poisoned_;
    r.id = model_.Issue(r.batch, r.durability);
    in_flight_epochs_[r.id] = epoch_;
    records_.push_back(r);
  }

  Record* Pick() {
    std::vector<Record*> open;
    for (Record& r : records_) {
      if (r.fate == Record::kInFlight) open.push_back(&r);
    }
    return open.empty() ? nullptr : open[tape_->Below(open.size())];
  }

  void Number(Record* r) {
    if (r->first != 0) return;
    next_ += tape_->Below(2);
    r->first = next_;
    r->epoch = epoch_;
    next_ += r->batch.size();
  }

  void Assign() {
    Record* const r = Pick();
    if (r == nullptr) return;
    Number(r);
    RC_ASSERT(model_.Assign(r->id, r->first).ok());
  }

  void End(bool fail) {
    Record* const r = Pick();
    if (r == nullptr) return;
    // A writer that failed acknowledges nothing that came later.
    if (poisoned_ && r->issued_after_failure && in_flight_epochs_[r->id] == epoch_) fail = true;
    if (fail && r->first == 0 && tape_->Below(3) == 0) {
      RC_ASSERT(model_.Fail(r->id, 0).ok());
      records_.erase(records_.begin() + (r - records_.data()));
      return;
    }
    Number(r);
    if (fail) {
      RC_ASSERT(model_.Fail(r->id, r->first).ok());
      r->fate = Record::kFailed;
      poisoned_ = true;
    } else {
      RC_ASSERT(model_.Acknowledge(r->id, r->first).ok());
      r->fate = Record::kAcknowledged;
      r->acknowledged_at = ++clock_;
    }
  }

  // Both take the moment of an earlier step as their begin, or that of now.
  void Begin() {
    begin_ = model_.Now();
    begin_clock_ = clock_;
  }

  void Sync() {
    if (tape_->Below(2) == 0) Begin();
    model_.AcknowledgeSync(begin_);
    synced_at_ = std::max(synced_at_, begin_clock_);
  }

  void Flush() {
    if (tape_->Below(2) == 0) Begin();
    model_.AcknowledgeFlush(begin_);
    for (const Record& r : records_) {
      if (r.fate == Record::kAcknowledged && r.acknowledged_at <= begin_clock_) {
        flush_floor_ = std::max(flush_floor_, r.last());
      }
    }
  }

  void Resume() {
    model_.Resumed();
    poisoned_ = false;
    ++epoch_;
  }

  Tape* tape_;
  KvModel model_;
  State base_;
  std::vector<Record> records_;
  std::map<KvModel::BatchId, int> in_flight_epochs_;
  uint64_t next_ = 1;
  int clock_ = 0;
  int synced_at_ = 0;
  KvModel::Moment begin_;
  int begin_clock_ = 0;
  uint64_t flush_floor_ = 0;
  int epoch_ = 0;
  bool poisoned_ = false;
};

std::vector<State> AllStates() {
  std::vector<State> states = {{}};
  for (const std::string& key : kKeys) {
    const size_t before = states.size();
    for (size_t i = 0; i < before; ++i) {
      for (const std::string& value : kValues) {
        State state = states[i];
        state[key] = value;
        states.push_back(state);
      }
    }
  }
  return states;
}

std::vector<KeyValue> Pairs(const State& state) {
  std::vector<KeyValue> pairs;
  for (const auto& [key, value] : state) pairs.push_back({key, value});
  return pairs;
}

RC_GTEST_PROP(CrashOracleProperty, AcceptsExactlyTheLegalStates,
              (const std::vector<uint16_t>& numbers)) {
  static const std::vector<State> all_states = AllStates();
  Tape tape(numbers);
  History history(&tape);
  const CrashOracle oracle(&history.model());
  for (int round = 0; round < 3; ++round) {
    for (int step = 0; step < 20; ++step) history.Step();
    for (const CrashKind kind : kKinds) {
      const std::set<State> legal = history.LegalStates(kind);
      RC_ASSERT(!legal.empty());
      for (const State& state : all_states) {
        const Verdict verdict = oracle.CheckRecovery(Pairs(state), kind);
        RC_ASSERT(verdict.ok() == legal.contains(state));
        RC_ASSERT(verdict.ok() == verdict.message.empty());
        if (verdict.ok()) {
          RC_ASSERT(oracle.StateOf(verdict) == state);
        } else {
          // A class is a function of history and state.
          RC_ASSERT(oracle.CheckRecovery(Pairs(state), kind).failure_class ==
                    verdict.failure_class);
        }
      }
    }
    const CrashKind kind = kKinds[tape.Below(3)];
    const std::set<State> legal = history.LegalStates(kind);
    const State& chosen = *std::next(legal.begin(), static_cast<long>(tape.Below(legal.size())));
    const Verdict verdict = oracle.CheckRecovery(Pairs(chosen), kind);
    RC_ASSERT(verdict.ok());
    RC_ASSERT(oracle.CheckSameRecovery(Pairs(chosen), verdict).ok());
    history.Rebase(verdict, chosen);
  }
}

}  // namespace
}  // namespace shearpin::model
