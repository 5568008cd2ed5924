// Manifest: the durable list of what a database consists of, and CURRENT, which names it.
//
// Invariants
//   M1  CURRENT is replaced only by renaming a synced file over it, after the MANIFEST it names,
//       and that MANIFEST's directory entry, are durable.
//   M2  The old MANIFEST is unlinked only after the rename is durable.
//   M3  An edit is published only after its record was synced; the record's bytes are promised by
//       every later record's synced offset, and those of the snapshot by CURRENT.
//   M4  After any error nothing more is written (error() sticks) and the caller deletes nothing:
//       whether the failed edit is there is known only after the next recovery.
//   M5  The highest-numbered MANIFEST whose snapshot is whole is never older than CURRENT's, so
//       that a CURRENT lost by a rename that was not atomic can be done without.
//
// Thread safety: one thread at a time. Ownership: owns the open log.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/env/entropy.h"
#include "engine/env/file_system.h"
#include "engine/manifest/version_edit.h"
#include "engine/status.h"
#include "engine/wal/log_writer.h"

namespace shearpin {

// What the edits add up to.
struct ManifestState {
  uint64_t database_id = 0;
  uint64_t manifest_number = 0;  // of the file it was read from
  uint64_t next_file_number = 1;
  SequenceNumber flushed_sequence = 0;
  uint64_t log_floor = 0;
  std::map<uint64_t, uint64_t> sealed_logs;         // number -> length
  std::map<uint64_t, FileMeta> levels[kNumLevels];  // by number

  // Corruption if the edit adds what is there, or removes what is not.
  Status Apply(VersionEdit edit);
  // The one edit that makes this state from nothing. Seals are left out: they speak of logs that
  // the opener of a database has replayed by the time it writes a snapshot.
  VersionEdit Snapshot() const;
};

class Manifest {
 public:
  struct Recovered {
    ManifestState state;
    bool fallback = false;   // CURRENT was missing; see M5
    bool torn_tail = false;  // an edit that was never acknowledged was cut off
  };
  // Reads the state of `directory`. NotFound: neither CURRENT nor a whole MANIFEST is there.
  // Corruption or NotSupported otherwise, naming the file.
  static StatusOr<Recovered> Recover(FileSystem* fs, const std::string& directory);

  // A manifest that has written nothing yet and starts from `state`.
  Manifest(FileSystem* fs, Entropy* entropy, std::string directory, ManifestState state);

  // Replaces the MANIFEST by a new one of this number that holds the state with `edit` applied,
  // and unlinks the old. Durable when OK; on error state() is what it was.
  Status Rotate(uint64_t number, const VersionEdit& edit);

  // Appends `edit` and syncs it. Requires a Rotate before. Durable when OK.
  Status Append(const VersionEdit& edit);

  // Rewrites CURRENT so that it promises every byte of the MANIFEST: after this, damage to any of
  // it is told from a torn tail. For a clean close.
  Status Seal();

  Status Close();

  const ManifestState& state() const { return state_; }
  uint64_t number() const { return log_ ? log_->number() : 0; }
  uint64_t size() const { return log_ ? log_->size() : 0; }
  const Status& error() const { return error_; }

 private:
  Status WriteNew(uint64_t number, const ManifestState& state);
  Status WriteCurrent(uint64_t number, uint64_t promised);
  Status Fail(const Status& status);

  FileSystem* const fs_;
  Entropy* const entropy_;
  const std::string directory_;
  ManifestState state_;
  std::unique_ptr<LogWriter> log_;
  Status error_;
};

}  // namespace shearpin
