// LogWriter: appends records to a new log (see log_format.h). It never appends to an old one.
//
// Thread safety: Append and Sync by one thread at a time; the sizes may be read beside them.
// Ownership: owns its file. Errors: after a failed Append or Sync the log is of unknown length and
// must not be used again; the caller stops (it poisons the writer).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/env/file_system.h"
#include "engine/status.h"
#include "engine/wal/log_format.h"

namespace shearpin {

class LogWriter {
 public:
  // Creates `path`, which must not exist, and writes its header. Nothing is synced.
  static StatusOr<std::unique_ptr<LogWriter>> Create(FileSystem* fs, const std::string& path,
                                                     LogKind kind, const LogHeader& header);

  // Whether the write that appends a record also fills its sector, which Sync would otherwise do by
  // a write of its own. After kNow, Sync must come before the next Append.
  enum class Fill : uint8_t { kLater, kNow };

  // Appends one record whose payload is the concatenation of `parts`, in one file write.
  Status Append(uint64_t sequence, std::span<const std::string_view> parts, Fill fill);
  Status Append(uint64_t sequence, std::string_view payload) {
    return Append(sequence, std::span(&payload, 1), Fill::kNow);
  }

  // Fills the last sector and makes everything appended durable. Does nothing if it is already.
  Status Sync();

  // Reserves space, so that syncs of later appends change no size. To be called once the header
  // is durable: a file longer than its header is then known to have had a whole one.
  Status Preallocate(uint64_t size) { return file_->Preallocate(size); }

  // See WritableFile; after Preallocate.
  Status MapAppends() { return file_->MapAppends(); }

  Status Close() { return file_->Close(); }

  uint64_t number() const { return header_.number; }
  const std::string& path() const { return path_; }
  // Bytes up to the end of the last record.
  uint64_t size() const { return size_.load(std::memory_order_acquire); }
  // As size(), of what is known to be durable.
  uint64_t synced_size() const { return synced_size_.load(std::memory_order_acquire); }

 private:
  LogWriter(std::unique_ptr<WritableFile> file, std::string path, const LogHeader& header);

  const std::unique_ptr<WritableFile> file_;
  const std::string path_;
  const LogHeader header_;
  uint64_t offset_ = kLogHeaderSize;  // where the next record goes: size_, or the sector after it
  std::atomic<uint64_t> size_{0};
  std::atomic<uint64_t> synced_size_{0};
  std::string buffer_;  // the record being built; kept for its capacity
};

}  // namespace shearpin
