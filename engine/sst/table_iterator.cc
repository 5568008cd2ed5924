#include "engine/sst/table_iterator.h"

#include <utility>

namespace shearpin {

TableIterator::TableIterator(const Table* table, Caching caching) : caching_(caching) {
  MoveTo(table);
}

void TableIterator::MoveTo(const Table* table) {
  ClearError();
  SetEnd();
  table_ = table;
  has_block_ = false;
  index_.Reset(table->index_.contents(), BlockIterator::Order::kInternal, &table->index_search_);
}

bool TableIterator::LoadBlock() {
  if (!index_.Valid()) {
    if (index_.damage() != nullptr) {
      SetError(table_->Damage(BlockKind::kIndex, table_->index_handle_, index_));
    } else {
      SetEnd();
    }
    return false;
  }
  BlockHandle wanted;
  Status status = table_->ParseIndexEntry(index_, &wanted);
  // A seek near the last one finds its block in memory.
  if (status.ok() && (!has_block_ || wanted != handle_)) {
    handle_ = wanted;
    status = table_->LoadDataBlock(handle_, caching_, &block_, &data_);
    has_block_ = status.ok();
  }
  if (!status.ok()) SetError(std::move(status));
  return has_block_ && this->status().ok();
}

// All of the block that a scan has come to is read soon: its cache lines are fetched side by side
// instead of one after the other.
void TableIterator::FetchBlock() const {
  constexpr size_t kCacheLine = 64;
  const std::string_view contents = block_.contents();
  if (contents.size() > kMostFetched) return;
  for (size_t at = 0; at < contents.size(); at += kCacheLine) {
    __builtin_prefetch(contents.data() + at);
  }
}

void TableIterator::SettleForward() {
  while (!data_.Valid()) {
    if (data_.damage() != nullptr) {
      return SetError(table_->Damage(BlockKind::kData, handle_, data_));
    }
    index_.Next();
    if (!LoadBlock()) return;
    FetchBlock();
    data_.SeekToFirst();
  }
  SetEntry(data_.key(), data_.value());
}

void TableIterator::SettleBackward() {
  while (!data_.Valid()) {
    if (data_.damage() != nullptr) {
      return SetError(table_->Damage(BlockKind::kData, handle_, data_));
    }
    index_.Prev();
    if (!LoadBlock()) return;
    FetchBlock();
    data_.SeekToLast();
  }
  SetEntry(data_.key(), data_.value());
}

void TableIterator::SeekToFirst() {
  ClearError();
  index_.SeekToFirst();
  if (!LoadBlock()) return;
  data_.SeekToFirst();
  SettleForward();
}

void TableIterator::SeekToLast() {
  ClearError();
  index_.SeekToLast();
  if (!LoadBlock()) return;
  data_.SeekToLast();
  SettleBackward();
}

void TableIterator::Seek(std::string_view target) {
  ClearError();
  index_.Seek(target);
  if (!LoadBlock()) return;
  data_.Seek(target);
  SettleForward();
}

void TableIterator::SeekForPrev(std::string_view target) {
  Seek(target);
  if (Valid()) {
    if (key() != target) Prev();
  } else if (status().ok()) {
    SeekToLast();
  }
}

void TableIterator::Next() {
  data_.Next();
  SettleForward();
}

void TableIterator::Prev() {
  data_.Prev();
  SettleBackward();
}

}  // namespace shearpin
