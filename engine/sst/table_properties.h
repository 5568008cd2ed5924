// TableProperties: what a table says of itself, in its properties block.
//
// The block's keys are the names in the .cc, sorted bytewise; numbers are varint64, keys and
// names plain bytes. A reader ignores names it does not know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/internal_key.h"
#include "engine/status.h"

namespace shearpin {

struct TableProperties {
  uint64_t file_id = 0;
  uint64_t entries = 0;
  uint64_t deletions = 0;
  uint64_t key_bytes = 0;    // of internal keys, before prefix compression
  uint64_t value_bytes = 0;  // before compression
  uint64_t data_blocks = 0;
  uint64_t data_bytes = 0;  // of the data blocks as stored, trailers included
  // kMaxSequence and 0 in a table without entries.
  SequenceNumber smallest_sequence = kMaxSequence;
  SequenceNumber largest_sequence = 0;
  // Internal keys; empty in a table without entries.
  std::string smallest_key;
  std::string largest_key;
  std::string compression;
  std::string writer_version;

  // The bytes of the block, without trailer.
  std::string Encode() const;
  // Corruption if a property is missing, malformed or contradicts another.
  static StatusOr<TableProperties> Decode(std::string_view block);

  bool operator==(const TableProperties&) const = default;
};

}  // namespace shearpin
