// The profile's edges: which pending operation cannot be durable without which.
//
// They are never stored. One pass forward drops what has lost a predecessor, one pass backward
// adds the predecessors of what is to be kept, and both read the same rules; the two must be
// changed together (sim_disk_property_test.cc holds them against each other).
//
//   data       the write of the same block before (a later version of a page contains it); the
//              last truncation or allocation of the file
//   size       the size before, unless it only follows the block it ends in; the last truncation
//              or allocation; of the data of its own call: all, if data comes first, or the last
//   convert    the last truncation or allocation; the data of its own call, if any comes first
//   truncate,  the last truncation or allocation of the file; the metadata before that the order
//   allocate   puts before it. Not the sizes before: it sets one itself
//   entries    the operation on the same name before; the metadata before that the order puts
//              before it; for a rename that forces data, the source's data, sizes and conversions
//
// Sizes and conversions follow their data's I/O and take no part in the order of metadata: that is
// delayed allocation. Where data goes through the journal, each operation needs all before it.
#include <algorithm>

#include "faultfs/sim_disk.h"

namespace shearpin::faultfs {
namespace {

// What a pass knows about one file: a bit for each class of operation that was dropped (forward)
// or is needed (backward).
constexpr uint8_t kStructure = 1;  // truncations and allocations
constexpr uint8_t kSizes = 2;
constexpr uint8_t kDataAndConversions = 4;

constexpr uint8_t kEverything = kStructure | kSizes | kDataAndConversions;

}  // namespace

// The order of metadata, as one pass sees it: what was dropped (forward) or is needed (backward).
// Of two operations the later depends on the earlier if the earlier one's own inodes meet the
// inodes that the later one reads.
class SimDisk::MetadataPass {
 public:
  explicit MetadataPass(const SimDisk& disk)
      : disk_(disk), order_(disk.profile_.metadata_order), marked_(0) {
    if (ByInode()) inodes_.assign(disk.inodes_.size(), 0);
  }

  // Forward: a predecessor of `op` was dropped.
  bool IsCutOff(const MicroOp& op) const {
    if (!ByInode()) return order_ == MetadataOrder::kTotal && marked_;
    return AnyMarked(op, true);
  }
  void Drop(const MicroOp& op) { Mark(op, order_ == MetadataOrder::kSharedInode); }

  // Backward: something later needs `op`.
  bool IsNeeded(const MicroOp& op) const {
    if (!ByInode()) return order_ == MetadataOrder::kTotal && marked_;
    return AnyMarked(op, order_ == MetadataOrder::kSharedInode);
  }
  void Need(const MicroOp& op) { Mark(op, true); }

 private:
  bool ByInode() const {
    return order_ == MetadataOrder::kSameFile || order_ == MetadataOrder::kSharedInode;
  }

  bool AnyMarked(const MicroOp& op, bool directories_too) const {
    if (inodes_[op.inode]) return true;
    if (!directories_too) return false;
    for (const uint32_t slot : {op.slot, op.other_slot}) {
      if (slot != kNoIndex && inodes_[disk_.slots_[slot].directory]) return true;
    }
    return false;
  }

  void Mark(const MicroOp& op, bool directories_too) {
    marked_ = true;
    if (!ByInode()) return;
    inodes_[op.inode] = 1;
    if (!directories_too) return;
    for (const uint32_t slot : {op.slot, op.other_slot}) {
      if (slot != kNoIndex) inodes_[disk_.slots_[slot].directory] = 1;
    }
  }

  const SimDisk& disk_;
  const MetadataOrder order_;
  bool marked_;
  std::vector<uint8_t> inodes_;
};

// Calls `visit` with each write that the size or conversion `i` follows.
template <typename Visit>
void SimDisk::ForDataBefore(uint32_t i, const Visit& visit) const {
  const bool last_only = profile_.extension == ExtensionRule::kLastDataFirst;
  if (!last_only && profile_.extension != ExtensionRule::kDataFirst) return;
  for (uint32_t j = i; j-- > 0 && pending_[j].call == pending_[i].call;) {
    if (pending_[j].kind != OpKind::kData) continue;
    visit(j);
    if (last_only && pending_[i].kind == OpKind::kSize) return;
  }
}

void SimDisk::DropDependents(std::vector<uint8_t>* kept_ops, std::vector<uint8_t>* solid) const {
  std::vector<uint8_t>& kept = *kept_ops;
  if (profile_.metadata_order == MetadataOrder::kWithData) {
    std::fill(std::find(kept.begin(), kept.end(), 0), kept.end(), 0);
    return;
  }
  const bool sizes_chain = profile_.extension != ExtensionRule::kLastDataFirst;
  std::vector<uint8_t> files(inodes_.size(), 0);
  std::vector<uint8_t> names(slots_.size(), 0);
  MetadataPass metadata(*this);
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    const MicroOp& op = pending_[i];
    uint8_t& file = files[op.inode];
    bool keep = kept[i] != 0;
    switch (op.kind) {
      case OpKind::kData:
        if (file & kStructure) keep = false;
        if (op.same_block != kNoIndex && !kept[op.same_block]) keep = false;
        if (!keep) file |= kDataAndConversions;
        break;
      case OpKind::kSize:
      case OpKind::kConvert:
        if (file & kStructure) keep = false;
        if (op.kind == OpKind::kSize && sizes_chain && (file & kSizes)) keep = false;
        ForDataBefore(i, [&](uint32_t j) { keep = keep && kept[j]; });
        if (!keep) {
          file |= op.kind == OpKind::kSize ? kSizes : kDataAndConversions;
        } else if (solid != nullptr) {
          ForDataBefore(i, [&](uint32_t j) { (*solid)[j] = 1; });
        }
        break;
      case OpKind::kTruncate:
      case OpKind::kAllocate:
        if ((file & kStructure) || metadata.IsCutOff(op)) keep = false;
        if (!keep) {
          file |= kStructure;
          metadata.Drop(op);
        } else if (op.kind == OpKind::kTruncate) {
          file = 0;
        }
        break;
      case OpKind::kEntryAdd:
      case OpKind::kEntryRemove:
      case OpKind::kRename:
        if (names[op.slot] || metadata.IsCutOff(op)) keep = false;
        if (op.kind == OpKind::kRename && names[op.other_slot]) keep = false;
        if (op.forces_data && file != 0) keep = false;
        if (!keep) {
          names[op.slot] = 1;
          if (op.kind == OpKind::kRename) names[op.other_slot] = 1;
          metadata.Drop(op);
        } else if (op.forces_data && solid != nullptr) {
          for (uint32_t j = 0; j < i; ++j) (*solid)[j] |= pending_[j].inode == op.inode;
        }
        break;
    }
    kept[i] = keep ? 1 : 0;
  }
}

void SimDisk::AddNeeded(std::vector<uint8_t>* kept_ops) const {
  std::vector<uint8_t>& kept = *kept_ops;
  if (profile_.metadata_order == MetadataOrder::kWithData) {
    const auto last = std::find_if(kept.rbegin(), kept.rend(), [](uint8_t k) { return k == 1; });
    for (auto at = kept.begin(); at != last.base(); ++at) *at = 1;
    return;
  }
  const bool sizes_chain = profile_.extension != ExtensionRule::kLastDataFirst;
  std::vector<uint8_t> files(inodes_.size(), 0);
  std::vector<uint8_t> names(slots_.size(), 0);
  MetadataPass metadata(*this);
  for (uint32_t i = static_cast<uint32_t>(pending_.size()); i-- > 0;) {
    const MicroOp& op = pending_[i];
    uint8_t& file = files[op.inode];
    bool keep = kept[i] != 0;
    switch (op.kind) {
      case OpKind::kData:
        if (file & kDataAndConversions) keep = true;
        if (!keep) break;
        file |= kStructure;
        if (op.same_block != kNoIndex) kept[op.same_block] = 1;
        break;
      case OpKind::kSize:
      case OpKind::kConvert:
        if (file & (op.kind == OpKind::kSize ? kSizes : kDataAndConversions)) keep = true;
        if (!keep) break;
        file |= kStructure;
        if (op.kind == OpKind::kSize && sizes_chain) file |= kSizes;
        ForDataBefore(i, [&](uint32_t j) { kept[j] = 1; });
        break;
      case OpKind::kTruncate:
      case OpKind::kAllocate:
        if ((file & kStructure) || metadata.IsNeeded(op)) keep = true;
        if (!keep) break;
        metadata.Need(op);
        file = op.kind == OpKind::kTruncate ? kStructure : file | kStructure;
        break;
      case OpKind::kEntryAdd:
      case OpKind::kEntryRemove:
      case OpKind::kRename:
        if (names[op.slot] || metadata.IsNeeded(op)) keep = true;
        if (op.kind == OpKind::kRename && names[op.other_slot]) keep = true;
        if (!keep) break;
        metadata.Need(op);
        names[op.slot] = 1;
        if (op.kind == OpKind::kRename) names[op.other_slot] = 1;
        if (op.forces_data) file |= kEverything;
        break;
    }
    kept[i] = keep ? 1 : 0;
  }
}

}  // namespace shearpin::faultfs
