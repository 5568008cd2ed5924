// Transaction: reads at one snapshot and writes that are applied together, or not at all.
//
//   auto transaction = db->BeginTransaction();
//   std::string balance;
//   SHEARPIN_RETURN_IF_ERROR(transaction->Get("alice", &balance));
//   transaction->Put("alice", Less(balance));
//   Status status = transaction->Commit();   // Busy: somebody was faster; begin again
//
// Optimistic: nothing is locked and nobody waits. Commit looks whether anything that was committed
// since the snapshot is in the way, and writes only if not.
//
//   kSerializable  Every key that was read, found or not, and every stretch of keys that an
//                  iterator passed over, up to where it stopped, must be unchanged. So committed
//                  transactions have the results that they would have one after the other, in the
//                  order of their commits; one without writes has its place at its snapshot.
//   kSnapshot      Only the keys and ranges that it writes must be unchanged (first committer
//                  wins). Write skew is possible.
//
// Writes outside of transactions count like committed ones. Source: Kung and Robinson, "On
// Optimistic Methods for Concurrency Control" (1981), backward validation.
//
// Thread safety: one thread at a time, with its iterators; different transactions from different
// threads. Ownership: its iterators must be destroyed before it, and it before its DB. An
// unfinished transaction keeps old versions from being dropped, as a snapshot does, and the list of
// later commits in memory (Options::transaction_history_bytes).
// Errors: after Commit or Rollback, whatever they returned, everything but the destructor gives
// Aborted. Destruction rolls back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/iterator.h"
#include "engine/options.h"
#include "engine/status.h"

namespace shearpin {

enum class Isolation : uint8_t { kSnapshot, kSerializable };

struct TransactionOptions {
  Isolation isolation = Isolation::kSerializable;
};

class Transaction {
 public:
  virtual ~Transaction() = default;

  // Kept in memory until Commit.
  virtual Status Put(std::string_view key, std::string_view value) = 0;
  virtual Status Delete(std::string_view key) = 0;
  // Deletes every key in [begin, end); nothing if that range is empty.
  virtual Status DeleteRange(std::string_view begin, std::string_view end) = 0;

  // The transaction's own write, or else the value as of the snapshot. NotFound: no such key.
  virtual Status Get(std::string_view key, std::string* value) = 0;

  // Over the snapshot with the transaction's own writes, those made later included: each move
  // takes the nearest key as of then. Positioned nowhere; the bounds are copied.
  virtual std::unique_ptr<Iterator> NewIterator(const Bound& lower = {},
                                                const Bound& upper = {}) = 0;
  // The same, positioned at the first key.
  std::unique_ptr<Iterator> Scan(const Bound& lower, const Bound& upper) {
    auto iterator = NewIterator(lower, upper);
    iterator->SeekToFirst();
    return iterator;
  }

  // Writes everything as one batch, in the order of the calls. Busy: a conflict, or a transaction
  // that is older than what is remembered of commits; nothing was written. Other errors as
  // DB::Write. Without writes, OK at once.
  virtual Status Commit(const WriteOptions& options = {}) = 0;
  virtual Status Rollback() = 0;

  // Of the snapshot.
  virtual uint64_t sequence() const = 0;
  // Of the first change, as WriteBatch::first_sequence; 0 before it was assigned.
  virtual uint64_t first_sequence() const = 0;
};

}  // namespace shearpin
