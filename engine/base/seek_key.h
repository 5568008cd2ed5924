// SeekKey: an internal key to look something up with; short ones stand on the stack.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "engine/base/coding.h"
#include "engine/base/internal_key.h"

namespace shearpin {

class SeekKey {
 public:
  // Of the newest version of `user_key` at or below `sequence`.
  SeekKey(std::string_view user_key, SequenceNumber sequence)
      : size_(user_key.size() + kTrailerSize) {
    if (size_ > sizeof(short_)) {
      long_ = std::make_unique_for_overwrite<char[]>(size_);
      bytes_ = long_.get();
    }
    if (!user_key.empty()) std::memcpy(bytes_, user_key.data(), user_key.size());
    StoreFixed64(bytes_ + user_key.size(), PackTrailer(sequence, kSeekType));
  }
  SeekKey(const SeekKey&) = delete;
  SeekKey& operator=(const SeekKey&) = delete;

  std::string_view view() const { return {bytes_, size_}; }

 private:
  const size_t size_;
  char short_[120];
  std::unique_ptr<char[]> long_;
  char* bytes_ = short_;
};

}  // namespace shearpin
