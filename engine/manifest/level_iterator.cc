// The tables of one level below 0, end to end.
#include <algorithm>
#include <utility>

#include "engine/manifest/version.h"
#include "engine/sst/table_iterator.h"

namespace shearpin {
namespace {

class LevelIterator final : public InternalIterator {
 public:
  LevelIterator(const Version::Tables* tables, Caching caching)
      : tables_(tables), caching_(caching) {}

  void SeekToFirst() override {
    if (!Enter(0)) return;
    table_->SeekToFirst();
    SkipForward();
  }

  void SeekToLast() override {
    if (!Enter(tables_->size() - 1)) return;
    table_->SeekToLast();
    SkipBackward();
  }

  void Seek(std::string_view target) override {
    const auto found = std::partition_point(tables_->begin(), tables_->end(), [&](const auto& t) {
      return CompareInternalKeys(t->meta().largest, target) < 0;
    });
    if (!Enter(static_cast<size_t>(found - tables_->begin()))) return;
    table_->Seek(target);
    SkipForward();
  }

  void SeekForPrev(std::string_view target) override {
    const auto found = std::partition_point(tables_->begin(), tables_->end(), [&](const auto& t) {
      return CompareInternalKeys(t->meta().smallest, target) <= 0;
    });
    if (!Enter(static_cast<size_t>(found - tables_->begin()) - 1)) return;
    table_->SeekForPrev(target);
    SkipBackward();
  }

  void Next() override {
    table_->Next();
    SkipForward();
  }

  void Prev() override {
    table_->Prev();
    SkipBackward();
  }

 private:
  // Makes tables_[index] the current one. False at an end of the level, or on an error.
  bool Enter(size_t index) {
    ClearError();
    if (index >= tables_->size()) {  // also one before the first
      SetEnd();
      return false;
    }
    if (table_ != nullptr && index == index_) return true;
    auto table = (*tables_)[index]->Open();
    if (!table.ok()) {
      table_.reset();
      SetError(table.status());
      return false;
    }
    if (table_ == nullptr) {
      table_ = std::make_unique<TableIterator>(*table, caching_);
    } else {
      table_->MoveTo(*table);
    }
    index_ = index;
    return true;
  }

  // An error of the current table ends the walk: the next table's keys must not follow as if
  // nothing were missing.
  bool Settle() {
    if (table_->Valid()) {
      SetEntry(table_->key(), table_->value());
      return true;
    }
    if (table_->status().ok()) return false;
    SetError(table_->status());
    return true;
  }

  void SkipForward() {
    while (!Settle()) {
      if (!Enter(index_ + 1)) return;
      table_->SeekToFirst();
    }
  }

  void SkipBackward() {
    while (!Settle()) {
      if (!Enter(index_ - 1)) return;
      table_->SeekToLast();
    }
  }

  const Version::Tables* const tables_;
  const Caching caching_;
  size_t index_ = 0;
  std::unique_ptr<TableIterator> table_;
};

}  // namespace

std::unique_ptr<InternalIterator> NewLevelIterator(const Version::Tables* tables, Caching caching) {
  return std::make_unique<LevelIterator>(tables, caching);
}

}  // namespace shearpin
