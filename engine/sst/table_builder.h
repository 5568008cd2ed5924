// TableBuilder: writes an SST file from sorted entries.
//
// Thread safety: one thread at a time. Ownership: the file is the caller's, and so are its Sync
// and Close: the order of durability is the database's. Errors: the first failure of the file
// sticks and is returned by every later call; the file is then useless.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/hash.h"
#include "engine/base/range_tombstones.h"
#include "engine/env/file_system.h"
#include "engine/sst/block_builder.h"
#include "engine/sst/block_compression.h"
#include "engine/sst/bloom_filter.h"
#include "engine/sst/format.h"
#include "engine/sst/table_properties.h"
#include "engine/status.h"

namespace shearpin {

struct TableBuilderOptions {
  // Seeds every checksum; the reader is told the same.
  uint64_t file_id = 0;
  // Uncompressed bytes of a data block.
  size_t block_size = 4096;
  // Keys between two restart points of a data block.
  int block_restart_interval = 16;
  // Of data blocks. One that would not shrink by an eighth is stored raw.
  Compression compression = Compression::kNone;
  // Of a Bloom filter over all user keys; 0 writes none.
  int filter_bits_per_key = 0;
};

// What the manifest records of a finished table.
struct TableInfo {
  uint64_t file_size = 0;
  // Of all bytes of the file, XXH3-64 with seed 0.
  uint64_t file_checksum = 0;
  TableProperties properties;
  // Of entries and range tombstones together: internal keys, or bounds of range tombstones.
  std::string smallest;
  std::string largest;
  SequenceNumber smallest_sequence = kMaxSequence;
  SequenceNumber largest_sequence = 0;
  uint64_t range_deletes = 0;
};

class TableBuilder {
 public:
  // `file` is empty and outlives the builder.
  TableBuilder(const TableBuilderOptions& options, WritableFile* file);
  TableBuilder(const TableBuilder&) = delete;
  TableBuilder& operator=(const TableBuilder&) = delete;

  // CHECKs that keys are internal keys and ascend strictly.
  Status Add(std::string_view internal_key, std::string_view value);

  // At most once, before Finish: the table's range tombstones. They hide nothing within the table
  // by themselves; readers apply them.
  Status SetRangeDeletes(std::vector<RangeTombstones::Fragment> fragments);

  // Writes the rest. Nothing may be called afterwards. A table without entries is legal.
  StatusOr<TableInfo> Finish();

  // Bytes of the file if it were finished now, roughly.
  uint64_t EstimatedSize() const;
  uint64_t entries() const { return properties_.entries; }
  const Status& status() const { return status_; }

 private:
  // `next` is the key that did not fit, or empty at the end.
  Status FlushDataBlock(std::string_view next);
  // Writes `*block` with its trailer and clears it.
  Status WriteBlock(std::string* block, BlockKind kind, BlockHandle* handle,
                    Compression compression = Compression::kNone);
  Status AppendToFile(std::string_view bytes);
  Status WriteTail();

  const TableBuilderOptions options_;
  WritableFile* const file_;
  BlockBuilder data_block_;
  BlockBuilder index_block_;
  BlockCompressor compressor_;
  BloomFilterBuilder filter_;
  uint64_t offset_ = 0;
  ChecksumStream file_checksum_;
  TableProperties properties_;
  std::vector<RangeTombstones::Fragment> range_deletes_;
  std::string last_key_;
  std::string scratch_;
  std::string compressed_;
  bool finished_ = false;
  Status status_;
};

}  // namespace shearpin
