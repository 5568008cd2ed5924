#include "engine/manifest/version_edit.h"

#include "engine/base/coding.h"

namespace shearpin {
namespace {

enum Tag : uint32_t {
  kNextFileNumber = 1,
  kFlushedSequence = 2,
  kLogFloor = 3,
  kSealedLogTag = 4,
  kAdded = 5,
  kRemoved = 6,
  kAddedWithRanges = 7,
};

// Of a table in an edit: more of them seldom come in one.
constexpr size_t kUsualFileBytes = 64;

void AppendField(std::string* to, Tag tag, uint64_t value) {
  AppendVarint32(to, tag);
  AppendVarint64(to, value);
}

void AppendFile(std::string* to, int level, const FileMeta& file) {
  const Tag tag = file.range_deletes == 0 ? kAdded : kAddedWithRanges;
  AppendField(to, tag, static_cast<uint64_t>(level));
  AppendVarint64(to, file.number);
  AppendVarint64(to, file.file_id);
  AppendVarint64(to, file.size);
  AppendFixed64(to, file.checksum);
  AppendVarint64(to, file.entries);
  AppendVarint64(to, file.smallest_sequence);
  AppendVarint64(to, file.largest_sequence);
  AppendLengthPrefixed(to, file.smallest);
  AppendLengthPrefixed(to, file.largest);
  if (tag == kAddedWithRanges) AppendVarint64(to, file.range_deletes);
}

bool ConsumeLevel(std::string_view* from, int* level) {
  uint64_t value;
  if (!ConsumeVarint64(from, &value) || value >= kNumLevels) return false;
  *level = static_cast<int>(value);
  return true;
}

bool IsBound(std::string_view bytes, Tag tag) {
  if (IsInternalKey(bytes)) return true;
  return tag == kAddedWithRanges && bytes.size() >= kTrailerSize &&
         TypeOf(bytes) == ValueType::kRangeDelete;
}

bool ConsumeFile(std::string_view* from, Tag tag, int* level, FileMeta* file) {
  std::string_view smallest, largest;
  if (!ConsumeLevel(from, level) || !ConsumeVarint64(from, &file->number) ||
      !ConsumeVarint64(from, &file->file_id) || !ConsumeVarint64(from, &file->size) ||
      !ConsumeFixed64(from, &file->checksum) || !ConsumeVarint64(from, &file->entries) ||
      !ConsumeVarint64(from, &file->smallest_sequence) ||
      !ConsumeVarint64(from, &file->largest_sequence) || !ConsumeLengthPrefixed(from, &smallest) ||
      !ConsumeLengthPrefixed(from, &largest)) {
    return false;
  }
  if (tag == kAddedWithRanges &&
      (!ConsumeVarint64(from, &file->range_deletes) || file->range_deletes == 0)) {
    return false;
  }
  if (!IsBound(smallest, tag) || !IsBound(largest, tag) ||
      CompareInternalKeys(smallest, largest) > 0 ||
      file->smallest_sequence > file->largest_sequence || file->largest_sequence > kMaxSequence) {
    return false;
  }
  file->smallest = smallest;
  file->largest = largest;
  return true;
}

}  // namespace

std::string VersionEdit::Encode() const {
  std::string payload;
  if (next_file_number) AppendField(&payload, kNextFileNumber, *next_file_number);
  if (flushed_sequence) AppendField(&payload, kFlushedSequence, *flushed_sequence);
  if (log_floor) AppendField(&payload, kLogFloor, *log_floor);
  for (const SealedLog& log : sealed_logs) {
    AppendField(&payload, kSealedLogTag, log.number);
    AppendVarint64(&payload, log.length);
  }
  for (const auto& [level, number] : removed) {
    AppendField(&payload, kRemoved, static_cast<uint64_t>(level));
    AppendVarint64(&payload, number);
  }
  for (const auto& [level, file] : added) AppendFile(&payload, level, file);
  return payload;
}

Status VersionEdit::Decode(std::string_view payload) {
  *this = VersionEdit();
  while (!payload.empty()) {
    uint32_t tag;
    if (!ConsumeVarint32(&payload, &tag)) return Status::Corruption("version edit: malformed tag");
    bool whole = false;
    uint64_t value = 0;
    switch (tag) {
      case kNextFileNumber:
        whole = ConsumeVarint64(&payload, &value);
        next_file_number = value;
        break;
      case kFlushedSequence:
        whole = ConsumeVarint64(&payload, &value) && value <= kMaxSequence;
        flushed_sequence = value;
        break;
      case kLogFloor:
        whole = ConsumeVarint64(&payload, &value);
        log_floor = value;
        break;
      case kSealedLogTag: {
        SealedLog log;
        whole = ConsumeVarint64(&payload, &log.number) && ConsumeVarint64(&payload, &log.length);
        sealed_logs.push_back(log);
        break;
      }
      case kAdded:
      case kAddedWithRanges: {
        if (added.empty()) added.reserve(payload.size() / kUsualFileBytes + 1);
        auto& [level, file] = added.emplace_back();
        whole = ConsumeFile(&payload, static_cast<Tag>(tag), &level, &file);
        break;
      }
      case kRemoved: {
        auto& [level, number] = removed.emplace_back();
        whole = ConsumeLevel(&payload, &level) && ConsumeVarint64(&payload, &number);
        break;
      }
      default:
        return Status::NotSupported("version edit: unknown tag " + std::to_string(tag) +
                                    ", written by a newer version");
    }
    if (!whole) {
      return Status::Corruption("version edit: malformed field of tag " + std::to_string(tag));
    }
  }
  return Status::Ok();
}

}  // namespace shearpin
