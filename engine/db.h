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
// failed write or sync poisons the writer: it and all later writes return that error, its status
// may be indeterminate(), reads go on, and reopening the directory recovers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/iterator.h"
#include "engine/options.h"
#include "engine/snapshot.h"
#include "engine/status.h"
#include "engine/write_batch.h"

namespace shearpin {

class DB {
 public:
  // Opens `directory`, creating it (one level) if options say so, and recovers what was there.
  // InvalidArgument: no database there, or options out of range. Busy: somebody else has it open.
  // Corruption: a file is missing or damaged, named in the message; no file that was there is
  // changed.
  static StatusOr<std::unique_ptr<DB>> Open(const Options& options, const std::string& directory);

  // As Close(), with its error lost.
  ~DB();
  DB(const DB&) = delete;
  DB& operator=(const DB&) = delete;

  Status Put(std::string_view key, std::string_view value, const WriteOptions& options = {});
  // OK whether the key exists or not.
  Status Delete(std::string_view key, const WriteOptions& options = {});
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

  // The newest published sequence number.
  uint64_t LatestSequence() const;

  // Makes every acknowledged logged write durable against loss of power.
  Status Sync();
  // Moves everything acknowledged into tables, durably; waits for it.
  Status Flush();

  // Flushes, then merges every table that overlaps [begin, end] (null: unbounded) until the range
  // is one sorted run; deleted data and old versions that no snapshot needs are gone then.
  Status CompactRange(const std::string_view* begin, const std::string_view* end);

  // Waits until no flush or merge runs or is due. An error if background work has failed.
  Status WaitForBackground();

  // Reads every byte of every live file and checks every checksum and order invariant. The first
  // damage found is returned, with its file and offset.
  Status VerifyChecksums();

  // Human-readable state: "levels", "stats", "reads", "last-sequence". NotFound for other names.
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
