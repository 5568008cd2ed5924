#include "sim/crash_states.h"

namespace shearpin::sim {

using faultfs::CrashPlan;
using faultfs::KeepRule;
using faultfs::OpKind;

CrashStates::CrashStates(const faultfs::SimDisk& disk, const CrashStatesOptions& options, Rng rng)
    : disk_(disk), options_(options), ops_(disk.PendingOps()), standard_(disk), chooser_(rng) {}

bool CrashStates::Next(CrashPlan* plan) {
  if (!process_done_) {
    process_done_ = true;
    *plan = CrashPlan();
    plan->kind = faultfs::CrashKind::kProcess;
    return true;
  }
  if (standard_.Next(plan)) return true;
  if (options_.every_subset) return NextTear(plan) || NextSubset(plan);
  if (ops_.empty() || random_drawn_ == options_.random) return false;
  ++random_drawn_;
  *plan = chooser_.Draw(ops_, disk_.recycled_count(), disk_.profile());
  return true;
}

// Downward-closed subsets from the largest to the empty one. Edges lead from later operations to
// earlier ones, so after the last kept operation is dropped, the most that can follow is what
// closure leaves of keeping everything behind it.
bool CrashStates::NextSubset(CrashPlan* plan) {
  std::string bits(ops_.size(), '1');
  if (bits_) {
    const size_t last = bits_->rfind('1');
    if (last == std::string::npos) return false;
    bits.replace(0, last, *bits_, 0, last);
    bits[last] = '0';
  }
  *plan = CrashPlan();
  plan->keep = KeepRule::kList;
  plan->bits = bits;
  const std::vector<bool> kept = disk_.KeptOps(*plan);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = kept[i] ? '1' : '0';
  plan->bits = bits;
  bits_ = std::move(bits);
  torn_ = 0;
  tear_mask_ = 0;
  return true;
}

// The tears of one kept write of several sectors: with one sector alone, torn is old or new.
bool CrashStates::NextTear(CrashPlan* plan) {
  if (!bits_ || !disk_.profile().sectors_tear) return false;
  for (; torn_ < ops_.size(); ++torn_, tear_mask_ = 0) {
    const faultfs::PendingOp& op = ops_[torn_];
    if (op.kind != OpKind::kData || (*bits_)[torn_] == '0') continue;
    if ((op.sectors & (op.sectors - 1)) == 0) continue;
    // The next subset of the sectors written, in the order of counting.
    tear_mask_ = (tear_mask_ - op.sectors) & op.sectors;
    if (tear_mask_ == op.sectors) continue;
    *plan = CrashPlan();
    plan->keep = KeepRule::kList;
    plan->bits = *bits_;
    plan->tears.push_back({.op = op.ordinal, .new_sectors = static_cast<uint8_t>(tear_mask_)});
    return true;
  }
  return false;
}

}  // namespace shearpin::sim
