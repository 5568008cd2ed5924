#include "model/crash_oracle.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "model/diagnosis.h"
#include "model/joined_log.h"
#include "model/require.h"
#include "model/state_hash.h"

namespace shearpin::model {
namespace {

// A flush boundary above everything: each kNone batch below n is in the state.
constexpr size_t kAll = std::numeric_limits<size_t>::max();

// `vanished`, if given, takes the keys that are missing and may be.
bool Matches(const CommitLog& log, const Prefix& prefix, std::span<const KeyValue> found,
             std::vector<std::string>* vanished = nullptr) {
  size_t i = 0;
  std::string_view value;
  if (vanished != nullptr) vanished->clear();
  for (const auto& [key, history] : log.keys()) {
    if (!ValueOf(history, prefix.Latest(history), &value)) continue;
    if (i == found.size() || found[i].key != key || found[i].value != value) {
      if (!log.MayBeGone(key, value)) return false;
      if (vanished != nullptr) vanished->push_back(key);
      continue;
    }
    ++i;
  }
  return i == found.size();
}

// row[i] is the hash of the state with n = start + i and the rest as in `prefix`. Given its first
// element, makes the rest up to the end of the log.
void ExtendRow(const CommitLog& log, Prefix prefix, size_t start, std::vector<uint64_t>* row) {
  for (size_t p = start + row->size() - 1; p < log.entries().size(); ++p) {
    uint64_t hash = row->back();
    prefix.n = p + 1;
    for (const CommitLog::Effect& effect : log.entries()[p].effects) {
      const auto& versions = effect.key->versions;
      if (!prefix.Includes(versions[effect.version])) continue;
      uint64_t before = effect.key->base_weight;
      for (size_t v = effect.version; v-- > 0;) {
        if (!prefix.Includes(versions[v])) continue;
        before = versions[v].weight;
        break;
      }
      hash += versions[effect.version].weight - before;
    }
    row->push_back(hash);
  }
}

// The runs of failed batches that a resumed writer left behind: [begin, end) of positions, each
// the tail of its epoch behind that epoch's last batch that did not fail.
std::vector<std::pair<size_t, size_t>> FailedRuns(const CommitLog& log) {
  std::vector<std::pair<size_t, size_t>> runs;
  const auto& entries = log.entries();
  for (size_t begin = 0; begin < entries.size();) {
    size_t end = begin;
    size_t run = begin;
    bool any = false;
    for (; end < entries.size() && entries[end].epoch == entries[begin].epoch; ++end) {
      const bool failed = entries[end].fate == CommitLog::Fate::kFailed;
      if (!failed) run = end + 1, any = false;
      any |= failed;
    }
    // Behind the last epoch nothing follows, so that a cut there is an ordinary prefix.
    if (any && end < entries.size()) runs.emplace_back(run, end);
    begin = end;
  }
  return runs;
}

// Calls `visit` with every choice of cuts, one in each run, until it returns true.
template <typename Visit>
bool ForEachCut(const CommitLog& log, std::span<const std::pair<size_t, size_t>> runs,
                std::vector<std::pair<size_t, size_t>>* skipped, const Visit& visit) {
  if (runs.empty()) return !skipped->empty() && visit();
  const auto [begin, end] = runs.front();
  if (ForEachCut(log, runs.subspan(1), skipped, visit)) return true;
  for (size_t cut = end; cut-- > begin;) {
    if (log.entries()[cut].fate != CommitLog::Fate::kFailed) continue;
    skipped->emplace_back(cut, end);
    const bool done = ForEachCut(log, runs.subspan(1), skipped, visit);
    skipped->pop_back();
    if (done) return true;
  }
  return false;
}

}  // namespace

CrashKind Together(CrashKind a, CrashKind b) {
  // Two different harms, or two of those that are harmless only when single.
  const bool both = a >= CrashKind::kRottenLog && b >= CrashKind::kRottenLog;
  if (both && (a != b || a == CrashKind::kRottenLog)) return CrashKind::kBrokenStorage;
  return std::max(a, b);
}

CrashOracle::Floor CrashOracle::FloorNow(CrashKind kind) const {
  Floor floor = {.durable = model_->logged_sequence(), .flushed = model_->flushed_sequence()};
  if (kind >= CrashKind::kPowerLoss) floor.durable = model_->synced_sequence();
  if (kind == CrashKind::kRottenLog) floor.durable = model_->promised_sequence();
  if (kind == CrashKind::kBrokenStorage) floor = {};
  return floor;
}

Verdict CrashOracle::CheckRecovery(std::span<const KeyValue> recovered, CrashKind kind) const {
  return CheckRecovery(recovered, kind, FloorNow(kind));
}

Verdict CrashOracle::CheckRecovery(std::span<const KeyValue> recovered, CrashKind kind,
                                   const Floor& floor) const {
  const CommitLog& log = model_->log();
  Verdict verdict;
  Recovered state{.pairs = recovered};
  for (size_t i = 0; i < recovered.size(); ++i) {
    if (i > 0 && recovered[i - 1].key >= recovered[i].key) {
      verdict.failure_class = FailureClass::kWrongData;
      verdict.message = "keys out of order: " + Quoted(recovered[i - 1].key) + " before " +
                        Quoted(recovered[i].key);
      return verdict;
    }
    if (log.MayBeGone(recovered[i].key, recovered[i].value)) continue;
    state.hash += PairHash(recovered[i].key, recovered[i].value);
  }
  const bool power = kind >= CrashKind::kPowerLoss;
  const size_t flushed = log.PositionAfter(floor.flushed);
  verdict.prefix.flushed = flushed;
  verdict.floor_position = std::max(log.PositionAfter(floor.durable), flushed);
  if (Search(log, state, &verdict) || SearchPast(state, kind, &verdict) ||
      SearchJoined(state, kind, &verdict)) {
    const CommitLog& found = model_->LogOf(verdict);
    const auto sequence_at = [&](size_t position) {
      return position == 0 ? found.base_sequence() : found.entries()[position - 1].last_sequence;
    };
    verdict.floor_sequence = sequence_at(verdict.floor_position);
    if (kind == CrashKind::kBrokenStorage) verdict.floor_sequence = 0;
    for (size_t i = model_->past().size(); kind == CrashKind::kForgottenSync && i-- > 0;) {
      const KvModel::PastEpoch& epoch = *model_->past()[i];
      if (!epoch.frozen) break;
      verdict.floor_sequence = std::min(verdict.floor_sequence, epoch.log.base_sequence());
    }
    verdict.n = sequence_at(verdict.prefix.n);
    verdict.flushed = sequence_at(verdict.prefix.flushed);
    return verdict;
  }
  const Demand demand{.floor = verdict.floor_position,
                      .flushed = flushed,
                      .durable = power ? Durability::kSync : Durability::kProcess,
                      .durable_events = power ? model_->synced_events() : 0,
                      .flushed_events = model_->flushed_events()};
  Violation violation = Diagnose(log, recovered, demand);
  verdict.failure_class = violation.failure_class;
  verdict.message = std::move(violation.message);
  return verdict;
}

// What the epochs before this one left, as far back as the storage may have fallen.
bool CrashOracle::SearchPast(const Recovered& recovered, CrashKind kind, Verdict* verdict) const {
  if (kind < CrashKind::kForgottenSync) return false;
  const auto& past = model_->past();
  for (size_t back = 1; back <= past.size(); ++back) {
    const KvModel::PastEpoch& epoch = *past[past.size() - back];
    const bool broken = kind == CrashKind::kBrokenStorage;
    if (!broken && !epoch.frozen) return false;
    const size_t flushed = broken ? 0 : epoch.log.PositionAfter(epoch.flushed);
    Verdict at = *verdict;
    at.prefix = {.n = 0, .flushed = flushed, .skipped = {}};
    at.floor_position = broken ? 0 : std::max(epoch.log.PositionAfter(epoch.synced), flushed);
    at.epochs_back = back;
    if (!Search(epoch.log, recovered, &at)) continue;
    *verdict = std::move(at);
    return true;
  }
  return false;
}

// Some epoch's log and those of all that came after it, together.
bool CrashOracle::SearchJoined(const Recovered& recovered, CrashKind kind, Verdict* verdict) const {
  if (kind < CrashKind::kForgottenSync) return false;
  const bool broken = kind == CrashKind::kBrokenStorage;
  const auto& past = model_->past();
  std::vector<EpochPart> parts = {{.log = &model_->log(), .carried = nullptr}};
  std::deque<Prefix> carried;
  for (size_t back = 1; back <= past.size(); ++back) {
    const KvModel::PastEpoch& epoch = *past[past.size() - back];
    if (!broken && !epoch.frozen) return false;
    if (epoch.end.goes_on) continue;
    if (!epoch.end.carried) return false;
    // What had vanished by a merge that is forgotten is there again.
    carried.push_back(LongestLike(epoch.log, *epoch.end.carried));
    parts.insert(parts.begin(), {.log = &epoch.log, .carried = &carried.back()});
    const auto owed = [&](uint64_t sequence) {
      return broken ? 0 : CarriedBefore(parts.front(), epoch.log.PositionAfter(sequence));
    };
    Verdict at = *verdict;
    at.joined = JoinLogs(parts);
    at.epochs_back = back;
    at.prefix = {.n = 0, .flushed = owed(epoch.flushed), .skipped = {}};
    at.floor_position = std::max(owed(epoch.synced), at.prefix.flushed);
    if (!Search(*at.joined, recovered, &at)) continue;
    *verdict = std::move(at);
    return true;
  }
  return false;
}

bool CrashOracle::Search(const CommitLog& log, const Recovered& recovered, Verdict* verdict) const {
  if (SearchRow(log, recovered, log.prefix_hashes(), 0, {.n = 0, .flushed = kAll, .skipped = {}},
                verdict)) {
    return true;
  }
  const auto& unlogged = log.unlogged();
  for (auto at = std::lower_bound(unlogged.begin(), unlogged.end(), verdict->prefix.flushed);
       at != unlogged.end(); ++at) {
    const Prefix prefix{.n = 0, .flushed = *at, .skipped = {}};
    Row scratch;
    if (SearchRow(log, recovered, RowAt(log, *at, &scratch), *at, prefix, verdict)) return true;
  }
  return SearchVariants(log, recovered, verdict);
}

// Finds the hash in the part of the row that is above the floor, and compares.
bool CrashOracle::SearchRow(const CommitLog& log, const Recovered& recovered, const Row& row,
                            size_t start, const Prefix& prefix, Verdict* verdict) const {
  const size_t floor = verdict->floor_position;
  for (size_t i = floor > start ? floor - start : 0; i < row.size(); ++i) {
    if (row[i] != recovered.hash) continue;
    Prefix found = prefix;
    found.n = start + i;
    found.flushed = std::min(found.flushed, found.n);
    if (!Matches(log, found, recovered.pairs, &verdict->vanished)) continue;
    verdict->prefix = std::move(found);
    return true;
  }
  return false;
}

bool CrashOracle::SearchVariants(const CommitLog& log, const Recovered& recovered,
                                 Verdict* verdict) const {
  if (!log.any_failed()) return false;
  const auto runs = FailedRuns(log);
  Prefix prefix;
  return ForEachCut(log, runs, &prefix.skipped, [&] {
    Row all(1, log.prefix_hashes()[0]);
    prefix.flushed = kAll;
    ExtendRow(log, prefix, 0, &all);
    if (SearchRow(log, recovered, all, 0, prefix, verdict)) return true;
    const auto& unlogged = log.unlogged();
    for (auto at = std::lower_bound(unlogged.begin(), unlogged.end(), verdict->prefix.flushed);
         at != unlogged.end(); ++at) {
      Row row(1, all[*at]);
      prefix.flushed = *at;
      ExtendRow(log, prefix, *at, &row);
      if (SearchRow(log, recovered, row, *at, prefix, verdict)) return true;
    }
    return false;
  });
}

const CrashOracle::Row& CrashOracle::RowAt(const CommitLog& log, size_t boundary,
                                           Row* scratch) const {
  Row* row = scratch;
  if (&log == &model_->log()) {
    if (rebuilds_ != log.rebuilds()) {
      rows_.clear();
      rebuilds_ = log.rebuilds();
    }
    row = &rows_[boundary];
  }
  if (row->empty()) row->push_back(log.prefix_hashes()[boundary]);
  ExtendRow(log, {.n = 0, .flushed = boundary, .skipped = {}}, boundary, row);
  return *row;
}

// What has vanished may be all that tells a prefix from another one, longer or with other writes
// that were not logged: the first recovery may have been of that one, of which the second, whose
// merges came later, still has more. So any legal prefix will do that explains both.
bool CrashOracle::MatchesAnotherPrefix(const CommitLog& log, const Verdict& first,
                                       std::span<const KeyValue> recovered) const {
  if (!log.any_may_vanish()) return false;
  State state = model::StateOf(log, first.prefix);
  for (const std::string& key : first.vanished) state.erase(key);
  std::vector<KeyValue> before;
  for (const auto& [key, value] : state) before.push_back({key, value});
  const auto matches = [&](size_t n, size_t flushed) {
    Prefix prefix = first.prefix;
    prefix.n = n;
    prefix.flushed = std::min(flushed, n);
    return Matches(log, prefix, before) && Matches(log, prefix, recovered);
  };
  const size_t flushed = log.PositionAfter(model_->flushed_sequence());
  for (size_t n = first.floor_position; n <= log.entries().size(); ++n) {
    if (matches(n, flushed)) return true;
    for (const size_t unlogged : log.unlogged()) {
      if (unlogged >= flushed && unlogged < n && matches(n, unlogged + 1)) return true;
    }
  }
  return false;
}

Verdict CrashOracle::CheckSameRecovery(std::span<const KeyValue> recovered,
                                       const Verdict& first) const {
  Require(first.ok(), "compared with a recovery that was not accepted");
  Verdict verdict = first;
  if (Matches(model_->LogOf(first), first.prefix, recovered)) return verdict;
  if (MatchesAnotherPrefix(model_->LogOf(first), first, recovered)) return verdict;
  Violation violation =
      Diagnose(model_->LogOf(first), recovered,
               {.floor = first.prefix.n, .flushed = first.prefix.flushed, .everything = true});
  verdict.failure_class = violation.failure_class;
  verdict.message = "a second recovery differs from the first: " + violation.message;
  return verdict;
}

State CrashOracle::StateOf(const Verdict& verdict) const {
  return model::StateOf(model_->LogOf(verdict), verdict.prefix);
}

Verdict CrashOracle::WillNotOpen(std::string_view error) {
  Verdict verdict;
  verdict.failure_class = FailureClass::kWillNotOpen;
  verdict.message = "the store will not open: " + std::string(error);
  return verdict;
}

Verdict CrashOracle::NoProgress(std::string_view what) {
  Verdict verdict;
  verdict.failure_class = FailureClass::kNoProgress;
  verdict.message = "no progress: " + std::string(what);
  return verdict;
}

}  // namespace shearpin::model
