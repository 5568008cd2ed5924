#include "engine/wal/log_format.h"

#include "engine/base/coding.h"
#include "engine/base/hash.h"

namespace shearpin {
namespace {

constexpr size_t kChecksumOffset = 64;

uint64_t Magic(LogKind kind) {
  return LoadFixed64(kind == LogKind::kWal ? "shrpnWAL" : "shrpnMAN");
}

}  // namespace

uint64_t LogRecordSeed(uint64_t salt, uint64_t offset) { return Mix64(salt ^ Mix64(offset)); }

std::string EncodeLogHeader(LogKind kind, const LogHeader& header) {
  std::string bytes;
  bytes.reserve(kLogHeaderSize);
  AppendFixed64(&bytes, Magic(kind));
  AppendFixed32(&bytes, kLogFormatVersion);
  AppendFixed32(&bytes, kLogHeaderSize);
  AppendFixed64(&bytes, header.database_id);
  AppendFixed64(&bytes, header.number);
  AppendFixed64(&bytes, header.salt);
  AppendFixed64(&bytes, header.predecessor);
  AppendFixed64(&bytes, header.predecessor_length);
  AppendFixed64(&bytes, header.predecessor_synced);
  AppendFixed64(&bytes, Checksum(bytes, 0));
  bytes.resize(kLogHeaderSize, '\0');
  return bytes;
}

Status DecodeLogHeader(LogKind kind, std::string_view file, LogHeader* header) {
  if (file.size() < kLogHeaderSize) {
    return Status::Corruption("header ends after " + std::to_string(file.size()) + " of " +
                              std::to_string(kLogHeaderSize) + " bytes");
  }
  const char* p = file.data();
  if (LoadFixed64(p) != Magic(kind)) {
    return Status::Corruption(kind == LogKind::kWal ? "bad magic at offset 0: not a WAL"
                                                    : "bad magic at offset 0: not a MANIFEST");
  }
  if (LoadFixed64(p + kChecksumOffset) != Checksum(file.substr(0, kChecksumOffset), 0)) {
    return Status::Corruption("header checksum mismatch at offset 0");
  }
  // After the checksum: a damaged version is damage, not a version from the future.
  if (LoadFixed32(p + 8) != kLogFormatVersion || LoadFixed32(p + 12) != kLogHeaderSize) {
    return Status::NotSupported("format version " + std::to_string(LoadFixed32(p + 8)) +
                                "; this build reads version " + std::to_string(kLogFormatVersion));
  }
  header->database_id = LoadFixed64(p + 16);
  header->number = LoadFixed64(p + 24);
  header->salt = LoadFixed64(p + 32);
  header->predecessor = LoadFixed64(p + 40);
  header->predecessor_length = LoadFixed64(p + 48);
  header->predecessor_synced = LoadFixed64(p + 56);
  return Status::Ok();
}

}  // namespace shearpin
