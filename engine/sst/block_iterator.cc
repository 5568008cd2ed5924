#include "engine/sst/block_iterator.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/coding.h"
#include "engine/base/internal_key.h"
#include "engine/sst/restart_index.h"

namespace shearpin {
namespace {

// The upper 4 bits of the count are reserved for features of the block.
constexpr uint32_t kMaxRestarts = (uint32_t{1} << 28) - 1;

struct EntryHeader {
  uint32_t shared;
  uint32_t unshared;
  uint32_t value_size;
};

[[gnu::noinline]] const char* ParseLongHeader(const char* p, const char* limit,
                                              EntryHeader* header) {
  p = ParseVarint32(p, limit, &header->shared);
  if (p != nullptr) p = ParseVarint32(p, limit, &header->unshared);
  if (p != nullptr) p = ParseVarint32(p, limit, &header->value_size);
  return p;
}

// Returns the end of the header, or null. At least four bytes of the block stand behind `limit`:
// its restart points and their count.
[[gnu::always_inline]] inline const char* ParseHeader(const char* p, const char* limit,
                                                      EntryHeader* header) {
  // Nearly always three bytes of less than 128.
  const uint32_t bytes = LoadFixed32(p);
  if (limit - p >= 3 && (bytes & 0x808080) == 0) [[likely]] {
    *header = {bytes & 127, bytes >> 8 & 127, bytes >> 16 & 127};
    return p + 3;
  }
  return ParseLongHeader(p, limit, header);
}

// How many bytes a and b begin with in common, up to `most` in either. Eight bytes of both can be
// read, also where `most` is less.
size_t CommonPrefix(const char* a, const char* b, size_t most) {
  const uint64_t differ = LoadFixed64(a) ^ LoadFixed64(b);
  if (differ != 0) return std::min<size_t>(static_cast<size_t>(std::countr_zero(differ)) / 8, most);
  size_t same = 8;
  while (same < most && a[same] == b[same]) ++same;
  return std::min(same, most);
}

}  // namespace

void BlockIterator::Reset(std::string_view block, Order order, const RestartIndex* index) {
  block_ = block.data();
  order_ = order;
  index_ = index;
  valid_ = false;
  key_ = {};
  value_ = {};
  passed_.clear();
  damage_ = nullptr;
  num_restarts_ = 0;
  entries_end_ = 0;
  if (block.size() < 8) return Fail("too short for a block", block.size());
  const size_t count_at = block.size() - 4;
  const uint32_t count = LoadFixed32(block_ + count_at);
  if (count == 0 || count > kMaxRestarts || count > count_at / 4) {
    return Fail("bad count of restart points", count_at);
  }
  entries_end_ = count_at - size_t{4} * count;
  if (LoadFixed32(block_ + entries_end_) != 0) {
    return Fail("first restart point is not the first entry", entries_end_);
  }
  num_restarts_ = count;
}

void BlockIterator::Fail(const char* reason, size_t offset) {
  valid_ = false;
  damage_ = reason;
  damage_offset_ = offset;
}

// False if there is nothing to stand on. Forgets the damage that an earlier move met, except that
// of the frame.
bool BlockIterator::Begin() {
  valid_ = false;
  passed_.clear();
  if (num_restarts_ == 0) return false;
  damage_ = nullptr;
  return entries_end_ != 0;
}

size_t BlockIterator::RestartOffset(uint32_t index) const {
  return LoadFixed32(block_ + entries_end_ + size_t{4} * index);
}

bool BlockIterator::SortsBefore(std::string_view a, std::string_view b) const {
  return order_ == Order::kInternal ? CompareInternalKeys(a, b) < 0 : a < b;
}

void BlockIterator::ExtendKey(size_t shared, std::string_view rest) {
  const size_t size = shared + rest.size();
  if (size > key_capacity_) {
    const size_t capacity = std::max(size, 2 * key_capacity_);
    auto buffer = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(buffer.get(), key_.data(), shared);
    long_key_ = std::move(buffer);
    key_buffer_ = long_key_.get();
    key_capacity_ = capacity;
  } else if (key_.data() != key_buffer_) {
    std::memcpy(key_buffer_, key_.data(), shared);
  }
  char* to = key_buffer_ + shared;
  // Few bytes, and seldom the same number: copied without a call where there is room on both
  // sides. What lies behind `rest` is at least the restart points of the block.
  const char* block_end = block_ + entries_end_ + size_t{4} * num_restarts_;
  if (rest.size() <= 16 && shared + 16 <= key_capacity_ && block_end - rest.data() >= 16) {
    std::memcpy(to, rest.data(), 16);
  } else {
    std::memcpy(to, rest.data(), rest.size());
  }
  key_ = {key_buffer_, size};
}

bool BlockIterator::DecodeEntry(size_t offset) {
  const char* limit = block_ + entries_end_;
  EntryHeader header;
  const char* p = ParseHeader(block_ + offset, limit, &header);
  if (p == nullptr) [[unlikely]] {
    Fail("malformed entry", offset);
    return false;
  }
  if (uint64_t{header.unshared} + header.value_size > static_cast<uint64_t>(limit - p) ||
      header.shared > key_.size()) [[unlikely]] {
    Fail("entry leaves the block", offset);
    return false;
  }
  if (header.shared == 0) {
    key_ = {p, header.unshared};
  } else {
    ExtendKey(header.shared, {p, header.unshared});
  }
  if (order_ == Order::kInternal && !IsInternalKey(key_)) [[unlikely]] {
    Fail("key is not an internal key", offset);
    return false;
  }
  value_ = {p + header.unshared, header.value_size};
  offset_ = offset;
  next_offset_ = static_cast<size_t>(value_.data() + value_.size() - block_);
  valid_ = true;
  return true;
}

bool BlockIterator::DecodeRestart(uint32_t index) {
  const size_t offset = RestartOffset(index);
  if (offset >= entries_end_) {
    Fail("restart point outside the entries", entries_end_ + size_t{4} * index);
    return false;
  }
  // With no key before it, an entry that claims a shared prefix is refused.
  key_ = {};
  return DecodeEntry(offset);
}

void BlockIterator::SeekToFirst() {
  if (Begin()) DecodeRestart(0);
}

void BlockIterator::SeekToLast() {
  if (Begin()) StepBackFrom(entries_end_);
}

void BlockIterator::Next() {
  passed_.clear();
  if (next_offset_ >= entries_end_) {
    valid_ = false;
    return;
  }
  DecodeEntry(next_offset_);
}

void BlockIterator::Prev() {
  if (passed_.size() < 2) return StepBackFrom(offset_);
  passed_.pop_back();
  const PassedEntry& entry = passed_.back();
  key_ = std::string_view(passed_keys_).substr(entry.key_begin, entry.key_size);
  value_ = entry.value;
  offset_ = entry.offset;
  next_offset_ = entry.next_offset;
}

void BlockIterator::StepBackFrom(size_t end) {
  passed_.clear();
  passed_keys_.clear();
  valid_ = false;
  if (end == 0) return;
  // The last restart point before `end`. The first is at 0, so there is one.
  uint32_t low = 0, high = num_restarts_;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    (RestartOffset(middle) < end ? low : high) = middle;
  }
  if (!DecodeRestart(low)) return;
  while (true) {
    passed_.push_back({offset_, next_offset_, passed_keys_.size(), key_.size(), value_});
    passed_keys_.append(key_);
    if (next_offset_ >= end) break;
    if (!DecodeEntry(next_offset_)) return passed_.clear();
  }
  if (next_offset_ != end) {
    passed_.clear();
    return Fail("restart point is not an entry", entries_end_ + size_t{4} * low);
  }
}

std::string_view BlockIterator::RestartKey(uint32_t index) {
  const size_t offset = RestartOffset(index);
  const char* limit = block_ + entries_end_;
  EntryHeader header;
  const char* p = offset < entries_end_ ? ParseHeader(block_ + offset, limit, &header) : nullptr;
  if (p == nullptr || header.shared != 0 || header.unshared > static_cast<size_t>(limit - p) ||
      (order_ == Order::kInternal && !IsInternalKey({p, header.unshared}))) [[unlikely]] {
    DecodeRestart(index);  // says what is wrong
    return {};
  }
  return {p, header.unshared};
}

// The entries from one restart point to the next are about to be gone through one by one: their
// cache lines come side by side instead.
void BlockIterator::FetchInterval(uint32_t index) const {
  constexpr size_t kCacheLine = 64;
  constexpr size_t kMost = 2048;  // larger values are not gone through, but passed over
  const size_t begin = std::min(RestartOffset(index), entries_end_);
  const size_t end =
      std::min(index + 1 < num_restarts_ ? RestartOffset(index + 1) : entries_end_, begin + kMost);
  for (size_t at = begin; at < std::min(end, entries_end_); at += kCacheLine) {
    __builtin_prefetch(block_ + at);
  }
}

// Every entry is a restart point, and only those with the prefix of the target are compared.
void BlockIterator::SeekIndexed(std::string_view target) {
  auto [low, high] = index_->Find(UserKey(target));
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const std::string_view key = RestartKey(middle);
    if (key.data() == nullptr) return;
    if (SortsBefore(key, target)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low < num_restarts_) DecodeRestart(low);
}

void BlockIterator::Seek(std::string_view target) {
  if (!Begin()) return;
  if (index_ != nullptr && index_->exists()) return SeekIndexed(target);
  // The last restart point whose key is < target, or the first.
  uint32_t low = 0, high = num_restarts_;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const std::string_view key = RestartKey(middle);
    if (key.data() == nullptr) return;
    (SortsBefore(key, target) ? low : high) = middle;
  }
  FetchInterval(low);
  if (order_ == Order::kInternal && SkimInterval(low, target)) return;
  SeekFrom(low, target);
}

// From a restart point on, entry by entry.
void BlockIterator::SeekFrom(uint32_t restart, std::string_view target) {
  if (DecodeRestart(restart)) SeekOn(target);
}

void BlockIterator::SeekOn(std::string_view target) {
  while (SortsBefore(key_, target)) {
    if (next_offset_ >= entries_end_) {
      valid_ = false;
      return;
    }
    if (!DecodeEntry(next_offset_)) return;
  }
}

// As SeekFrom, without putting together the keys that are passed: an entry that shares more with
// the one before it than that shares with the target is as far below the target; any other begins
// as the target does, and the rest of it is compared where it stands. False, and nothing has
// changed, where that does not suffice: at damage, and at some versions of one key.
bool BlockIterator::SkimInterval(uint32_t restart, std::string_view target) {
  const char* const limit = block_ + entries_end_;
  const std::string_view wanted = UserKey(target);
  size_t offset = RestartOffset(restart);
  if (offset >= entries_end_) return false;
  // Of the entry before: its key's size, and how many bytes its user key and the target's begin
  // with in common. It sorts before the target by the byte after these.
  size_t size = 0, same = 0;
  for (bool first = true;; first = false) {
    EntryHeader header;
    const char* const p = ParseHeader(block_ + offset, limit, &header);
    if (p == nullptr || header.shared > size ||
        uint64_t{header.unshared} + header.value_size > static_cast<uint64_t>(limit - p)) {
      return false;
    }
    const size_t shared = header.shared;
    const size_t user_size = shared + header.unshared - kTrailerSize;
    const char* const value = p + header.unshared;
    if (header.unshared < kTrailerSize) {
      // An older version of the key before, the type included.
      if (first || shared <= same || user_size + kTrailerSize != size || shared <= user_size) {
        return false;
      }
    } else if (!IsInternalKey({p, header.unshared})) {
      return false;
    } else if (first || shared <= same) {
      const size_t rest = user_size - shared, wanted_rest = wanted.size() - shared;
      const size_t more = CommonPrefix(p, wanted.data() + shared, std::min(rest, wanted_rest));
      same = shared + more;
      if (same == user_size || same == wanted.size() ||
          static_cast<unsigned char>(p[more]) > static_cast<unsigned char>(wanted[same])) {
        key_ = target;
        if (shared == 0) {
          key_ = {p, header.unshared};
        } else {
          ExtendKey(shared, {p, header.unshared});
        }
        value_ = {value, header.value_size};
        offset_ = offset;
        next_offset_ = static_cast<size_t>(value + header.value_size - block_);
        valid_ = true;
        if (same == user_size) SeekOn(target);  // of the same key, or of one that it begins with
        return true;
      }
    } else if (user_size <= same) {
      return false;
    }
    size = user_size + kTrailerSize;
    offset = static_cast<size_t>(value + header.value_size - block_);
    if (offset >= entries_end_) return true;
  }
}

}  // namespace shearpin
