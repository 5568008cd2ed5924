// Table: reads an SST file.
//
// Thread safety: all methods may be called from many threads at once; an iterator from one.
// Ownership: owns its file; outlives its iterators and the blocks loaded from it. Index, filter,
// properties and range tombstones are in memory, data blocks are read when needed, each by one read
// that includes its trailer, or found in a cache. Errors: Corruption names file, offset and reason;
// NotSupported a version or feature that this build does not know; errors of the file system pass
// through. A filter that cannot be read fails no read, since none needs it: Get does without,
// filter_status() and VerifyAll tell.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/hash.h"
#include "engine/base/internal_iterator.h"
#include "engine/base/internal_key.h"
#include "engine/base/lookup.h"
#include "engine/base/range_tombstones.h"
#include "engine/cache/block_cache.h"
#include "engine/env/file_system.h"
#include "engine/sst/block_iterator.h"
#include "engine/sst/bloom_filter.h"
#include "engine/sst/format.h"
#include "engine/sst/restart_index.h"
#include "engine/sst/table_properties.h"
#include "engine/status.h"

namespace shearpin {

// The bytes of one block: pinned in a cache, or in memory of its own. May be loaded again and
// again.
class LoadedBlock {
 public:
  LoadedBlock() = default;
  LoadedBlock(LoadedBlock&&) = default;
  LoadedBlock& operator=(LoadedBlock&&) = default;

  // Without trailer. May point into the file's own memory.
  std::string_view contents() const { return contents_; }

 private:
  friend class Table;
  BlockBytes own_;
  BlockCache::Pin pin_;
  std::string_view contents_;
};

// What Bloom filters were good for in some reads.
struct FilterCounts {
  uint32_t useful = 0;          // a table was passed over
  uint32_t true_positive = 0;   // the key was there
  uint32_t false_positive = 0;  // it was not, and the table was searched for nothing
};

enum class Caching : uint8_t {
  kUse,     // blocks are looked for in the cache, and kept there
  kBypass,  // read from the file: for readers of everything, and those that check the file
};

class Table {
 public:
  // What the manifest knows of the file; the table must agree.
  struct Expected {
    uint64_t file_id = 0;
    uint64_t file_size = 0;
  };

  // Reads footer, index, filter, properties and range tombstones. `path` is for messages. `cache`
  // is for data blocks, outlives the table, and may be null.
  static StatusOr<std::unique_ptr<Table>> Open(std::unique_ptr<RandomAccessFile> file,
                                               std::string path, const Expected& expected,
                                               BlockCache* cache = nullptr);
  // As above; opens the file.
  static StatusOr<std::unique_ptr<Table>> Open(FileSystem* fs, const std::string& path,
                                               const Expected& expected,
                                               BlockCache* cache = nullptr);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // The first entry at or after `seek_key` (an internal key: user key, sequence, kSeekType), if it
  // has the same user key. `result->value` points into `*block` or into the file. Adds to `*counts`
  // unless it is null.
  Status Get(std::string_view seek_key, LoadedBlock* block, Lookup* result,
             FilterCounts* counts = nullptr) const {
    return Get(seek_key, KeyHash(UserKey(seek_key)), block, result, counts);
  }
  // For who has the hash of the user key already.
  Status Get(std::string_view seek_key, KeyHash hash, LoadedBlock* block, Lookup* result,
             FilterCounts* counts) const;

  // Over the entries; the table's range tombstones are not applied to them, nor are they in Get.
  std::unique_ptr<InternalIterator> NewIterator(Caching caching = Caching::kUse) const;

  const RangeTombstones& range_tombstones() const { return range_tombstones_; }

  // Reads the whole file, never the cache: every checksum, the order of all keys, index against
  // blocks, properties against entries, and the whole-file checksum if one is given. The first
  // thing wrong is returned.
  Status VerifyAll(std::optional<uint64_t> file_checksum) const;

  const TableProperties& properties() const { return properties_; }
  bool has_filter() const { return filter_.exists(); }
  // Why the table's filter could not be read; OK if it was, or if there is none.
  const Status& filter_status() const { return filter_status_; }
  const std::string& path() const { return path_; }
  uint64_t file_size() const { return file_size_; }
  // Bytes held in memory, for a budget.
  size_t MemoryUsage() const;

 private:
  friend class TableIterator;
  friend class TableVerifier;

  struct Filter {
    BloomFilter bloom;
    Status status;
  };

  Table(std::unique_ptr<RandomAccessFile> file, std::string path, const Expected& expected,
        BlockCache* cache);

  Status ReadFooter(Footer* footer) const;
  Status ReadMetaindex(const BlockHandle& handle, TableProperties* properties, Filter* filter,
                       RangeTombstones* range_tombstones) const;
  Status ReadRangeDeletes(const BlockHandle& handle, RangeTombstones* range_tombstones) const;
  Status ReadProperties(const BlockHandle& handle, TableProperties* properties) const;
  Status ReadFilter(const BlockHandle& handle, BloomFilter* filter) const;
  // The one way from a handle to a block's bytes in the file, verified and uncompressed.
  Status ReadBlock(const BlockHandle& handle, BlockKind kind, BlockBytes* bytes) const;
  Status LoadBlock(const BlockHandle& handle, BlockKind kind, LoadedBlock* block,
                   Caching caching = Caching::kBypass) const;
  Status Search(std::string_view seek_key, LoadedBlock* block, Lookup* result) const;
  // Where the data block is that may hold the key. False: the table ends before the key.
  StatusOr<bool> FindDataBlock(std::string_view seek_key, BlockHandle* handle) const;
  // A data block: its bytes, and `data` on none of its entries.
  Status LoadDataBlock(const BlockHandle& handle, Caching caching, LoadedBlock* block,
                       BlockIterator* data) const;
  Status ParseIndexEntry(const BlockIterator& index, BlockHandle* handle) const;

  Status Damage(BlockKind kind, const BlockHandle& handle, std::string_view reason) const;
  Status Damage(BlockKind kind, const BlockHandle& handle, const BlockIterator& it) const;

  const std::unique_ptr<RandomAccessFile> file_;
  const std::string path_;
  const uint64_t file_id_;
  const uint64_t file_size_;
  BlockCache* const cache_;
  const uint64_t cache_id_;
  BlockHandle index_handle_;
  LoadedBlock index_;
  RestartIndex index_search_;
  TableProperties properties_;
  RangeTombstones range_tombstones_;
  BloomFilter filter_;
  Status filter_status_;
};

}  // namespace shearpin
