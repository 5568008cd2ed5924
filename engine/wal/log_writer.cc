#include "engine/wal/log_writer.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/base/coding.h"
#include "engine/base/hash.h"

namespace shearpin {
namespace {

// A record larger than this is written from a buffer that is given back at once.
constexpr size_t kKeptBuffer = size_t{1} << 20;

}  // namespace

LogWriter::LogWriter(std::unique_ptr<WritableFile> file, std::string path, const LogHeader& header)
    : file_(std::move(file)), path_(std::move(path)), header_(header) {}

StatusOr<std::unique_ptr<LogWriter>> LogWriter::Create(FileSystem* fs, const std::string& path,
                                                       LogKind kind, const LogHeader& header) {
  SHEARPIN_ASSIGN_OR_RETURN(auto file, fs->OpenWritable(path, OpenMode::kCreateNew));
  SHEARPIN_RETURN_IF_ERROR(file->Append(EncodeLogHeader(kind, header)));
  std::unique_ptr<LogWriter> writer(new LogWriter(std::move(file), path, header));
  writer->size_.store(kLogHeaderSize, std::memory_order_release);
  return writer;
}

Status LogWriter::Append(uint64_t sequence, std::span<const std::string_view> parts, Fill fill) {
  size_t length = 0;
  for (std::string_view part : parts) length += part.size();
  SHEARPIN_CHECK(length > 0 && length <= UINT32_MAX);
  // A reader looks for a record in the next sector only after a sync.
  SHEARPIN_CHECK(offset_ == size() || synced_size() == size(), "a sector was filled, not synced");

  buffer_.clear();
  buffer_.reserve(kLogRecordHeaderSize + AlignLogOffset(length));
  AppendFixed64(&buffer_, 0);
  AppendFixed32(&buffer_, static_cast<uint32_t>(length));
  AppendFixed32(&buffer_, 0);
  AppendFixed64(&buffer_, sequence);
  AppendFixed64(&buffer_, synced_size());
  for (std::string_view part : parts) buffer_.append(part);
  StoreFixed64(buffer_.data(),
               Checksum(std::string_view(buffer_).substr(8), LogRecordSeed(header_.salt, offset_)));
  buffer_.resize(AlignLogOffset(buffer_.size()), '\0');
  const uint64_t end = offset_ + buffer_.size();
  if (fill == Fill::kNow) buffer_.resize(AlignLogSector(end) - offset_, '\0');

  SHEARPIN_RETURN_IF_ERROR(file_->Append(buffer_));
  offset_ += buffer_.size();
  size_.store(end, std::memory_order_release);
  if (buffer_.capacity() > kKeptBuffer) std::string().swap(buffer_);
  return Status::Ok();
}

Status LogWriter::Sync() {
  if (size() <= synced_size()) return Status::Ok();
  if (const uint64_t filled = AlignLogSector(offset_); filled != offset_) {
    SHEARPIN_RETURN_IF_ERROR(file_->Append(std::string(filled - offset_, '\0')));
    offset_ = filled;
  }
  SHEARPIN_RETURN_IF_ERROR(file_->Sync());
  synced_size_.store(size(), std::memory_order_release);
  return Status::Ok();
}

}  // namespace shearpin
