#include "faultfs/fs_call.h"

#include <xxhash.h>

namespace shearpin::faultfs {
namespace {

constexpr std::string_view kNames[kCallKinds] = {
    "open_read", "open_write", "read",   "append",     "sync",       "preallocate",
    "close",     "size",       "exists", "create_dir", "remove_dir", "list_dir",
    "sync_dir",  "rename",     "link",   "unlink",     "truncate",   "lock",
};

}  // namespace

std::string_view CallKindName(CallKind kind) { return kNames[static_cast<int>(kind)]; }

bool CallKindFromName(std::string_view name, CallKind* kind) {
  for (int i = 0; i < kCallKinds; ++i) {
    if (kNames[i] != name) continue;
    *kind = static_cast<CallKind>(i);
    return true;
  }
  return false;
}

uint64_t FsCall::DataHash() const { return XXH3_64bits(data.data(), data.size()); }

}  // namespace shearpin::faultfs
