// FaultRule: one fault to inject, as plain data.
//
// Text, one line of words in this order, round-trips through Parse and ToString:
//
//   ops=append,sync path=*.log skip=3 times=once effect=eio
//   ops=sync path=* skip=0 times=2 effect=sync_fail:keep_new_clean
//   ops=any path=*/MANIFEST-* skip=0 times=always effect=latency:2500
//   ops=read path=*.sst skip=0 times=3 effect=bit_rot:77
//
// `path`, `skip` and `times` may be left out when parsing ("*", 0, once). Matching calls are
// counted; the first `skip` pass, then the effect is applied `times` times. In the glob, '*' is
// any run of characters ('/' included) and '?' any one; it must match the whole path.
//
// Thread safety: a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/status.h"
#include "faultfs/fs_call.h"

namespace shearpin::faultfs {

enum class EffectKind : uint8_t {
  kIoError,     // eio: the call fails and does nothing (a sync's pages stay dirty)
  kNoSpace,     // enospc: likewise, with NoSpace
  kSyncFail,    // sync_fail:MODE: a sync fails and takes its dirty pages along (SyncFailure)
  kShortWrite,  // short_write:N: N bytes (at most all but one) are appended, then EIO
  kLatency,     // latency:MICROS: FsObserver::Delay is told, then the call goes on
  // Broken promises: the call returns OK. FsObserver::Damaged is told where something was broken;
  // where there is nothing to break, nothing happens. N picks a block or a bit, modulo their
  // number.
  kShortRead,         // short_read:N: at most N bytes, and not all, as if the file ended there
  kStaleRead,         // stale_read:N: what the blocks held before, here or in a former life (N)
  kBitRot,            // bit_rot:N: on the platter, in what is read, or anywhere in a file that is
                      // synced or closed: then only seen when it is no longer cached
  kLostWrite,         // lost_write:N: one of the blocks that a sync writes never gets there
  kMisdirectedWrite,  // misdirected_write:N: likewise, and it lands on some other durable block
  kLyingFlush,        // lying_flush: the sync does nothing
};
inline constexpr int kEffectKinds = 11;
std::string_view EffectKindName(EffectKind kind);
// Whether the effect, or the disk behind it, breaks a promise without telling.
constexpr bool BreaksPromise(EffectKind kind) { return kind >= EffectKind::kShortRead; }
// The calls that an effect can befall: a rule for any other would stay silently inert.
CallKindSet CallsOf(EffectKind kind);

// What a failed sync leaves behind. In each mode but kShutdown the blocks it should have written
// are clean afterwards: a repeated sync succeeds and writes nothing of them, until they are
// written to again. See "A failed fsync" in the fault model. The sync of a directory fails without
// forgetting anything, in every mode.
enum class SyncFailure : uint8_t {
  kKeepNewClean,  // ext4, XFS: memory keeps the new content until Evict or a crash
  kRevertOld,     // btrfs: memory goes back to the durable content
  kReportNext,    // ext4 data=journal: this sync succeeds, the next one of the file fails
  kShutdown,      // the file system stops: every later call fails
};
std::string_view SyncFailureName(SyncFailure mode);

struct FaultRule {
  static constexpr uint32_t kAlways = 0;

  CallKindSet calls = kAllCalls;
  std::string path_glob = "*";
  uint32_t skip = 0;
  uint32_t times = 1;  // or kAlways
  EffectKind effect = EffectKind::kIoError;
  SyncFailure sync_failure = SyncFailure::kKeepNewClean;  // kSyncFail
  uint64_t amount = 0;  // kShortWrite, kShortRead: bytes; kLatency: micros; else a pick

  bool operator==(const FaultRule&) const = default;

  std::string ToString() const;
  // InvalidArgument names the offending word and what was expected.
  static StatusOr<FaultRule> Parse(std::string_view text);
};

bool GlobMatches(std::string_view glob, std::string_view text);

}  // namespace shearpin::faultfs
