// Crashes: from the durable state, the pending list and a plan to an image.
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "faultfs/sim_disk.h"

namespace shearpin::faultfs {
namespace {

// Bytes that mean nothing and are the same in every run.
void PutGarbage(uint64_t seed, char* to, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (i % 8 == 0) seed = CombineHashes(seed, i);
    to[i] = static_cast<char>(seed >> (i % 8 * 8));
  }
}

// A tear of the plan that applies, resolved against the log.
struct OpenTear {
  const Tear* tear = nullptr;
  uint32_t begin = 0;  // the first write of the block that the old sectors may lack
  Ref<Page> old_page;  // the block before it
};

}  // namespace

// Builds one image. Reads the disk and changes nothing of it.
class CrashView {
 public:
  CrashView(const SimDisk& disk, const CrashPlan& plan, CrashTraits* traits)
      : disk_(disk),
        plan_(plan),
        process_(plan.kind == CrashKind::kProcess),
        traits_(traits == nullptr ? &unread_traits_ : traits) {}

  DiskImage Build() {
    targets_.reserve(disk_.slots_.size());
    for (const SimDisk::Slot& slot : disk_.slots_) {
      targets_.push_back(process_ ? slot.live : slot.durable);
    }
    contents_.resize(disk_.inodes_.size());
    states_.assign(disk_.inodes_.size(), State::kSettled);
    if (!process_) {
      disk_.KeptByRule(plan_, &kept_);
      if (plan_.tears.empty()) {
        disk_.DropDependents(&kept_, nullptr);
      } else {
        solid_.assign(kept_.size(), 0);
        disk_.DropDependents(&kept_, &solid_);
        for (const Tear& tear : plan_.tears) OpenTearOf(tear);
      }
      Classify();
      Replay();
      for (const Fill& fill : plan_.fills) ApplyFill(fill);
      if (traits_ != &unread_traits_) CountResurrected();
    }
    return DiskImage(Walk());
  }

 private:
  enum class State : uint8_t {
    kSettled,  // nothing pending: the durable content, which is the live one
    kWhole,    // everything pending is kept: the live content
    kPartial,  // to be built
  };

  void Classify() {
    for (uint32_t i = 0; i < kept_.size(); ++i) {
      const MicroOp& op = disk_.pending_[i];
      if (!op.OfContent()) continue;
      State& state = states_[op.inode];
      if (!kept_[i] || !disk_.inodes_[op.inode].lost_blocks.empty()) state = State::kPartial;
      if (state == State::kSettled) state = State::kWhole;
    }
    for (const OpenTear& tear : tears_) {
      states_[disk_.pending_[tear.tear->op].inode] = State::kPartial;
    }
  }

  // A tear applies to the last kept write of a block, if nothing waited for that write.
  void OpenTearOf(const Tear& tear) {
    const std::vector<MicroOp>& ops = disk_.pending_;
    const uint32_t k = tear.op;
    if (!disk_.profile_.sectors_tear || k >= ops.size() || ops[k].kind != OpKind::kData ||
        !kept_[k] || solid_[k]) {
      return;
    }
    for (const OpenTear& other : tears_) {
      if (other.tear->op == k) return;
    }
    for (uint32_t j = k + 1; j < ops.size(); ++j) {
      if (!kept_[j] || ops[j].inode != ops[k].inode) continue;
      if (ops[j].kind == OpKind::kTruncate) return;
      if (ops[j].kind == OpKind::kData && ops[j].block == ops[k].block) return;
    }
    uint32_t begin = k;
    for (uint32_t older = ops[k].same_block; older != kNoIndex; older = ops[older].same_block) {
      if (older == tear.old_op || solid_[older] || IsCutBetween(older, begin)) break;
      begin = older;
    }
    tears_.push_back({.tear = &tear, .begin = begin, .old_page = {}});
  }

  // Whether the file was truncated between two writes: then the block before is not what the
  // block in flight can fall back to.
  bool IsCutBetween(uint32_t first, uint32_t second) const {
    for (uint32_t j = first + 1; j < second; ++j) {
      const MicroOp& op = disk_.pending_[j];
      if (op.kind == OpKind::kTruncate && op.inode == disk_.pending_[first].inode) return true;
    }
    return false;
  }

  void Replay() {
    for (uint32_t i = 0; i < kept_.size(); ++i) {
      if (!kept_[i]) continue;
      const MicroOp& op = disk_.pending_[i];
      if (op.OfContent()) {
        if (states_[op.inode] == State::kPartial) ReplayContent(i, op);
      } else if (op.kind == OpKind::kRename) {
        targets_[op.slot] = kNoIndex;
        targets_[op.other_slot] = op.inode;
      } else {
        targets_[op.slot] = op.kind == OpKind::kEntryAdd ? op.inode : kNoIndex;
      }
    }
  }

  void CountResurrected() {
    for (uint32_t i = 0; i < kept_.size(); ++i) {
      const MicroOp& op = disk_.pending_[i];
      if (kept_[i] || op.kind != OpKind::kEntryRemove) continue;
      if (targets_[op.slot] == op.inode) ++traits_->resurrected_names;
    }
  }

  void ReplayContent(uint32_t i, const MicroOp& op) {
    Ref<FileContent>& content = contents_[op.inode];
    if (!content) content = disk_.inodes_[op.inode].durable;
    if (op.kind == OpKind::kData) {
      for (OpenTear& tear : tears_) {
        if (tear.begin == i && op.block < content->blocks.size()) {
          tear.old_page = content->blocks[op.block].page;
        }
      }
    }
    disk_.ApplyContent(op, &content);
    for (const OpenTear& tear : tears_) {
      if (tear.tear->op == i) TearBlock(tear, op, content.get());
    }
  }

  void TearBlock(const OpenTear& open, const MicroOp& op, FileContent* content) {
    ++traits_->torn_blocks;
    char* const bytes = content->MutablePage(op.block, kBlockSize)->bytes;
    for (uint32_t sector = 0; sector < kSectorsPerBlock; ++sector) {
      if (open.tear->new_sectors >> sector & 1) continue;
      const uint32_t from = sector * kSectorSize;
      uint32_t stored = 0;
      if (open.old_page && open.old_page->used > from) {
        stored = std::min(kSectorSize, open.old_page->used - from);
        std::memcpy(bytes + from, open.old_page->bytes + from, stored);
      }
      std::memset(bytes + from + stored, 0, kSectorSize - stored);
    }
    if (!disk_.profile_.sector_garbage || open.tear->garbage_sectors == 0) return;
    ++traits_->garbage_blocks;
    for (uint32_t i = open.tear->op; i != kNoIndex; i = disk_.pending_[i].same_block) {
      DamageSectors(disk_.pending_[i], open.tear->garbage_sectors, bytes);
      if (i == open.begin) break;
    }
  }

  // Garbage in those sectors of the mask that `op` was writing to: in its own bytes, or in all of
  // the sector where the device does not promise to leave the rest alone.
  void DamageSectors(const MicroOp& op, uint8_t mask, char* bytes) const {
    for (uint32_t sector = 0; sector < kSectorsPerBlock; ++sector) {
      uint32_t from = std::max(op.offset, sector * kSectorSize);
      uint32_t end = std::min(op.offset + op.length, (sector + 1) * kSectorSize);
      if (from >= end || (mask >> sector & 1) == 0) continue;
      if (!disk_.profile_.powersafe_overwrite) {
        from = sector * kSectorSize;
        end = from + kSectorSize;
      }
      const uint64_t where = uint64_t{op.block} * kSectorsPerBlock + sector;
      PutGarbage(CombineHashes(disk_.inodes_[op.inode].number, where), bytes + from, end - from);
    }
  }

  // What was never written reads as what the block held in its former life. Only where the file
  // did grow over it, and neither a truncation since nor a lost one before makes it moot.
  void ApplyFill(const Fill& fill) {
    const std::vector<MicroOp>& ops = disk_.pending_;
    if (disk_.profile_.extension != ExtensionRule::kStaleBytes || fill.op >= ops.size()) return;
    const MicroOp& op = ops[fill.op];
    if (op.kind != OpKind::kData || kept_[fill.op] || !op.extends) return;
    for (uint32_t j = 0; j < ops.size(); ++j) {
      if (ops[j].inode != op.inode) continue;
      const bool structural = ops[j].kind == OpKind::kTruncate || ops[j].kind == OpKind::kAllocate;
      if (structural && (j < fill.op) != (kept_[j] != 0)) return;
    }
    Ref<FileContent>& content = contents_[op.inode];
    if (!content) content = disk_.inodes_[op.inode].durable;
    const uint64_t start = uint64_t{op.block} * kBlockSize + op.offset;
    if (content->size <= start) return;
    if (op.block < content->blocks.size() && content->blocks[op.block].unwritten) return;
    const auto length = static_cast<uint32_t>(std::min<uint64_t>(op.length, content->size - start));
    char bytes[kBlockSize] = {};
    if (fill.kind == Fill::Kind::kGarbage) {
      PutGarbage(CombineHashes(disk_.inodes_[op.inode].number, op.block), bytes, kBlockSize);
    } else if (!disk_.recycled_.empty()) {
      const Page& page = *disk_.recycled_[fill.recycled % disk_.recycled_.size()];
      std::memcpy(bytes, page.bytes, page.used);
    }
    if (!content.exclusive()) content = content->Clone();
    content->Write(op.block, op.offset, {bytes + op.offset, length});
    ++(fill.kind == Fill::Kind::kGarbage ? traits_->garbage_blocks : traits_->stale_blocks);
  }

  Ref<FileContent> ContentOf(uint32_t index) {
    const SimDisk::Inode& inode = disk_.inodes_[index];
    if (process_ || states_[index] == State::kWhole) return inode.live;
    Ref<FileContent> content = contents_[index] ? contents_[index] : inode.durable;
    if (content->NeedsTrim()) {
      content = content->Clone();
      content->Trim();
    }
    return content;
  }

  // Breadth first from the root. A directory that a half-done rename shows twice appears where it
  // is found first; what nothing leads to is gone.
  Ref<ImageTree> Walk() {
    Ref<ImageTree> tree(new ImageTree);
    tree->nodes.reserve(disk_.inodes_.size());
    tree->entries.reserve(disk_.slots_.size());
    std::vector<uint32_t> node_of(disk_.inodes_.size(), kNoIndex);
    std::vector<uint32_t> inode_of;
    inode_of.reserve(disk_.inodes_.size());
    inode_of.push_back(SimDisk::kRoot);
    node_of[SimDisk::kRoot] = 0;
    tree->nodes.push_back({.is_directory = true, .content = {}});
    for (uint32_t node = 0; node < inode_of.size(); ++node) {
      if (!tree->nodes[node].is_directory) continue;
      for (const uint32_t slot : disk_.inodes_[inode_of[node]].slots) {
        const uint32_t inode = targets_[slot];
        if (inode == kNoIndex) continue;
        const bool is_directory = disk_.inodes_[inode].is_directory;
        if (node_of[inode] == kNoIndex) {
          node_of[inode] = static_cast<uint32_t>(inode_of.size());
          inode_of.push_back(inode);
          tree->nodes.push_back({.is_directory = is_directory,
                                 .content = is_directory ? Ref<FileContent>() : ContentOf(inode)});
        } else if (is_directory) {
          continue;
        }
        tree->entries.push_back(
            {.directory = node, .node = node_of[inode], .name = disk_.slots_[slot].name});
      }
    }
    tree->recycled = disk_.recycled_;
    return tree;
  }

  const SimDisk& disk_;
  const CrashPlan& plan_;
  const bool process_;
  CrashTraits unread_traits_;
  CrashTraits* const traits_;
  std::vector<uint8_t> kept_;
  std::vector<uint8_t> solid_;  // writes that a kept operation waited for
  std::vector<OpenTear> tears_;
  std::vector<uint32_t> targets_;           // by slot: the inode it names
  std::vector<State> states_;               // by inode
  std::vector<Ref<FileContent>> contents_;  // by inode; null: not built
};

DiskImage SimDisk::Materialise(const CrashPlan& plan, CrashTraits* traits) const {
  return CrashView(*this, plan, traits).Build();
}

void SimDisk::KeptByRule(const CrashPlan& plan, std::vector<uint8_t>* kept) const {
  const size_t count = pending_.size();
  const bool all = plan.kind == CrashKind::kProcess || plan.keep == KeepRule::kAll ||
                   plan.keep == KeepRule::kExcept;
  kept->assign(count, all ? 1 : 0);
  if (all && plan.keep != KeepRule::kExcept) return;
  switch (plan.keep) {
    case KeepRule::kAll:
    case KeepRule::kNone:
      break;
    case KeepRule::kPrefix:
      std::fill_n(kept->begin(), std::min<size_t>(plan.prefix, count), uint8_t{1});
      break;
    case KeepRule::kList:
      for (size_t i = 0; i < std::min(count, plan.bits.size()); ++i) {
        (*kept)[i] = plan.bits[i] == '1';
      }
      break;
    case KeepRule::kOnly:
    case KeepRule::kNeed:
    case KeepRule::kExcept:
      for (const uint32_t op : plan.ops) {
        if (op < count) (*kept)[op] = plan.keep != KeepRule::kExcept;
      }
      if (plan.keep == KeepRule::kNeed) AddNeeded(kept);
      break;
  }
}

std::vector<bool> SimDisk::KeptOps(const CrashPlan& plan) const {
  std::vector<uint8_t> kept;
  KeptByRule(plan, &kept);
  DropDependents(&kept, nullptr);
  return std::vector<bool>(kept.begin(), kept.end());
}

uint64_t SimDisk::KeptHash(const CrashPlan& plan) const {
  std::vector<uint8_t> kept;
  KeptByRule(plan, &kept);
  DropDependents(&kept, nullptr);
  return XXH3_64bits(kept.data(), kept.size());
}

std::vector<uint32_t> SimDisk::NeededBy(const std::vector<uint32_t>& ops) const {
  std::vector<uint8_t> needed(pending_.size(), 0);
  for (const uint32_t op : ops) {
    SHEARPIN_CHECK(op < needed.size());
    needed[op] = 1;
  }
  AddNeeded(&needed);
  std::vector<uint32_t> indices;
  for (uint32_t i = 0; i < needed.size(); ++i) {
    if (needed[i]) indices.push_back(i);
  }
  return indices;
}

std::vector<PendingOp> SimDisk::PendingOps() const {
  std::vector<PendingOp> list;
  list.reserve(pending_.size());
  for (const MicroOp& op : pending_) {
    PendingOp& out = list.emplace_back();
    out.ordinal = static_cast<uint32_t>(list.size() - 1);
    out.call = op.call;
    out.kind = op.kind;
    out.inode = inodes_[op.inode].number;
    out.path = op.OfContent() ? inodes_[op.inode].path : PathOf(op.slot);
    if (op.kind == OpKind::kRename) out.second_path = PathOf(op.other_slot);
    out.purpose = PurposeOf(op.kind == OpKind::kRename ? out.second_path : out.path);
    out.block = op.block;
    out.offset = op.offset;
    out.length = op.length;
    out.size = op.size;
    out.extends = op.extends;
    if (op.kind != OpKind::kData) continue;
    for (uint32_t s = op.offset / kSectorSize; s * kSectorSize < op.offset + op.length; ++s) {
      out.sectors = static_cast<uint8_t>(out.sectors | 1 << s);
    }
  }
  return list;
}

uint64_t SimDisk::StateHash() const {
  uint64_t hash = 0;
  const auto add = [&hash](uint64_t number) { hash = CombineHashes(hash, number); };
  const auto add_content = [&add](const Ref<FileContent>& content) {
    if (!content) return add(1);
    add(content->size);
    for (const Block& block : content->blocks) {
      add(block.page ? block.page->Hash() : 0);
      add(block.unwritten ? 2 : 3);
    }
  };
  for (const Inode& inode : inodes_) {
    add(inode.number == 0 ? 0 : 4);
    add_content(inode.live);
    if (inode.durable.get() != inode.live.get()) add_content(inode.durable);
    for (const uint32_t lost : inode.lost_blocks) add(lost);
  }
  for (const Slot& slot : slots_) {
    for (const uint32_t number : {slot.directory, slot.live, slot.durable}) add(number);
    add(XXH3_64bits(slot.name.data(), slot.name.size()));
  }
  for (const MicroOp& op : pending_) {
    for (const uint64_t number :
         {uint64_t{op.inode}, uint64_t{op.block}, uint64_t{op.offset}, uint64_t{op.length},
          uint64_t{op.slot}, uint64_t{op.other_slot}, op.size, static_cast<uint64_t>(op.kind)}) {
      add(number);
    }
    if (op.kind != OpKind::kData) continue;
    const std::string_view bytes = Payload(op);
    add(XXH3_64bits(bytes.data(), bytes.size()));
  }
  return hash;
}

}  // namespace shearpin::faultfs
