#include "engine/env/mapped_extent.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace shearpin {

int MappedExtent::Prepare(uint64_t offset) {
  Unmap();
  const uint64_t begin = offset - offset % kWindow;
  const uint64_t length = std::min(kWindow, size_ - begin);
  void* const memory =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(begin));
  if (memory == MAP_FAILED) return errno;
  window_ = static_cast<char*>(memory);
  begin_ = begin;
  length_ = length;
  // One call instead of a fault a page, and an error instead of a signal.
  while (::madvise(window_, length_, MADV_POPULATE_WRITE) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    const int error = errno;
    Unmap();
    return error;
  }
  return 0;
}

int MappedExtent::Store(uint64_t offset, std::string_view data, uint64_t* stored) {
  for (*stored = 0; *stored < data.size();) {
    const uint64_t at = offset + *stored;
    if (window_ == nullptr || at < begin_ || at >= begin_ + length_) {
      if (const int error = Prepare(at); error != 0) return error;
    }
    const uint64_t part = std::min(data.size() - *stored, begin_ + length_ - at);
    std::memcpy(window_ + (at - begin_), data.data() + *stored, part);
    *stored += part;
  }
  return 0;
}

void MappedExtent::Unmap() {
  if (window_ != nullptr) ::munmap(window_, length_);
  window_ = nullptr;
}

}  // namespace shearpin
