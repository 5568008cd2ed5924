// CrashOracle: is a recovered state one that the history allows?
//
// durable <= n <= issued. Let the commit log be in sequence order. A memtable is flushed after
// all older ones, whole, so what is in tables is everything up to some flush boundary F, writes
// without a log (kNone) included. What is in logs is replayed in order and stops at some n >= F,
// and kNone writes are not there. So a recovered state is
//
//     state(n, F) = all batches up to F, and the logged ones in (F, n]
//
// for some lastFlush <= F <= n and floor <= n <= issued, where floor is the highest sequence
// number known to be durable against this kind of crash: by a kSync write (and so everything
// logged before it in sequence order), a Sync() or a Flush(). There are too many pairs to build
// them all, but few distinct ones: F matters only by which kNone batches are above it. So for
// each such F the hashes of state(F..issued, F) are kept as a row, each from the one before in
// O(operations of the batch) (the hash of a state is a sum over its pairs); row "F = n" is the
// log's own prefix hashes. A recovered state is looked up by hash; a hit is then compared exactly,
// which also makes a collision harmless. Hence no missed error; and a legal state is found, since
// equal states have equal hashes.
//
// Failed batches with a sequence number are part of the log like others, above the floor: the
// writer was poisoned, so nothing later is known durable, and a crash cuts between them as
// anywhere. If the writer was resumed they may also be missing while later batches are there:
// then, for each resumption, the run of failed batches before it is cut at any place; these
// variants are enumerated (rare, and one factor for each resumption with failures before it).
//
// Storage may also break a promise without a word. What a recovery owes then is in CrashKind: an
// answer is still a state of this shape, of this epoch's log or, where what an earlier epoch had
// acknowledged can have been forgotten, of that epoch's, or of both together (joined_log.h). What
// is owed less is only the floor, and only by what the store has no means to miss. That a store
// may refuse to open or to answer instead is not the oracle's business.
//
// Batches in flight are in the log from the moment their number is known (KvModel::Assign).
//
// Thread safety: as the model's (const calls share a cache of rows). Cost of a check: one hash of
// the recovered bytes, one look through the hashes above the floor, one comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "model/batch.h"
#include "model/failure.h"
#include "model/kv_model.h"
#include "model/prefix.h"
#include "model/verdict.h"

namespace shearpin::model {

enum class CrashKind : uint8_t {
  kClean,         // closed and opened again
  kProcessDeath,  // the page cache survives
  kPowerLoss,
  // Besides, one record of a log has rotted. It may end the log where it stood, unless a later
  // record vouches for it: what was acknowledged before some acknowledged batch was issued is
  // there.
  kRottenLog,
  // Besides, a sync has forgotten what it had to make durable, since KvModel::Freeze.
  kForgottenSync,
  // Besides, anything may have become of logs and names: any state that there ever was.
  kBrokenStorage,
};

// What is owed after both.
CrashKind Together(CrashKind a, CrashKind b);

class CrashOracle {
 public:
  // `model` is not owned and outlives the oracle.
  explicit CrashOracle(const KvModel* model) : model_(model) {}

  // `recovered` is everything a forward scan returned, in its order. A crash inside a recovery is
  // as bad as the worst crash since the last Rebase: say so in `kind`.
  Verdict CheckRecovery(std::span<const KeyValue> recovered, CrashKind kind) const;

  // What has to be there at least, as sequence numbers: logged batches up to `durable`, all up to
  // `flushed`. A reader that opens the store beside its writer, and so before later
  // acknowledgements, is judged by that of the moment at which it began.
  struct Floor {
    uint64_t durable = 0;
    uint64_t flushed = 0;
  };
  Floor FloorNow(CrashKind kind) const;
  Verdict CheckRecovery(std::span<const KeyValue> recovered, CrashKind kind,
                        const Floor& floor) const;

  // Recovery is idempotent: `recovered` must be exactly the state that `first` was accepted for,
  // but for what may vanish.
  Verdict CheckSameRecovery(std::span<const KeyValue> recovered, const Verdict& first) const;

  // The state that an accepted verdict stands for.
  State StateOf(const Verdict& verdict) const;

  // Verdicts about what is not a state.
  static Verdict WillNotOpen(std::string_view error);
  static Verdict NoProgress(std::string_view what);

 private:
  // Hashes of state(n, F) for n = start, start + 1, ... and one F.
  using Row = std::vector<uint64_t>;

  struct Recovered {
    std::span<const KeyValue> pairs;
    uint64_t hash = 0;
  };

  // `verdict` brings the floors in, and takes the prefix of `log` that was found.
  bool Search(const CommitLog& log, const Recovered& recovered, Verdict* verdict) const;
  bool SearchPast(const Recovered& recovered, CrashKind kind, Verdict* verdict) const;
  bool SearchJoined(const Recovered& recovered, CrashKind kind, Verdict* verdict) const;
  bool SearchRow(const CommitLog& log, const Recovered& recovered, const Row& row, size_t start,
                 const Prefix& prefix, Verdict* verdict) const;
  bool SearchVariants(const CommitLog& log, const Recovered& recovered, Verdict* verdict) const;
  bool MatchesAnotherPrefix(const CommitLog& log, const Verdict& first,
                            std::span<const KeyValue> recovered) const;
  const Row& RowAt(const CommitLog& log, size_t boundary, Row* scratch) const;

  const KvModel* model_;
  // Of the model's own log, by boundary; they hold as long as the log was not rebuilt.
  mutable std::map<size_t, Row> rows_;
  mutable uint64_t rebuilds_ = 0;
};

}  // namespace shearpin::model
