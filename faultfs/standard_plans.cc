#include "faultfs/standard_plans.h"

#include "engine/base/check.h"

namespace shearpin::faultfs {
namespace {

// Of a block's eight sectors: nothing new, the front, the back, every other one.
constexpr uint8_t kTearMasks[] = {0x00, 0x01, 0x0f, 0x7f, 0x80, 0xf0, 0xfe, 0x55, 0xaa};
// For each mask: old sectors from the platter, from the write before, and garbage.
constexpr size_t kTearKinds = 3;
constexpr size_t kTearMaskCount = sizeof kTearMasks;

}  // namespace

StandardPlans::StandardPlans(const SimDisk& disk)
    : profile_(disk.profile()), ops_(disk.PendingOps()), recycled_(disk.recycled_count()) {
  for (size_t i = 0; i < ops_.size(); ++i) {
    if (ops_[i].kind != OpKind::kData) continue;
    bool last = true;
    for (size_t j = i + 1; j < ops_.size() && last; ++j) {
      last = ops_[j].kind != OpKind::kData || ops_[j].inode != ops_[i].inode ||
             ops_[j].block != ops_[i].block;
    }
    if (last && profile_.sectors_tear) tearable_.push_back(ops_[i].ordinal);
    if (ops_[i].extends && profile_.extension == ExtensionRule::kStaleBytes) {
      fillable_.push_back(ops_[i].ordinal);
    }
  }
}

size_t StandardPlans::StageLength() const {
  switch (stage_) {
    case Stage::kAll:
    case Stage::kNone:
      return 1;
    case Stage::kOneDropped:
    case Stage::kOneKept:
      return ops_.size();
    case Stage::kPrefix:
      return ops_.empty() ? 0 : ops_.size() - 1;
    case Stage::kPurpose:
      return ops_.empty() ? 0 : 2 * kPurposes;
    case Stage::kTear:
      return tearable_.size() * kTearMaskCount * kTearKinds;
    case Stage::kFill:
      return fillable_.size() * (recycled_ + 1);
    case Stage::kDone:
      break;
  }
  return 0;
}

bool StandardPlans::Next(CrashPlan* plan) {
  while (stage_ != Stage::kDone && index_ >= StageLength()) {
    stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
    index_ = 0;
  }
  if (stage_ == Stage::kDone) return false;
  *plan = CrashPlan();
  const auto index = static_cast<uint32_t>(index_);
  switch (stage_) {
    case Stage::kAll:
    case Stage::kDone:
      break;
    case Stage::kNone:
      plan->keep = KeepRule::kNone;
      break;
    case Stage::kOneDropped:
      plan->keep = KeepRule::kExcept;
      plan->ops = {index};
      break;
    case Stage::kOneKept:
      plan->keep = KeepRule::kNeed;
      plan->ops = {index};
      break;
    case Stage::kPrefix:
      plan->keep = KeepRule::kPrefix;
      plan->prefix = index + 1;
      break;
    case Stage::kPurpose:
      PurposePlan(plan);
      break;
    case Stage::kTear:
      TearPlan(plan);
      break;
    case Stage::kFill:
      plan->keep = KeepRule::kExcept;
      plan->ops = {fillable_[index / (recycled_ + 1)]};
      plan->fills.push_back(
          {.op = plan->ops[0],
           .kind = index % (recycled_ + 1) == recycled_ ? Fill::Kind::kGarbage : Fill::Kind::kStale,
           .recycled = static_cast<uint32_t>(index % (recycled_ + 1))});
      if (plan->fills[0].kind == Fill::Kind::kGarbage) plan->fills[0].recycled = 0;
      break;
  }
  ++index_;
  return true;
}

void StandardPlans::PurposePlan(CrashPlan* plan) const {
  const auto purpose = static_cast<Purpose>(index_ / 2);
  plan->keep = index_ % 2 == 0 ? KeepRule::kExcept : KeepRule::kNeed;
  for (const PendingOp& op : ops_) {
    if (op.purpose == purpose) plan->ops.push_back(op.ordinal);
  }
}

void StandardPlans::TearPlan(CrashPlan* plan) const {
  const size_t kind = index_ % kTearKinds;
  Tear tear;
  tear.op = tearable_[index_ / (kTearKinds * kTearMaskCount)];
  tear.new_sectors = kTearMasks[index_ / kTearKinds % kTearMaskCount];
  const PendingOp& torn = ops_[tear.op];
  for (size_t i = tear.op; kind == 1 && i-- > 0;) {
    if (ops_[i].kind != OpKind::kData || ops_[i].inode != torn.inode) continue;
    if (ops_[i].block != torn.block) continue;
    tear.old_op = ops_[i].ordinal;
    break;
  }
  if (kind == 2 && profile_.sector_garbage) {
    tear.garbage_sectors = static_cast<uint8_t>(~tear.new_sectors);
  }
  plan->tears.push_back(tear);
}

std::vector<CrashPlan> AllLegalChoices(const SimDisk& disk) {
  const size_t count = disk.pending_count();
  SHEARPIN_CHECK(count <= 20, "too many pending operations to enumerate");
  std::vector<CrashPlan> legal;
  CrashPlan plan;
  plan.keep = KeepRule::kList;
  for (uint32_t choice = 0; choice < uint32_t{1} << count; ++choice) {
    plan.bits.assign(count, '0');
    for (size_t i = 0; i < count; ++i) plan.bits[i] = choice >> i & 1 ? '1' : '0';
    const std::vector<bool> kept = disk.KeptOps(plan);
    bool closed = true;
    for (size_t i = 0; i < count; ++i) closed &= kept[i] == (plan.bits[i] == '1');
    if (closed) legal.push_back(plan);
  }
  return legal;
}

}  // namespace shearpin::faultfs
