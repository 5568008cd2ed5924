#include "engine/manifest/version.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "engine/base/merging_iterator.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

TableFile::TableFile(FileSystem* fs, Scheduler* scheduler, const std::string& directory,
                     FileMeta meta, TableContext* context)
    : fs_(fs),
      context_(context),
      meta_(std::move(meta)),
      path_(JoinPath(directory, TableName(meta_.number))),
      opening_(scheduler) {}

TableFile::~TableFile() {
  if (table_ != nullptr && context_ != nullptr) {
    context_->memory.fetch_sub(table_->MemoryUsage(), std::memory_order_relaxed);
  }
}

StatusOr<const Table*> TableFile::Open() const {
  if (const Table* table = opened()) return table;
  std::lock_guard lock(opening_);
  if (table_ == nullptr) {
    const bool limited = context_ != nullptr && context_->files != nullptr;
    auto file = limited ? context_->files->Open(path_) : fs_->OpenRandomAccess(path_);
    // Not to be taken for a key that is not there. A reader beside a writer keeps what it has
    // opened; what an error kept it from opening, the writer may have removed since.
    if (file.status().IsNotFound()) {
      if (!open_error_.ok()) return open_error_.Prefixed("gone since this");
      return Status::Corruption(path_ + ": missing, though the MANIFEST needs it");
    }
    if (file.ok()) {
      auto table =
          Table::Open(*std::move(file), path_, {.file_id = meta_.file_id, .file_size = meta_.size},
                      context_ != nullptr ? context_->cache : nullptr);
      open_error_ = table.status();
      if (table.ok()) table_ = *std::move(table);
    } else {
      open_error_ = file.status();
    }
    SHEARPIN_RETURN_IF_ERROR(open_error_);
    if (context_ != nullptr) {
      context_->memory.fetch_add(table_->MemoryUsage(), std::memory_order_relaxed);
      if (!table_->filter_status().ok() && context_->listener != nullptr) {
        context_->listener->OnEvent({EventKind::kFilterDamaged, meta_.number});
      }
    }
    opened_.store(table_.get(), std::memory_order_release);
  }
  return static_cast<const Table*>(table_.get());
}

std::shared_ptr<const Version> Version::With(const Change& change) const {
  auto next = std::make_shared<Version>(*this);
  for (Tables& tables : next->levels_) {
    std::erase_if(tables, [&](const TablePtr& file) {
      return std::find(change.removed.begin(), change.removed.end(), file->meta().number) !=
             change.removed.end();
    });
  }
  for (const auto& [level, file] : change.added) {
    Tables& tables = next->levels_[level];
    const auto place = std::find_if(tables.begin(), tables.end(), [&](const TablePtr& other) {
      // Tables of level 0 that hold versions of one key hold disjoint ranges of sequence numbers,
      // so the largest decides which is newer.
      return level == 0 ? other->meta().largest_sequence <= file->meta().largest_sequence
                        : CompareInternalKeys(other->meta().smallest, file->meta().smallest) > 0;
    });
    tables.insert(place, file);
  }
  next->has_range_deletes_ = false;
  for (int level = 0; level < kNumLevels; ++level) {
    Tables& deleting = next->range_deletes_[level];
    deleting.clear();
    for (const TablePtr& file : next->levels_[level]) {
      if (file->meta().range_deletes != 0) deleting.push_back(file);
    }
    next->has_range_deletes_ |= !deleting.empty();
  }
  return next;
}

bool Overlaps(const TableFile& table, std::string_view begin, std::string_view end) {
  return UserKey(table.meta().smallest) < end && !EndsBefore(table.meta().largest, begin);
}

size_t FindTable(const Version::Tables& tables, std::string_view user_key) {
  const auto found = std::partition_point(tables.begin(), tables.end(), [&](const auto& file) {
    return EndsBefore(file->meta().largest, user_key);
  });
  return static_cast<size_t>(found - tables.begin());
}

bool Version::CoveredBelow(int level, std::string_view user_key) const {
  for (int i = level + 1; i < kNumLevels; ++i) {
    const size_t at = FindTable(levels_[i], user_key);
    if (at < levels_[i].size() && levels_[i][at]->Covers(user_key)) return true;
  }
  return false;
}

bool Version::CoveredBelow(int level, std::string_view begin, std::string_view end) const {
  for (int i = level + 1; i < kNumLevels; ++i) {
    const size_t at = FindTable(levels_[i], begin);
    if (at < levels_[i].size() && Overlaps(*levels_[i][at], begin, end)) return true;
  }
  return false;
}

Status Version::CoverOf(std::string_view user_key, SequenceNumber sequence, KeySpan* span,
                        SequenceNumber* cover) const {
  *cover = 0;
  for (int level = 0; level < kNumLevels; ++level) {
    const Tables& tables = range_deletes_[level];
    size_t first = 0, end = tables.size();
    if (level > 0 && !tables.empty()) {
      first = FindTable(tables, user_key);
      end = std::min(first + 1, end);
      if (first > 0) span->RaiseBegin(UserKey(tables[first - 1]->meta().largest));
      if (end < tables.size()) span->LowerEnd(UserKey(tables[end]->meta().smallest));
    }
    for (size_t i = first; i < end; ++i) {
      const FileMeta& meta = tables[i]->meta();
      if (!tables[i]->BeginsAt(user_key)) {
        span->LowerEnd(UserKey(meta.smallest));
      } else if (EndsBefore(meta.largest, user_key)) {
        span->RaiseBegin(UserKey(meta.largest));
      } else {
        SHEARPIN_ASSIGN_OR_RETURN(const Table* table, tables[i]->Open());
        *cover = std::max(*cover, table->range_tombstones().CoverOf(user_key, sequence, span));
      }
    }
  }
  return Status::Ok();
}

Status Version::Get(std::string_view seek_key, KeyHash hash, LoadedBlock* block, Lookup* result,
                    FilterCounts* counts) const {
  const std::string_view user_key = UserKey(seek_key);
  *result = Lookup();
  for (int level = 0; level < kNumLevels; ++level) {
    const Tables& tables = levels_[level];
    if (tables.empty()) continue;
    const size_t first = level == 0 ? 0 : FindTable(tables, user_key);
    const size_t end = level == 0 ? tables.size() : std::min(first + 1, tables.size());
    for (size_t i = first; i < end; ++i) {
      const TableFile& file = *tables[i];
      // Below level 0 FindTable has looked at the other bound.
      if (!file.BeginsAt(user_key)) continue;
      if (level == 0 && EndsBefore(file.meta().largest, user_key)) continue;
      const Table* table = file.opened();
      if (table == nullptr) [[unlikely]] {
        SHEARPIN_ASSIGN_OR_RETURN(table, file.Open());
      }
      SHEARPIN_RETURN_IF_ERROR(table->Get(seek_key, hash, block, result, counts));
      if (const RangeTombstones& ranges = table->range_tombstones(); !ranges.empty()) {
        result->HideBehind(ranges.CoverOf(user_key, SequenceOf(seek_key)));
      }
      if (result->kind == Lookup::Kind::kAbsent) continue;
      result->level = level;
      return Status::Ok();
    }
  }
  return Status::Ok();
}

void Version::AppendSources(std::vector<Source>* sources) const {
  for (const auto& file : levels_[0]) {
    auto table = file->Open();
    sources->push_back({table.ok() ? (*table)->NewIterator() : NewEmptyIterator(table.status()),
                        file->meta().largest_sequence});
  }
  for (int level = 1; level < kNumLevels; ++level) {
    if (levels_[level].empty()) continue;
    Source& source = sources->emplace_back();
    source.iterator = NewLevelIterator(&levels_[level]);
    for (const auto& file : levels_[level]) {
      source.largest_sequence = std::max(source.largest_sequence, file->meta().largest_sequence);
    }
  }
}

Version::Tables Version::AllTables() const {
  Tables all;
  for (const Tables& tables : levels_) all.insert(all.end(), tables.begin(), tables.end());
  return all;
}

}  // namespace shearpin
