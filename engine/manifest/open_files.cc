#include "engine/manifest/open_files.h"

#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace shearpin {

class OpenFiles::File : public RandomAccessFile {
 public:
  File(OpenFiles* owner, std::string path) : owner_(owner), path_(std::move(path)) {}
  ~File() override { owner_->Forget(this); }

  Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const override {
    SHEARPIN_ASSIGN_OR_RETURN(const Handle handle, owner_->Acquire(const_cast<File*>(this)));
    SHEARPIN_RETURN_IF_ERROR(handle->Read(offset, n, scratch, result));
    // Memory of the handle's own may go with it.
    if (result->data() != scratch && !result->empty()) {
      std::memcpy(scratch, result->data(), result->size());
    }
    *result = {scratch, result->size()};
    return Status::Ok();
  }

  StatusOr<uint64_t> Size() const override {
    SHEARPIN_ASSIGN_OR_RETURN(const Handle handle, owner_->Acquire(const_cast<File*>(this)));
    return handle->Size();
  }

 private:
  friend class OpenFiles;
  OpenFiles* const owner_;
  const std::string path_;
  bool opened_ = false;  // once; set before anybody else has the file
  // Guarded by the owner's lock.
  Handle handle_;
  std::list<File*>::iterator place_;  // in recent_, if there is a handle
};

OpenFiles::OpenFiles(FileSystem* fs, Scheduler* scheduler, size_t limit)
    : fs_(fs), limit_(limit), mutex_(scheduler) {}

StatusOr<std::unique_ptr<RandomAccessFile>> OpenFiles::Open(const std::string& path) {
  if (limit_ == 0) return fs_->OpenRandomAccess(path);
  auto file = std::make_unique<File>(this, path);
  SHEARPIN_RETURN_IF_ERROR(Acquire(file.get()).status());
  return std::unique_ptr<RandomAccessFile>(std::move(file));
}

size_t OpenFiles::open() const {
  const std::lock_guard lock(mutex_);
  return recent_.size();
}

StatusOr<OpenFiles::Handle> OpenFiles::Acquire(File* file) {
  {
    const std::lock_guard lock(mutex_);
    if (file->handle_ != nullptr) {
      recent_.splice(recent_.begin(), recent_, file->place_);
      return file->handle_;
    }
  }
  auto opened = fs_->OpenRandomAccess(file->path_);
  if (!opened.ok()) {
    // Not to be taken for a key that is not there.
    const bool gone = file->opened_ && opened.status().IsNotFound();
    return gone ? Status::Corruption(file->path_ + ": removed while it was in use")
                : opened.status();
  }
  // Closed without the lock, here or by the last reader.
  std::vector<Handle> closed;
  const std::lock_guard lock(mutex_);
  if (file->handle_ != nullptr) {
    // Another reader was faster.
    closed.push_back(*std::move(opened));
    return file->handle_;
  }
  file->handle_ = *std::move(opened);
  file->opened_ = true;
  recent_.push_front(file);
  file->place_ = recent_.begin();
  while (recent_.size() > limit_) {
    closed.push_back(std::move(recent_.back()->handle_));
    recent_.pop_back();
  }
  return file->handle_;
}

void OpenFiles::Forget(File* file) {
  Handle closed;
  const std::lock_guard lock(mutex_);
  if (file->handle_ == nullptr) return;
  recent_.erase(file->place_);
  closed = std::move(file->handle_);
}

}  // namespace shearpin
