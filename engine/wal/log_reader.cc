#include "engine/wal/log_reader.h"

#include <algorithm>

#include "engine/base/coding.h"
#include "engine/base/hash.h"

namespace shearpin {

StatusOr<LogReader> LogReader::Open(LogKind kind, std::string_view file) {
  LogHeader header;
  SHEARPIN_RETURN_IF_ERROR(DecodeLogHeader(kind, file, &header));
  return LogReader(file, header);
}

LogReader LogReader::WithSaltOf(std::string_view file) {
  LogHeader header;
  if (file.size() >= kLogHeaderSize) header.salt = LoadFixed64(file.data() + kLogSaltOffset);
  return LogReader(file, header);
}

bool LogReader::Parse(uint64_t offset, LogRecord* record) const {
  if (offset > file_.size() || file_.size() - offset < kLogRecordHeaderSize) return false;
  const char* p = file_.data() + offset;
  const uint64_t length = LoadFixed32(p + 8);
  if (length == 0 || LoadFixed32(p + 12) != 0) return false;
  const uint64_t end = AlignLogOffset(offset + kLogRecordHeaderSize + length);
  if (end > file_.size()) return false;
  const uint64_t synced = LoadFixed64(p + 24);
  if (synced > offset || synced % kLogAlignment != 0) return false;
  const std::string_view covered = file_.substr(offset + 8, kLogRecordHeaderSize - 8 + length);
  if (LoadFixed64(p) != Checksum(covered, LogRecordSeed(header_.salt, offset))) return false;
  // The padding is outside the checksum; a record is whole only with it.
  for (const char c : file_.substr(offset + kLogRecordHeaderSize + length,
                                   end - offset - kLogRecordHeaderSize - length)) {
    if (c != 0) return false;
  }
  record->offset = offset;
  record->end = end;
  record->sequence = LoadFixed64(p + 16);
  record->synced = synced;
  record->payload = file_.substr(offset + kLogRecordHeaderSize, length);
  return true;
}

bool LogReader::Next(LogRecord* record) {
  if (!Parse(end_, record) && !ParseAfterSync(record)) return false;
  end_ = record->end;
  return true;
}

bool LogReader::Resume(LogRecord* record) {
  for (uint64_t offset = end_; offset + kLogRecordHeaderSize <= file_.size();
       offset += kLogAlignment) {
    if (!Parse(offset, record)) continue;
    end_ = record->end;
    return true;
  }
  return false;
}

bool LogReader::ParseAfterSync(LogRecord* record) const {
  const uint64_t sector = AlignLogSector(end_);
  return sector != end_ && Parse(sector, record) && record->synced == end_;
}

bool LogReader::CleanEnd() const {
  const std::string_view rest = file_.substr(std::min<uint64_t>(end_, file_.size()));
  return std::all_of(rest.begin(), rest.end(), [](char c) { return c == 0; });
}

uint64_t LogReader::PromiseBeyondEnd() const {
  uint64_t promise = 0;
  for (uint64_t offset = end_; offset + kLogRecordHeaderSize <= file_.size();) {
    // Only a record that promises more than is whole can change the verdict. Asking that first
    // keeps the search linear: of garbage, hardly any place states such an offset.
    const uint64_t stated = LoadFixed64(file_.data() + offset + 24);
    LogRecord record;
    if (stated > std::max(end_, promise) && Parse(offset, &record)) {
      promise = record.synced;
      offset = record.end;
    } else {
      offset += kLogAlignment;
    }
  }
  return promise;
}

}  // namespace shearpin
