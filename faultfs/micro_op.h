// MicroOp: the smallest change that a crash keeps or drops whole (data may tear besides), and
// PendingOp, the same told to whoever chooses crashes or prints their story.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shearpin::faultfs {

enum class OpKind : uint8_t {
  kData,         // bytes of one block
  kSize,         // the file grew
  kTruncate,     // the file was cut, or extended with zeros
  kAllocate,     // unwritten extents, and perhaps a larger size
  kConvert,      // unwritten blocks that were written to become readable
  kEntryAdd,     // a name points to an inode
  kEntryRemove,  // a name points to nothing
  kRename,       // both ends of a rename at once
};
std::string_view OpKindName(OpKind kind);

// What a file is for, by the names that LSM engines give their files.
enum class Purpose : uint8_t { kWal, kManifest, kTable, kCurrent, kOther };
inline constexpr int kPurposes = 5;
std::string_view PurposeName(Purpose purpose);
// Of "/db/000007.log" (or .wal), "MANIFEST-000002", "000009.sst", "CURRENT", "CURRENT.tmp".
Purpose PurposeOf(std::string_view path);

struct PendingOp {
  uint32_t ordinal = 0;
  uint64_t call = 0;  // operations of one file-system call share it; calls count upwards
  OpKind kind = OpKind::kData;
  uint64_t inode = 0;       // never used twice on one disk
  std::string path;         // a name that the inode had, at the time of the call or before
  std::string second_path;  // kRename: from `path` to this
  Purpose purpose = Purpose::kOther;
  uint32_t block = 0;    // kData, kConvert
  uint32_t offset = 0;   // kData: within the block, bytes
  uint32_t length = 0;   // kData: bytes
  uint64_t size = 0;     // kSize, kTruncate, kAllocate: the new size
  uint8_t sectors = 0;   // kData: bit i set: sector i of the block is written to
  bool extends = false;  // kData: all of it lies beyond the size before the call

  // "data #3 /db/000007.log block 2 [100,180)".
  std::string ToString() const;
};

inline constexpr uint32_t kNoIndex = UINT32_MAX;

// As SimDisk logs it. Indices point into the disk's tables.
struct MicroOp {
  uint64_t seq = 0;
  uint64_t call = 0;
  uint64_t size = 0;     // kSize, kTruncate, kAllocate: bytes
  uint64_t payload = 0;  // kData: where its bytes stand in the log's arena
  uint32_t inode = kNoIndex;
  uint32_t block = 0;              // kData; kAllocate, kConvert: the first block
  uint32_t offset = 0;             // kData: bytes
  uint32_t length = 0;             // kData: bytes; kAllocate, kConvert: blocks
  uint32_t slot = kNoIndex;        // entries; kRename: the name that goes
  uint32_t other_slot = kNoIndex;  // kRename: the name that comes
  uint32_t same_block = kNoIndex;  // kData: the pending write of this block before
  uint32_t same_file = kNoIndex;   // kData: the pending write of this file before
  OpKind kind = OpKind::kData;
  bool extends = false;      // kData
  bool forces_data = false;  // kRename: the source's data precedes it

  bool OfContent() const { return kind <= OpKind::kConvert; }
};

}  // namespace shearpin::faultfs
