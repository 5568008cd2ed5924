// EventListener: what the engine tells of itself. Coverage of a simulation, and logs.
//
// Thread safety: OnEvent may be called from any engine thread, several at once, with engine locks
// held: it must be quick and must not call back into the DB.
#pragma once

#include <cstdint>
#include <string_view>

namespace shearpin {

enum class EventKind : uint8_t {
  kOpened,                // recovery is done
  kRecoveredLog,          // a WAL was replayed; number, bytes accepted
  kTornTail,              // recovery cut an unpromised tail; number, offset
  kDroppedLog,            // recovery ignored a whole log behind a torn one; number
  kWalCreated,            // number
  kWalRetired,            // number
  kMemtableFrozen,        // bytes
  kFlushBegun,            // number of the table
  kFlushDone,             // number of the table, bytes
  kCompactionBegun,       // number of inputs
  kCompactionDone,        // bytes written
  kTrivialMove,           // number of the table
  kTombstoneDropped,      // how many
  kVersionDropped,        // how many
  kCoveredDropped,        // how many versions a merge dropped because their range was deleted
  kRangeDeleteDropped,    // how many range tombstones, by fragment, a merge dropped
  kFiltered,              // how many keys a CompactionFilter dropped
  kTableRemoved,          // number
  kManifestRotated,       // number
  kManifestFallback,      // CURRENT was missing; the newest whole MANIFEST was taken
  kOrphanRemoved,         // number
  kGroupCommit,           // more than one batch in one log record; batches
  kTransactionCommitted,  // it may have written nothing
  kTransactionConflict,   // a commit was refused
  kWriteStalled,          // a writer waits for a flush or a compaction
  kWriteDelayed,          // a writer was slowed down; microseconds
  kWriterPoisoned,        // the first failed write or sync; no more writes
  kBackgroundError,       // a flush or merge failed
  kClosed,                //
  kRetrySucceeded,        // a flush or merge succeeded that had failed before
  kResumed,               // the poisoned writer works again; number of the new log, and the newest
                          // sequence number that was visible: higher ones of before have failed
  kTableIngested,         // number, bytes
  kCheckpointDone,        // sequence number of its newest change
  kFilterDamaged,         // a table is read without its filter; number
  kMemtableCut,           // frozen early for the memory budget; bytes
  kTableSetAside,         // a merge met damage in it and no merge will take it again; number
  kWriteStallEnded,       // the writer of a kWriteStalled goes on; microseconds
  kNumEventKinds,
};

// "opened", "torn-tail", ... for reports.
std::string_view EventKindName(EventKind kind);

struct Event {
  EventKind kind;
  uint64_t number = 0;  // of the file concerned, where there is one
  uint64_t amount = 0;  // bytes or count, as said above
  // For people: the error, or more figures, as text. Lives as long as the call.
  std::string_view detail = {};
};

class EventListener {
 public:
  virtual ~EventListener() = default;
  virtual void OnEvent(const Event& event) = 0;
};

}  // namespace shearpin
