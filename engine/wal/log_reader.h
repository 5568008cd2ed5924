// LogReader: the records of a log, up to the first that is not whole, and what is known beyond it.
//
// Telling a torn tail from damage needs promises from elsewhere too (a successor's header, the
// MANIFEST): the reader reports, recovery decides.
// Thread safety: one thread at a time. Ownership: views the file's bytes, owns nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/status.h"
#include "engine/wal/log_format.h"

namespace shearpin {

struct LogRecord {
  uint64_t offset = 0;  // of its first byte
  uint64_t end = 0;     // of the next record
  uint64_t sequence = 0;
  uint64_t synced = 0;
  std::string_view payload;
};

class LogReader {
 public:
  // `file`: the whole contents. Fails as DecodeLogHeader does.
  static StatusOr<LogReader> Open(LogKind kind, std::string_view file);

  // For salvage: a file whose header is damaged. Where its salt is not, the records prove it. Of
  // header() only the salt is set.
  static LogReader WithSaltOf(std::string_view file);

  const LogHeader& header() const { return header_; }

  // The next whole record, or false at the end of what is whole.
  bool Next(LogRecord* record);

  // For salvage, where Next is false: passes over bytes up to the next whole record, which is set.
  // False, and nothing is passed, if there is none. The salt and the place in its checksum prove
  // that it was written there, into this log; not that it was ever durable or acknowledged.
  bool Resume(LogRecord* record);

  // Offset after the last record that Next returned.
  uint64_t end() const { return end_; }

  // True if nothing but zeros (a preallocated extent) follows end().
  bool CleanEnd() const;

  // The largest synced offset that any valid record after end() states, or 0. If it is greater
  // than end(), the bytes at end() were durable once and are damaged now.
  uint64_t PromiseBeyondEnd() const;

 private:
  LogReader(std::string_view file, const LogHeader& header)
      : file_(file), header_(header), end_(kLogHeaderSize) {}

  bool Parse(uint64_t offset, LogRecord* record) const;
  // The record at the next sector, if it follows directly on a sync at end().
  bool ParseAfterSync(LogRecord* record) const;

  std::string_view file_;
  LogHeader header_;
  uint64_t end_;
};

}  // namespace shearpin
