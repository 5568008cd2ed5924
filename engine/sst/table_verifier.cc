#include "engine/sst/table_verifier.h"

#include <algorithm>
#include <memory>

#include "engine/base/hash.h"
#include "engine/base/internal_key.h"

namespace shearpin {

Status TableVerifier::Verify(std::optional<uint64_t> file_checksum) {
  // Everything is read anew: what Open read may have rotted since.
  Footer footer;
  SHEARPIN_RETURN_IF_ERROR(table_->ReadFooter(&footer));
  TableProperties stored;
  RangeTombstones range_tombstones;
  SHEARPIN_RETURN_IF_ERROR(
      table_->ReadMetaindex(footer.metaindex, &stored, &filter_, &range_tombstones));
  SHEARPIN_RETURN_IF_ERROR(filter_.status);
  LoadedBlock index_block;
  SHEARPIN_RETURN_IF_ERROR(table_->LoadBlock(footer.index, BlockKind::kIndex, &index_block));
  SHEARPIN_RETURN_IF_ERROR(VerifyDataBlocks(footer, index_block));
  SHEARPIN_RETURN_IF_ERROR(VerifyProperties(stored));
  // Last: what only this finds has no place to name.
  return file_checksum ? VerifyFileChecksum(*file_checksum) : Status::Ok();
}

Status TableVerifier::VerifyFileChecksum(uint64_t expected) const {
  constexpr size_t kChunk = size_t{256} << 10;
  const auto scratch = std::make_unique_for_overwrite<char[]>(kChunk);
  ChecksumStream checksum;
  for (uint64_t offset = 0; offset < table_->file_size_;) {
    const size_t n = std::min<uint64_t>(kChunk, table_->file_size_ - offset);
    std::string_view bytes;
    SHEARPIN_RETURN_IF_ERROR(table_->file_->Read(offset, n, scratch.get(), &bytes));
    if (bytes.size() != n) {
      return Status::Corruption(table_->path_ + ": ends at offset " +
                                std::to_string(offset + bytes.size()));
    }
    checksum.Update(bytes);
    offset += n;
  }
  if (checksum.Digest() == expected) return Status::Ok();
  return Status::Corruption(table_->path_ + ": checksum of the whole file does not match");
}

Status TableVerifier::VerifyDataBlocks(const Footer& footer, const LoadedBlock& index_block) {
  BlockIterator index;
  index.Reset(index_block.contents(), BlockIterator::Order::kInternal);
  std::string floor;
  LoadedBlock block;
  for (index.SeekToFirst(); index.Valid(); index.Next()) {
    BlockHandle handle;
    SHEARPIN_RETURN_IF_ERROR(table_->ParseIndexEntry(index, &handle));
    SHEARPIN_RETURN_IF_ERROR(table_->LoadDataBlock(handle, Caching::kBypass, &block, &data_));
    if (handle.offset != seen_.data_bytes) {
      return table_->Damage(BlockKind::kData, handle, "does not follow the block before it");
    }
    SHEARPIN_RETURN_IF_ERROR(VerifyDataBlock(handle, block.contents(), floor, index.key()));
    ++seen_.data_blocks;
    seen_.data_bytes += handle.size + kBlockTrailerSize;
    floor = index.key();
  }
  if (index.damage() != nullptr) return table_->Damage(BlockKind::kIndex, footer.index, index);
  return Status::Ok();
}

Status TableVerifier::VerifyDataBlock(const BlockHandle& handle, std::string_view block,
                                      std::string_view floor, std::string_view separator) {
  const auto damaged = [&](std::string_view reason) {
    return table_->Damage(BlockKind::kData, handle, reason);
  };
  uint64_t entries = 0;
  for (data_.SeekToFirst(); data_.Valid(); data_.Next(), ++entries) {
    const std::string_view key = data_.key();
    if (seen_.entries != 0 && CompareInternalKeys(seen_.largest_key, key) >= 0) {
      return damaged("keys do not ascend");
    }
    if (!floor.empty() && CompareInternalKeys(floor, key) >= 0) {
      return damaged("a key belongs before the block");
    }
    if (CompareInternalKeys(key, separator) > 0) return damaged("a key belongs behind the block");
    if (!filter_.bloom.MayContain(KeyHash(UserKey(key)))) return damaged("the filter denies a key");
    Count(key, data_.value());
  }
  if (data_.damage() != nullptr) return table_->Damage(BlockKind::kData, handle, data_);
  return VerifyRestartPoints(handle, block, entries);
}

Status TableVerifier::VerifyRestartPoints(const BlockHandle& handle, std::string_view block,
                                          uint64_t entries) {
  seeker_.Reset(block, BlockIterator::Order::kInternal);
  for (data_.SeekToLast(); data_.Valid(); data_.Prev(), --entries) {
    seeker_.Seek(data_.key());
    if (seeker_.damage() != nullptr) return table_->Damage(BlockKind::kData, handle, seeker_);
    if (!seeker_.Valid() || seeker_.key() != data_.key()) {
      return table_->Damage(BlockKind::kData, handle, "a seek misses a key");
    }
  }
  if (data_.damage() != nullptr) return table_->Damage(BlockKind::kData, handle, data_);
  if (entries == 0) return Status::Ok();
  return table_->Damage(BlockKind::kData, handle, "a backward scan misses a key");
}

void TableVerifier::Count(std::string_view key, std::string_view value) {
  if (seen_.entries == 0) seen_.smallest_key = key;
  seen_.largest_key = key;
  ++seen_.entries;
  if (TypeOf(key) == ValueType::kDelete) ++seen_.deletions;
  seen_.key_bytes += key.size();
  seen_.value_bytes += value.size();
  seen_.smallest_sequence = std::min(seen_.smallest_sequence, SequenceOf(key));
  seen_.largest_sequence = std::max(seen_.largest_sequence, SequenceOf(key));
}

Status TableVerifier::VerifyProperties(const TableProperties& stored) const {
  TableProperties expected = seen_;
  // These are not counted.
  expected.file_id = stored.file_id;
  expected.compression = stored.compression;
  expected.writer_version = stored.writer_version;
  if (expected == stored) return Status::Ok();
  const std::string path = table_->path_ + ": properties: ";
  if (expected.entries != stored.entries) {
    return Status::Corruption(path + "say " + std::to_string(stored.entries) + " entries, " +
                              std::to_string(expected.entries) + " are there");
  }
  return Status::Corruption(path + "do not match the entries");
}

}  // namespace shearpin
