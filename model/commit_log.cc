#include "model/commit_log.h"

#include <algorithm>
#include <utility>

#include "model/require.h"
#include "model/state_hash.h"

namespace shearpin::model {
namespace {

void RememberPast(CommitLog::KeyHistory* history, uint64_t pair_hash, bool committed) {
  for (CommitLog::PastValue& past : history->past) {
    if (past.pair_hash != pair_hash) continue;
    past.committed |= committed;
    return;
  }
  history->past.push_back({pair_hash, committed});
}

}  // namespace

CommitLog::CommitLog(MayVanish may_vanish)
    : may_vanish_(std::move(may_vanish)), prefix_hashes_{0} {}

size_t CommitLog::PositionAfter(uint64_t sequence) const {
  const auto at = std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.last_sequence <= sequence;
  });
  return static_cast<size_t>(at - entries_.begin());
}

size_t CommitLog::PositionOf(uint64_t first_sequence) const {
  const size_t position = PositionAfter(first_sequence - 1);
  Require(position < entries_.size() && entries_[position].first_sequence == first_sequence,
          "no entry starts at this sequence number");
  return position;
}

bool CommitLog::Overlaps(uint64_t first_sequence, uint64_t last_sequence) const {
  const size_t position = PositionAfter(first_sequence - 1);
  return position < entries_.size() && entries_[position].first_sequence <= last_sequence;
}

size_t CommitLog::Insert(uint64_t id, Batch batch, Durability durability, uint64_t first_sequence,
                         uint64_t epoch) {
  Require(!batch.empty() && first_sequence > base_sequence_, "entry below the base");
  const size_t position = PositionAfter(first_sequence);
  if (position < entries_.size()) ++rebuilds_;
  for (size_t p = entries_.size(); p-- > position;) Unlink(p);
  Entry entry;
  entry.id = id;
  entry.first_sequence = first_sequence;
  entry.last_sequence = first_sequence + batch.size() - 1;
  entry.durability = durability;
  entry.epoch = epoch;
  entry.batch = std::move(batch);
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(position), std::move(entry));
  for (size_t p = position; p < entries_.size(); ++p) Link(p);
  return position;
}

void CommitLog::SetFate(size_t position, Fate fate, uint64_t acknowledged_at) {
  Entry& entry = entries_[position];
  entry.fate = fate;
  entry.acknowledged_at = acknowledged_at;
  if (fate != Fate::kFailed) return;
  any_failed_ = true;
  for (const Effect& effect : entry.effects) {
    effect.key->versions[effect.version].failed = true;
  }
}

CommitLog::KeyHistory& CommitLog::Intern(const std::string& key) {
  const auto [at, inserted] = keys_.try_emplace(key);
  if (inserted) at->second.key = at->first;
  return at->second;
}

// What the operation, one of the entry's, does to one key; `*hash` is that of the state so far.
void CommitLog::Apply(const Operation& operation, size_t position, KeyHistory* history,
                      uint64_t* hash) {
  Entry& entry = entries_[position];
  const bool deleted = operation.kind != Operation::Kind::kPut;
  const uint64_t pair_hash = deleted ? 0 : PairHash(operation.key, operation.value);
  const uint64_t weight = MayBeGone(operation.key, operation.value) ? 0 : pair_hash;
  *hash +=
      weight - (history->versions.empty() ? history->base_weight : history->versions.back().weight);
  // Only the last operation of a batch on a key is ever seen.
  if (!history->versions.empty() && history->versions.back().position == position) {
    history->versions.pop_back();
  } else {
    entry.effects.push_back({history, history->versions.size()});
  }
  const std::string_view value = deleted ? std::string_view() : std::string_view(operation.value);
  history->versions.push_back(
      {position, deleted, entry.logged(), entry.fate == Fate::kFailed, pair_hash, weight, value});
}

void CommitLog::Link(size_t position) {
  Entry& entry = entries_[position];
  uint64_t hash = prefix_hashes_[position];
  entry.effects.clear();
  for (const Operation& operation : entry.batch) {
    if (operation.kind != Operation::Kind::kDeleteRange) {
      Apply(operation, position, &Intern(operation.key), &hash);
      continue;
    }
    // A key that was never there before has nothing to lose.
    const auto end = keys_.lower_bound(operation.value);
    for (auto at = keys_.lower_bound(operation.key); at != end; ++at) {
      KeyHistory& history = at->second;
      if (history.versions.empty() && !history.base.has_value()) continue;
      Apply(operation, position, &history, &hash);
    }
  }
  prefix_hashes_.push_back(hash);
  if (!entry.logged()) unlogged_.push_back(position);
}

void CommitLog::Unlink(size_t position) {
  for (const Effect& effect : entries_[position].effects) effect.key->versions.pop_back();
  prefix_hashes_.pop_back();
  if (!unlogged_.empty() && unlogged_.back() == position) unlogged_.pop_back();
}

void CommitLog::Remove(size_t position) {
  ++rebuilds_;
  for (size_t p = entries_.size(); p-- > position;) Unlink(p);
  const Batch batch = std::move(entries_[position].batch);
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(position));
  for (size_t p = position; p < entries_.size(); ++p) Link(p);
  Disown(batch);
  any_failed_ = std::any_of(entries_.begin(), entries_.end(),
                            [](const Entry& entry) { return entry.fate == Fate::kFailed; });
}

void CommitLog::Disown(const Batch& batch) {
  for (const Operation& operation : batch) {
    if (operation.kind != Operation::Kind::kPut) continue;
    RememberPast(&Intern(operation.key), PairHash(operation.key, operation.value), false);
  }
}

const CommitLog::Version* CommitLog::Visible(const KeyHistory& history, uint64_t sequence) const {
  for (size_t i = history.versions.size(); i-- > 0;) {
    const Version& version = history.versions[i];
    if (!version.failed && entries_[version.position].last_sequence <= sequence) return &version;
  }
  return nullptr;
}

CommitLog CommitLog::Clone() const {
  CommitLog copy(may_vanish_);
  copy.entries_ = entries_;
  for (const auto& [key, history] : keys_) {
    KeyHistory& mine = copy.Intern(key);
    mine.base = history.base;
    mine.base_hash = history.base_hash;
    mine.base_weight = history.base_weight;
    mine.past = history.past;
  }
  copy.prefix_hashes_.assign(1, prefix_hashes_.front());
  copy.base_sequence_ = base_sequence_;
  copy.any_failed_ = any_failed_;
  for (size_t p = 0; p < copy.entries_.size(); ++p) copy.Link(p);
  return copy;
}

void CommitLog::RebaseTo(const State& state, uint64_t base_sequence) {
  for (auto& [key, history] : keys_) {
    for (const Version& version : history.versions) {
      if (!version.deleted) RememberPast(&history, version.pair_hash, !version.failed);
    }
    if (history.base.has_value()) RememberPast(&history, history.base_hash, true);
    history.versions.clear();
    history.base.reset();
    history.base_hash = history.base_weight = 0;
  }
  uint64_t hash = 0;
  for (const auto& [key, value] : state) {
    KeyHistory& history = Intern(key);
    history.base.emplace(value);
    history.base_hash = PairHash(key, value);
    history.base_weight = MayBeGone(key, value) ? 0 : history.base_hash;
    hash += history.base_weight;
  }
  StartOver(hash, base_sequence);
}

void CommitLog::StartOver(uint64_t hash, uint64_t base_sequence) {
  entries_.clear();
  unlogged_.clear();
  any_failed_ = false;
  prefix_hashes_.assign(1, hash);
  base_sequence_ = base_sequence;
  ++rebuilds_;
}

void CommitLog::Rebase(const std::function<const Version*(const KeyHistory&)>& chosen,
                       const std::function<bool(const Version&)>& included,
                       uint64_t base_sequence) {
  uint64_t hash = 0;
  for (auto& [key, history] : keys_) {
    const Version* const kept = chosen(history);
    for (const Version& version : history.versions) {
      if (version.deleted || &version == kept) continue;
      RememberPast(&history, version.pair_hash, included(version));
    }
    if (kept != nullptr) {
      if (history.base.has_value()) RememberPast(&history, history.base_hash, true);
      history.base.reset();
      if (!kept->deleted) history.base.emplace(kept->value);
      history.base_hash = kept->pair_hash;
      history.base_weight = kept->weight;
    }
    history.versions.clear();
    hash += history.base_weight;
  }
  StartOver(hash, base_sequence);
}

void CommitLog::Forget(std::span<const std::string> keys) {
  for (const std::string& key : keys) {
    KeyHistory& history = keys_.find(key)->second;
    RememberPast(&history, history.base_hash, true);
    history.base.reset();
    history.base_hash = 0;
  }
}

}  // namespace shearpin::model
