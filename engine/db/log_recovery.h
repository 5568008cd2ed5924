// Log recovery: which records of which WALs belong to the database, and which are a torn tail.
//
// The rules, for the logs from the floor (MANIFEST) on:
//   R1  The highest-numbered log that has a whole header or was sealed by a clean close, and from
//       it predecessor by predecessor down to the floor, is the chain; each of them must be there.
//       Others are leftovers of recoveries that crashed, and hold nothing.
//   R2  A log's header is durable before its file is longer than a header, so a header that is
//       broken, or another log's, is damage in a longer file; in a file no longer than a header it
//       is a creation cut short.
//   R3  A log's records count up to the first that is not whole, and never beyond the length that
//       its successor's header states.
//   R4  Bytes are promised durable by the log's own records (also by those beyond damage), by its
//       successor's header, by a seal in the MANIFEST, and wholly by any later log that holds a
//       record written after a sync. Records that end before the promise are Corruption.
//   R5  A log that ends before the length its successor states, unpromised, ends the history
//       there: later logs are dropped whole, so that what is recovered is a prefix.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/env/file_system.h"
#include "engine/event_listener.h"
#include "engine/status.h"
#include "engine/wal/log_reader.h"

namespace shearpin {

struct LogRecoveryInput {
  std::string directory;
  uint64_t database_id = 0;
  uint64_t log_floor = 0;                    // 0: none was ever made durable
  std::map<uint64_t, uint64_t> sealed_logs;  // number -> length
  std::vector<uint64_t> log_numbers;         // of all WAL files in the directory, ascending
};

// Where the next log continues.
struct LogEnd {
  uint64_t number = 0;  // of the last log accepted; 0: there was none
  uint64_t length = 0;  // how much of it
};

// Hands every accepted record, in order, to `replay`, whose error ends the recovery.
StatusOr<LogEnd> RecoverLogs(
    FileSystem* fs, const LogRecoveryInput& input, EventListener* listener,
    const std::function<Status(const std::string& path, const LogRecord& record)>& replay);

}  // namespace shearpin
