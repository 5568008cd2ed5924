// The log format: one codec for the WAL and the MANIFEST.
//
// All integers little endian. A file is a header and then records, each 8-byte aligned. Before each
// sync the file is filled with zeros up to a sector's end, and the next record begins there: no
// later append touches a sector that holds synced bytes, so a disk that damages the rest of a
// sector while writing a part of it (no "powersafe overwrite") cannot take back what it promised.
//
//   header, 512 bytes                         record
//    0  u64 magic, by kind                     0  u64 XXH3-64 of bytes [8, 32 + length),
//    8  u32 format version (1)                        seed Mix64(salt ^ Mix64(offset))
//   12  u32 header size (512)                  8  u32 length of the payload, at least 1
//   16  u64 database id                       12  u32 zero
//   24  u64 number of this file               16  u64 sequence number of the first change
//   32  u64 salt                              24  u64 synced offset: when this record was
//   40  u64 predecessor's number, 0: none             written, bytes [0, it) were durable
//   48  u64 predecessor's final length        32  payload, then zeros to a multiple of 8
//   56  u64 predecessor's synced offset       (lengths and synced offsets are ends of records,
//   64  u64 XXH3-64 of bytes [0, 64)           without what fills their sector)
//   72  zeros, ignored: they fill the sector
//
// The salt and the offset in the seed keep stale bytes of another file, or of another place in
// this one, from ever looking like a record. The synced offset is a promise: bytes before it that
// are damaged are Corruption, while damage that nobody promised is a torn tail, since pages that
// were not synced reach the disk in any order and a later valid record alone proves nothing.
// A record whose synced offset lies beyond the header also promises that every older log was
// synced to its final length (a sync write syncs those first).
//
// Where a record is not whole at the end E of the last, the next sector is looked at: a record
// there whose synced offset is exactly E follows directly. No other record can state that: if one
// had been written at E, nothing was synced at E.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/status.h"

namespace shearpin {

enum class LogKind : uint8_t { kWal, kManifest };

constexpr size_t kLogHeaderSize = 512;
constexpr size_t kLogSaltOffset = 32;
constexpr size_t kLogRecordHeaderSize = 32;
constexpr size_t kLogAlignment = 8;
// Of the smallest unit a disk writes; larger real sectors only make the fill less than perfect.
constexpr size_t kLogSectorSize = 512;
constexpr uint32_t kLogFormatVersion = 1;

constexpr uint64_t AlignLogOffset(uint64_t offset) {
  return (offset + kLogAlignment - 1) & ~uint64_t{kLogAlignment - 1};
}

constexpr uint64_t AlignLogSector(uint64_t offset) {
  return (offset + kLogSectorSize - 1) & ~uint64_t{kLogSectorSize - 1};
}

struct LogHeader {
  uint64_t database_id = 0;
  uint64_t number = 0;
  uint64_t salt = 0;
  uint64_t predecessor = 0;
  uint64_t predecessor_length = 0;
  uint64_t predecessor_synced = 0;
};

std::string EncodeLogHeader(LogKind kind, const LogHeader& header);

// Corruption or NotSupported (a version from the future) with the reason; the caller adds the
// file's name. `file` is the file's beginning, at least what there is of the header.
Status DecodeLogHeader(LogKind kind, std::string_view file, LogHeader* header);

// The seed of a record's checksum.
uint64_t LogRecordSeed(uint64_t salt, uint64_t offset);

}  // namespace shearpin
