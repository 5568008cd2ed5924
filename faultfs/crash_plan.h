// CrashPlan: one outcome of one crash, as plain data.
//
// A plan says which of the disk's pending micro-operations (SimDisk::PendingOps, by ordinal) had
// reached the platter when the power went, and in which state the blocks in flight were found.
// It is mechanism only: who chooses, and how, is no business of faultfs.
//
// Closure: a plan need not be legal by itself. When it is applied, an operation whose predecessor
// (by the profile's edges) is dropped is dropped too, so every plan names exactly one legal crash
// state, and dropping ordinals from a plan (a shrinker does) always leaves a plan.
//
// Text, one line, round-trips through Parse and ToString:
//
//   process
//   power keep=all
//   power keep=prefix:7 tears=5:0x0f,6:0x01@2!0x80 fills=9:stale:3,10:garbage
//
// Thread safety: a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"

namespace shearpin::faultfs {

enum class CrashKind : uint8_t {
  kPower,    // pending operations are lost as the plan says
  kProcess,  // only the process died: the page cache is whole
};

enum class KeepRule : uint8_t {
  kAll,
  kNone,
  kPrefix,  // prefix:N    the first N
  kOnly,    // only:2,5    these, as far as closure lets them stand alone
  kNeed,    // need:2,5    these and everything they depend on
  kExcept,  // except:3,7  all but these (and what depends on them)
  kList,    // list:1011   bit i keeps operation i; beyond the end nothing is kept
};

// The block write of `op` was in flight: of its eight sectors, those in `new_sectors` hold what
// the block held after `op`, the others what it held after `old_op` (an earlier write of the same
// block), or on the platter before (kOnPlatter); those in `garbage_sectors` hold garbage, if the
// profile allows that. Applies only where `op` is the last kept write of its block, and never
// undoes a write that a kept operation waited for.
struct Tear {
  static constexpr uint32_t kOnPlatter = UINT32_MAX;
  uint32_t op = 0;
  uint8_t new_sectors = 0;
  uint8_t garbage_sectors = 0;
  uint32_t old_op = kOnPlatter;
  bool operator==(const Tear&) const = default;
};

// What the bytes of the dropped write `op` read as where the file has grown over them, instead of
// zeros. Only for profiles with ExtensionRule::kStaleBytes, and never inside unwritten extents.
struct Fill {
  enum class Kind : uint8_t {
    kStale,    // stale:K   the same bytes of the K-th recycled block (modulo their number)
    kGarbage,  // garbage   bytes that mean nothing
  };
  uint32_t op = 0;
  Kind kind = Kind::kStale;
  uint32_t recycled = 0;
  bool operator==(const Fill&) const = default;
};

struct CrashPlan {
  CrashKind kind = CrashKind::kPower;
  KeepRule keep = KeepRule::kAll;
  uint32_t prefix = 0;             // kPrefix
  std::vector<uint32_t> ops = {};  // kOnly, kNeed, kExcept
  std::string bits = {};           // kList: '0' and '1'
  std::vector<Tear> tears = {};    // at most one for an operation; the first counts
  std::vector<Fill> fills = {};    // likewise

  bool operator==(const CrashPlan&) const = default;

  std::string ToString() const;
  // InvalidArgument names the offending word and what was expected.
  static StatusOr<CrashPlan> Parse(std::string_view text);
};

}  // namespace shearpin::faultfs
