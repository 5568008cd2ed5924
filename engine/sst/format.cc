#include "engine/sst/format.h"

#include "engine/base/coding.h"
#include "engine/base/hash.h"
#include "engine/base/internal_key.h"

namespace shearpin {
namespace {

// Where the parts of the footer stand.
constexpr size_t kVersionAt = 48;
constexpr size_t kChecksumAt = 56;
constexpr size_t kMagicAt = 64;

Status CheckHandle(const BlockHandle& handle, std::string_view name, uint64_t limit) {
  // In this order nothing overflows.
  if (limit < kBlockTrailerSize || handle.size > limit - kBlockTrailerSize ||
      handle.offset > limit - kBlockTrailerSize - handle.size) {
    return Status::Corruption("footer: " + std::string(name) + " block at offset " +
                              std::to_string(handle.offset) + ", size " +
                              std::to_string(handle.size) + ", leaves the file");
  }
  return Status::Ok();
}

}  // namespace

void AppendBlockHandle(std::string* to, const BlockHandle& handle) {
  AppendVarint64(to, handle.offset);
  AppendVarint64(to, handle.size);
}

bool ConsumeBlockHandle(std::string_view* from, BlockHandle* handle) {
  return ConsumeVarint64(from, &handle->offset) && ConsumeVarint64(from, &handle->size);
}

std::string_view BlockKindName(BlockKind kind) {
  switch (kind) {
    case BlockKind::kData:
      return "data";
    case BlockKind::kIndex:
      return "index";
    case BlockKind::kFilter:
      return "filter";
    case BlockKind::kProperties:
      return "properties";
    case BlockKind::kMetaindex:
      return "metaindex";
    case BlockKind::kRangeDelete:
      return "range-delete";
  }
  return "unknown";
}

uint64_t BlockChecksum(std::string_view block_and_type, uint64_t file_id, uint64_t offset) {
  return Checksum(block_and_type, Mix64(file_id ^ Mix64(offset)));
}

void AppendBlockTrailer(std::string* block, BlockKind kind, Compression compression,
                        uint64_t file_id, uint64_t offset) {
  block->push_back(static_cast<char>(PackBlockType(kind, compression)));
  AppendFixed64(block, BlockChecksum(*block, file_id, offset));
}

Status CheckStoredBlock(std::string_view stored, BlockKind expected_kind, uint64_t file_id,
                        uint64_t offset, Compression* compression) {
  if (stored.size() < kBlockTrailerSize) return Status::Corruption("shorter than its trailer");
  const std::string_view checked = stored.substr(0, stored.size() - 8);
  if (LoadFixed64(stored.data() + checked.size()) != BlockChecksum(checked, file_id, offset)) {
    return Status::Corruption("checksum mismatch");
  }
  const auto type = static_cast<uint8_t>(checked.back());
  if (type >> 4 != static_cast<uint8_t>(expected_kind)) {
    return Status::Corruption("it is a block of kind " + std::to_string(type >> 4));
  }
  *compression = static_cast<Compression>(type & 15);
  if (*compression > Compression::kZstd) {
    return Status::NotSupported("compression " + std::to_string(type & 15));
  }
  return Status::Ok();
}

void Footer::AppendTo(std::string* to) const {
  const size_t begin = to->size();
  for (uint64_t word :
       {metaindex.offset, metaindex.size, index.offset, index.size, file_id, file_size}) {
    AppendFixed64(to, word);
  }
  AppendFixed32(to, kFormatVersion);
  AppendFixed32(to, 0);  // flags: none is defined
  AppendFixed64(to, Checksum(std::string_view(*to).substr(begin), kMagic));
  AppendFixed64(to, kMagic);
}

Status Footer::DecodeFrom(std::string_view bytes, uint64_t actual_file_size) {
  if (bytes.size() != kSize) return Status::Corruption("footer: too short to be a table");
  const char* p = bytes.data();
  if (LoadFixed64(p + kMagicAt) != kMagic) {
    return Status::Corruption("footer: bad magic, not a table");
  }
  if (LoadFixed64(p + kChecksumAt) != Checksum(bytes.substr(0, kChecksumAt), kMagic)) {
    return Status::Corruption("footer: checksum mismatch");
  }
  const uint32_t version = LoadFixed32(p + kVersionAt);
  const uint32_t flags = LoadFixed32(p + kVersionAt + 4);
  if (version != kFormatVersion) {
    return Status::NotSupported("table format version " + std::to_string(version) +
                                "; this build knows " + std::to_string(kFormatVersion));
  }
  if (flags != 0) return Status::NotSupported("table format flags " + std::to_string(flags));
  metaindex = {LoadFixed64(p), LoadFixed64(p + 8)};
  index = {LoadFixed64(p + 16), LoadFixed64(p + 24)};
  file_id = LoadFixed64(p + 32);
  file_size = LoadFixed64(p + 40);
  if (file_size != actual_file_size) {
    return Status::Corruption("footer: written for a file of " + std::to_string(file_size) +
                              " bytes, found in one of " + std::to_string(actual_file_size));
  }
  if (file_size < kSize) return Status::Corruption("footer: too short to be a table");
  SHEARPIN_RETURN_IF_ERROR(CheckHandle(metaindex, "metaindex", file_size - kSize));
  return CheckHandle(index, "index", file_size - kSize);
}

void AppendSeparator(std::string* to, std::string_view last, std::string_view next) {
  const std::string_view a = UserKey(last), b = UserKey(next);
  size_t shared = 0;
  while (shared < a.size() && shared < b.size() && a[shared] == b[shared]) ++shared;
  if (shared < b.size()) {
    // One byte more of b is greater than a; if it is all of b, it is not less than b.
    const size_t cut = shared + 1;
    if (cut < a.size() && cut < b.size()) {
      return AppendInternalKey(to, b.substr(0, cut), kMaxSequence, kSeekType);
    }
    // a's byte plus one, if that is less than b's.
    if (cut < a.size() &&
        static_cast<unsigned char>(a[shared]) + 1 < static_cast<unsigned char>(b[shared])) {
      std::string separator(a.substr(0, cut));
      ++separator.back();
      return AppendInternalKey(to, separator, kMaxSequence, kSeekType);
    }
  }
  to->append(last);
}

}  // namespace shearpin
