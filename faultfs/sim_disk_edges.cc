// The profile's edges: which pending operation cannot be durable without which.
//
// They are never stored. One pass forward drops what has lost a predecessor, one pass backward
// adds the predecessors of what is to be kept, and both read the same rules; the two must be
// changed together (sim_disk_property_test.cc holds them against each other).
//
//   data       the write of the same block before (a later version of a page contains it); the
//              last truncation or allocation of the file
//   size       the size before; the last truncation or allocation; the data of its own call, if
//              data comes first
//   convert    the last truncation or allocation; the data of its own call, if data comes first
//   truncate,  the last truncation or allocation of the file; all metadata before, if the order
//   allocate   is total. Not the sizes before: it sets one itself
//   entries    the operation on the same name before; all metadata before, if the order is total;
//              for a rename that forces data, the source's data, sizes and conversions
//
// Sizes and conversions follow their data's I/O and take no part in the total order: that is
// delayed allocation.
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

void SimDisk::DropDependents(std::vector<uint8_t>* kept_ops, std::vector<uint8_t>* solid) const {
  std::vector<uint8_t>& kept = *kept_ops;
  const bool total = profile_.metadata_order == MetadataOrder::kTotal;
  const bool data_first = profile_.extension == ExtensionRule::kDataFirst;
  std::vector<uint8_t> files(inodes_.size(), 0);
  std::vector<uint8_t> names(slots_.size(), 0);
  bool metadata_dropped = false;
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
        if (op.kind == OpKind::kSize && (file & kSizes)) keep = false;
        for (uint32_t j = i; data_first && j-- > 0 && pending_[j].call == op.call;) {
          if (pending_[j].kind == OpKind::kData && !kept[j]) keep = false;
        }
        for (uint32_t j = i;
             solid != nullptr && data_first && keep && j-- > 0 && pending_[j].call == op.call;) {
          (*solid)[j] = 1;
        }
        if (!keep) file |= op.kind == OpKind::kSize ? kSizes : kDataAndConversions;
        break;
      case OpKind::kTruncate:
      case OpKind::kAllocate:
        if ((file & kStructure) || (total && metadata_dropped)) keep = false;
        if (!keep) {
          file |= kStructure;
          metadata_dropped = true;
        } else if (op.kind == OpKind::kTruncate) {
          file = 0;
        }
        break;
      case OpKind::kEntryAdd:
      case OpKind::kEntryRemove:
      case OpKind::kRename:
        if (names[op.slot] || (total && metadata_dropped)) keep = false;
        if (op.kind == OpKind::kRename && names[op.other_slot]) keep = false;
        if (op.forces_data && file != 0) keep = false;
        if (!keep) {
          names[op.slot] = 1;
          if (op.kind == OpKind::kRename) names[op.other_slot] = 1;
          metadata_dropped = true;
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
  const bool total = profile_.metadata_order == MetadataOrder::kTotal;
  const bool data_first = profile_.extension == ExtensionRule::kDataFirst;
  std::vector<uint8_t> files(inodes_.size(), 0);
  std::vector<uint8_t> names(slots_.size(), 0);
  bool metadata_needed = false;
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
        if (op.kind == OpKind::kSize) file |= kSizes;
        for (uint32_t j = i; data_first && j-- > 0 && pending_[j].call == op.call;) {
          if (pending_[j].kind == OpKind::kData) kept[j] = 1;
        }
        break;
      case OpKind::kTruncate:
      case OpKind::kAllocate:
        if ((file & kStructure) || (total && metadata_needed)) keep = true;
        if (!keep) break;
        metadata_needed = true;
        file = op.kind == OpKind::kTruncate ? kStructure : file | kStructure;
        break;
      case OpKind::kEntryAdd:
      case OpKind::kEntryRemove:
      case OpKind::kRename:
        if (names[op.slot] || (total && metadata_needed)) keep = true;
        if (op.kind == OpKind::kRename && names[op.other_slot]) keep = true;
        if (!keep) break;
        metadata_needed = true;
        names[op.slot] = 1;
        if (op.kind == OpKind::kRename) names[op.other_slot] = 1;
        if (op.forces_data) file |= kEverything;
        break;
    }
    kept[i] = keep ? 1 : 0;
  }
}

}  // namespace shearpin::faultfs
