// CommitLog: batches in sequence order over a base state, and every version of each key.
//
// Position p stands between entries: entries [0, p) are before it. The log keeps, for each p, a
// hash of the state after [0, p), so that the prefix a recovered state may be is found by looking
// for its hash (state_hash.h) and only then compared. Pairs that may vanish add nothing to it.
//
// Numbers may become known out of order, so an entry can be inserted in the middle; what depends
// on it is rebuilt from there. That happens near the end only, among batches in flight.
//
// Thread safety: one thread at a time; const calls do not change anything.
// Cost: Append is O(log keys) for each operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/batch.h"

namespace shearpin::model {

class CommitLog {
 public:
  struct KeyHistory;

  // What one entry does to one key: the last of its operations on it.
  struct Effect {
    KeyHistory* key = nullptr;
    size_t version = 0;  // index into key->versions
  };

  enum class Fate : uint8_t { kInFlight, kAcknowledged, kFailed };

  struct Entry {
    uint64_t id = 0;
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;
    Durability durability = Durability::kProcess;
    Fate fate = Fate::kInFlight;
    uint64_t acknowledged_at = 0;  // acknowledgements before it, counted over the whole history
    uint64_t epoch = 0;            // how often the writer had been resumed when it got its number
    Batch batch;
    std::vector<Effect> effects;  // in key order of first appearance

    bool logged() const { return durability != Durability::kNone; }
  };

  // One value of one key. `position` is that of its entry.
  struct Version {
    size_t position = 0;
    bool deleted = false;
    bool logged = true;
    bool failed = false;
    uint64_t pair_hash = 0;  // of (key, value); 0 if deleted
    uint64_t weight = 0;     // what it adds to the hash of a state: 0 if it may vanish
    std::string_view value;  // into the entry's batch
  };

  // A value that no state over this base can hold: it was overwritten before the base, or only
  // ever written by batches that failed or that a recovery left out. Tells kinds of damage apart.
  struct PastValue {
    uint64_t pair_hash = 0;
    bool committed = false;
  };

  struct KeyHistory {
    std::string_view key;
    std::optional<std::string> base;  // its value in the base state
    uint64_t base_hash = 0;           // of (key, base value); 0 if absent
    uint64_t base_weight = 0;         // as Version::weight
    std::vector<Version> versions;    // by position
    std::vector<PastValue> past;
  };
  using Keys = std::map<std::string, KeyHistory, std::less<>>;

  explicit CommitLog(MayVanish may_vanish = nullptr);
  CommitLog(const CommitLog&) = delete;
  CommitLog& operator=(const CommitLog&) = delete;
  CommitLog(CommitLog&&) = default;

  // A copy, to look things up in after the original was rebased.
  CommitLog Clone() const;

  // Puts the entry where its sequence numbers belong, and returns its position. They must not
  // overlap those of another entry (see Overlaps).
  size_t Insert(uint64_t id, Batch batch, Durability durability, uint64_t first_sequence,
                uint64_t epoch);
  bool Overlaps(uint64_t first_sequence, uint64_t last_sequence) const;

  // The entry that starts at `first_sequence`, which must exist.
  size_t PositionOf(uint64_t first_sequence) const;
  // How many entries end at or below `sequence`.
  size_t PositionAfter(uint64_t sequence) const;
  void SetFate(size_t position, Fate fate, uint64_t acknowledged_at);

  // The highest sequence number before the log's first entry.
  uint64_t base_sequence() const { return base_sequence_; }
  const std::vector<Entry>& entries() const { return entries_; }
  const Keys& keys() const { return keys_; }
  // prefix_hashes()[p]: the state after all of [0, p), kNone and failed entries included.
  const std::vector<uint64_t>& prefix_hashes() const { return prefix_hashes_; }
  // Positions of the entries that were not logged, ascending.
  const std::vector<size_t>& unlogged() const { return unlogged_; }
  // Whether any entry failed since the base.
  bool any_failed() const { return any_failed_; }

  bool any_may_vanish() const { return may_vanish_ != nullptr; }
  const MayVanish& may_vanish() const { return may_vanish_; }
  bool MayBeGone(std::string_view key, std::string_view value) const {
    return may_vanish_ && may_vanish_(key, value);
  }

  // The version of `history` that a reader at `sequence` sees; null for the base value.
  const Version* Visible(const KeyHistory& history, uint64_t sequence) const;

  // Takes an entry out: the store promised that it never comes back.
  void Remove(size_t position);

  // Remembers that this batch was written and must not be seen: it never got a number.
  void Disown(const Batch& batch);

  // How often anything but an insertion at the end happened: what was derived from the entries
  // before some position holds as long as this does.
  uint64_t rebuilds() const { return rebuilds_; }

  // Replaces base and log by a state that this log can make: for each key the version that
  // `chosen` returns (null: the base value). Of the other versions, those that were `included`
  // are remembered as committed once.
  void Rebase(const std::function<const Version*(const KeyHistory&)>& chosen,
              const std::function<bool(const Version&)>& included, uint64_t base_sequence);
  // Likewise, by any state of the past: one from before this log's base.
  void RebaseTo(const State& state, uint64_t base_sequence);
  // After Rebase: these keys of the base have vanished.
  void Forget(std::span<const std::string> keys);

 private:
  KeyHistory& Intern(const std::string& key);
  void Apply(const Operation& operation, size_t position, KeyHistory* history, uint64_t* hash);
  void Link(size_t position);    // derives everything from entries_[position], the newest linked
  void Unlink(size_t position);  // takes that back
  void StartOver(uint64_t hash, uint64_t base_sequence);  // over bases that are set

  const MayVanish may_vanish_;
  std::vector<Entry> entries_;
  Keys keys_;
  std::vector<uint64_t> prefix_hashes_;
  std::vector<size_t> unlogged_;
  uint64_t base_sequence_ = 0;
  uint64_t rebuilds_ = 0;
  bool any_failed_ = false;
};

}  // namespace shearpin::model
