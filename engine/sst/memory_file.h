// Files in a string, for tests of tables: their bytes can be damaged, their reads made to fail.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "engine/env/file_system.h"

namespace shearpin {

class MemoryWritableFile final : public WritableFile {
 public:
  // Appends beyond `budget` bytes fail with NoSpace.
  explicit MemoryWritableFile(uint64_t budget = ~uint64_t{0}) : budget_(budget) {}

  Status Append(std::string_view data) override {
    if (contents_.size() + data.size() > budget_) return Status::NoSpace("append: memory file");
    contents_.append(data);
    return Status::Ok();
  }
  Status Sync() override { return Status::Ok(); }
  Status Preallocate(uint64_t) override { return Status::NotSupported("preallocate"); }
  Status Close() override { return Status::Ok(); }
  uint64_t Size() const override { return contents_.size(); }

  const std::string& contents() const { return contents_; }

 private:
  const uint64_t budget_;
  std::string contents_;
};

class MemoryReadableFile final : public RandomAccessFile {
 public:
  // `contents` is the caller's, who may damage it between reads.
  explicit MemoryReadableFile(const std::string* contents) : contents_(contents) {}

  // Copies into `scratch`, so that AddressSanitizer sees the bounds of every block.
  Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const override {
    ++reads_;
    const uint64_t begin = std::min<uint64_t>(offset, contents_->size());
    const size_t available = std::min<uint64_t>(n, contents_->size() - begin);
    if (available != 0) std::memcpy(scratch, contents_->data() + begin, available);
    *result = {scratch, available};
    return Status::Ok();
  }
  StatusOr<uint64_t> Size() const override { return uint64_t{contents_->size()}; }

  int reads() const { return reads_; }

 private:
  const std::string* const contents_;
  mutable int reads_ = 0;
};

}  // namespace shearpin
