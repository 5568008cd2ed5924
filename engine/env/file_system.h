// FileSystem: everything the engine asks of a disk, with durability explicit.
//
// The promises are POSIX's weakest (see ../shared reference in faultfs/README.md):
//   - Append is visible to later reads of the same machine; it is durable only after Sync.
//   - Sync makes one file's data and size durable, not its directory entry.
//   - SyncDir makes a directory's entries durable, not the files behind them.
//   - Rename replaces atomically for running observers; after a crash only if SyncDir followed.
//   - After a failed Sync the unsynced bytes may be gone for good, even if a later Sync succeeds:
//     never retry it on the same file.
//
// Paths use '/'; they are passed through to the operating system as they are.
// Thread safety: a FileSystem and a RandomAccessFile may be used from many threads at once; a
// WritableFile by one thread at a time, except that Sync may run beside Append.
// Ownership: files are owned by the caller and may outlive nothing of the FileSystem.
// Errors: NotFound for a missing path, NoSpace for a full disk or quota, AlreadyExists for
// exclusive creation, IoError for the rest; every message names call and path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace shearpin {

class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;

  // Reads up to `n` bytes at `offset`. `*result` points into `scratch` (which must hold n bytes)
  // or into memory that lives as long as the file. Shorter than n only at the end of the file;
  // implementations retry short reads of the operating system.
  virtual Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const = 0;

  // The size when called.
  virtual StatusOr<uint64_t> Size() const = 0;
};

class WritableFile {
 public:
  // Closes without Sync if Close was not called; errors are lost then.
  virtual ~WritableFile() = default;

  // Writes at the end of what was appended (not at the end of a preallocated extent). On error an
  // unknown prefix of `data` may have been written; Size() then says what is known to be there.
  virtual Status Append(std::string_view data) = 0;

  // fdatasync: data, and the metadata needed to read it back (size included).
  virtual Status Sync() = 0;

  // Reserves space up to `size` bytes from the start and extends the file with zeros to there, so
  // that later appends change no size. Appends go on where they were. A hint: NotSupported is a
  // legal answer.
  virtual Status Preallocate(uint64_t size) = 0;

  // Appends within what was preallocated become stores into mapped memory. They promise what Append
  // promises, but a file system that breaks down may end the process by SIGBUS instead of an error.
  // A hint, after Preallocate: NotSupported is a legal answer.
  virtual Status MapAppends() { return Status::NotSupported("mapped appends"); }

  // Cuts the file to what was appended if it was preallocated, and closes it. No Sync is implied.
  virtual Status Close() = 0;

  // Bytes appended (plus the size at opening, for kAppend).
  virtual uint64_t Size() const = 0;
};

// Held while alive; released by destruction or by the end of the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kCreateNew,  // AlreadyExists if something is there
  kTruncate,   // created, or cut to zero
  kAppend,     // created, or appended to
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) = 0;
  virtual StatusOr<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                               OpenMode mode) = 0;

  // OK if it exists already as a directory.
  virtual Status CreateDir(const std::string& path) = 0;
  virtual Status RemoveDir(const std::string& path) = 0;
  // Names (not paths) of the entries, sorted, without "." and "..".
  virtual StatusOr<std::vector<std::string>> ListDir(const std::string& path) = 0;
  virtual Status SyncDir(const std::string& path) = 0;

  // Replaces `to` if it exists.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  // AlreadyExists if `to` exists.
  virtual Status Link(const std::string& from, const std::string& to) = 0;
  virtual Status Unlink(const std::string& path) = 0;
  // Cuts, or extends with zeros.
  virtual Status Truncate(const std::string& path, uint64_t size) = 0;

  virtual StatusOr<uint64_t> FileSize(const std::string& path) = 0;
  // OK if `path` exists, NotFound if it does not.
  virtual Status Exists(const std::string& path) = 0;

  // Takes an exclusive lock on `path`, creating it if need be. Busy if another process, or
  // another holder in this process, has it.
  virtual StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) = 0;
};

// The operating system's files. One object for the process.
FileSystem* PosixFileSystem();

// Reads all of `path` into `*contents`.
Status ReadFile(FileSystem* fs, const std::string& path, std::string* contents);

}  // namespace shearpin
