#include "engine/event_listener.h"

namespace shearpin {

std::string_view EventKindName(EventKind kind) {
  switch (kind) {
    case EventKind::kOpened:
      return "opened";
    case EventKind::kRecoveredLog:
      return "recovered-log";
    case EventKind::kTornTail:
      return "torn-tail";
    case EventKind::kDroppedLog:
      return "dropped-log";
    case EventKind::kWalCreated:
      return "wal-created";
    case EventKind::kWalRetired:
      return "wal-retired";
    case EventKind::kMemtableFrozen:
      return "memtable-frozen";
    case EventKind::kFlushBegun:
      return "flush-begun";
    case EventKind::kFlushDone:
      return "flush-done";
    case EventKind::kManifestRotated:
      return "manifest-rotated";
    case EventKind::kManifestFallback:
      return "manifest-fallback";
    case EventKind::kOrphanRemoved:
      return "orphan-removed";
    case EventKind::kGroupCommit:
      return "group-commit";
    case EventKind::kTransactionCommitted:
      return "transaction-committed";
    case EventKind::kTransactionConflict:
      return "transaction-conflict";
    case EventKind::kWriteStalled:
      return "write-stalled";
    case EventKind::kWriterPoisoned:
      return "writer-poisoned";
    case EventKind::kBackgroundError:
      return "background-error";
    case EventKind::kClosed:
      return "closed";
    case EventKind::kRetrySucceeded:
      return "retry-succeeded";
    case EventKind::kResumed:
      return "resumed";
    case EventKind::kTableIngested:
      return "table-ingested";
    case EventKind::kCheckpointDone:
      return "checkpoint-done";
    case EventKind::kCompactionBegun:
      return "compaction-begun";
    case EventKind::kCompactionDone:
      return "compaction-done";
    case EventKind::kTrivialMove:
      return "trivial-move";
    case EventKind::kTombstoneDropped:
      return "tombstone-dropped";
    case EventKind::kVersionDropped:
      return "version-dropped";
    case EventKind::kCoveredDropped:
      return "covered-dropped";
    case EventKind::kRangeDeleteDropped:
      return "range-delete-dropped";
    case EventKind::kFiltered:
      return "filtered";
    case EventKind::kTableRemoved:
      return "table-removed";
    case EventKind::kWriteDelayed:
      return "write-delayed";
    case EventKind::kFilterDamaged:
      return "filter-damaged";
    case EventKind::kMemtableCut:
      return "memtable-cut";
    case EventKind::kTableSetAside:
      return "table-set-aside";
    case EventKind::kWriteStallEnded:
      return "write-stall-ended";
    case EventKind::kNumEventKinds:
      break;
  }
  return "unknown";
}

}  // namespace shearpin
