// FailingFileSystem: a test's file system in which chosen calls that change something fail.
//
// Calls that create, write, sync, rename, link or unlink are counted; those from number `first` on,
// `times` of them, fail with the given code before they do anything, except an append, which writes
// half. After a failed sync the file refuses every further append and sync with an error that is
// not injected: the engine must not touch it again.
//
// Thread safety: as a FileSystem, with real threads. Ownership: borrows the file system below.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/env/file_system.h"
#include "engine/env/scheduler.h"

namespace shearpin {

class FailingFileSystem : public FileSystem {
 public:
  explicit FailingFileSystem(FileSystem* below) : below_(below) {}

  // From now on, the call number `first` (0: the next) of those whose path ends with `suffix`.
  void FailAt(uint64_t first, uint64_t times, StatusCode code, std::string suffix = "") {
    const std::lock_guard lock(mutex_);
    calls_ = 0;
    first_ = first;
    times_ = times;
    code_ = code;
    suffix_ = std::move(suffix);
  }
  void Heal() { FailAt(0, 0, StatusCode::kIoError); }
  // Calls that were made to fail, ever.
  uint64_t failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
  }
  // Appends and syncs of files that had failed.
  uint64_t misuses() const {
    const std::lock_guard lock(mutex_);
    return misuses_;
  }

  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    return below_->OpenRandomAccess(path);
  }
  StatusOr<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                       OpenMode mode) override {
    SHEARPIN_RETURN_IF_ERROR(Call("open", path));
    SHEARPIN_ASSIGN_OR_RETURN(auto file, below_->OpenWritable(path, mode));
    return std::unique_ptr<WritableFile>(new File(this, std::move(file), path));
  }
  Status CreateDir(const std::string& path) override { return below_->CreateDir(path); }
  Status RemoveDir(const std::string& path) override { return below_->RemoveDir(path); }
  StatusOr<std::vector<std::string>> ListDir(const std::string& path) override {
    return below_->ListDir(path);
  }
  Status SyncDir(const std::string& path) override {
    SHEARPIN_RETURN_IF_ERROR(Call("sync directory", path));
    return below_->SyncDir(path);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    SHEARPIN_RETURN_IF_ERROR(Call("rename", to));
    return below_->Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override {
    SHEARPIN_RETURN_IF_ERROR(Call("link", to));
    return below_->Link(from, to);
  }
  Status Unlink(const std::string& path) override {
    SHEARPIN_RETURN_IF_ERROR(Call("unlink", path));
    return below_->Unlink(path);
  }
  Status Truncate(const std::string& path, uint64_t size) override {
    return below_->Truncate(path, size);
  }
  StatusOr<uint64_t> FileSize(const std::string& path) override { return below_->FileSize(path); }
  Status Exists(const std::string& path) override { return below_->Exists(path); }
  StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    return below_->LockFile(path);
  }

 private:
  class File : public WritableFile {
   public:
    File(FailingFileSystem* fs, std::unique_ptr<WritableFile> file, std::string path)
        : fs_(fs), file_(std::move(file)), path_(std::move(path)) {}
    Status Append(std::string_view data) override {
      SHEARPIN_RETURN_IF_ERROR(CheckUse());
      const Status status = fs_->Call("append", path_);
      if (status.ok()) return file_->Append(data);
      broken_ = true;
      file_->Append(data.substr(0, data.size() / 2)).IgnoreError();
      return status;
    }
    Status Sync() override {
      SHEARPIN_RETURN_IF_ERROR(CheckUse());
      const Status status = fs_->Call("sync", path_);
      if (status.ok()) return file_->Sync();
      broken_ = true;
      return status;
    }
    Status Preallocate(uint64_t size) override { return file_->Preallocate(size); }
    Status Close() override { return file_->Close(); }
    uint64_t Size() const override { return file_->Size(); }

   private:
    Status CheckUse() {
      if (!broken_) return Status::Ok();
      const std::lock_guard lock(fs_->mutex_);
      ++fs_->misuses_;
      return Status::IoError(path_ + ": used again after it had failed");
    }
    FailingFileSystem* const fs_;
    const std::unique_ptr<WritableFile> file_;
    const std::string path_;
    bool broken_ = false;
  };

  Status Call(const char* what, const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (!path.ends_with(suffix_)) return Status::Ok();
    const uint64_t number = calls_++;
    if (number < first_ || number - first_ >= times_) return Status::Ok();
    ++failed_;
    Status status(code_, path + ": " + what + " was made to fail");
    return status.MarkInjected();
  }

  FileSystem* const below_;
  mutable Mutex mutex_{RealScheduler()};
  uint64_t calls_ = 0;
  uint64_t first_ = 0;
  uint64_t times_ = 0;
  uint64_t failed_ = 0;
  uint64_t misuses_ = 0;
  StatusCode code_ = StatusCode::kIoError;
  std::string suffix_;
};

}  // namespace shearpin
