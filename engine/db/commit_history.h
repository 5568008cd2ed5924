// CommitHistory: what was written since the oldest unfinished transaction began, to find conflicts.
//
// Kept apart from memtables and tables because these forget: at the bottom of the tree a merge
// drops a tombstone that nobody needs any more, and with it the trace that the key was changed.
// Nothing is kept while there is no transaction. A transaction that would need more than the
// budget allows is given up: it can no longer prove that it has no conflict.
//
// Thread safety: every method requires the database mutex. Ownership: copies the keys.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "engine/base/internal_key.h"
#include "engine/db/key_set.h"
#include "engine/status.h"
#include "engine/write_batch.h"

namespace shearpin {

class CommitHistory {
 public:
  // `budget` in bytes.
  explicit CommitHistory(uint64_t budget) : budget_(budget) {}

  // A transaction at this snapshot begins, or ends.
  void Begin(SequenceNumber snapshot);
  void End(SequenceNumber snapshot);

  // A batch was published. Batches come in the order of their sequence numbers.
  void Record(const WriteBatch& batch);
  // Changes of any keys in [smallest, largest] were published at once, as by an ingested table.
  void RecordRange(std::string_view smallest, std::string_view largest, SequenceNumber sequence);

  // Busy, naming a key, if anything in `keys` was written after `snapshot`, of which a transaction
  // is unfinished; or if that is not known any more.
  Status Check(const KeySet& keys, SequenceNumber snapshot) const;

  uint64_t bytes() const { return bytes_; }

 private:
  using Keys = std::map<std::string, SequenceNumber, std::less<>>;
  // One change, in the order of sequence numbers.
  struct Change {
    SequenceNumber sequence;
    Keys::iterator key;  // keys_.end(): a range, the next of ranges_
  };
  struct Range {
    std::string begin;
    std::string end;
    SequenceNumber sequence;
  };
  class Recorder;

  void ForgetOldest();

  const uint64_t budget_;
  std::multiset<SequenceNumber> unfinished_;
  SequenceNumber floor_ = 0;    // changes up to it are forgotten
  Keys keys_;                   // the newest change of each
  std::deque<Range> ranges_;    // oldest first
  std::deque<Change> changes_;  // oldest first
  uint64_t bytes_ = 0;
};

// Busy if a batch that is not published yet changes anything in `keys`.
Status CheckBatch(const KeySet& keys, const WriteBatch& batch);

}  // namespace shearpin
