#include "sim/crash_chooser.h"

#include <algorithm>

namespace shearpin::sim {

using faultfs::CrashPlan;
using faultfs::KeepRule;
using faultfs::OpKind;
using faultfs::PendingOp;

CrashPlan CrashChooser::Draw(const std::vector<PendingOp>& ops, size_t recycled,
                             const faultfs::Profile& profile) {
  CrashPlan plan;
  if (ops.empty()) return plan;
  const auto any = [&] { return static_cast<uint32_t>(rng_.Uniform(ops.size())); };
  switch (rng_.Uniform(11)) {
    case 0:
      plan.keep = KeepRule::kAll;
      break;
    case 1:
      plan.keep = KeepRule::kNone;
      break;
    case 2:
    case 3:
      DrawPrefix(ops, &plan);
      break;
    case 4:
      plan.keep = KeepRule::kExcept;
      plan.ops = {any()};
      break;
    case 5:
      plan.keep = KeepRule::kNeed;
      plan.ops = {any()};
      break;
    case 6:
    case 7:
      DrawPurpose(ops, &plan);
      break;
    case 8:
      DrawHalfDone(ops, &plan);
      break;
    default:
      DrawSubset(ops.size(), &plan);
      break;
  }
  if (profile.sectors_tear && rng_.OneIn(3)) DrawTears(ops, profile, &plan);
  if (profile.extension == faultfs::ExtensionRule::kStaleBytes && rng_.OneIn(2)) {
    DrawFills(ops, recycled, &plan);
  }
  return plan;
}

void CrashChooser::DrawPrefix(const std::vector<PendingOp>& ops, CrashPlan* plan) {
  plan->keep = KeepRule::kPrefix;
  size_t prefix = rng_.Uniform(ops.size() + 1);
  if (rng_.OneIn(2)) {
    while (prefix > 0 && prefix < ops.size() && ops[prefix].call == ops[prefix - 1].call) --prefix;
  }
  plan->prefix = static_cast<uint32_t>(prefix);
}

void CrashChooser::DrawPurpose(const std::vector<PendingOp>& ops, CrashPlan* plan) {
  const faultfs::Purpose purpose = ops[rng_.Uniform(ops.size())].purpose;
  plan->keep = rng_.OneIn(2) ? KeepRule::kExcept : KeepRule::kNeed;
  // The latest of them only, half of the time: earlier ones then stand where they were.
  const bool some = rng_.OneIn(2);
  for (const PendingOp& op : ops) {
    if (op.purpose == purpose && (!some || rng_.OneIn(2))) plan->ops.push_back(op.ordinal);
  }
}

// One call is done in part, most likely the last that can be: a rename whose one name has gone
// while the other has not come, an append whose blocks have holes.
void CrashChooser::DrawHalfDone(const std::vector<PendingOp>& ops, CrashPlan* plan) {
  std::vector<size_t> begins;  // of the calls of several operations
  for (size_t i = 0; i + 1 < ops.size(); ++i) {
    if (ops[i].call == ops[i + 1].call && (i == 0 || ops[i - 1].call != ops[i].call)) {
      begins.push_back(i);
    }
  }
  if (begins.empty()) return DrawSubset(ops.size(), plan);
  const size_t begin = rng_.OneIn(2) ? begins.back() : begins[rng_.Uniform(begins.size())];
  size_t end = begin;
  while (end < ops.size() && ops[end].call == ops[begin].call) ++end;
  plan->keep = KeepRule::kExcept;
  const size_t lost = begin + rng_.Uniform(end - begin);
  const bool more = rng_.OneIn(2);
  for (size_t i = begin; i < end; ++i) {
    if (i == lost || (more && rng_.OneIn(3))) plan->ops.push_back(ops[i].ordinal);
  }
}

void CrashChooser::DrawSubset(size_t count, CrashPlan* plan) {
  plan->keep = KeepRule::kList;
  const uint64_t eighths = rng_.Range(1, 7);
  plan->bits.resize(count);
  for (char& bit : plan->bits) bit = rng_.Chance(eighths, 8) ? '1' : '0';
}

void CrashChooser::DrawTears(const std::vector<PendingOp>& ops, const faultfs::Profile& profile,
                             CrashPlan* plan) {
  const bool garbage = profile.sector_garbage && rng_.OneIn(2);
  for (const PendingOp& op : ops) {
    if (op.kind != OpKind::kData || !rng_.OneIn(3)) continue;
    faultfs::Tear& tear = plan->tears.emplace_back();
    tear.op = op.ordinal;
    tear.new_sectors = static_cast<uint8_t>(rng_.Next() >> 56);
    if (garbage) tear.garbage_sectors = static_cast<uint8_t>(op.sectors & (rng_.Next() >> 56));
  }
}

void CrashChooser::DrawFills(const std::vector<PendingOp>& ops, size_t recycled, CrashPlan* plan) {
  for (const PendingOp& op : ops) {
    if (op.kind != OpKind::kData || !op.extends || !rng_.OneIn(2)) continue;
    faultfs::Fill& fill = plan->fills.emplace_back();
    fill.op = op.ordinal;
    if (recycled == 0 || rng_.OneIn(3)) {
      fill.kind = faultfs::Fill::Kind::kGarbage;
    } else {
      fill.kind = faultfs::Fill::Kind::kStale;
      // A file system likes to give out what was freed last.
      const size_t among = rng_.OneIn(2) ? std::min<size_t>(recycled, 8) : recycled;
      fill.recycled = static_cast<uint32_t>(recycled - 1 - rng_.Uniform(among));
    }
  }
}

}  // namespace shearpin::sim
