#include "engine/manifest/version.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "engine/base/merging_iterator.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

TableFile::TableFile(FileSystem* fs, Scheduler* scheduler, const std::string& directory,
                     FileMeta meta)
    : fs_(fs),
      meta_(std::move(meta)),
      path_(JoinPath(directory, TableName(meta_.number))),
      opening_(scheduler) {}

StatusOr<const Table*> TableFile::Open() const {
  if (const Table* table = opened_.load(std::memory_order_acquire)) return table;
  std::lock_guard lock(opening_);
  if (table_ == nullptr) {
    SHEARPIN_ASSIGN_OR_RETURN(
        table_, Table::Open(fs_, path_, {.file_id = meta_.file_id, .file_size = meta_.size}));
    opened_.store(table_.get(), std::memory_order_release);
  }
  return static_cast<const Table*>(table_.get());
}

std::shared_ptr<const Version> Version::WithTable(int level,
                                                  std::shared_ptr<const TableFile> file) const {
  auto next = std::make_shared<Version>(*this);
  Tables& tables = next->levels_[level];
  // Newest data first. Tables of one level that hold versions of the same key hold disjoint ranges
  // of sequence numbers, so the largest decides.
  const auto place = std::find_if(tables.begin(), tables.end(), [&](const auto& other) {
    return other->meta().largest_sequence <= file->meta().largest_sequence;
  });
  tables.insert(place, std::move(file));
  return next;
}

Status Version::Get(std::string_view seek_key, LoadedBlock* block, Lookup* result) const {
  const std::string_view user_key = UserKey(seek_key);
  *result = Lookup();
  for (const Tables& tables : levels_) {
    for (const auto& file : tables) {
      if (!file->Covers(user_key)) continue;
      SHEARPIN_ASSIGN_OR_RETURN(const Table* table, file->Open());
      SHEARPIN_RETURN_IF_ERROR(table->Get(seek_key, block, result));
      if (result->kind != Lookup::Kind::kAbsent) return Status::Ok();
    }
  }
  return Status::Ok();
}

void Version::AppendIterators(std::vector<std::unique_ptr<InternalIterator>>* iterators) const {
  for (const Tables& tables : levels_) {
    for (const auto& file : tables) {
      auto table = file->Open();
      iterators->push_back(table.ok() ? (*table)->NewIterator() : NewEmptyIterator(table.status()));
    }
  }
}

std::vector<std::shared_ptr<const TableFile>> Version::AllTables() const {
  std::vector<std::shared_ptr<const TableFile>> all;
  for (const Tables& tables : levels_) all.insert(all.end(), tables.begin(), tables.end());
  return all;
}

}  // namespace shearpin
