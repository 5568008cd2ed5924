// CrashingFileSystem: for tests: a file system that stops working after a number of changes.
//
// Everything goes to `base` until `limit` changing calls were made; from then on every changing
// call fails and has no effect, except that an append which is the first to fail writes half its
// bytes. What `base` holds afterwards is what the death of the process at that point leaves. What
// a loss of power leaves is the subject of faultfs/ and sim/.
// Thread safety: one thread at a time. Ownership: of nothing; files must not outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/env/file_system.h"
#include "engine/status.h"

namespace shearpin {

class CrashingFileSystem final : public FileSystem {
 public:
  CrashingFileSystem(FileSystem* base, uint64_t limit) : base_(base), limit_(limit) {}

  // From now on `changes` more work.
  void CrashAfter(uint64_t changes) { limit_ = changes_ + changes; }

  // Changing calls so far, those that failed included.
  uint64_t changes() const { return changes_; }
  bool crashed() const { return changes_ > limit_; }

  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    return base_->OpenRandomAccess(path);
  }
  StatusOr<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                       OpenMode mode) override {
    SHEARPIN_RETURN_IF_ERROR(Change("open " + path));
    SHEARPIN_ASSIGN_OR_RETURN(auto file, base_->OpenWritable(path, mode));
    return std::unique_ptr<WritableFile>(std::make_unique<File>(this, std::move(file), path));
  }
  Status CreateDir(const std::string& path) override {
    SHEARPIN_RETURN_IF_ERROR(Change("mkdir " + path));
    return base_->CreateDir(path);
  }
  Status RemoveDir(const std::string& path) override {
    SHEARPIN_RETURN_IF_ERROR(Change("rmdir " + path));
    return base_->RemoveDir(path);
  }
  StatusOr<std::vector<std::string>> ListDir(const std::string& path) override {
    return base_->ListDir(path);
  }
  Status SyncDir(const std::string& path) override {
    SHEARPIN_RETURN_IF_ERROR(Change("fsync " + path));
    return base_->SyncDir(path);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    SHEARPIN_RETURN_IF_ERROR(Change("rename " + from));
    return base_->Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override {
    SHEARPIN_RETURN_IF_ERROR(Change("link " + from));
    return base_->Link(from, to);
  }
  Status Unlink(const std::string& path) override {
    SHEARPIN_RETURN_IF_ERROR(Change("unlink " + path));
    return base_->Unlink(path);
  }
  Status Truncate(const std::string& path, uint64_t size) override {
    SHEARPIN_RETURN_IF_ERROR(Change("truncate " + path));
    return base_->Truncate(path, size);
  }
  StatusOr<uint64_t> FileSize(const std::string& path) override { return base_->FileSize(path); }
  Status Exists(const std::string& path) override { return base_->Exists(path); }
  StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    return base_->LockFile(path);
  }

 private:
  class File final : public WritableFile {
   public:
    File(CrashingFileSystem* fs, std::unique_ptr<WritableFile> base, std::string path)
        : fs_(fs), base_(std::move(base)), path_(std::move(path)) {}
    Status Append(std::string_view data) override {
      const bool first_to_fail = fs_->changes_ == fs_->limit_;
      const Status status = fs_->Change("append " + path_);
      if (first_to_fail) SHEARPIN_RETURN_IF_ERROR(base_->Append(data.substr(0, data.size() / 2)));
      SHEARPIN_RETURN_IF_ERROR(status);
      return base_->Append(data);
    }
    Status Sync() override {
      SHEARPIN_RETURN_IF_ERROR(fs_->Change("sync " + path_));
      return base_->Sync();
    }
    Status Preallocate(uint64_t size) override {
      SHEARPIN_RETURN_IF_ERROR(fs_->Change("preallocate " + path_));
      return base_->Preallocate(size);
    }
    Status Close() override { return base_->Close(); }
    uint64_t Size() const override { return base_->Size(); }

   private:
    CrashingFileSystem* const fs_;
    const std::unique_ptr<WritableFile> base_;
    const std::string path_;
  };

  Status Change(const std::string& call) {
    if (changes_++ < limit_) return Status::Ok();
    return Status::IoError(call + ": crashed");
  }

  FileSystem* const base_;
  uint64_t limit_;
  uint64_t changes_ = 0;
};

}  // namespace shearpin
