// CrashChooser: which of its legal outcomes a loss of power has, drawn from the plan's crash
// stream. The policy to faultfs' mechanism.
//
// The draw mixes the reference's orders (everything, nothing, all but one, one alone, a prefix,
// one purpose, one call half done) with random subsets, and cuts at the boundary of a call half of
// the time, because some holes show only where a file ends exactly at a record.
//
// Thread safety: one thread at a time.
#pragma once

#include <vector>

#include "faultfs/crash_plan.h"
#include "faultfs/micro_op.h"
#include "faultfs/profile.h"
#include "sim/rng.h"

namespace shearpin::sim {

class CrashChooser {
 public:
  explicit CrashChooser(Rng rng) : rng_(rng) {}

  // Whether the run goes on from the image whose recovery was the rarest, rather than from a drawn
  // one.
  bool PrefersRarest() { return rng_.OneIn(2); }

  // `ops` are the disk's pending operations, oldest first; `recycled` how many freed blocks a
  // stale fill can choose from.
  faultfs::CrashPlan Draw(const std::vector<faultfs::PendingOp>& ops, size_t recycled,
                          const faultfs::Profile& profile);

 private:
  void DrawPrefix(const std::vector<faultfs::PendingOp>& ops, faultfs::CrashPlan* plan);
  void DrawPurpose(const std::vector<faultfs::PendingOp>& ops, faultfs::CrashPlan* plan);
  void DrawHalfDone(const std::vector<faultfs::PendingOp>& ops, faultfs::CrashPlan* plan);
  void DrawSubset(size_t count, faultfs::CrashPlan* plan);
  void DrawTears(const std::vector<faultfs::PendingOp>& ops, const faultfs::Profile& profile,
                 faultfs::CrashPlan* plan);
  void DrawFills(const std::vector<faultfs::PendingOp>& ops, size_t recycled,
                 faultfs::CrashPlan* plan);

  Rng rng_;
};

}  // namespace shearpin::sim
