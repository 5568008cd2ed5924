// KvModel: what a correct store holds, for every order that its acknowledgements still allow.
//
// The model is told of each batch when a client issues it and of its end: acknowledged with its
// sequence number, or failed. From that it keeps the commit log in sequence order and every
// version of each key, so that a read at any sequence number can be checked, and so that
// CrashOracle can say which states a recovery may bring back.
//
//   auto id = model.Issue(batch, Durability::kSync);
//   ... the engine writes ...
//   if (Violation v = model.Acknowledge(id, first_sequence); !v.ok()) Report(v);
//
// Rules of order, each a Violation when broken:
//   O1  sequence ranges of batches never overlap, and never reach below what a recovery kept;
//   O2  a batch acknowledged before another was issued has the lower sequence numbers;
//   O3  after a batch failed with a sequence number (the writer is poisoned), none that was issued
//       later is acknowledged before Resumed() or Rebase();
//   O4  a batch keeps the sequence number it was given.
// Rules of visibility:
//   V1  a read at sequence s sees the batches whose last sequence number is <= s, whole;
//   V2  a failed batch is not seen before a recovery;
//   V3  what one read has seen, every read that begins after its end sees too, whoever reads, and
//       a batch that is issued after it has a higher number: reads have their place in real time
//       between the batches, acknowledged or not.
//
// Thread safety: one thread at a time (fibers may interleave between calls, not inside one).
// Cost: a call is O(log keys) plus its own batch; views returned live until the next Rebase.
// Misuse of the interface by the harness (an unknown id) aborts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/batch.h"
#include "model/commit_log.h"
#include "model/failure.h"
#include "model/prefix.h"

namespace shearpin::model {

struct Verdict;

class KvModel {
 public:
  using BatchId = uint64_t;

  // A moment of the history, taken with Now() when a read, a sync or a flush begins.
  struct Moment {
    uint64_t acknowledged = 0;  // highest sequence number of a batch acknowledged by then
    uint64_t events = 0;        // acknowledgements by then
    uint64_t visible = 0;       // highest sequence number acknowledged, or seen by a read, by then
  };

  // Pairs for which `may_vanish` is true may be missing wherever they are the ones to be seen.
  explicit KvModel(MayVanish may_vanish = nullptr);
  KvModel(const KvModel&) = delete;
  KvModel& operator=(const KvModel&) = delete;

  // --- writes -----------------------------------------------------------------------------

  // A client hands `batch` to the store. The batch is in flight until Acknowledge or Fail.
  BatchId Issue(Batch batch, Durability durability);

  // The store gave the batch in flight this first sequence number; its fate is open. Tell it as
  // soon as it can be seen: before a read or a recovery is checked while batches are in flight.
  // A batch in flight without a number has not reached storage, so it must not come back.
  Violation Assign(BatchId id, uint64_t first_sequence);

  // The store said OK. `first_sequence` is 0 exactly for an empty batch; an empty kSync batch
  // makes durable what was acknowledged before it was issued, as Sync does.
  Violation Acknowledge(BatchId id, uint64_t first_sequence);

  // The store said no. 0: it never got a number and must never appear. Otherwise it is
  // indeterminate: not seen now, whole or not at all after the next recovery.
  Violation Fail(BatchId id, uint64_t first_sequence);

  // The poisoned writer works again without a recovery; what failed stays indeterminate. Batches
  // in flight that have numbers must have been assigned them before.
  void Resumed();

  // After Resumed, for a store that promises more: everything acknowledged is durable, and what
  // failed before never comes back. `visible` is the newest sequence number that readers saw then:
  // what is in flight with a higher one has failed too, though its client does not know yet.
  void DropFailed(uint64_t visible);

  // --- durability -------------------------------------------------------------------------

  // The state of things, for the calls below and for reads.
  Moment Now() const;

  // Sync() returned OK; `begin` was taken before it was called: every logged batch acknowledged
  // by then survives a loss of power.
  void AcknowledgeSync(const Moment& begin);

  // Flush() returned OK (or a Close() that flushes): everything acknowledged by `begin` survives
  // anything, kNone batches too.
  void AcknowledgeFlush(const Moment& begin);

  // --- storage that breaks its promises ----------------------------------------------------

  // From here on the logs of earlier epochs are kept, for CrashOracle to look back into.
  void KeepPast() { keeps_past_ = true; }
  bool keeps_past() const { return keeps_past_; }
  // A sync has lied: what is acknowledged as durable from now on is not.
  void Freeze() { frozen_ = true; }
  // What had been forgotten by then has shown in the recovery that is accepted next.
  void Thaw() { frozen_ = false; }

  // What the log was before a rebase, or before failed batches were dropped from it.
  struct PastEpoch {
    CommitLog log;
    uint64_t synced = 0;  // as synced_sequence and flushed_sequence were
    uint64_t flushed = 0;
    bool frozen = false;  // what it acknowledged, its end included, may be forgotten
    struct End {
      // It was none: this is only what the log was before failed batches were dropped.
      bool goes_on = false;
      // What of it the next epoch's base was made of; nothing if that was made of an older one.
      std::optional<Prefix> carried;
    };
    End end;
  };
  // Oldest first.
  const std::vector<std::unique_ptr<PastEpoch>>& past() const { return past_; }
  // The log that an accepted verdict speaks of.
  const CommitLog& LogOf(const Verdict& verdict) const;

  // --- reads ------------------------------------------------------------------------------

  // Highest sequence number of an acknowledged batch, or of the recovered state.
  uint64_t LatestAcknowledged() const { return latest_acknowledged_; }

  // The value of `key` as of `at_sequence`.
  std::optional<std::string_view> Get(std::string_view key, uint64_t at_sequence) const;

  bool MayBeGone(std::string_view key, std::string_view value) const {
    return log_.MayBeGone(key, value);
  }

  // The whole state as of `at_sequence`.
  State StateAt(uint64_t at_sequence) const;

  // A read whose sequence number is not known, which began at `begin` and ends now: legal if it
  // is right for some sequence number between what was visible by its begin and what is issued by
  // now. If it is, the lowest one has been observed. `value` is null for "not found".
  Violation CheckGet(std::string_view key, const std::string_view* value, const Moment& begin);

  // The same for everything a scan of `range` returned, in key order.
  Violation CheckScan(const Range& range, std::span<const KeyValue> found, const Moment& begin);

  // A snapshot or a transaction, asked for at `begin`, reads at `sequence`; observes it.
  Violation CheckSnapshot(uint64_t sequence, const Moment& begin);

  // A read that has ended can only have been at `sequence` or above.
  void Observe(uint64_t sequence);

  // --- recovery ---------------------------------------------------------------------------

  // A recovery was accepted: the model goes on from the recovered state. Batches in flight or
  // left out of it are gone for good; everything in it is durable from here on.
  void Rebase(const Verdict& verdict);

  // What CrashOracle and Cursor read.
  const CommitLog& log() const { return log_; }
  uint64_t synced_sequence() const { return synced_sequence_; }
  uint64_t flushed_sequence() const { return flushed_sequence_; }
  uint64_t logged_sequence() const { return logged_sequence_; }
  // A synced batch was in the log that was issued when everything up to here had been acknowledged
  // as synced: its record says so, so that what is missing below it must be missed.
  uint64_t promised_sequence() const { return promised_sequence_; }
  uint64_t synced_events() const { return synced_events_; }
  uint64_t flushed_events() const { return flushed_events_; }
  // Where a value that no legal state holds for this key may have come from, for messages.
  std::string OriginOf(std::string_view key, std::string_view value) const;

 private:
  struct InFlight {
    Batch batch;
    Durability durability = Durability::kProcess;
    bool issued_poisoned = false;  // after another one had failed (O3), in this epoch
    uint64_t epoch = 0;
    uint64_t first_sequence = 0;  // 0 until known
    uint64_t synced = 0;          // synced_sequence when issued
    bool dropped = false;         // by DropFailed: it can only fail
    Moment issued;
  };

  using InFlightMap = std::map<BatchId, InFlight>;
  InFlightMap::iterator Find(BatchId id);
  void PushPast(PastEpoch::End end);
  Violation Number(BatchId id, InFlight* batch, uint64_t first_sequence);

  CommitLog log_;
  InFlightMap in_flight_;
  BatchId next_id_ = 1;
  uint64_t dropped_sequence_ = 0;  // numbers up to it were used when a store last dropped batches
  uint64_t dropped_epoch_ = 0;     // what fails of earlier epochs is dropped
  bool poisoned_ = false;          // a batch failed with a number since the last Resumed or Rebase
  uint64_t epoch_ = 0;             // how often it was resumed or rebased
  uint64_t events_ = 0;            // acknowledgements, ever
  uint64_t latest_acknowledged_ = 0;
  uint64_t observed_ = 0;         // highest sequence number that a read is known to have seen
  uint64_t logged_sequence_ = 0;  // highest acknowledged one that went to the log
  uint64_t synced_sequence_ = 0;  // durable against loss of power up to here
  uint64_t promised_sequence_ = 0;
  uint64_t synced_events_ = 0;     // batches acknowledged by then are durable in their own right
  uint64_t flushed_sequence_ = 0;  // in tables up to here, kNone batches too
  uint64_t flushed_events_ = 0;
  bool keeps_past_ = false;
  bool frozen_ = false;
  std::vector<std::unique_ptr<PastEpoch>> past_;
};

}  // namespace shearpin::model
