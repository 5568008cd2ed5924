// SimDisk: a disk with a page cache over it, and a log of what has not reached the platter.
//
// The fault model, in short (README.md has the table; the reference its sources):
//
//   May fail.     Anything not synced may be lost at a power failure, in any combination that the
//                 profile's edges allow: data, sizes, names, removals, truncations, each apart.
//                 Blocks in flight may tear at sectors. A sync may fail and take its pages along.
//                 The disk may be full. Adversarial disks put garbage into torn sectors and old
//                 contents into new blocks.
//   Cannot fail.  What a successful sync covered stays, in every profile that honours flushes
//                 (with powersafe overwrite off: in every sector that nothing was being written
//                 to). A sector is old or new unless the profile says garbage. Process death loses
//                 nothing that a call returned for. No two files ever share a block.
//   Why so.       These are the promises that file systems document. What lies beyond them (bit
//                 rot, lost and misdirected writes, stale reads, lying flushes) no engine can
//                 survive, only detect: it happens only where a rule or the profile says so, and a
//                 different oracle judges it.
//
// Inodes and directory entries have identity and nothing is keyed by path, so that hard links,
// renames and unlinked-but-open files are what they are. Every change goes to the live view (the
// page cache) at once and, as micro-operations, to the pending list. A sync folds what it covers,
// with everything that must precede it, into the durable state, and the list stays short.
// Materialise() builds the image of one crash outcome from the durable state and the list; it is
// const and may be called as often as wanted along a run.
//
// Thread safety: none. One OS thread, any number of fibers; no call here is a scheduling point.
// Ownership: an OpenFile must be destroyed before its disk. Images are independent.
// Errors: with the codes and messages of PosixFileSystem. Paths: components between '/', taken
// from the root; "." and empty ones are skipped, ".." is not understood.
// Cost: a call some tens of nanoseconds plus copying; a crash O(pending + files).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "faultfs/crash_plan.h"
#include "faultfs/disk_image.h"
#include "faultfs/fault_rule.h"
#include "faultfs/micro_op.h"
#include "faultfs/profile.h"

namespace shearpin::faultfs {

class SimDisk;

// An open descriptor: keeps its inode alive, unlinked or not.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(OpenFile&& other) noexcept
      : disk_(std::exchange(other.disk_, nullptr)),
        inode_(other.inode_),
        errors_seen_(other.errors_seen_) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(disk_, other.disk_);
    std::swap(inode_, other.inode_);
    std::swap(errors_seen_, other.errors_seen_);
    return *this;
  }
  ~OpenFile();

  uint32_t inode() const { return inode_; }

 private:
  friend class SimDisk;
  OpenFile(SimDisk* disk, uint32_t inode, uint32_t errors_seen)
      : disk_(disk), inode_(inode), errors_seen_(errors_seen) {}

  SimDisk* disk_ = nullptr;
  uint32_t inode_ = 0;
  uint32_t errors_seen_ = 0;  // a failed write-back is reported once to each descriptor
};

// A sync that has started: it covers what was logged before, not what is logged until it ends.
struct SyncTicket {
  uint32_t inode = 0;
  uint64_t number = 0;  // the inode's, which is never used again
  uint64_t before = 0;  // sequence number in the operation log
};

// What is peculiar about one outcome of a crash.
struct CrashTraits {
  uint32_t torn_blocks = 0;
  uint32_t garbage_blocks = 0;  // torn ones with garbage in them, and fills
  uint32_t stale_blocks = 0;
  uint32_t resurrected_names = 0;  // whose removal was lost
};

enum class OpenHow : uint8_t { kRead, kCreateNew, kTruncate, kAppend, kLock };

class SimDisk {
 public:
  // An empty, formatted disk.
  explicit SimDisk(const Profile& profile);
  // A disk that starts from `image`, all of it durable. O(files).
  SimDisk(const DiskImage& image, const Profile& profile);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // The machine after the death of its processes: a copy with the page cache and the pending list
  // as they are, and no descriptor open. A later power failure can still lose what is pending.
  std::unique_ptr<SimDisk> Fork() const;

  const Profile& profile() const { return profile_; }

  // The live view. -------------------------------------------------------------------------

  StatusOr<OpenFile> Open(const std::string& path, OpenHow how);
  uint64_t Size(const OpenFile& file) const;
  size_t Read(const OpenFile& file, uint64_t offset, size_t n, char* to) const;
  // Returns how many bytes were written: fewer than given only when the disk is full.
  size_t Write(const OpenFile& file, uint64_t offset, std::string_view data);
  // fallocate: unwritten extents up to `size`, which becomes the size if it is larger. False, and
  // nothing done, when the disk is full.
  bool Allocate(const OpenFile& file, uint64_t size);
  // Cuts, or extends with zeros (which need no space).
  void Resize(const OpenFile& file, uint64_t size);

  Status CreateDir(const std::string& path);
  Status RemoveDir(const std::string& path);
  StatusOr<std::vector<std::string>> ListDir(const std::string& path) const;
  Status Rename(const std::string& from, const std::string& to);
  Status Link(const std::string& from, const std::string& to);
  Status Unlink(const std::string& path);
  Status Truncate(const std::string& path, uint64_t size);
  StatusOr<uint64_t> FileSize(const std::string& path) const;
  Status Exists(const std::string& path) const;

  // Durability. ----------------------------------------------------------------------------

  SyncTicket StartSync(const OpenFile& file) const;
  StatusOr<SyncTicket> StartSyncDir(const std::string& path) const;
  // The sync succeeded: what it covers is durable. IoError, and still durable, if an earlier
  // failure to write this file back was not yet reported to this descriptor.
  Status FinishSync(OpenFile* file, const SyncTicket& ticket);
  void FinishSyncDir(const SyncTicket& ticket);
  // The sync failed. `mode` is not kShutdown, which is the caller's to enact. Of the modes only
  // kReportNext lets this call succeed; the error to return is the result.
  Status FailSync(OpenFile* file, const SyncTicket& ticket, SyncFailure mode);

  // Memory pressure: cached blocks that a failed sync marked clean are dropped, and the durable
  // content shows again. Returns how many changed.
  size_t Evict();

  // Background write-back: the oldest `count` pending operations, and what must precede them,
  // become durable.
  void WriteBack(size_t count);
  // Where the log now ends. What is before some such position: all of it becomes durable (dirty
  // data has expired), or names, truncations and allocations do (the journal commits), each with
  // what must precede it. Returns how many pending operations that took.
  uint64_t LogPosition() const { return next_seq_; }
  size_t WriteBackBefore(uint64_t position);
  size_t CommitBefore(uint64_t position);

  // Broken promises: what the device does to data that it had taken. ---------------------------

  // To be called before FinishSync: of the blocks that this sync should write, the `pick`-th,
  // modulo their number, stays as the platter has it. The page cache holds what was written.
  // False, and nothing done, if it has none to write.
  bool LoseWrite(const SyncTicket& ticket, uint64_t pick);
  // Likewise, and the block lands on another one, of a file in use. Names that file in *victim,
  // which is empty if there is none, or if it held the same.
  bool MisdirectWrite(const SyncTicket& ticket, uint64_t pick, std::string* victim);
  // Flips one bit of what the platter holds of the file in [offset, offset + n), and says of which
  // byte; it shows when the block is read from there again, which is at once if `cached` is
  // false. False, and nothing done, if there is nothing, or it is damaged already, or the next
  // write-back would undo it.
  bool Rot(const OpenFile& file, uint64_t offset, uint64_t n, uint64_t pick, bool cached,
           uint64_t* where);
  // Reads what the blocks held before: on the platter, if they are dirty; or a block of a file
  // that is gone; or zeros. *stale: whether that is anything else than what they hold.
  size_t ReadStale(const OpenFile& file, uint64_t offset, size_t n, uint64_t pick, char* to,
                   bool* stale) const;
  // From now on blocks of files that are gone are kept for ReadStale, whatever the profile.
  void KeepRecycled() { keep_recycled_ = true; }

  // Whether reading there would find damage, here and now.
  bool IsDamaged(const OpenFile& file, uint64_t offset, uint64_t n) const;
  // The paths of all files in which it would be found.
  std::vector<std::string> DamagedFiles() const;

  // Bytes of all files, by size and by preallocation; unlinked ones until their last close.
  uint64_t used_bytes() const { return used_bytes_; }
  void SetCapacity(uint64_t bytes) { capacity_ = bytes; }

  // Crashes. -------------------------------------------------------------------------------

  size_t pending_count() const { return pending_.size(); }
  // The pending micro-operations, oldest first: their index is the ordinal of a CrashPlan.
  std::vector<PendingOp> PendingOps() const;
  // How many blocks `stale:K` fills can choose from.
  size_t recycled_count() const { return recycled_.size(); }

  // What `plan` leaves on the platter. `traits` may be null.
  DiskImage Materialise(const CrashPlan& plan, CrashTraits* traits = nullptr) const;
  // Which pending operations it keeps, closure applied.
  std::vector<bool> KeptOps(const CrashPlan& plan) const;
  // A hash of what KeptOps returns, for telling plans apart cheaply.
  uint64_t KeptHash(const CrashPlan& plan) const;
  // Equal for disks that no later call and no crash could tell apart, as far as it goes: equal
  // disks with different histories may differ in it.
  uint64_t StateHash() const;
  // Those that must be durable if all of `ops` are: their downward closure, sorted.
  std::vector<uint32_t> NeededBy(const std::vector<uint32_t>& ops) const;

 private:
  friend class OpenFile;
  friend class CrashView;

  static constexpr uint32_t kRoot = 0;  // inode

  // One name in a directory, live and durable. A slot stays as long as either or a pending
  // operation refers to it, so that operations have a stable thing to point to.
  struct Slot {
    uint32_t directory = kNoIndex;
    uint32_t live = kNoIndex;     // inode
    uint32_t durable = kNoIndex;  // inode
    uint32_t pending = 0;         // operations
    std::string name;
  };

  struct Inode {
    uint64_t number = 0;  // 0: this table entry is free
    bool is_directory = false;
    // Live and durable names, descriptors, pending entry operations; for a directory also its
    // slots. At 0 its pending content operations are moot: nothing can ever read them.
    uint32_t refs = 0;
    uint32_t live_names = 0;
    uint32_t opens = 0;
    uint32_t pending_content = 0;       // content operations
    uint32_t last_data = kNoIndex;      // its newest pending kData
    uint32_t highest_block = 0;         // of pending kData, if there is one
    uint32_t write_errors = 0;          // failed write-backs so far
    uint64_t handed_over = 0;           // what was logged before is the lying device's business
    Ref<FileContent> live;              // files
    Ref<FileContent> durable;           // files; may be the same object
    std::vector<uint32_t> slots;        // directories; sorted by name
    std::vector<uint32_t> lost_blocks;  // live differs from durable, and no operation tells
    std::string path;                   // the latest it was made under
  };

  // sim_disk.cc: names and the live view.
  struct Place {
    uint32_t directory = kNoIndex;
    uint32_t slot = kNoIndex;  // also for a name that is only durable or pending
    uint32_t inode = kNoIndex;
    std::string_view name;
  };
  int Resolve(std::string_view path, Place* place) const;
  int ResolveDirectory(std::string_view path, uint32_t* inode) const;
  uint32_t FindSlot(uint32_t directory, std::string_view name, size_t* position) const;
  uint32_t SlotFor(const Place& place);
  uint32_t NewInode(bool is_directory, std::string path);
  void SetLive(uint32_t slot, uint32_t inode);
  void SetDurable(uint32_t slot, uint32_t inode);
  void Retain(uint32_t inode) { ++inodes_[inode].refs; }
  void Release(uint32_t inode);
  void FreeInode(uint32_t inode);
  void DropUsageIfGone(uint32_t inode);
  bool IsBelow(uint32_t directory, uint32_t ancestor) const;
  void CloseInode(uint32_t inode);
  void FreeSlotIfUnused(uint32_t slot);
  FileContent* MutableLive(uint32_t inode);
  uint64_t FreeBytes() const { return capacity_ > used_bytes_ ? capacity_ - used_bytes_ : 0; }

  // sim_disk_log.cc: the log, its folding into the durable state, failed syncs.
  MicroOp& LogOp(OpKind kind, uint32_t inode);
  void LogData(uint32_t inode, uint32_t block, uint32_t offset, std::string_view data,
               bool extends);
  void LogEntry(OpKind kind, uint32_t slot, uint32_t inode);
  void LogRename(const Place& from, const Place& to, bool replaces);
  uint32_t SameBlock(const Inode& inode, uint32_t block) const;
  void Fold(std::vector<uint8_t> fate);
  void Flush(const SyncTicket& ticket, std::vector<uint8_t> fate);
  void DropOvertaken(uint32_t truncate, std::vector<uint8_t>* fate);
  void RemoveOps(std::vector<uint8_t> fate);
  void CompactArena();
  void RebuildLive(uint32_t inode);
  std::string_view Payload(const MicroOp& op) const {
    return {arena_.data() + op.payload, op.length};
  }
  void ApplyContent(const MicroOp& op, Ref<FileContent>* content) const;

  // sim_disk_damage.cc
  uint32_t BlockToLose(const SyncTicket& ticket, uint64_t pick) const;
  void DropWrite(const SyncTicket& ticket, uint32_t block);
  void MarkDamaged(uint32_t inode, uint32_t block);
  std::string PathOf(uint32_t slot) const;

  // sim_disk_edges.cc: the profile's edges, both ways.
  class MetadataPass;
  template <typename Visit>
  void ForDataBefore(uint32_t i, const Visit& visit) const;
  void DropDependents(std::vector<uint8_t>* kept, std::vector<uint8_t>* solid) const;
  void AddNeeded(std::vector<uint8_t>* kept) const;
  void KeptByRule(const CrashPlan& plan, std::vector<uint8_t>* kept) const;

  Profile profile_;
  std::vector<Inode> inodes_;
  std::vector<uint32_t> free_inodes_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<MicroOp> pending_;
  std::string arena_;  // the bytes of pending writes
  std::vector<Ref<Page>> recycled_;
  size_t next_recycled_ = 0;
  bool keep_recycled_ = false;
  uint64_t next_inode_ = 1;
  uint64_t next_seq_ = 1;
  uint64_t call_ = 0;
  uint64_t used_bytes_ = 0;
  uint64_t capacity_ = UINT64_MAX;
};

}  // namespace shearpin::faultfs
