#include "engine/sst/table_salvage.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/base/coding.h"
#include "engine/sst/block_compression.h"
#include "engine/sst/block_iterator.h"
#include "engine/sst/block_search.h"
#include "engine/sst/bloom_filter.h"
#include "engine/sst/range_delete_block.h"
#include "engine/sst/table_properties.h"

namespace shearpin {
namespace {

// Block and trailer, which are all of `stored`, to the block's uncompressed bytes.
Status Unpack(std::string_view stored, BlockKind kind, uint64_t file_id, uint64_t offset,
              std::string* block) {
  Compression compression;
  SHEARPIN_RETURN_IF_ERROR(CheckStoredBlock(stored, kind, file_id, offset, &compression));
  stored.remove_suffix(kBlockTrailerSize);
  if (compression == Compression::kNone) {
    block->assign(stored);
    return Status::Ok();
  }
  SHEARPIN_ASSIGN_OR_RETURN(const size_t raw_size, ClaimedRawSize(compression, stored));
  block->resize(raw_size);
  return Decompress(compression, stored, raw_size, block->data());
}

// A footer's fields as they stand, believed by nobody yet.
Footer RawFooter(std::string_view bytes) {
  const char* p = bytes.data();
  Footer footer;
  footer.metaindex = {LoadFixed64(p), LoadFixed64(p + 8)};
  footer.index = {LoadFixed64(p + 16), LoadFixed64(p + 24)};
  footer.file_id = LoadFixed64(p + 32);
  footer.file_size = LoadFixed64(p + 40);
  return footer;
}

}  // namespace

Status ReadWhatIsReadable(const RandomAccessFile& file, std::string* contents) {
  constexpr size_t kPiece = 4096;
  SHEARPIN_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  contents->assign(size, '\0');
  Status error;
  for (uint64_t offset = 0; offset < size; offset += kPiece) {
    const size_t n = std::min<uint64_t>(kPiece, size - offset);
    std::string_view piece;
    char scratch[kPiece];
    const Status read = file.Read(offset, n, scratch, &piece);
    error.Update(read);
    if (read.ok()) piece.copy(contents->data() + offset, n);
  }
  return error;
}

// Looks over the bytes of one file and fills in the table.
class SalvagedTable::Reader {
 public:
  Reader(std::string_view file, Status read_error, SalvagedTable* table)
      : file_(file), read_error_(std::move(read_error)), table_(table) {}

  Status Read(const TableHints& hints);

 private:
  struct IndexEntry {
    std::string separator;
    BlockHandle handle;
  };

  bool FindFileId(const TableHints& hints);
  bool Load(const BlockHandle& handle, BlockKind kind, std::string* block, std::string* why) const;
  bool ReadIndex(std::vector<IndexEntry>* index);
  void ReadIndexed(const std::vector<IndexEntry>& index);
  void Walk(uint64_t offset);
  // Takes a data block in if it is whole and its keys follow those before.
  bool TakeData(const BlockHandle& handle, std::string* why);
  bool ReadMetaindex();
  void ReadNamed(std::string_view name, const BlockHandle& handle);
  void ReadRangeDeletes(const BlockHandle& handle);
  void LoseRangeDeletes(uint64_t offset, uint64_t size, std::string_view reason);
  void Lose(TableDamage::Lost lost, const BlockHandle& handle, std::string_view reason);
  std::optional<std::string> LastUserKey() const;

  const std::string_view file_;
  const Status read_error_;
  SalvagedTable* const table_;
  Footer footer_;
  bool has_footer_fields_ = false;  // the file is long enough
  bool footer_is_whole_ = false;    // else a handle that leads nowhere says nothing of a block
  std::string last_key_;            // internal, of what was taken
  std::string first_taken_;         // of the block taken last
  // Of Walk: blocks that are not data, and whether something that may have been one was passed.
  std::map<BlockKind, BlockHandle> found_;
  bool passed_unknown_ = false;
};

void SalvagedTable::Reader::Lose(TableDamage::Lost lost, const BlockHandle& handle,
                                 std::string_view reason) {
  TableDamage& damage = table_->damages_.emplace_back();
  damage.lost = lost;
  damage.offset = handle.offset;
  damage.size = handle.size;
  damage.reason = reason;
  if (!read_error_.ok()) damage.reason += " (" + std::string(read_error_.message()) + ")";
}

std::optional<std::string> SalvagedTable::Reader::LastUserKey() const {
  if (last_key_.empty()) return std::nullopt;
  return std::string(UserKey(last_key_));
}

bool SalvagedTable::Reader::Load(const BlockHandle& handle, BlockKind kind, std::string* block,
                                 std::string* why) const {
  if (handle.size > file_.size() || handle.offset > file_.size() - handle.size ||
      kBlockTrailerSize > file_.size() - handle.size - handle.offset) {
    *why = "leaves the file";
    return false;
  }
  const Status status = Unpack(file_.substr(handle.offset, handle.size + kBlockTrailerSize), kind,
                               table_->file_id_, handle.offset, block);
  *why = status.message();
  return status.ok();
}

Status SalvagedTable::Reader::Read(const TableHints& hints) {
  if (file_.size() >= Footer::kSize) {
    footer_ = RawFooter(file_.substr(file_.size() - Footer::kSize));
    has_footer_fields_ = true;
  }
  if (!FindFileId(hints)) return Status::Corruption("nothing in it can be told from garbage");
  Footer checked;
  const Status footer_status =
      has_footer_fields_
          ? checked.DecodeFrom(file_.substr(file_.size() - Footer::kSize), file_.size())
          : Status::Corruption("footer: the file is too short to hold one");
  if (!footer_status.ok()) {
    const uint64_t at = file_.size() - std::min<uint64_t>(file_.size(), Footer::kSize);
    Lose(TableDamage::Lost::kNothing, {at, file_.size() - at}, footer_status.message());
  }
  footer_is_whole_ = footer_status.ok();
  std::vector<IndexEntry> index;
  const bool indexed = has_footer_fields_ && ReadIndex(&index);
  if (indexed) {
    ReadIndexed(index);
  } else {
    Walk(0);
  }
  if (!has_footer_fields_ || !ReadMetaindex()) {
    if (indexed)
      Walk(index.empty()
               ? 0
               : index.back().handle.offset + index.back().handle.size + kBlockTrailerSize);
    const auto ranges = found_.find(BlockKind::kRangeDelete);
    if (ranges != found_.end()) {
      ReadRangeDeletes(ranges->second);
    } else if (passed_unknown_ || found_.count(BlockKind::kProperties) == 0) {
      // They stand before the properties: had all up to those been whole, they were found.
      if (hints.range_deletes.value_or(1) != 0) {
        LoseRangeDeletes(0, 0, "whether the table had range tombstones cannot be told");
      }
    }
  }
  for (const auto& fragment : table_->range_tombstones_.fragments()) {
    table_->largest_sequence_ = std::max(table_->largest_sequence_, fragment.sequences.front());
  }
  return Status::Ok();
}

// The id seeds every checksum: any block that validates proves it.
bool SalvagedTable::Reader::FindFileId(const TableHints& hints) {
  std::vector<uint64_t> candidates;
  if (hints.file_id) {
    candidates.push_back(*hints.file_id);
  } else {
    if (has_footer_fields_) candidates.push_back(footer_.file_id);
    candidates.push_back(hints.likely_file_id);
  }
  std::string block, why;
  for (const uint64_t candidate : candidates) {
    table_->file_id_ = candidate;
    if (has_footer_fields_ && (Load(footer_.index, BlockKind::kIndex, &block, &why) ||
                               Load(footer_.metaindex, BlockKind::kMetaindex, &block, &why))) {
      return true;
    }
    BlockSearch search(file_, candidate);
    if (search.At(0) || search.After(0)) return true;
  }
  return false;
}

bool SalvagedTable::Reader::ReadIndex(std::vector<IndexEntry>* index) {
  std::string block, why;
  if (!Load(footer_.index, BlockKind::kIndex, &block, &why)) {
    if (footer_is_whole_) Lose(TableDamage::Lost::kNothing, footer_.index, "index block: " + why);
    return false;
  }
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kInternal);
  uint64_t end = 0;
  for (it.SeekToFirst(); it.Valid(); it.Next()) {
    std::string_view value = it.value();
    BlockHandle handle;
    if (!ConsumeBlockHandle(&value, &handle) || !value.empty() || handle.offset != end ||
        handle.size > file_.size()) {
      break;
    }
    end = handle.offset + handle.size + kBlockTrailerSize;
    index->push_back({std::string(it.key()), handle});
  }
  if (!it.Valid() && it.damage() == nullptr) return true;
  Lose(TableDamage::Lost::kNothing, footer_.index, "index block: malformed");
  return false;
}

void SalvagedTable::Reader::ReadIndexed(const std::vector<IndexEntry>& index) {
  std::string why;
  for (size_t i = 0; i < index.size(); ++i) {
    if (TakeData(index[i].handle, &why)) continue;
    Lose(TableDamage::Lost::kEntries, index[i].handle, "data block: " + why);
    // Versions of one user key may span blocks, so both ends count.
    TableDamage& damage = table_->damages_.back();
    if (i > 0) damage.first = UserKey(index[i - 1].separator);
    damage.last = UserKey(index[i].separator);
  }
}

void SalvagedTable::Reader::Walk(uint64_t offset) {
  BlockSearch search(file_, table_->file_id_);
  const bool data_expected = offset == 0;
  std::optional<TableDamage> gap;
  std::string why;
  auto close_gap = [&](uint64_t end, std::optional<std::string> next) {
    if (!gap) return;
    gap->size = end - gap->offset;
    gap->last = std::move(next);
    table_->damages_.push_back(*std::move(gap));
    gap.reset();
  };
  auto open_gap = [&](uint64_t at, const std::string& reason) {
    if (gap || !data_expected || !found_.empty()) return;
    gap.emplace();
    gap->lost = TableDamage::Lost::kEntries;
    gap->offset = at;
    gap->reason = reason;
    gap->first = LastUserKey();
  };
  // The index comes last of all blocks; what follows it, or the file's end, ends the walk.
  while (offset < file_.size() && found_.count(BlockKind::kIndex) == 0) {
    auto found = search.At(offset);
    if (!found) {
      // Where a footer stands no block begins.
      if (offset + Footer::kSize == file_.size()) break;
      open_gap(offset, "no block that validates begins here, and the index is lost");
      passed_unknown_ = true;
      found = search.After(offset);
      if (!found) break;
    }
    offset = found->handle.offset + found->handle.size + kBlockTrailerSize;
    if (found->kind != BlockKind::kData) {
      found_[found->kind] = found->handle;
      close_gap(found->handle.offset, std::nullopt);
    } else if (data_expected) {
      if (TakeData(found->handle, &why)) {
        close_gap(found->handle.offset, std::string(UserKey(first_taken_)));
        passed_unknown_ = false;  // it was among the data
      } else {
        open_gap(found->handle.offset, "data block: " + why);
      }
    }
  }
  if (found_.empty()) open_gap(offset, "the file ends here, without its index");
  close_gap(file_.size(), std::nullopt);
}

bool SalvagedTable::Reader::TakeData(const BlockHandle& handle, std::string* why) {
  std::string block;
  if (!Load(handle, BlockKind::kData, &block, why)) return false;
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kInternal);
  std::string last = last_key_;
  std::string first;
  uint64_t entries = 0;
  SequenceNumber largest_sequence = 0;
  for (it.SeekToFirst(); it.Valid(); it.Next(), ++entries) {
    if (!last.empty() && CompareInternalKeys(last, it.key()) >= 0) {
      *why = "keys do not ascend";
      return false;
    }
    last = it.key();
    if (entries == 0) first = last;
    largest_sequence = std::max(largest_sequence, SequenceOf(it.key()));
  }
  if (it.damage() != nullptr || entries == 0) {
    *why = it.damage() != nullptr ? it.damage() : "has no entries";
    return false;
  }
  last_key_ = std::move(last);
  first_taken_ = std::move(first);
  table_->entries_ += entries;
  table_->largest_sequence_ = std::max(table_->largest_sequence_, largest_sequence);
  table_->blocks_.push_back(handle);
  return true;
}

// False if it cannot tell which blocks the table has.
bool SalvagedTable::Reader::ReadMetaindex() {
  std::string block, why;
  if (!Load(footer_.metaindex, BlockKind::kMetaindex, &block, &why)) {
    if (footer_is_whole_) {
      Lose(TableDamage::Lost::kNothing, footer_.metaindex, "metaindex block: " + why);
    }
    return false;
  }
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kBytewise);
  std::map<std::string, BlockHandle> named;
  for (it.SeekToFirst(); it.Valid(); it.Next()) {
    std::string_view value = it.value();
    BlockHandle handle;
    if (!ConsumeBlockHandle(&value, &handle)) break;
    named[std::string(it.key())] = handle;
  }
  if (it.Valid() || it.damage() != nullptr) {
    Lose(TableDamage::Lost::kNothing, footer_.metaindex, "metaindex block: malformed");
    return false;
  }
  for (const auto& [name, handle] : named) ReadNamed(name, handle);
  return true;
}

void SalvagedTable::Reader::ReadNamed(std::string_view name, const BlockHandle& handle) {
  std::string block, why;
  if (name == kRangeDeletesBlockName) {
    ReadRangeDeletes(handle);
  } else if (name == kPropertiesBlockName) {
    bool whole = Load(handle, BlockKind::kProperties, &block, &why);
    if (whole) {
      const auto decoded = TableProperties::Decode(block);
      whole = decoded.ok();
      why = decoded.status().message();
    }
    if (!whole) Lose(TableDamage::Lost::kNothing, handle, "properties block: " + why);
  } else if (name == kBloomFilterName) {
    if (!Load(handle, BlockKind::kFilter, &block, &why)) {
      Lose(TableDamage::Lost::kNothing, handle, "filter block: " + why);
    }
  } else if (!name.starts_with(kFilterPrefix)) {
    LoseRangeDeletes(handle.offset, handle.size,
                     "a block named " + std::string(name) + ", of a later version");
  }
}

void SalvagedTable::Reader::ReadRangeDeletes(const BlockHandle& handle) {
  std::string block, why;
  if (!Load(handle, BlockKind::kRangeDelete, &block, &why)) {
    return LoseRangeDeletes(handle.offset, handle.size, "range-delete block: " + why);
  }
  auto decoded = DecodeRangeDeletes(block);
  if (!decoded.ok()) {
    return LoseRangeDeletes(handle.offset, handle.size, decoded.status().message());
  }
  table_->range_tombstones_ = *std::move(decoded);
}

void SalvagedTable::Reader::LoseRangeDeletes(uint64_t offset, uint64_t size,
                                             std::string_view reason) {
  Lose(TableDamage::Lost::kRangeDeletes, {offset, size}, reason);
}

StatusOr<std::unique_ptr<SalvagedTable>> SalvagedTable::Read(FileSystem* fs,
                                                             const std::string& path,
                                                             const TableHints& hints) {
  SHEARPIN_ASSIGN_OR_RETURN(auto file, fs->OpenRandomAccess(path));
  std::string contents;
  const Status read = ReadWhatIsReadable(*file, &contents);
  if (contents.empty() && !read.ok()) return read;
  std::unique_ptr<SalvagedTable> table(new SalvagedTable(fs, path));
  SHEARPIN_RETURN_IF_ERROR(Reader(contents, read, table.get()).Read(hints));
  return table;
}

// Forward only.
class SalvagedTable::Iterator : public InternalIterator {
 public:
  explicit Iterator(const SalvagedTable* table) : table_(table) {}

  void SeekToFirst() override {
    ClearError();
    next_block_ = 0;
    Settle(LoadNext());
  }
  void Next() override {
    data_.Next();
    Settle(true);
  }
  void SeekToLast() override { SetError(Status::NotSupported("forward only")); }
  void Seek(std::string_view) override { SetError(Status::NotSupported("forward only")); }
  void SeekForPrev(std::string_view) override { SetError(Status::NotSupported("forward only")); }
  void Prev() override { SetError(Status::NotSupported("forward only")); }

 private:
  void Settle(bool loaded) {
    while (loaded && !data_.Valid()) loaded = LoadNext();
    if (loaded) SetEntry(data_.key(), data_.value());
  }

  bool LoadNext() {
    if (next_block_ == table_->blocks_.size()) {
      SetEnd();
      return false;
    }
    const BlockHandle& handle = table_->blocks_[next_block_++];
    const Status status = Load(handle);
    if (!status.ok()) {
      SetError(status.Prefixed(table_->path_ + ": data block at offset " +
                               std::to_string(handle.offset)));
      return false;
    }
    data_.Reset(block_, BlockIterator::Order::kInternal);
    data_.SeekToFirst();
    return true;
  }

  Status Load(const BlockHandle& handle) {
    SHEARPIN_ASSIGN_OR_RETURN(const auto file, table_->fs_->OpenRandomAccess(table_->path_));
    stored_.resize(handle.size + kBlockTrailerSize);
    std::string_view stored;
    SHEARPIN_RETURN_IF_ERROR(file->Read(handle.offset, stored_.size(), stored_.data(), &stored));
    return Unpack(stored, BlockKind::kData, table_->file_id_, handle.offset, &block_);
  }

  const SalvagedTable* const table_;
  size_t next_block_ = 0;
  std::string stored_;
  std::string block_;
  BlockIterator data_;
};

std::unique_ptr<InternalIterator> SalvagedTable::NewIterator() const {
  return std::make_unique<Iterator>(this);
}

}  // namespace shearpin
