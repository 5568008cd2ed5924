// DB::Impl: the database behind db.h.
//
// Invariants, cited where they are kept
//   I1  Log record, then sync if asked, then memtable, then publication: a reader sees whole
//       batches, and only what was acknowledged or is about to be. (The design inserts before the
//       sync; inserting after it leaves nothing unacknowledged in memory when the sync fails.)
//   I2  A WAL takes records only after its header and its directory entry are durable.
//   I3  A sync write syncs every older unsynced WAL first, so that durable means a prefix.
//   I4  A table is named by the MANIFEST only when its bytes and entry are durable.
//   I5  A WAL is unlinked only after a durable MANIFEST says that its data is in tables; there is
//       always a later WAL, whose header would betray the loss of that edit.
//   I6  Memtables are flushed oldest first, one at a time: the tables always hold a prefix.
//   I7  The first failed log write, log sync, log creation or MANIFEST write poisons the writer:
//       sequence numbers taken are burnt, no file that failed is written or synced again, nothing
//       is deleted after a MANIFEST error. Reads go on. A flush or merge that failed before its
//       edit poisons nothing: no MANIFEST names its files, and a later try writes new ones.
//   I8  Recovery writes only new files, makes its whole result durable in one MANIFEST rotation,
//       and deletes only after that.
//   I10 Resume writes only new files, like a recovery (I8): the new log's header cuts the old log
//       where the acknowledged records end, and the MANIFEST that no longer needs the old log is
//       durable before the first write. The error is lifted, and files go, only after that. Tries
//       after one that failed go on with its log: the MANIFEST that needs it may be in force.
//   I9  A table is unlinked only after a durable MANIFEST does not name it and no reader pins it.
//
// Locking: mutex_ guards what is marked so. File operations run without it; the front of the write
// queue alone touches the active log and memtable. manifest_mutex_ is held while an edit is written
// and published, so that Versions follow each other as the MANIFEST says; it is taken before
// mutex_. Readers take none of them: read_state_ pins what they see (ReadStateCell). The locks of
// the block cache and of read_state_ come last.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/cache/block_cache.h"
#include "engine/compaction/policy.h"
#include "engine/db.h"
#include "engine/db/commit_history.h"
#include "engine/db/event_relay.h"
#include "engine/db/log_recovery.h"
#include "engine/db/rate_limiter.h"
#include "engine/db/read_state.h"
#include "engine/db/read_state_cell.h"
#include "engine/db/retry_backoff.h"
#include "engine/db/statistics.h"
#include "engine/db/write_queue.h"
#include "engine/event_listener.h"
#include "engine/log_sink/info_log.h"
#include "engine/manifest/manifest.h"
#include "engine/sst/table_builder.h"
#include "engine/wal/log_writer.h"

namespace shearpin {

class DB::Impl {
 public:
  Impl(const Options& options, std::string directory);
  ~Impl();

  // Called once, before anything else. On error the object can only be destroyed.
  Status Open();
  Status OpenReadOnly();
  Status Close();

  // `validate`: see WriteQueue; may be null.
  Status Write(WriteBatch* batch, const WriteOptions& options,
               const WriteQueue::Validate* validate = nullptr);
  Status Flush();

  Status Get(std::string_view key, std::string* value, const ReadOptions& options);
  std::unique_ptr<Iterator> NewIterator(const ReadOptions& options);
  std::unique_ptr<Snapshot> GetSnapshot();
  std::unique_ptr<Transaction> BeginTransaction(const TransactionOptions& options);
  uint64_t LatestSequence() const { return published_.load(std::memory_order_acquire); }

  Status CompactRange(const std::string_view* begin, const std::string_view* end);
  Status WaitForBackground();
  Status Resume();
  StatusOr<uint64_t> Checkpoint(const std::string& directory);
  StatusOr<uint64_t> IngestTable(const std::string& path, std::atomic<uint64_t>* numbered);

  Status VerifyChecksums();
  StatusOr<std::string> Property(std::string_view name);

 private:
  struct Frozen {
    std::shared_ptr<const MemTable> memtable;
    uint64_t next_log;  // the log that was begun when this memtable was frozen
  };
  class PinnedSequence;
  class OptimisticTransaction;
  using Lock = std::unique_lock<Mutex>;

  // db_read.cc
  std::unique_ptr<Snapshot> PinLatest();
  void ReleaseSnapshot(SequenceNumber sequence);
  static Status VerifyTable(const TableFile& file);
  static Status VerifyTables(const Version& version);
  Status Find(const ReadState& state, std::string_view key, SequenceNumber sequence,
              LoadedBlock* block, Lookup* found, FilterCounts* counts) const;

  // db_transaction.cc
  void EndTransaction(SequenceNumber snapshot);

  // db_open.cc
  Status Recover();
  Status PrepareDirectory();
  Status CheckNeverCreated(const std::vector<std::string>& names);
  Status CheckTables(const ManifestState& state);
  Status VerifyStored(const ManifestState& state);
  Status ReplayLogs(const ManifestState& state, const std::vector<std::string>& names,
                    LogEnd* log_end, VersionEdit* edit);
  Status WriteRecoveredTable(VersionEdit* edit);
  void AddTables(const ManifestState& state);
  struct Orphan {
    std::string name;
    uint64_t number;
  };
  std::vector<Orphan> FindOrphans(const std::vector<std::string>& names) const;
  void RemoveOrphans(const std::vector<Orphan>& orphans);

  // db_read_only.cc
  Status LoadState();
  StatusOr<std::string> Fingerprint() const;

  // db_checkpoint.cc
  Status FillCheckpoint(const std::string& directory, const Version& version, ManifestState state,
                        std::vector<std::string>* made);

  // db_ingest.cc
  Status EmptyMemtables(Lock* lock);
  Status Adopt(const Table& table, std::atomic<uint64_t>* numbered, Lock* lock);
  int IngestLevel(const FileMeta& meta) const;

  // db_resume.cc
  struct Renewal;
  Status RecoverInPlace(Lock* lock);
  Status PrepareRenewal(Renewal* renewal);
  void Install(Renewal* renewal);

  // db_write.cc
  Status LeadAlone(Lock* lock, const std::function<Status()>& task);
  Status MakeRoom(size_t bytes, Lock* lock);
  Status AwaitRoom(size_t bytes, std::optional<uint64_t>* stalled_at, Lock* lock);
  bool MemtablesFull() const;
  void UpdateDebt();
  void Delay(size_t bytes, Lock* lock);
  Status Commit(Lock* lock);
  void CountGroup(const WriteQueue::Group& group, uint64_t log_bytes);
  Status AppendAndSync(const WriteQueue::Group& group,
                       const std::vector<std::shared_ptr<LogWriter>>& older, LogWriter* log);
  void InsertGroup(const WriteQueue::Group& group, MemTable* memtable);
  Status SwitchMemtable(Lock* lock);
  StatusOr<std::shared_ptr<LogWriter>> CreateLog(uint64_t number, const LogEnd& predecessor,
                                                 uint64_t predecessor_synced);
  void Poison(const Status& status);

  // db_background.cc
  void StartFlushing();
  void FlushLoop();
  void EndOfTry(const Status& status, RetryBackoff* retry);
  Status FlushOldest(Lock* lock);
  StatusOr<FileMeta> WriteMemtable(const MemTable& memtable, uint64_t number,
                                   std::vector<SequenceNumber> snapshots);
  Status ApplyEdit(VersionEdit edit, const Version::Change& change, Lock* lock,
                   const std::function<void()>& publish);
  void RetireLogs(std::vector<std::shared_ptr<LogWriter>> logs);
  void RemoveObsoleteTables(Lock* lock);
  void ReleaseReader();
  Status Seal();

  // db_compaction.cc
  struct Compaction;
  void StartCompacting();
  void CompactionLoop();
  TableSummary Summary(const TableFile& table) const;
  const TreeShape& Shape();
  Compaction Prepare(const CompactionPlan& plan);
  Status RunCompaction(const CompactionPlan& plan, Lock* lock);
  Status MergeTables(const Compaction& compaction, std::vector<FileMeta>* outputs);
  bool CompactionDue();
  std::vector<std::pair<uint64_t, Status>> FindDamaged(const Compaction& compaction) const;
  void SetAside(std::vector<std::pair<uint64_t, Status>> damaged);
  Status DamageInTheWay();
  Status DamageWithin(const std::string_view* begin, const std::string_view* end) const;

  // db_memory.cc
  void ApplyMemoryBudget();
  uint64_t FrozenMemory() const;
  bool RoomForMemtable() const;
  std::string ReadStats() const;
  std::string Counters() const;

  TableBuilderOptions BuilderOptions(int level = 0) const;
  std::shared_ptr<const TableFile> NewTableFile(const FileMeta& meta);
  std::shared_ptr<const ReadState> AcquireReadState(const Snapshot* snapshot,
                                                    SequenceNumber* sequence);
  void RebuildReadState();                                  // requires mutex_
  uint64_t NewFileNumber() { return next_file_number_++; }  // requires mutex_
  void Notify(EventKind kind, uint64_t number = 0, uint64_t amount = 0,
              std::string_view detail = {});

  const Options options_;
  const std::string directory_;
  FileSystem* const fs_;
  Scheduler* const scheduler_;
  Statistics statistics_;
  EventRelay events_;
  const std::shared_ptr<BlockCache> cache_;  // null: none
  OpenFiles open_files_;
  TableContext table_context_;
  std::unique_ptr<FileLock> file_lock_;
  std::unique_ptr<InfoLog> info_log_;  // null: not asked for, or closed
  uint64_t database_id_ = 0;

  Mutex mutex_;
  CondVar flush_work_;       // there is something for the flushing thread
  CondVar compaction_work_;  // there may be something for a compacting thread
  CondVar progress_;         // a flush or compaction ended or failed, or the writer was poisoned

  WriteQueue queue_;
  bool read_only_ = false;                    // set by OpenReadOnly; write_error_ is set too
  CommitHistory history_;                     // guarded by mutex_
  bool closed_ = false;                       // guarded by mutex_
  bool stopping_ = false;                     // guarded by mutex_
  Status write_error_;                        // guarded by mutex_; I7
  uint64_t next_file_number_ = 1;             // guarded by mutex_
  SequenceNumber last_sequence_ = 0;          // assigned; guarded by mutex_
  std::atomic<SequenceNumber> published_{0};  // visible; written by the leader

  std::shared_ptr<MemTable> active_;        // replaced under mutex_
  MemTable::Hint insert_hint_;              // the leader's; begins anew with active_
  std::deque<Frozen> frozen_;               // oldest first; guarded by mutex_
  std::shared_ptr<LogWriter> log_;          // replaced under mutex_
  std::optional<uint64_t> failed_log_end_;  // of log_ where an append or sync failed: the end of
                                            // what was acknowledged; guarded by mutex_
  std::shared_ptr<LogWriter> resume_log_;   // of a Resume that failed, or null; the leader's
  std::deque<std::shared_ptr<LogWriter>> older_logs_;  // not retired; guarded by mutex_
  std::shared_ptr<const Version> version_;             // guarded by mutex_
  ReadStateCell read_state_;                           // published under mutex_

  Mutex manifest_mutex_;
  std::unique_ptr<Manifest> manifest_;  // guarded by manifest_mutex_; replaced by Resume
  uint64_t manifest_size_at_open_ = 0;

  RateLimiter background_rate_;
  // See ApplyMemoryBudget; guarded by mutex_.
  uint64_t memtable_limit_ = 0;
  uint64_t memtables_limit_ = 0;

  const std::unique_ptr<const CompactionPolicy> policy_;
  static constexpr uint64_t kFullDebt = 1000;
  uint64_t debt_ = 0;                        // see UpdateDebt; guarded by mutex_
  uint64_t next_write_micros_ = 0;           // the leader's; see Delay
  std::multiset<SequenceNumber> snapshots_;  // guarded by mutex_
  std::set<uint64_t> compacting_;            // inputs, by number; guarded by mutex_
  // Tables that merges leave alone since one met damage in them, by number; until the next open.
  std::map<uint64_t, Status> set_aside_;  // guarded by mutex_
  // By level, the hulls of running compactions: TreeShape::outputs. Guarded by mutex_.
  std::list<std::pair<int, KeyRange>> outputs_;
  std::optional<TreeShape> shape_;           // see Shape; guarded by mutex_
  bool ingesting_ = false;                   // no merge may begin; guarded by mutex_
  int idle_compactors_ = 0;                  // guarded by mutex_
  RetryBackoff flush_retry_;                 // guarded by mutex_
  RetryBackoff compaction_retry_;            // guarded by mutex_
  int background_jobs_ = 0;                  // flushes, compactions; guarded by mutex_
  std::vector<Version::TablePtr> obsolete_;  // I9; guarded by mutex_
  std::atomic<bool> any_obsolete_{false};    // obsolete_ or older read states may hold anything

  std::unique_ptr<Scheduler::ThreadHandle> flusher_;
  std::vector<std::unique_ptr<Scheduler::ThreadHandle>> compactors_;
};

}  // namespace shearpin
