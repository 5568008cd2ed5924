// TableIterator: the entries of a table, one data block in memory at a time. See Table. Where the
// type is known, as to the iterator of a level, its movements are no virtual calls.
#pragma once

#include <string_view>

#include "engine/base/internal_iterator.h"
#include "engine/sst/block_iterator.h"
#include "engine/sst/format.h"
#include "engine/sst/table.h"

namespace shearpin {

class TableIterator final : public InternalIterator {
 public:
  TableIterator(const Table* table, Caching caching);

  // On no entry yet of another table, with the memory that it has. The last block stays pinned
  // until the next is loaded.
  void MoveTo(const Table* table);

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(std::string_view target) override;
  void SeekForPrev(std::string_view target) override;
  void Next() override;
  void Prev() override;

 private:
  // Loads the data block under index_. False at the end of the index or on an error, with the
  // position set accordingly.
  bool LoadBlock();
  void FetchBlock() const;
  // Publishes data_'s entry, or that of the nearest block after (before) it.
  void SettleForward();
  void SettleBackward();

  // Larger blocks would drive out of the nearest cache what they bring into it.
  static constexpr size_t kMostFetched = 16 << 10;

  const Table* table_;
  const Caching caching_;
  BlockIterator index_;
  BlockIterator data_;
  LoadedBlock block_;
  BlockHandle handle_;  // of block_, if has_block_
  bool has_block_ = false;
};

}  // namespace shearpin
