// MappedExtent: writes into an allocated part of a file by stores into memory.
//
// What is stored is in the page cache, like after write(2): it survives the process, and fdatasync
// makes it durable. Only a window of the extent is mapped, and its pages are made writable before
// they are stored to, so that most failures of the file system are an error here; one that comes
// later ends the process (SIGBUS).
// Thread safety: one thread at a time. Ownership: the descriptor is the caller's, open for reading
// and writing, and outlives it.
#pragma once

#include <cstdint>
#include <string_view>

namespace shearpin {

class MappedExtent {
 public:
  // Of [0, size) of the file, all of which is allocated.
  MappedExtent(int fd, uint64_t size) : fd_(fd), size_(size) {}
  ~MappedExtent() { Unmap(); }
  MappedExtent(const MappedExtent&) = delete;
  MappedExtent& operator=(const MappedExtent&) = delete;

  bool Holds(uint64_t offset, uint64_t bytes) const {
    return offset <= size_ && bytes <= size_ - offset;
  }
  // Maps what lies around `offset`. 0, or the error.
  int Prepare(uint64_t offset);
  // Requires Holds. 0, or the error; `*stored` bytes are there then.
  int Store(uint64_t offset, std::string_view data, uint64_t* stored);

 private:
  // A few hundred records, and small beside what a process may map.
  static constexpr uint64_t kWindow = uint64_t{256} << 10;

  void Unmap();

  const int fd_;
  const uint64_t size_;
  char* window_ = nullptr;
  uint64_t begin_ = 0;
  uint64_t length_ = 0;
};

}  // namespace shearpin
