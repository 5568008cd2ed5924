// VersionEdit: one atomic change of what a database consists of; the payload of a MANIFEST record.
//
// Format: fields, each a varint32 tag and then, by tag (varint64 unless said otherwise):
//   1 next file number      every number below it may have been used
//   2 flushed sequence      every change up to it is in the tables
//   3 log floor             logs below it are not needed; the log of this number exists
//   4 sealed log            number, length: a clean close promised these bytes durable
//   5 table added           level, number, file id, size, checksum (fixed64), entries,
//                           smallest sequence, largest sequence,
//                           length-prefixed smallest and largest internal key
//   6 table removed         level, number
//   7 table added           as 5, then range tombstones (at least 1); only here may the bounds be
//                           those of a range tombstone (engine/base/range_tombstones.h)
// The first record of a MANIFEST is a snapshot: one edit that adds everything. Later edits change
// it in order. An unknown tag is from the future and cannot be skipped: NotSupported.
//
// Thread safety: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/internal_key.h"
#include "engine/status.h"

namespace shearpin {

constexpr int kNumLevels = 7;

// What the MANIFEST knows of a table.
struct FileMeta {
  uint64_t number = 0;
  uint64_t file_id = 0;   // stands in the table itself and seeds its checksums
  uint64_t size = 0;      // bytes
  uint64_t checksum = 0;  // XXH3-64 of the whole file
  uint64_t entries = 0;
  SequenceNumber smallest_sequence = 0;
  SequenceNumber largest_sequence = 0;
  std::string smallest;  // internal keys, or bounds of range tombstones
  std::string largest;
  uint64_t range_deletes = 0;  // range tombstones, by fragment and sequence
};

struct SealedLog {
  uint64_t number = 0;
  uint64_t length = 0;
};

struct VersionEdit {
  std::optional<uint64_t> next_file_number;
  std::optional<SequenceNumber> flushed_sequence;
  std::optional<uint64_t> log_floor;
  std::vector<SealedLog> sealed_logs;
  std::vector<std::pair<int, FileMeta>> added;    // level, file
  std::vector<std::pair<int, uint64_t>> removed;  // level, number

  std::string Encode() const;
  // Replaces *this. Corruption or NotSupported with the reason; the caller names the file.
  Status Decode(std::string_view payload);
};

}  // namespace shearpin
