// DB: a persistent, ordered map from byte strings to byte strings.
//
//   shearpin::Options options;
//   auto db = shearpin::DB::Open(options, "/var/lib/app/db");
//   if (!db.ok()) return db.status();
//   const shearpin::WriteOptions synced{.durability = shearpin::Durability::kSync};
//   SHEARPIN_RETURN_IF_ERROR((*db)->Put("key", "value", synced));
//
// Keys are ordered bytewise. Empty keys and values are legal; a key has at most 64 MiB, a value
// 1 GiB.
// Thread safety: all methods may be called from many threads at once, except Close and the
// destructor, which come after everything else.
// Ownership: one DB owns a directory at a time (a lock file keeps others out).
//
// Errors: a read fails only where the bytes it needs are damaged or cannot be read. The first
// failed write or sync of a log or of the MANIFEST poisons the writer: it and all later writes
// return that error, its status may be indeterminate(), reads go on, and Resume() or reopening the
// directory recovers. A flush or merge that fails is tried again; writes go on until the memtables
// or level 0 are full, and then return its error until a try succeeds.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/iterator.h"
#include "engine/options.h"
#include "engine/snapshot.h"
#include "engine/status.h"
#include "engine/transaction.h"
#include "engine/write_batch.h"

namespace shearpin {

class DB {
 public:
  // Opens `directory`, creating it (one level) if options say so, and recovers what was there.
  // InvalidArgument: no database there, or options out of range. Busy: somebody else has it open.
  // Corruption: a file is missing or damaged, named in the message; no file that was there is
  // changed.
  static StatusOr<std::unique_ptr<DB>> Open(const Options& options, const std::string& directory);

  // Opens what `directory` holds at this moment for reading only: takes no lock, writes nothing and
  // may be used beside a process that has the database open. Logs are replayed into memory, all of
  // them, so what was written without a log and not flushed is not seen, and nothing written later
  // ever is. Options about writing count for nothing. Methods that write return NotSupported.
  // InvalidArgument: no database there. Corruption: as Open; not for what a live writer changes
  // meanwhile.
  static StatusOr<std::unique_ptr<DB>> OpenReadOnly(const Options& options,
                                                    const std::string& directory);

  // As Close(), with its error lost.
  ~DB();
  DB(const DB&) = delete;
  DB& operator=(const DB&) = delete;

  Status Put(std::string_view key, std::string_view value, const WriteOptions& options = {});
  // OK whether the key exists or not.
  Status Delete(std::string_view key, const WriteOptions& options = {});
  // Deletes every key in [begin, end), by one record however many there are. OK, and nothing is
  // written, if that range is empty.
  Status DeleteRange(std::string_view begin, std::string_view end,
                     const WriteOptions& options = {});
  // Applies the batch atomically and tells it its sequence number. An empty batch is OK and does
  // nothing but what its durability asks of earlier writes.
  Status Write(WriteBatch* batch, const WriteOptions& options = {});

  // NotFound if there is no such key.
  Status Get(std::string_view key, std::string* value, const ReadOptions& options = {});

  // An iterator that is not positioned yet.
  std::unique_ptr<Iterator> NewIterator(const ReadOptions& options = {});
  // The keys between two ends, positioned at the first.
  std::unique_ptr<Iterator> Scan(const Bound& lower, const Bound& upper,
                                 const ReadOptions& options = {});

  std::unique_ptr<Snapshot> GetSnapshot();

  // At a snapshot of this moment; see transaction.h.
  std::unique_ptr<Transaction> BeginTransaction(const TransactionOptions& options = {});

  // The newest published sequence number.
  uint64_t LatestSequence() const;

  // Makes every acknowledged logged write durable against loss of power.
  Status Sync();
  // Moves everything acknowledged into tables, durably; waits for it.
  Status Flush();

  // Flushes, then merges every table that overlaps [begin, end] (null: unbounded) until the range
  // is one sorted run; deleted data and old versions that no snapshot needs are gone from what was
  // merged. Tables that stood alone in the range already are left as they are.
  Status CompactRange(const std::string_view* begin, const std::string_view* end);

  // Waits until no flush or merge runs or is due. An error if background work fails meanwhile.
  Status WaitForBackground();

  // Makes a poisoned writer work again without reopening: everything acknowledged goes into new
  // tables, and the next write into a new log. Batches whose write failed are gone for good when
  // this is OK; their sequence numbers stay used. OK and without effect if nothing had failed. On
  // error the writer stays poisoned, nothing is lost, and Resume may be called again.
  Status Resume();

  // Flushes, and makes `directory`, which must not exist, an independent database that holds
  // everything up to the sequence number returned. Tables are hard links, so it must be on the same
  // file system; reads and writes go on meanwhile. Durable when OK. On error what it made goes
  // as far as possible; a directory left by a crash is not a database and may be deleted.
  StatusOr<uint64_t> Checkpoint(const std::string& directory);

  // Takes in a table that a TableFileWriter has written at `path`, as one write of all its keys:
  // checked wholly, copied, durable when OK, newer than all before. `path` stays as it is and
  // may be removed. Writers wait meanwhile. Returns the first of the sequence numbers it takes, as
  // many as it has keys. Corruption, NotSupported or InvalidArgument: not a whole table.
  // `*numbered`, if given, is set to that number before any reader or recovery can see the table,
  // even if this fails then; while it is 0 the table has left nothing behind.
  StatusOr<uint64_t> IngestTable(const std::string& path,
                                 std::atomic<uint64_t>* numbered = nullptr);

  // Reads every byte of every live file and checks every checksum and order invariant. The first
  // damage found is returned, with its file and offset.
  Status VerifyChecksums();

  // What the database says of itself, for people and for scripts; figures are of this opening.
  //   "levels"         a line for each level that has tables: how many, bytes, entries
  //   "last-sequence"  the newest published sequence number
  //   "counters"       a line name=value each: reads by where they were answered, filters, cache,
  //                    writes, bytes that logs, flushes and merges wrote, syncs, stalls, errors
  //   "histogram.NAME" count, mean, p50, p95, p99 and max of durations in microseconds, each
  //                    percentile at most an eighth too large. NAME: sync, flush, compaction, and,
  //                    empty unless options.enable_latency_histograms, get, write, seek
  //   "damaged-tables" a line for each table in which a merge met damage: no merge takes it again
  //                    until the next open, nor what must not be merged around it
  //   "reads"          filters, cache and memory of tables in one line
  //   "stats"          state of the writer and of background work, counters, histograms
  //   "live-files"     the names of all files that the directory must hold, a line each
  // NotFound for other names, and for the last three if opened for reading only.
  StatusOr<std::string> Property(std::string_view name);

  // Waits for background work, flushes if asked by the options, seals the log, and releases the
  // directory. What was acknowledged stays as durable as it was. Returns the first error; the
  // directory is released either way. Only the destructor may be called afterwards.
  Status Close();

 private:
  class Impl;
  explicit DB(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shearpin
