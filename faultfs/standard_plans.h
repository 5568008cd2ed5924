// StandardPlans: the crash plans worth trying first, in the order of the fault model's reference.
//
// All kept; none kept; exactly one dropped (and what hangs on it); exactly one kept (and what it
// needs); every prefix; by purpose (WAL, MANIFEST, tables, CURRENT: dropped, then alone); then
// torn variants of the last write of each block, and stale bytes where the profile has them.
// Everything further is the business of whoever owns a random generator. Different plans may leave
// equal images: compare DiskImage::ContentHash.
//
// Pure: depends on the disk's pending list when constructed, and not on the disk afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "faultfs/crash_plan.h"
#include "faultfs/sim_disk.h"

namespace shearpin::faultfs {

class StandardPlans {
 public:
  explicit StandardPlans(const SimDisk& disk);

  // Fills *plan with the next one; false when there is none.
  bool Next(CrashPlan* plan);

 private:
  enum class Stage : uint8_t {
    kAll,
    kNone,
    kOneDropped,
    kOneKept,
    kPrefix,
    kPurpose,
    kTear,
    kFill,
    kDone
  };

  void PurposePlan(CrashPlan* plan) const;
  void TearPlan(CrashPlan* plan) const;
  size_t StageLength() const;

  const Profile profile_;
  std::vector<PendingOp> ops_;
  std::vector<uint32_t> tearable_;  // ordinals of the last write of each block
  std::vector<uint32_t> fillable_;  // ordinals of writes that extend their file
  size_t recycled_;
  Stage stage_ = Stage::kAll;
  size_t index_ = 0;
};

// Every legal choice of kept operations, as `list:` plans without tears: 2^n candidates, so the
// disk must have at most 20 pending operations. For exhaustive tests.
std::vector<CrashPlan> AllLegalChoices(const SimDisk& disk);

}  // namespace shearpin::faultfs
