#include "engine/sst/table.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/base/internal_key.h"
#include "engine/sst/block_compression.h"
#include "engine/sst/range_delete_block.h"
#include "engine/sst/table_iterator.h"
#include "engine/sst/table_verifier.h"

namespace shearpin {

Table::Table(std::unique_ptr<RandomAccessFile> file, std::string path, const Expected& expected,
             BlockCache* cache)
    : file_(std::move(file)),
      path_(std::move(path)),
      file_id_(expected.file_id),
      file_size_(expected.file_size),
      cache_(cache),
      // Not the file id: a copy of the database in the same process may give it to another file.
      cache_id_(cache != nullptr ? cache->NewTableId() : 0) {}

StatusOr<std::unique_ptr<Table>> Table::Open(FileSystem* fs, const std::string& path,
                                             const Expected& expected, BlockCache* cache) {
  SHEARPIN_ASSIGN_OR_RETURN(auto file, fs->OpenRandomAccess(path));
  return Open(std::move(file), path, expected, cache);
}

StatusOr<std::unique_ptr<Table>> Table::Open(std::unique_ptr<RandomAccessFile> file,
                                             std::string path, const Expected& expected,
                                             BlockCache* cache) {
  std::unique_ptr<Table> table(new Table(std::move(file), std::move(path), expected, cache));
  Footer footer;
  SHEARPIN_RETURN_IF_ERROR(table->ReadFooter(&footer));
  table->index_handle_ = footer.index;
  SHEARPIN_RETURN_IF_ERROR(table->LoadBlock(footer.index, BlockKind::kIndex, &table->index_));
  BlockIterator index;
  index.Reset(table->index_.contents(), BlockIterator::Order::kInternal);
  if (index.damage() != nullptr) return table->Damage(BlockKind::kIndex, footer.index, index);
  table->index_search_ = RestartIndex::Of(table->index_.contents());
  Filter filter;
  SHEARPIN_RETURN_IF_ERROR(table->ReadMetaindex(footer.metaindex, &table->properties_, &filter,
                                                &table->range_tombstones_));
  table->filter_ = std::move(filter.bloom);
  table->filter_status_ = std::move(filter.status);
  return table;
}

Status Table::ReadFooter(Footer* footer) const {
  SHEARPIN_ASSIGN_OR_RETURN(const uint64_t actual_size, file_->Size());
  if (actual_size != file_size_) {
    return Status::Corruption(path_ + ": is " + std::to_string(actual_size) + " bytes long, not " +
                              std::to_string(file_size_));
  }
  if (file_size_ < Footer::kSize) return Status::Corruption(path_ + ": too short to be a table");
  char scratch[Footer::kSize];
  std::string_view bytes;
  const uint64_t offset = file_size_ - Footer::kSize;
  SHEARPIN_RETURN_IF_ERROR(file_->Read(offset, Footer::kSize, scratch, &bytes));
  const std::string context = path_ + ": at offset " + std::to_string(offset);
  SHEARPIN_RETURN_IF_ERROR(footer->DecodeFrom(bytes, actual_size).Prefixed(context));
  if (footer->file_id != file_id_) {
    return Status::Corruption(context + ": footer: is of file id " +
                              std::to_string(footer->file_id) + ", not " +
                              std::to_string(file_id_));
  }
  return Status::Ok();
}

Status Table::ReadMetaindex(const BlockHandle& handle, TableProperties* properties, Filter* filter,
                            RangeTombstones* range_tombstones) const {
  LoadedBlock block;
  SHEARPIN_RETURN_IF_ERROR(LoadBlock(handle, BlockKind::kMetaindex, &block));
  BlockIterator it;
  it.Reset(block.contents(), BlockIterator::Order::kBytewise);
  bool has_properties = false;
  for (it.SeekToFirst(); it.Valid(); it.Next()) {
    BlockHandle named;
    std::string_view value = it.value();
    if (!ConsumeBlockHandle(&value, &named)) {
      return Damage(BlockKind::kMetaindex, handle, "malformed block handle");
    }
    if (it.key() == kPropertiesBlockName) {
      SHEARPIN_RETURN_IF_ERROR(ReadProperties(named, properties));
      has_properties = true;
    } else if (it.key() == kRangeDeletesBlockName) {
      SHEARPIN_RETURN_IF_ERROR(ReadRangeDeletes(named, range_tombstones));
    } else if (it.key() == kBloomFilterName) {
      filter->status = ReadFilter(named, &filter->bloom);
    } else if (!it.key().starts_with(kFilterPrefix)) {
      return Status::NotSupported(path_ + ": has a block named " + std::string(it.key()));
    }
  }
  if (it.damage() != nullptr) return Damage(BlockKind::kMetaindex, handle, it);
  if (!has_properties) return Damage(BlockKind::kMetaindex, handle, "names no properties block");
  return Status::Ok();
}

Status Table::ReadProperties(const BlockHandle& handle, TableProperties* properties) const {
  LoadedBlock block;
  SHEARPIN_RETURN_IF_ERROR(LoadBlock(handle, BlockKind::kProperties, &block));
  StatusOr<TableProperties> decoded = TableProperties::Decode(block.contents());
  if (!decoded.ok()) return Damage(BlockKind::kProperties, handle, decoded.status().message());
  if (decoded->file_id != file_id_) {
    return Damage(BlockKind::kProperties, handle, "are of another file id");
  }
  *properties = *std::move(decoded);
  return Status::Ok();
}

Status Table::ReadRangeDeletes(const BlockHandle& handle, RangeTombstones* range_tombstones) const {
  LoadedBlock block;
  SHEARPIN_RETURN_IF_ERROR(LoadBlock(handle, BlockKind::kRangeDelete, &block));
  StatusOr<RangeTombstones> decoded = DecodeRangeDeletes(block.contents());
  if (!decoded.ok()) return Damage(BlockKind::kRangeDelete, handle, decoded.status().message());
  *range_tombstones = *std::move(decoded);
  return Status::Ok();
}

Status Table::ReadFilter(const BlockHandle& handle, BloomFilter* filter) const {
  LoadedBlock block;
  SHEARPIN_RETURN_IF_ERROR(LoadBlock(handle, BlockKind::kFilter, &block));
  StatusOr<BloomFilter> decoded = BloomFilter::Decode(block.contents());
  if (!decoded.ok()) return Damage(BlockKind::kFilter, handle, decoded.status().message());
  *filter = *std::move(decoded);
  return Status::Ok();
}

Status Table::ReadBlock(const BlockHandle& handle, BlockKind kind, BlockBytes* bytes) const {
  const uint64_t limit = file_size_ - Footer::kSize;
  if (handle.size > limit || handle.offset > limit - handle.size ||
      kBlockTrailerSize > limit - handle.size - handle.offset) {
    return Damage(kind, handle, "leaves the file");
  }
  const size_t stored_size = handle.size + kBlockTrailerSize;
  if (stored_size > bytes->capacity) {
    bytes->buffer = std::make_unique_for_overwrite<char[]>(stored_size);
    bytes->capacity = stored_size;
  }
  std::string_view stored;
  SHEARPIN_RETURN_IF_ERROR(file_->Read(handle.offset, stored_size, bytes->buffer.get(), &stored));
  if (stored.size() != stored_size) return Damage(kind, handle, "the file ends inside it");
  Compression compression;
  Status status = CheckStoredBlock(stored, kind, file_id_, handle.offset, &compression);
  if (status.IsCorruption()) return Damage(kind, handle, status.message());
  SHEARPIN_RETURN_IF_ERROR(status.Prefixed(path_));
  stored.remove_suffix(kBlockTrailerSize);
  if (compression == Compression::kNone) {
    bytes->contents = stored;
    return Status::Ok();
  }
  const StatusOr<size_t> raw_size = ClaimedRawSize(compression, stored);
  if (!raw_size.ok()) return Damage(kind, handle, raw_size.status().message());
  auto raw = std::make_unique_for_overwrite<char[]>(*raw_size);
  status = Decompress(compression, stored, *raw_size, raw.get());
  if (!status.ok()) return Damage(kind, handle, status.message());
  bytes->buffer = std::move(raw);
  bytes->capacity = *raw_size;
  bytes->contents = {bytes->buffer.get(), *raw_size};
  return Status::Ok();
}

Status Table::LoadBlock(const BlockHandle& handle, BlockKind kind, LoadedBlock* block,
                        Caching caching) const {
  block->pin_.Release();
  if (cache_ == nullptr || caching == Caching::kBypass) {
    SHEARPIN_RETURN_IF_ERROR(ReadBlock(handle, kind, &block->own_));
    block->contents_ = block->own_.contents;
    return Status::Ok();
  }
  const auto load = [&](BlockBytes* bytes) { return ReadBlock(handle, kind, bytes); };
  // By reference: a copy of it would be allocated for each read.
  SHEARPIN_RETURN_IF_ERROR(
      cache_->FindOrLoad({cache_id_, handle.offset}, std::cref(load), &block->pin_));
  block->contents_ = block->pin_.contents();
  return Status::Ok();
}

Status Table::ParseIndexEntry(const BlockIterator& index, BlockHandle* handle) const {
  std::string_view value = index.value();
  if (!ConsumeBlockHandle(&value, handle) || !value.empty()) {
    return Damage(BlockKind::kIndex, index_handle_, "malformed block handle");
  }
  return Status::Ok();
}

Status Table::LoadDataBlock(const BlockHandle& handle, Caching caching, LoadedBlock* block,
                            BlockIterator* data) const {
  SHEARPIN_RETURN_IF_ERROR(LoadBlock(handle, BlockKind::kData, block, caching));
  data->Reset(block->contents(), BlockIterator::Order::kInternal);
  if (data->damage() != nullptr) return Damage(BlockKind::kData, handle, *data);
  // Were a block without entries passed over, keys could go missing unnoticed.
  if (data->empty()) return Damage(BlockKind::kData, handle, "has no entries");
  return Status::Ok();
}

Status Table::Get(std::string_view seek_key, KeyHash hash, LoadedBlock* block, Lookup* result,
                  FilterCounts* counts) const {
  *result = {};
  if (!filter_.MayContain(hash)) {
    if (counts != nullptr) ++counts->useful;
    return Status::Ok();
  }
  SHEARPIN_RETURN_IF_ERROR(Search(seek_key, block, result));
  if (counts != nullptr && filter_.exists()) {
    ++(result->kind == Lookup::Kind::kAbsent ? counts->false_positive : counts->true_positive);
  }
  return Status::Ok();
}

StatusOr<bool> Table::FindDataBlock(std::string_view seek_key, BlockHandle* handle) const {
  if (index_search_.has_handles()) {
    const auto [begin, end] = index_search_.Find(UserKey(seek_key));
    // Mostly nothing in the index has the key's prefix: then the index need not be looked at.
    if (begin == end) {
      if (begin == index_search_.handles().size()) return false;
      *handle = index_search_.handles()[begin];
      return true;
    }
  }
  BlockIterator index;
  index.Reset(index_.contents(), BlockIterator::Order::kInternal, &index_search_);
  index.Seek(seek_key);
  if (index.Valid()) {
    SHEARPIN_RETURN_IF_ERROR(ParseIndexEntry(index, handle));
    return true;
  }
  if (index.damage() != nullptr) return Damage(BlockKind::kIndex, index_handle_, index);
  return false;
}

Status Table::Search(std::string_view seek_key, LoadedBlock* block, Lookup* result) const {
  BlockHandle handle;
  SHEARPIN_ASSIGN_OR_RETURN(const bool found, FindDataBlock(seek_key, &handle));
  if (!found) return Status::Ok();
  BlockIterator data;
  SHEARPIN_RETURN_IF_ERROR(LoadDataBlock(handle, Caching::kUse, block, &data));
  data.Seek(seek_key);
  // Past the block's last key means absent: the separator is >= the seek key, and the next block
  // begins with a greater user key (README.md, "Separators").
  if (!data.Valid()) {
    return data.damage() ? Damage(BlockKind::kData, handle, data) : Status::Ok();
  }
  if (EqualBytes(UserKey(data.key()), UserKey(seek_key)))
    *result = Lookup::Of(data.key(), data.value());
  return Status::Ok();
}

std::unique_ptr<InternalIterator> Table::NewIterator(Caching caching) const {
  return std::make_unique<TableIterator>(this, caching);
}

Status Table::VerifyAll(std::optional<uint64_t> file_checksum) const {
  return TableVerifier(this).Verify(file_checksum);
}

size_t Table::MemoryUsage() const {
  return sizeof(*this) + index_.own_.capacity + index_search_.MemoryUsage() +
         filter_.MemoryUsage() + range_tombstones_.MemoryUsage() + properties_.smallest_key.size() +
         properties_.largest_key.size() + path_.size();
}

Status Table::Damage(BlockKind kind, const BlockHandle& handle, std::string_view reason) const {
  std::string message = path_;
  message.append(": ").append(BlockKindName(kind)).append(" block at offset ");
  message.append(std::to_string(handle.offset)).append(", size ");
  message.append(std::to_string(handle.size)).append(": ").append(reason);
  return Status::Corruption(message);
}

Status Table::Damage(BlockKind kind, const BlockHandle& handle, const BlockIterator& it) const {
  return Damage(kind, handle,
                std::string(it.damage()) + " at byte " + std::to_string(it.damage_offset()));
}

}  // namespace shearpin
