// SalvagedTable: what can still be read of a damaged table, and what cannot.
//
// Believes nothing that a checksum does not prove, but needs no more than that: a block counts if
// its own checksum, seeded with file id and offset, is right, whatever became of the rest.
//   - Footer damaged: its handles are tried as they stand; the blocks they name prove them.
//   - Index lost: data blocks are found by their checksums (block_search.h), also in a file that
//     was cut.
//   - A data block damaged: the blocks beside it are kept.
//   - Range tombstones lost: the entries are kept, and the report says what may come back.
//
// Thread safety: one thread at a time. Ownership: borrows the file system. While Read runs the
// whole file is in memory; later, one block for each iterator. The file is open only while a block
// is read: a merge may have more of these than a process may have files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/internal_iterator.h"
#include "engine/base/internal_key.h"
#include "engine/base/range_tombstones.h"
#include "engine/env/file_system.h"
#include "engine/sst/format.h"
#include "engine/status.h"

namespace shearpin {

// What is known of a table from elsewhere.
struct TableHints {
  // By the MANIFEST: then no other will do.
  std::optional<uint64_t> file_id;
  // Tried, besides what the footer says, where the MANIFEST is silent.
  uint64_t likely_file_id = 0;
  // By the MANIFEST: how many range tombstones.
  std::optional<uint64_t> range_deletes;
};

struct TableDamage {
  enum class Lost : uint8_t {
    kNothing,      // what is damaged can be done without
    kEntries,      // entries with keys in the range
    kRangeDeletes  // range tombstones: what they deleted may come back
  };
  Lost lost = Lost::kNothing;
  uint64_t offset = 0;
  uint64_t size = 0;
  std::string reason;
  // kEntries: user keys, both included; none: unbounded, as far as the table itself can tell.
  std::optional<std::string> first;
  std::optional<std::string> last;
};

class SalvagedTable {
 public:
  // Corruption if nothing of the file can be believed; errors of the file system if it cannot be
  // opened. Bytes that cannot be read count as damaged.
  static StatusOr<std::unique_ptr<SalvagedTable>> Read(FileSystem* fs, const std::string& path,
                                                       const TableHints& hints);
  SalvagedTable(const SalvagedTable&) = delete;
  SalvagedTable& operator=(const SalvagedTable&) = delete;

  const std::vector<TableDamage>& damages() const { return damages_; }
  const RangeTombstones& range_tombstones() const { return range_tombstones_; }
  uint64_t entries() const { return entries_; }
  size_t blocks() const { return blocks_.size(); }
  // Of entries and range tombstones; 0 if there are none.
  SequenceNumber largest_sequence() const { return largest_sequence_; }

  // Over the entries that are left, by SeekToFirst and Next alone. A block that could be read
  // before and cannot be now is an error.
  std::unique_ptr<InternalIterator> NewIterator() const;

 private:
  class Iterator;
  class Reader;

  SalvagedTable(FileSystem* fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  FileSystem* const fs_;
  const std::string path_;
  uint64_t file_id_ = 0;
  std::vector<BlockHandle> blocks_;  // of data, by key
  RangeTombstones range_tombstones_;
  std::vector<TableDamage> damages_;
  uint64_t entries_ = 0;
  SequenceNumber largest_sequence_ = 0;
};

// Reads `file` in pieces; those that cannot be read become zeros, and the first error is kept.
Status ReadWhatIsReadable(const RandomAccessFile& file, std::string* contents);

}  // namespace shearpin
