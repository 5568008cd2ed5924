// FsCall: one call of a file system, as rules match it and observers see it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shearpin::faultfs {

enum class CallKind : uint8_t {
  kOpenRead,
  kOpenWrite,
  kRead,
  kAppend,
  kSync,
  kPreallocate,
  kClose,
  kSize,  // RandomAccessFile::Size and FileSystem::FileSize
  kExists,
  kCreateDir,
  kRemoveDir,
  kListDir,
  kSyncDir,
  kRename,
  kLink,
  kUnlink,
  kTruncate,
  kLock,
};
inline constexpr int kCallKinds = 18;

// "append", "sync_dir", ...: as written in rules.
std::string_view CallKindName(CallKind kind);
// False if no kind has that name.
bool CallKindFromName(std::string_view name, CallKind* kind);

// A set of CallKinds.
using CallKindSet = uint32_t;
constexpr CallKindSet SetOf(CallKind kind) { return CallKindSet{1} << static_cast<int>(kind); }
inline constexpr CallKindSet kAllCalls = (CallKindSet{1} << kCallKinds) - 1;
// Calls that change the disk or make it durable.
inline constexpr CallKindSet kMutatingCalls =
    SetOf(CallKind::kOpenWrite) | SetOf(CallKind::kAppend) | SetOf(CallKind::kSync) |
    SetOf(CallKind::kPreallocate) | SetOf(CallKind::kClose) | SetOf(CallKind::kCreateDir) |
    SetOf(CallKind::kRemoveDir) | SetOf(CallKind::kSyncDir) | SetOf(CallKind::kRename) |
    SetOf(CallKind::kLink) | SetOf(CallKind::kUnlink) | SetOf(CallKind::kTruncate);

// The views live for the duration of the callback only.
struct FsCall {
  uint64_t ordinal = 0;  // from 0, of this FaultFs
  CallKind kind = CallKind::kExists;
  std::string_view path = {};         // as given by the caller; for an open file, as it was opened
  std::string_view second_path = {};  // kRename, kLink
  uint64_t offset = 0;                // kRead, kAppend; bytes
  uint64_t size = 0;                  // bytes asked for, or the new size (kTruncate, kPreallocate)
  std::string_view data = {};         // kAppend: what is written; kRead: what was read, in After

  // XXH3-64 of data. Computed on demand: not every observer wants to pay for it.
  uint64_t DataHash() const;
};

}  // namespace shearpin::faultfs
