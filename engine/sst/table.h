// Table: reads an SST file.
//
// Thread safety: all methods may be called from many threads at once; an iterator from one.
// Ownership: owns its file; outlives its iterators. Index, properties and range tombstones are in
// memory, data blocks are read when needed, each by one read that includes its trailer.
// Errors: Corruption names file, offset and reason; NotSupported a version or feature that this
// build does not know; errors of the file system pass through.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/internal_iterator.h"
#include "engine/base/lookup.h"
#include "engine/base/range_tombstones.h"
#include "engine/env/file_system.h"
#include "engine/sst/block_iterator.h"
#include "engine/sst/format.h"
#include "engine/sst/table_properties.h"
#include "engine/status.h"

namespace shearpin {

// The bytes of one block, and the memory they stand in; may be loaded again and again.
class LoadedBlock {
 public:
  LoadedBlock() = default;
  LoadedBlock(LoadedBlock&&) = default;
  LoadedBlock& operator=(LoadedBlock&&) = default;

  // Without trailer. May point into the file's own memory.
  std::string_view contents() const { return contents_; }

 private:
  friend class Table;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  std::string_view contents_;
};

class Table {
 public:
  // What the manifest knows of the file; the table must agree.
  struct Expected {
    uint64_t file_id = 0;
    uint64_t file_size = 0;
  };

  // Reads footer, index, properties and range tombstones. `path` is for messages.
  static StatusOr<std::unique_ptr<Table>> Open(std::unique_ptr<RandomAccessFile> file,
                                               std::string path, const Expected& expected);
  // As above; opens the file.
  static StatusOr<std::unique_ptr<Table>> Open(FileSystem* fs, const std::string& path,
                                               const Expected& expected);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // The first entry at or after `seek_key` (an internal key: user key, sequence, kSeekType), if it
  // has the same user key. `result->value` points into `*block` or into the file.
  Status Get(std::string_view seek_key, LoadedBlock* block, Lookup* result) const;

  // Over the entries; the table's range tombstones are not applied to them, nor are they in Get.
  std::unique_ptr<InternalIterator> NewIterator() const;

  const RangeTombstones& range_tombstones() const { return range_tombstones_; }

  // Reads the whole file: every checksum, the order of all keys, index against blocks, properties
  // against entries, and the whole-file checksum if one is given. The first thing wrong is
  // returned.
  Status VerifyAll(std::optional<uint64_t> file_checksum) const;

  const TableProperties& properties() const { return properties_; }
  const std::string& path() const { return path_; }
  uint64_t file_size() const { return file_size_; }
  // Bytes held in memory, for a budget.
  size_t MemoryUsage() const;

 private:
  friend class TableIterator;
  friend class TableVerifier;

  Table(std::unique_ptr<RandomAccessFile> file, std::string path, const Expected& expected);

  Status ReadFooter(Footer* footer) const;
  Status ReadMetaindex(const BlockHandle& handle, TableProperties* properties,
                       RangeTombstones* range_tombstones) const;
  Status ReadRangeDeletes(const BlockHandle& handle, RangeTombstones* range_tombstones) const;
  Status ReadProperties(const BlockHandle& handle, TableProperties* properties) const;
  // The one way from a handle to a block's bytes: compression and a cache go here.
  Status LoadBlock(const BlockHandle& handle, BlockKind kind, LoadedBlock* block) const;
  // The data block that the index entry under `index` names: where it is, its bytes, and `data` on
  // none of its entries.
  Status LoadDataBlock(const BlockIterator& index, BlockHandle* handle, LoadedBlock* block,
                       BlockIterator* data) const;
  Status ParseIndexEntry(const BlockIterator& index, BlockHandle* handle) const;

  Status Damage(BlockKind kind, const BlockHandle& handle, std::string_view reason) const;
  Status Damage(BlockKind kind, const BlockHandle& handle, const BlockIterator& it) const;

  const std::unique_ptr<RandomAccessFile> file_;
  const std::string path_;
  const uint64_t file_id_;
  const uint64_t file_size_;
  BlockHandle index_handle_;
  LoadedBlock index_;
  TableProperties properties_;
  RangeTombstones range_tombstones_;
};

}  // namespace shearpin
