#include "model/diagnosis.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/prefix.h"
#include "model/state_hash.h"

namespace shearpin::model {
namespace {

// Positions as signed numbers: the base is before all entries.
using Place = std::ptrdiff_t;
constexpr Place kBase = -1;

// What the recovered state shows for one key.
struct Sighting {
  const CommitLog::KeyHistory* history = nullptr;
  bool found = false;
  std::string_view value;
  bool explained = false;  // by the base or a version; the bounds below hold only then
  Place oldest = 0;        // the oldest version that has this value
  Place newest = 0;
  bool all_unlogged = true;
};

std::string Describe(const CommitLog::Entry& entry) {
  static constexpr const char* kDurability[] = {"none", "process", "sync"};
  static constexpr const char* kFate[] = {"in flight", "acknowledged", "failed"};
  return "batch #" + std::to_string(entry.id) + " (sequence " +
         std::to_string(entry.first_sequence) + ".." + std::to_string(entry.last_sequence) + ", " +
         kDurability[static_cast<size_t>(entry.durability)] + ", " +
         kFate[static_cast<size_t>(entry.fate)] + ")";
}

std::string Found(const Sighting& sighting) {
  return "found " + (sighting.found ? Quoted(sighting.value) : std::string("nothing"));
}

class Examination {
 public:
  Examination(const CommitLog& log, std::span<const KeyValue> recovered, const Demand& demand)
      : log_(log), demand_(demand) {
    const auto& keys = log.keys();
    auto expected = keys.begin();
    for (const KeyValue& pair : recovered) {
      for (; expected != keys.end() && expected->first < pair.key; ++expected) {
        See(expected->second, nullptr);
      }
      if (expected == keys.end() || expected->first != pair.key) {
        foreign_.push_back(pair);
      } else {
        See(expected->second, &pair);
        ++expected;
      }
    }
    for (; expected != keys.end(); ++expected) See(expected->second, nullptr);
  }

  Violation Run() const {
    if (Violation v = WrongData(); !v.ok()) return v;
    if (Violation v = TornBatch(); !v.ok()) return v;
    if (Violation v = ResurrectedDelete(); !v.ok()) return v;
    if (Violation v = DurableWriteLost(); !v.ok()) return v;
    if (Violation v = Hole(); !v.ok()) return v;
    return Nearest();
  }

 private:
  // Whether a key that should have this value, or none, may look like that.
  bool Explains(bool has_value, std::string_view value, std::string_view key,
                const Sighting& seen) const {
    if (!seen.found) return !has_value || log_.MayBeGone(key, value);
    return has_value && value == seen.value;
  }

  void See(const CommitLog::KeyHistory& history, const KeyValue* pair) {
    Sighting seen;
    seen.history = &history;
    seen.found = pair != nullptr;
    if (pair != nullptr) seen.value = pair->value;
    const auto match = [&](Place place, bool logged) {
      if (!seen.explained) seen.oldest = place;
      seen.newest = place;
      seen.explained = true;
      seen.all_unlogged &= !logged;
    };
    std::string_view value;
    const auto same = [&](const CommitLog::Version* version) {
      const bool has_value = ValueOf(history, version, &value);
      return Explains(has_value, value, history.key, seen);
    };
    if (same(nullptr)) match(kBase, true);
    for (const CommitLog::Version& version : history.versions) {
      if (same(&version)) match(static_cast<Place>(version.position), version.logged);
    }
    if (seen.explained) {
      if (seen.oldest == seen.newest && seen.oldest != kBase) {
        Place& latest = latest_in_epoch_[log_.entries()[seen.oldest].epoch];
        latest = std::max(latest, seen.oldest);
      }
      latest_there_ = std::max(latest_there_, seen.oldest);
      if (seen.all_unlogged) latest_unlogged_there_ = std::max(latest_unlogged_there_, seen.oldest);
    }
    sightings_.emplace(history.key, seen);
  }

  const Sighting& Of(const CommitLog::Effect& effect) const {
    return sightings_.find(effect.key->key)->second;
  }
  // No version of `entry` or later explains this key.
  static bool IsMissing(const Sighting& seen, Place entry) {
    return !seen.explained || seen.newest < entry;
  }
  // The first key that shows the entry to be missing; null if none does.
  const Sighting* Missing(Place place) const {
    for (const CommitLog::Effect& effect : log_.entries()[place].effects) {
      if (const Sighting& seen = Of(effect); IsMissing(seen, place)) return &seen;
    }
    return nullptr;
  }
  Place size() const { return static_cast<Place>(log_.entries().size()); }
  const CommitLog::Version& VersionIn(const Sighting& seen, Place place) const {
    return *std::find_if(
        seen.history->versions.begin(), seen.history->versions.end(),
        [&](const CommitLog::Version& v) { return v.position == static_cast<size_t>(place); });
  }

  Violation Say(FailureClass failure_class, Place place, const Sighting& seen,
                const std::string& more = "") const {
    const CommitLog::Version& version = VersionIn(seen, place);
    return {failure_class, "key " + Quoted(seen.history->key) + ": " +
                               Describe(log_.entries()[place]) +
                               (version.deleted ? " deleted it" : " put " + Quoted(version.value)) +
                               ", " + Found(seen) + more};
  }
  std::string There(Place place) const {
    return place == kBase ? "" : ", although " + Describe(log_.entries()[place]) + " is there";
  }

  // A past value that was committed once is not wrong but stale: left to the other classes.
  static bool IsStale(const Sighting& seen) {
    if (!seen.found) return seen.history->base.has_value();  // lost: nothing is never wrong data
    const uint64_t hash = PairHash(seen.history->key, seen.value);
    return std::any_of(
        seen.history->past.begin(), seen.history->past.end(),
        [&](const CommitLog::PastValue& p) { return p.pair_hash == hash && p.committed; });
  }

  Violation WrongData() const {
    if (!foreign_.empty()) {
      return {FailureClass::kWrongData, "key " + Quoted(foreign_.front().key) +
                                            " was never written, found " +
                                            Quoted(foreign_.front().value)};
    }
    for (const auto& [key, seen] : sightings_) {
      if (seen.explained || IsStale(seen)) continue;
      const uint64_t hash = PairHash(key, seen.value);
      const bool lost =
          std::any_of(seen.history->past.begin(), seen.history->past.end(),
                      [&](const CommitLog::PastValue& p) { return p.pair_hash == hash; });
      return {FailureClass::kWrongData,
              "key " + Quoted(key) + ": " + Found(seen) +
                  (lost ? ", a value of a batch that failed without a sequence number or that an "
                          "earlier recovery left out for good"
                        : ", a value never written for it")};
    }
    return {};
  }

  Violation TornBatch() const {
    for (Place place = 0; place < size(); ++place) {
      const Sighting* there = nullptr;
      for (const CommitLog::Effect& effect : log_.entries()[place].effects) {
        const Sighting& seen = Of(effect);
        if (seen.explained && seen.oldest == place && seen.newest == place) there = &seen;
      }
      if (there == nullptr) continue;
      if (const Sighting* missing = Missing(place)) {
        return Say(FailureClass::kBatchTorn, place, *missing,
                   ", although key " + Quoted(there->history->key) + " of the same batch is there");
      }
    }
    return {};
  }

  Violation ResurrectedDelete() const {
    for (const auto& [key, seen] : sightings_) {
      if (seen.explained || !seen.found || seen.history->base.has_value()) continue;
      if (!seen.history->versions.empty() && !seen.history->versions.front().deleted) continue;
      return {FailureClass::kResurrectedDelete,
              "key " + Quoted(key) + " was deleted before an earlier recovery, " + Found(seen)};
    }
    for (Place place = 0; place < size() && place < latest_there_; ++place) {
      if (!Illegal(place)) continue;
      for (const CommitLog::Effect& effect : log_.entries()[place].effects) {
        const Sighting& seen = Of(effect);
        if (!effect.key->versions[effect.version].deleted || !seen.found) continue;
        if (IsMissing(seen, place)) {
          return Say(FailureClass::kResurrectedDelete, place, seen, There(latest_there_));
        }
      }
    }
    return {};
  }

  Violation DurableWriteLost() const {
    for (Place place = 0; place < static_cast<Place>(demand_.floor); ++place) {
      if (!DurableItself(log_.entries()[place], place)) continue;
      if (const Sighting* seen = Missing(place)) {
        return Say(FailureClass::kDurableWriteLost, place, *seen, There(Later(place)));
      }
    }
    for (const auto& [key, seen] : sightings_) {
      if (seen.explained) continue;
      return {FailureClass::kDurableWriteLost,
              "key " + Quoted(key) + " is older than the state recovered last: " + Found(seen) +
                  (seen.history->base ? ", it was " + Quoted(*seen.history->base) : "")};
    }
    return {};
  }

  Violation Hole() const {
    for (Place place = 0; place < static_cast<Place>(demand_.floor); ++place) {
      if (!Owed(log_.entries()[place], place)) continue;
      if (const Sighting* seen = Missing(place)) {
        return Say(FailureClass::kHoleBeforeDurable, place, *seen, There(Later(place)));
      }
    }
    for (Place place = 0; place < size(); ++place) {
      const Sighting* const seen = Missing(place);
      if (seen == nullptr || !Illegal(place)) continue;
      return Say(FailureClass::kHoleAfterDurable, place, *seen, There(Later(place)));
    }
    return {};
  }

  // Entries differ from all legal prefixes in a way that equal values hide: take the nearest.
  Violation Nearest() const {
    size_t fewest = std::numeric_limits<size_t>::max();
    const Sighting* nearest = nullptr;
    Place place = kBase;
    size_t n_best = 0;
    for (size_t n = demand_.floor; n <= log_.entries().size(); ++n) {
      size_t differing = 0;
      const Sighting* first = nullptr;
      Place first_place = kBase;
      for (const auto& [key, seen] : sightings_) {
        const CommitLog::Version* const version =
            Prefix{.n = n, .flushed = n, .skipped = {}}.Latest(*seen.history);
        std::string_view value;
        const bool has_value = ValueOf(*seen.history, version, &value);
        if (Explains(has_value, value, key, seen)) continue;
        ++differing;
        if (first != nullptr) continue;
        first = &seen;
        first_place = version == nullptr ? kBase : static_cast<Place>(version->position);
      }
      if (differing >= fewest) continue;
      fewest = differing, nearest = first, place = first_place, n_best = n;
    }
    const bool below_floor = place < static_cast<Place>(demand_.floor);
    const FailureClass failure_class = below_floor && demand_.floor > 0
                                           ? FailureClass::kDurableWriteLost
                                           : FailureClass::kHoleAfterDurable;
    const std::string more = "; nearest to the first " + std::to_string(n_best) + " batches (" +
                             std::to_string(fewest) + " keys differ)";
    if (nearest == nullptr) return {failure_class, "no legal prefix" + more};
    if (place == kBase) {
      return {failure_class,
              "key " + Quoted(nearest->history->key) + ": " + Found(*nearest) + more};
    }
    return Say(failure_class, place, *nearest, more);
  }

  bool DurableItself(const CommitLog::Entry& entry, Place place) const {
    if (demand_.everything) return Owed(entry, place);
    if (entry.fate != CommitLog::Fate::kAcknowledged) return false;
    if (entry.logged() && entry.durability >= demand_.durable) return true;
    if (entry.logged() && entry.acknowledged_at <= demand_.durable_events) return true;
    return entry.acknowledged_at <= demand_.flushed_events;
  }
  bool Owed(const CommitLog::Entry& entry, Place place) const {
    if (entry.fate == CommitLog::Fate::kFailed) return false;
    if (place < static_cast<Place>(demand_.flushed)) return true;
    return entry.logged() && place < static_cast<Place>(demand_.floor);
  }
  // The latest batch that is there although it should not be, were `place` missing.
  Place Later(Place place) const {
    const CommitLog::Entry& entry = log_.entries()[place];
    Place later = entry.logged() ? latest_there_ : latest_unlogged_there_;
    if (entry.fate == CommitLog::Fate::kFailed) {
      // It may be left out once the writer was resumed.
      const auto in_epoch = latest_in_epoch_.find(entry.epoch);
      later = in_epoch == latest_in_epoch_.end() ? kBase : in_epoch->second;
    }
    return later > place ? later : kBase;
  }
  // Whether the entry, if missing, is missing against the rules.
  bool Illegal(Place place) const {
    return Owed(log_.entries()[place], place) || Later(place) != kBase;
  }

  const CommitLog& log_;
  const Demand& demand_;
  std::map<std::string_view, Sighting> sightings_;
  std::vector<KeyValue> foreign_;
  Place latest_there_ = kBase;           // some batch at or above it must be there
  Place latest_unlogged_there_ = kBase;  // the same among kNone batches
  std::map<uint64_t, Place> latest_in_epoch_;
};

}  // namespace

Violation Diagnose(const CommitLog& log, std::span<const KeyValue> recovered,
                   const Demand& demand) {
  return Examination(log, recovered, demand).Run();
}

}  // namespace shearpin::model
