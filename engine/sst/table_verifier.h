// TableVerifier: reads all of a table and checks what a read on demand takes on trust: the order
// of keys, the index against the blocks, the properties against the entries. See Table::VerifyAll.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/sst/block_iterator.h"
#include "engine/sst/format.h"
#include "engine/sst/table.h"
#include "engine/sst/table_properties.h"
#include "engine/status.h"

namespace shearpin {

class TableVerifier {
 public:
  explicit TableVerifier(const Table* table) : table_(table) {}

  // Once. The first thing wrong is returned.
  Status Verify(std::optional<uint64_t> file_checksum);

 private:
  Status VerifyFileChecksum(uint64_t expected) const;
  Status VerifyDataBlocks(const Footer& footer, const LoadedBlock& index_block);
  // `separator` is the block's index key, `floor` the one before it, or empty.
  Status VerifyDataBlock(const BlockHandle& handle, std::string_view block, std::string_view floor,
                         std::string_view separator);
  // What seeks and backward moves rest on, given that a forward scan met `entries` entries.
  Status VerifyRestartPoints(const BlockHandle& handle, std::string_view block, uint64_t entries);
  void Count(std::string_view key, std::string_view value);
  Status VerifyProperties(const TableProperties& stored) const;

  const Table* const table_;
  BlockIterator data_;
  BlockIterator seeker_;
  Table::Filter filter_;
  // Of what was read.
  TableProperties seen_;
};

}  // namespace shearpin
