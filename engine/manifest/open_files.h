// OpenFiles: files for reading of which only so many are open at once.
//
// A file that was closed, the least recently read first, is opened again by the next read of it; so
// it must keep its name, or the system's file behind the name, for as long as it is in use. Files
// that are being read at the moment stay open beyond the limit.
//
// Thread safety: all methods, and those of the files, from many threads at once. Ownership:
// outlives its files; borrows file system and scheduler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "engine/env/file_system.h"
#include "engine/env/scheduler.h"
#include "engine/status.h"

namespace shearpin {

class OpenFiles {
 public:
  // `limit` 0: none; files are then the file system's own.
  OpenFiles(FileSystem* fs, Scheduler* scheduler, size_t limit);
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;

  // As FileSystem::OpenRandomAccess.
  StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path);

  // Files that are open now, without those that stay only until a read ends. 0 without a limit.
  size_t open() const;

 private:
  class File;
  using Handle = std::shared_ptr<const RandomAccessFile>;

  StatusOr<Handle> Acquire(File* file);
  void Forget(File* file);

  FileSystem* const fs_;
  const size_t limit_;
  mutable Mutex mutex_;
  std::list<File*> recent_;  // those with a handle, last used first; guarded by mutex_
};

}  // namespace shearpin
