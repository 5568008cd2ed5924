// The operating system's files, one system call for one promise.
//
// There is no buffer in front of write(2): a write acknowledged without sync must survive the
// death of the process, so it has to be in the kernel when Append returns.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "engine/env/file_system.h"
#include "engine/env/mapped_extent.h"

namespace shearpin {
namespace {

// "call path: what the system says", with the code that callers tell cases apart by.
Status SystemError(std::string_view call, const std::string& path, int error) {
  char buffer[128];
  std::string message(call);
  message.append(" ").append(path).append(": ");
  message.append(strerror_r(error, buffer, sizeof(buffer)));
  switch (error) {
    case ENOENT:
      return Status::NotFound(message);
    case ENOSPC:
    case EDQUOT:
      return Status::NoSpace(message);
    case EEXIST:
      return Status::AlreadyExists(message);
    default:
      return Status::IoError(message);
  }
}

// Calls until it is not interrupted by a signal.
template <typename Call>
auto Retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// 0, or the error. Linux has released the descriptor even when close was interrupted, and another
// thread may have it already: never again.
int CloseDescriptor(int fd) { return ::close(fd) == 0 || errno == EINTR ? 0 : errno; }

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixRandomAccessFile() override { CloseDescriptor(fd_); }

  Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const override {
    *result = std::string_view();
    size_t done = 0;
    while (done < n) {
      const ssize_t got = Retry([&] {
        return ::pread(fd_, scratch + done, n - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) return SystemError("pread", path_, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    *result = std::string_view(scratch, done);
    return Status::Ok();
  }

  StatusOr<uint64_t> Size() const override {
    struct stat info;
    if (::fstat(fd_, &info) != 0) return SystemError("fstat", path_, errno);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const std::string path_;
  const int fd_;
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(std::string path, int fd, uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}
  ~PosixWritableFile() override { static_cast<void>(CloseOnce()); }

  // By position and without O_APPEND, which would write behind a preallocated extent.
  Status Append(std::string_view data) override {
    SHEARPIN_CHECK(fd_ >= 0, "Append after Close");
    if (mapped_ != nullptr && mapped_->Holds(size_, data.size())) return Store(data);
    while (!data.empty()) {
      const ssize_t put =
          Retry([&] { return ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(size_)); });
      if (put < 0) return SystemError("pwrite", path_, errno);
      size_ += static_cast<uint64_t>(put);
      data.remove_prefix(static_cast<size_t>(put));
    }
    return Status::Ok();
  }

  // Runs beside Append: touches nothing but the descriptor. Retried only when interrupted, which
  // takes no error from the kernel's record of failed write-backs.
  Status Sync() override {
    SHEARPIN_CHECK(fd_ >= 0, "Sync after Close");
    if (Retry([&] { return ::fdatasync(fd_); }) != 0) return SystemError("fdatasync", path_, errno);
    return Status::Ok();
  }

  // fallocate and not posix_fallocate, which would write a byte into every block where the file
  // system cannot allocate, at a cost that no hint is worth.
  Status Preallocate(uint64_t size) override {
    SHEARPIN_CHECK(fd_ >= 0, "Preallocate after Close");
    if (size <= size_) return Status::Ok();
    // Set before the call: an extent that failed half-way may have grown the file already.
    preallocated_ = true;
    if (Retry([&] { return ::fallocate(fd_, 0, 0, static_cast<off_t>(size)); }) != 0) {
      if (errno == EOPNOTSUPP) {
        return Status::NotSupported("fallocate " + path_ + ": not supported by the file system");
      }
      return SystemError("fallocate", path_, errno);
    }
    allocated_ = size;
    return Status::Ok();
  }

  // Without an allocated extent a store could find the disk full, which is a signal.
  Status MapAppends() override {
    SHEARPIN_CHECK(fd_ >= 0, "MapAppends after Close");
    if (allocated_ == 0) return Status::NotSupported("map " + path_ + ": nothing is preallocated");
    mapped_ = std::make_unique<MappedExtent>(fd_, allocated_);
    if (const int error = mapped_->Prepare(std::min(size_, allocated_ - 1)); error != 0) {
      mapped_.reset();
      // EINVAL: a kernel before 5.14 cannot make pages writable ahead.
      if (error == EINVAL || error == ENODEV) {
        return Status::NotSupported("map " + path_ + ": not supported by the file system");
      }
      return SystemError("map", path_, error);
    }
    return Status::Ok();
  }

  Status Close() override { return CloseOnce(); }

  uint64_t Size() const override { return size_; }

 private:
  Status Store(std::string_view data) {
    uint64_t stored = 0;
    const int error = mapped_->Store(size_, data, &stored);
    size_ += stored;
    return error == 0 ? Status::Ok() : SystemError("map", path_, error);
  }

  Status CloseOnce() {
    if (fd_ < 0) return Status::Ok();
    mapped_.reset();
    const int fd = std::exchange(fd_, -1);
    Status status;
    if (preallocated_ && Retry([&] { return ::ftruncate(fd, static_cast<off_t>(size_)); }) != 0) {
      status = SystemError("ftruncate", path_, errno);
    }
    const int error = CloseDescriptor(fd);
    if (error != 0) status.Update(SystemError("close", path_, error));
    return status;
  }

  const std::string path_;
  int fd_;
  uint64_t size_;
  bool preallocated_ = false;
  uint64_t allocated_ = 0;  // bytes from the start for which there is room
  std::unique_ptr<MappedExtent> mapped_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int fd) : fd_(fd) {}
  // Closing alone would leave the lock with a forked child that still has the descriptor.
  ~PosixFileLock() override {
    struct flock range = {};
    range.l_type = F_UNLCK;
    range.l_whence = SEEK_SET;
    ::fcntl(fd_, F_OFD_SETLK, &range);
    CloseDescriptor(fd_);
  }

 private:
  const int fd_;
};

class PosixFileSystemImpl final : public FileSystem {
 public:
  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    const int fd = Retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
    if (fd < 0) return SystemError("open", path, errno);
    auto file = std::make_unique<PosixRandomAccessFile>(path, fd);
    // A directory opens for reading and fails at the first read; say it here.
    struct stat info;
    if (::fstat(fd, &info) != 0) return SystemError("fstat", path, errno);
    if (S_ISDIR(info.st_mode)) return SystemError("open", path, EISDIR);
    return std::unique_ptr<RandomAccessFile>(std::move(file));
  }

  StatusOr<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                       OpenMode mode) override {
    int flags = O_RDWR | O_CREAT | O_CLOEXEC;  // a mapping wants to read too
    if (mode == OpenMode::kCreateNew) flags |= O_EXCL;
    if (mode == OpenMode::kTruncate) flags |= O_TRUNC;
    const int fd = Retry([&] { return ::open(path.c_str(), flags, 0644); });
    if (fd < 0) return SystemError("open", path, errno);
    uint64_t size = 0;
    if (mode == OpenMode::kAppend) {
      struct stat info;
      if (::fstat(fd, &info) != 0) {
        const Status status = SystemError("fstat", path, errno);
        CloseDescriptor(fd);
        return status;
      }
      size = static_cast<uint64_t>(info.st_size);
    }
    return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(path, fd, size));
  }

  Status CreateDir(const std::string& path) override {
    if (::mkdir(path.c_str(), 0755) == 0) return Status::Ok();
    const int error = errno;
    struct stat info;
    if (error == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return Status::Ok();
    }
    return SystemError("mkdir", path, error);
  }

  Status RemoveDir(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return SystemError("rmdir", path, errno);
    return Status::Ok();
  }

  StatusOr<std::vector<std::string>> ListDir(const std::string& path) override {
    DIR* const dir = ::opendir(path.c_str());
    if (dir == nullptr) return SystemError("opendir", path, errno);
    std::vector<std::string> names;
    // readdir tells the end from an error by errno alone.
    errno = 0;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    ::closedir(dir);
    if (error != 0) return SystemError("readdir", path, error);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status SyncDir(const std::string& path) override {
    const int fd = Retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return SystemError("open", path, errno);
    Status status;
    if (Retry([&] { return ::fsync(fd); }) != 0) status = SystemError("fsync", path, errno);
    const int error = CloseDescriptor(fd);
    if (error != 0) status.Update(SystemError("close", path, error));
    return status;
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return SystemError("rename", from + " to " + to, errno);
    }
    return Status::Ok();
  }

  Status Link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) != 0)
      return SystemError("link", from + " to " + to, errno);
    return Status::Ok();
  }

  Status Unlink(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return SystemError("unlink", path, errno);
    return Status::Ok();
  }

  Status Truncate(const std::string& path, uint64_t size) override {
    if (Retry([&] { return ::truncate(path.c_str(), static_cast<off_t>(size)); }) != 0) {
      return SystemError("truncate", path, errno);
    }
    return Status::Ok();
  }

  StatusOr<uint64_t> FileSize(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return SystemError("stat", path, errno);
    if (S_ISDIR(info.st_mode)) return SystemError("stat", path, EISDIR);
    return static_cast<uint64_t>(info.st_size);
  }

  Status Exists(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return SystemError("stat", path, errno);
    return Status::Ok();
  }

  // A lock of the open file description (OFD): unlike a classic record lock it also keeps out a
  // second open of the same process, and is not lost when some other descriptor of the file is
  // closed.
  StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    const int fd = Retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); });
    if (fd < 0) return SystemError("open", path, errno);
    struct flock range = {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    if (Retry([&] { return ::fcntl(fd, F_OFD_SETLK, &range); }) != 0) {
      const int error = errno;
      CloseDescriptor(fd);
      if (error == EAGAIN || error == EACCES) {
        return Status::Busy("lock " + path +
                            ": locked by another process, or by another holder in this one");
      }
      return SystemError("lock", path, error);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(fd));
  }
};

}  // namespace

FileSystem* PosixFileSystem() {
  static FileSystem* const file_system = new PosixFileSystemImpl;
  return file_system;
}

}  // namespace shearpin
