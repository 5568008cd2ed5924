#include "engine/sst/table_builder.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/internal_key.h"
#include "engine/sst/range_delete_block.h"

namespace shearpin {
namespace {

constexpr std::string_view kWriterVersion = "shearpin 1";

// Each of smallest and largest key stands in the properties block beside the other.
constexpr size_t kMaxKeySize = kMaxBlockTarget / 4;

}  // namespace

TableBuilder::TableBuilder(const TableBuilderOptions& options, WritableFile* file)
    : options_(options),
      file_(file),
      data_block_(options.block_size, options.block_restart_interval),
      // Every index key whole: a search compares them where they stand.
      index_block_(kMaxBlockTarget, 1),
      compressor_(options.compression),
      filter_(options.filter_bits_per_key) {
  properties_.file_id = options.file_id;
  properties_.compression = CompressionName(options.compression);
  properties_.writer_version = kWriterVersion;
}

Status TableBuilder::Add(std::string_view internal_key, std::string_view value) {
  SHEARPIN_CHECK(!finished_);
  SHEARPIN_CHECK(IsInternalKey(internal_key));
  SHEARPIN_CHECK(properties_.entries == 0 || CompareInternalKeys(last_key_, internal_key) < 0,
                 "keys of a table must ascend");
  if (!status_.ok()) return status_;
  if (internal_key.size() > kMaxKeySize) {
    return status_ = Status::NotSupported("a key of " + std::to_string(internal_key.size()) +
                                          " bytes in a table");
  }
  if (!data_block_.Add(internal_key, value)) {
    SHEARPIN_RETURN_IF_ERROR(FlushDataBlock(internal_key));
    const bool fits = data_block_.Add(internal_key, value);
    SHEARPIN_CHECK(fits);
  }
  if (properties_.entries == 0) properties_.smallest_key = internal_key;
  last_key_.assign(internal_key);
  if (options_.filter_bits_per_key > 0) filter_.Add(UserKey(internal_key));
  ++properties_.entries;
  if (TypeOf(internal_key) == ValueType::kDelete) ++properties_.deletions;
  properties_.key_bytes += internal_key.size();
  properties_.value_bytes += value.size();
  const SequenceNumber sequence = SequenceOf(internal_key);
  properties_.smallest_sequence = std::min(properties_.smallest_sequence, sequence);
  properties_.largest_sequence = std::max(properties_.largest_sequence, sequence);
  return Status::Ok();
}

Status TableBuilder::FlushDataBlock(std::string_view next) {
  BlockHandle handle;
  data_block_.Finish(&scratch_);
  const bool compressed = compressor_.Compress(scratch_, &compressed_);
  SHEARPIN_RETURN_IF_ERROR(WriteBlock(compressed ? &compressed_ : &scratch_, BlockKind::kData,
                                      &handle,
                                      compressed ? options_.compression : Compression::kNone));
  ++properties_.data_blocks;
  properties_.data_bytes = offset_;
  std::string separator, value;
  if (next.empty()) {
    separator = last_key_;
  } else {
    AppendSeparator(&separator, last_key_, next);
  }
  AppendBlockHandle(&value, handle);
  if (!index_block_.Add(separator, value)) {
    return status_ = Status::NotSupported("a table whose index exceeds " +
                                          std::to_string(kMaxBlockTarget) + " bytes");
  }
  return Status::Ok();
}

Status TableBuilder::WriteBlock(std::string* block, BlockKind kind, BlockHandle* handle,
                                Compression compression) {
  *handle = {offset_, block->size()};
  AppendBlockTrailer(block, kind, compression, options_.file_id, offset_);
  SHEARPIN_RETURN_IF_ERROR(AppendToFile(*block));
  block->clear();
  return Status::Ok();
}

Status TableBuilder::AppendToFile(std::string_view bytes) {
  status_ = file_->Append(bytes);
  if (!status_.ok()) return status_;
  offset_ += bytes.size();
  file_checksum_.Update(bytes);
  return Status::Ok();
}

Status TableBuilder::SetRangeDeletes(std::vector<RangeTombstones::Fragment> fragments) {
  SHEARPIN_CHECK(!finished_ && range_deletes_.empty());
  for (const RangeTombstones::Fragment& fragment : fragments) {
    if (std::max(fragment.begin.size(), fragment.end.size()) + kTrailerSize > kMaxKeySize) {
      return status_ =
                 Status::NotSupported("a range tombstone of " +
                                      std::to_string(fragment.end.size()) + " bytes in a table");
    }
  }
  range_deletes_ = std::move(fragments);
  return status_;
}

Status TableBuilder::WriteTail() {
  // The names ascend as the blocks are entered: shearpin.filter.bloom, shearpin.properties,
  // shearpin.range_del.
  BlockBuilder metaindex(kMaxBlockTarget, 1);
  const auto enter = [&metaindex](std::string_view name, const BlockHandle& handle) {
    std::string value;
    AppendBlockHandle(&value, handle);
    const bool fits = metaindex.Add(name, value);
    SHEARPIN_CHECK(fits);
  };
  properties_.largest_key = last_key_;
  BlockHandle handle;
  std::string block;
  if (!filter_.empty()) {
    block = filter_.Finish();
    SHEARPIN_RETURN_IF_ERROR(WriteBlock(&block, BlockKind::kFilter, &handle));
    enter(kBloomFilterName, handle);
  }
  BlockHandle range_deletes;
  if (!range_deletes_.empty()) {
    StatusOr<std::string> encoded = EncodeRangeDeletes(range_deletes_);
    if (!encoded.ok()) return status_ = encoded.status();
    SHEARPIN_RETURN_IF_ERROR(WriteBlock(&*encoded, BlockKind::kRangeDelete, &range_deletes));
  }
  block = properties_.Encode();
  SHEARPIN_RETURN_IF_ERROR(WriteBlock(&block, BlockKind::kProperties, &handle));
  enter(kPropertiesBlockName, handle);
  if (!range_deletes_.empty()) enter(kRangeDeletesBlockName, range_deletes);
  Footer footer;
  metaindex.Finish(&block);
  SHEARPIN_RETURN_IF_ERROR(WriteBlock(&block, BlockKind::kMetaindex, &footer.metaindex));

  index_block_.Finish(&block);
  SHEARPIN_RETURN_IF_ERROR(WriteBlock(&block, BlockKind::kIndex, &footer.index));

  footer.file_id = options_.file_id;
  footer.file_size = offset_ + Footer::kSize;
  footer.AppendTo(&block);
  return AppendToFile(block);
}

StatusOr<TableInfo> TableBuilder::Finish() {
  SHEARPIN_CHECK(!finished_);
  finished_ = true;
  SHEARPIN_RETURN_IF_ERROR(status_);
  if (!data_block_.empty()) SHEARPIN_RETURN_IF_ERROR(FlushDataBlock({}));
  SHEARPIN_RETURN_IF_ERROR(WriteTail());
  TableInfo info;
  info.file_size = offset_;
  info.file_checksum = file_checksum_.Digest();
  info.properties = properties_;
  info.smallest = properties_.smallest_key;
  info.largest = properties_.largest_key;
  info.smallest_sequence = properties_.smallest_sequence;
  info.largest_sequence = properties_.largest_sequence;
  WidenBounds(range_deletes_, &info.smallest, &info.largest);
  for (const RangeTombstones::Fragment& fragment : range_deletes_) {
    info.range_deletes += fragment.sequences.size();
    info.smallest_sequence = std::min(info.smallest_sequence, fragment.sequences.back());
    info.largest_sequence = std::max(info.largest_sequence, fragment.sequences.front());
  }
  return info;
}

uint64_t TableBuilder::EstimatedSize() const {
  const size_t filter = filter_.empty() ? 0 : filter_.EstimatedSize();
  return offset_ + data_block_.SizeIfFinished() + filter + index_block_.SizeIfFinished() +
         Footer::kSize;
}

}  // namespace shearpin
