#include "model/kv_model.h"

#include <algorithm>
#include <utility>

#include "model/prefix.h"
#include "model/require.h"
#include "model/state_hash.h"
#include "model/verdict.h"

namespace shearpin::model {
namespace {

Violation OrderBroken(uint64_t id, std::string_view what) {
  return {FailureClass::kOrderBroken, "batch #" + std::to_string(id) + " " + std::string(what)};
}

std::string Shown(const std::string_view* value) {
  return value == nullptr ? "nothing" : Quoted(*value);
}

std::string SeenBefore(const KvModel::Moment& begin) {
  return begin.visible > begin.acknowledged ? "seen by a read before this one began"
                                            : "acknowledged before the read began";
}

bool Same(const std::string_view* found, bool has_value, std::string_view value) {
  return found == nullptr ? !has_value : has_value && *found == value;
}

}  // namespace

KvModel::KvModel(MayVanish may_vanish) : log_(std::move(may_vanish)) {}

KvModel::InFlightMap::iterator KvModel::Find(BatchId id) {
  const auto at = in_flight_.find(id);
  Require(at != in_flight_.end(), "no such batch is in flight");
  return at;
}

KvModel::BatchId KvModel::Issue(Batch batch, Durability durability) {
  InFlight issued;
  issued.batch = std::move(batch);
  issued.durability = durability;
  issued.issued = Now();
  issued.synced = synced_sequence_;
  issued.issued_poisoned = poisoned_;
  issued.epoch = epoch_;
  in_flight_.emplace(next_id_, std::move(issued));
  return next_id_++;
}

Violation KvModel::Number(BatchId id, InFlight* batch, uint64_t first_sequence) {
  Require(!batch->batch.empty() && first_sequence != 0, "an empty batch has no sequence number");
  if (batch->first_sequence != 0) {
    if (batch->first_sequence == first_sequence) return {};
    return OrderBroken(id, "had sequence " + std::to_string(batch->first_sequence) +
                               " and now has " + std::to_string(first_sequence));
  }
  const uint64_t last_sequence = first_sequence + batch->batch.size() - 1;
  const std::string range =
      "at sequences " + std::to_string(first_sequence) + ".." + std::to_string(last_sequence);
  if (first_sequence <= log_.base_sequence()) {
    return OrderBroken(id, range + " reaches below the recovered sequence " +
                               std::to_string(log_.base_sequence()));
  }
  if (first_sequence <= dropped_sequence_) {
    return OrderBroken(id, range + " reuses numbers from before the writer was resumed, up to " +
                               std::to_string(dropped_sequence_));
  }
  if (first_sequence <= batch->issued.acknowledged) {
    return OrderBroken(id, range + " was issued after sequence " +
                               std::to_string(batch->issued.acknowledged) + " was acknowledged");
  }
  if (first_sequence <= batch->issued.visible) {
    return OrderBroken(id, range + " was issued after a read had seen sequence " +
                               std::to_string(batch->issued.visible));
  }
  if (log_.Overlaps(first_sequence, last_sequence)) {
    const auto& other = log_.entries()[log_.PositionAfter(first_sequence - 1)];
    return OrderBroken(id, range + " overlaps batch #" + std::to_string(other.id) + " at " +
                               std::to_string(other.first_sequence) + ".." +
                               std::to_string(other.last_sequence));
  }
  batch->first_sequence = first_sequence;
  log_.Insert(id, std::move(batch->batch), batch->durability, first_sequence, epoch_);
  batch->batch.assign(1, Operation());  // it lives in the log now; only its being non-empty counts
  return {};
}

Violation KvModel::Assign(BatchId id, uint64_t first_sequence) {
  return Number(id, &Find(id)->second, first_sequence);
}

Violation KvModel::Acknowledge(BatchId id, uint64_t first_sequence) {
  const auto at = Find(id);
  InFlight& batch = at->second;
  if (first_sequence == 0) {
    if (!batch.batch.empty()) return OrderBroken(id, "was acknowledged without a sequence number");
    if (batch.durability == Durability::kSync) AcknowledgeSync(batch.issued);
    in_flight_.erase(at);
    return {};
  }
  if (batch.batch.empty()) return OrderBroken(id, "is empty and was given a sequence number");
  if (Violation violation = Number(id, &batch, first_sequence); !violation.ok()) return violation;
  if (batch.issued_poisoned && batch.epoch == epoch_) {
    return OrderBroken(id, "was acknowledged although the writer had failed before it was issued");
  }
  if (batch.dropped) {
    return OrderBroken(id, "was acknowledged although it was not visible when the writer resumed");
  }
  const size_t position = log_.PositionOf(first_sequence);
  log_.SetFate(position, CommitLog::Fate::kAcknowledged, ++events_);
  const uint64_t last_sequence = log_.entries()[position].last_sequence;
  latest_acknowledged_ = std::max(latest_acknowledged_, last_sequence);
  if (batch.durability != Durability::kNone) {
    logged_sequence_ = std::max(logged_sequence_, last_sequence);
  }
  if (batch.durability == Durability::kSync && !frozen_) {
    synced_sequence_ = std::max(synced_sequence_, last_sequence);
    promised_sequence_ = std::max(promised_sequence_, batch.synced);
  }
  in_flight_.erase(at);
  return {};
}

Violation KvModel::Fail(BatchId id, uint64_t first_sequence) {
  const auto at = Find(id);
  InFlight& batch = at->second;
  if (first_sequence == 0) {
    if (batch.first_sequence != 0) return OrderBroken(id, "lost the sequence number it had");
    log_.Disown(batch.batch);
    in_flight_.erase(at);
    return {};
  }
  if (batch.batch.empty()) return OrderBroken(id, "is empty and was given a sequence number");
  if (Violation violation = Number(id, &batch, first_sequence); !violation.ok()) return violation;
  if (batch.dropped) {
    in_flight_.erase(at);
    return {};
  }
  const size_t position = log_.PositionOf(first_sequence);
  const uint64_t epoch = log_.entries()[position].epoch;
  if (epoch < dropped_epoch_) {
    log_.Remove(position);
  } else {
    log_.SetFate(position, CommitLog::Fate::kFailed, 0);
  }
  // One that failed before the writer was resumed, and is heard of only now, says nothing of it.
  if (epoch == epoch_) poisoned_ = true;
  in_flight_.erase(at);
  return {};
}

void KvModel::Resumed() {
  poisoned_ = false;
  ++epoch_;
}

void KvModel::PushPast(PastEpoch::End end) {
  if (!keeps_past_) return;
  past_.push_back(std::make_unique<PastEpoch>(PastEpoch{.log = log_.Clone(),
                                                        .synced = synced_sequence_,
                                                        .flushed = flushed_sequence_,
                                                        .frozen = frozen_,
                                                        .end = std::move(end)}));
}

const CommitLog& KvModel::LogOf(const Verdict& verdict) const {
  if (verdict.joined) return *verdict.joined;
  return verdict.epochs_back == 0 ? log_ : past_[past_.size() - verdict.epochs_back]->log;
}

void KvModel::DropFailed(uint64_t visible) {
  for (auto& [id, batch] : in_flight_) {
    if (batch.dropped || batch.first_sequence <= visible) continue;
    batch.dropped = true;
    log_.SetFate(log_.PositionOf(batch.first_sequence), CommitLog::Fate::kFailed, 0);
  }
  if (log_.any_failed()) PushPast({.goes_on = true, .carried = std::nullopt});
  if (!log_.entries().empty()) dropped_sequence_ = log_.entries().back().last_sequence;
  dropped_epoch_ = epoch_;
  for (size_t position = log_.entries().size(); position-- > 0;) {
    if (log_.entries()[position].fate == CommitLog::Fate::kFailed) log_.Remove(position);
  }
  AcknowledgeFlush(Now());
}

KvModel::Moment KvModel::Now() const {
  return {latest_acknowledged_, events_, std::max(latest_acknowledged_, observed_)};
}

void KvModel::AcknowledgeSync(const Moment& begin) {
  if (frozen_) return;
  synced_events_ = std::max(synced_events_, begin.events);
  // The highest logged batch acknowledged by then: a kNone batch at the top promises nothing.
  for (size_t p = log_.PositionAfter(begin.acknowledged); p-- > 0;) {
    const CommitLog::Entry& entry = log_.entries()[p];
    if (entry.last_sequence <= synced_sequence_) break;
    if (!entry.logged() || entry.fate != CommitLog::Fate::kAcknowledged) continue;
    if (entry.acknowledged_at > begin.events) continue;
    synced_sequence_ = entry.last_sequence;
    break;
  }
}

void KvModel::AcknowledgeFlush(const Moment& begin) {
  if (frozen_) return;
  flushed_events_ = std::max(flushed_events_, begin.events);
  flushed_sequence_ = std::max(flushed_sequence_, begin.acknowledged);
}

std::optional<std::string_view> KvModel::Get(std::string_view key, uint64_t at_sequence) const {
  const auto at = log_.keys().find(key);
  std::string_view value;
  if (at == log_.keys().end() ||
      !ValueOf(at->second, log_.Visible(at->second, at_sequence), &value)) {
    return std::nullopt;
  }
  return value;
}

State KvModel::StateAt(uint64_t at_sequence) const {
  State state;
  std::string_view value;
  for (const auto& [key, history] : log_.keys()) {
    if (ValueOf(history, log_.Visible(history, at_sequence), &value)) {
      state.emplace_hint(state.end(), key, value);
    }
  }
  return state;
}

Violation KvModel::CheckGet(std::string_view key, const std::string_view* value,
                            const Moment& begin) {
  const std::optional<std::string_view> before = Get(key, begin.visible);
  const auto explains = [&](bool has_value, std::string_view expected) {
    return Same(value, has_value, expected) ||
           (value == nullptr && has_value && MayBeGone(key, expected));
  };
  if (explains(before.has_value(), before.value_or(""))) return {};
  if (const auto at = log_.keys().find(key); at != log_.keys().end()) {
    const size_t from = log_.PositionAfter(begin.visible);
    for (const CommitLog::Version& version : at->second.versions) {
      if (version.position < from || version.failed) continue;
      if (!explains(!version.deleted, version.value)) continue;
      Observe(log_.entries()[version.position].last_sequence);
      return {};
    }
  }
  for (const auto& [id, batch] : in_flight_) {
    if (batch.first_sequence != 0) continue;  // in the log
    const auto last = std::find_if(batch.batch.rbegin(), batch.batch.rend(),
                                   [&](const Operation& o) { return o.Touches(key); });
    if (last == batch.batch.rend()) continue;
    if (explains(last->kind == Operation::Kind::kPut, last->value)) return {};
  }
  return {FailureClass::kWrongRead,
          "get " + Quoted(key) + " found " + Shown(value) + "; at sequence " +
              std::to_string(begin.visible) + ", " + SeenBefore(begin) + ", it was " +
              (before ? Quoted(*before) : "nothing") + ", and nothing issued since explains it" +
              (value ? OriginOf(key, *value) : "")};
}

Violation KvModel::CheckScan(const Range& range, std::span<const KeyValue> found,
                             const Moment& begin) {
  std::string difference;
  uint64_t sequence = begin.visible;
  for (size_t p = log_.PositionAfter(sequence);; ++p) {
    size_t i = 0;
    bool same = true;
    std::string_view value;
    for (const auto& [key, history] : log_.keys()) {
      if (!IsAboveLower(key, range.lower) || !IsBelowUpper(key, range.upper)) continue;
      if (!ValueOf(history, log_.Visible(history, sequence), &value)) continue;
      same = i < found.size() && found[i] == KeyValue{key, value};
      if (!same && MayBeGone(key, value)) {
        same = true;
        continue;
      }
      if (!same) {
        if (difference.empty()) {
          difference = "at sequence " + std::to_string(sequence) + " expected " + Quoted(key) +
                       " = " + Quoted(value) + ", found " +
                       (i < found.size() ? Quoted(found[i].key) + " = " + Quoted(found[i].value)
                                         : std::string("the end"));
        }
        break;
      }
      ++i;
    }
    if (same && i == found.size()) {
      Observe(sequence);
      return {};
    }
    if (difference.empty()) {
      difference = "at sequence " + std::to_string(sequence) + " found " + Quoted(found[i].key) +
                   " = " + Quoted(found[i].value) + " where nothing more should be";
    }
    if (p >= log_.entries().size()) break;
    sequence = log_.entries()[p].last_sequence;
  }
  return {FailureClass::kWrongRead,
          "scan of " + std::to_string(found.size()) + " pairs fits no sequence number from " +
              std::to_string(begin.visible) + ", " + SeenBefore(begin) + ", on: " + difference};
}

Violation KvModel::CheckSnapshot(uint64_t sequence, const Moment& begin) {
  if (sequence < begin.visible) {
    return {FailureClass::kWrongRead, "at sequence " + std::to_string(sequence) +
                                          " is older than sequence " +
                                          std::to_string(begin.visible) + ", " + SeenBefore(begin)};
  }
  Observe(sequence);
  return {};
}

void KvModel::Observe(uint64_t sequence) { observed_ = std::max(observed_, sequence); }

void KvModel::Rebase(const Verdict& verdict) {
  Require(verdict.ok(), "rebased on a recovery that was not accepted");
  const CommitLog& from = LogOf(verdict);
  // Above the floor several prefixes may make this state, and the store goes on from the one it
  // took: only what is above the floor in all of them is a bound on its next number.
  const uint64_t base_sequence = verdict.floor_sequence;
  for (const auto& [id, batch] : in_flight_) {
    if (batch.first_sequence == 0) log_.Disown(batch.batch);
  }
  in_flight_.clear();
  const Prefix& prefix = verdict.prefix;
  if (verdict.epochs_back == 0) {
    PushPast({.goes_on = false, .carried = prefix});
    log_.Rebase([&](const CommitLog::KeyHistory& history) { return prefix.Latest(history); },
                [&](const CommitLog::Version& version) { return prefix.Includes(version); },
                base_sequence);
    log_.Forget(verdict.vanished);
  } else {
    State state = StateOf(from, prefix);
    for (const std::string& key : verdict.vanished) state.erase(key);
    PushPast({});
    log_.RebaseTo(state, base_sequence);
  }
  poisoned_ = false;
  ++epoch_;
  dropped_sequence_ = 0;
  latest_acknowledged_ = base_sequence;
  observed_ = 0;
  logged_sequence_ = synced_sequence_ = flushed_sequence_ = base_sequence;
  promised_sequence_ = base_sequence;
  synced_events_ = flushed_events_ = events_;
}

std::string KvModel::OriginOf(std::string_view key, std::string_view value) const {
  const uint64_t hash = PairHash(key, value);
  if (const auto at = log_.keys().find(key); at != log_.keys().end()) {
    for (const CommitLog::Version& version : at->second.versions) {
      if (version.deleted || version.value != value) continue;
      const CommitLog::Entry& entry = log_.entries()[version.position];
      return " (written by batch #" + std::to_string(entry.id) + " at sequence " +
             std::to_string(entry.first_sequence) + (version.failed ? ", which failed)" : ")");
    }
    for (const CommitLog::PastValue& past : at->second.past) {
      if (past.pair_hash != hash) continue;
      return past.committed ? " (its value before an earlier recovery)"
                            : " (only ever written by batches that failed or were lost for good)";
    }
  }
  for (const auto& [id, batch] : in_flight_) {
    for (const Operation& operation : batch.batch) {
      if (batch.first_sequence == 0 &&
          operation == Operation{Operation::Kind::kPut, std::string(key), std::string(value)}) {
        return " (written by batch #" + std::to_string(id) +
               ", in flight without a sequence number)";
      }
    }
  }
  return " (never written)";
}

}  // namespace shearpin::model
