// TestDisk: a SimDisk with short verbs and readable images, for tests of crash semantics.
//
// Files are named by path and stay open from their first use; "a" means "/a". Everything must
// succeed unless it says so. Thread safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "faultfs/sim_disk.h"

namespace shearpin::faultfs {

// "/a=text /d/ /d/f=": every path, sorted, with what it holds. Zero bytes show as '.', others
// that cannot be printed as '#', and runs of 16 or more of one byte as "c*n".
std::string Show(const DiskImage& image);

class TestDisk {
 public:
  explicit TestDisk(const Profile& profile);
  explicit TestDisk(std::string_view profile);

  // At the end of the file, which is created if need be.
  void Append(const std::string& name, std::string_view data);
  void Write(const std::string& name, uint64_t offset, std::string_view data);
  void Preallocate(const std::string& name, uint64_t size);
  void Sync(const std::string& name);
  Status FailSync(const std::string& name, SyncFailure mode);
  void Close(const std::string& name);
  // What running processes read.
  std::string Read(const std::string& name);

  Status MakeDir(const std::string& name);
  Status RemoveDir(const std::string& name);
  void SyncDir(const std::string& name = "/");
  Status Rename(const std::string& from, const std::string& to);
  Status Link(const std::string& from, const std::string& to);
  Status Unlink(const std::string& name);
  Status Truncate(const std::string& name, uint64_t size);
  // From here on Sync and SyncDir do nothing.
  void IgnoreSyncs() { syncs_ = false; }
  // Every file and every directory, so that nothing is pending.
  void SyncAll();

  // What the plan of that text leaves.
  std::string Crash(std::string_view plan) const;
  // What power losses may leave, torn blocks apart.
  std::set<std::string> Outcomes() const;

  SimDisk* disk() { return &disk_; }
  const SimDisk* disk() const { return &disk_; }
  // The open file, opened for appending.
  OpenFile* File(const std::string& name);
  bool IsOpen(const std::string& name) const { return files_.count(name) > 0; }

 private:
  struct Appender {
    OpenFile file;
    uint64_t position = 0;
  };
  Appender* Open(const std::string& name);

  SimDisk disk_;
  std::map<std::string, Appender> files_;
  bool syncs_ = true;
};

}  // namespace shearpin::faultfs
