// MemFileSystem: files in memory, without durability or faults.
//
// For benchmarks and for tests that want a disk that is only fast. Answers with the codes and
// messages of PosixFileSystem; syncs do nothing; Preallocate is supported.
//
// Thread safety: as the FileSystem interface asks, with real threads.
// Ownership: open files keep their contents alive and may outlive the MemFileSystem; locks may not.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/env/file_system.h"

namespace shearpin::faultfs {

class MemFileSystem final : public FileSystem {
 public:
  MemFileSystem();
  ~MemFileSystem() override;

  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override;
  StatusOr<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                       OpenMode mode) override;
  Status CreateDir(const std::string& path) override;
  Status RemoveDir(const std::string& path) override;
  StatusOr<std::vector<std::string>> ListDir(const std::string& path) override;
  Status SyncDir(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Unlink(const std::string& path) override;
  Status Truncate(const std::string& path, uint64_t size) override;
  StatusOr<uint64_t> FileSize(const std::string& path) override;
  Status Exists(const std::string& path) override;
  StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

}  // namespace shearpin::faultfs
