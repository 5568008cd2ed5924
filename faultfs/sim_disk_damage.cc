// Broken promises: lost and misdirected writes, bit rot, stale reads. All of it happens to the
// platter; the page cache goes on showing what was written until the block is evicted, as after a
// failed sync, and a block that is written again goes out whole.
#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "faultfs/sim_disk.h"

namespace shearpin::faultfs {
namespace {

bool SameBytes(const Ref<Page>& a, const Ref<Page>& b) {
  return (a ? a->Hash() : 0) == (b ? b->Hash() : 0);
}

}  // namespace

std::string SimDisk::PathOf(uint32_t slot) const {
  const Inode& directory = inodes_[slots_[slot].directory];
  return (directory.path == "/" ? "/" : directory.path + "/") + slots_[slot].name;
}

// The durable block of the file is not what it should be, and the live one, if there is one, is
// no longer what a reader of the platter would find.
void SimDisk::MarkDamaged(uint32_t index, uint32_t block) {
  Inode& inode = inodes_[index];
  if (!inode.durable.exclusive()) inode.durable = inode.durable->Clone();
  FileContent& durable = *inode.durable;
  if (block >= durable.blocks.size()) durable.blocks.resize(block + 1);
  durable.blocks[block].damaged = true;
  durable.hash_known = false;
  if (block >= inode.live->blocks.size()) return;
  std::vector<uint32_t>& lost = inode.lost_blocks;
  if (std::find(lost.begin(), lost.end(), block) == lost.end()) lost.push_back(block);
}

// A block that this sync should write and that nothing has dirtied since; kNoIndex: none.
uint32_t SimDisk::BlockToLose(const SyncTicket& ticket, uint64_t pick) const {
  std::vector<uint32_t> blocks;
  for (const MicroOp& op : pending_) {
    if (op.inode != ticket.inode || op.kind != OpKind::kData) continue;
    const auto known = std::find(blocks.begin(), blocks.end(), op.block);
    if (op.seq >= ticket.before) {
      if (known != blocks.end()) blocks.erase(known);
    } else if (known == blocks.end() && op.block < inodes_[op.inode].live->blocks.size()) {
      blocks.push_back(op.block);
    }
  }
  return blocks.empty() ? kNoIndex : blocks[pick % blocks.size()];
}

void SimDisk::DropWrite(const SyncTicket& ticket, uint32_t block) {
  constexpr uint8_t kDropped = 2;  // as in sim_disk_log.cc
  std::vector<uint8_t> fate(pending_.size(), 0);
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    const MicroOp& op = pending_[i];
    if (op.inode == ticket.inode && op.kind == OpKind::kData && op.block == block) {
      fate[i] = kDropped;
    }
  }
  RemoveOps(std::move(fate));
  MarkDamaged(ticket.inode, block);
}

bool SimDisk::LoseWrite(const SyncTicket& ticket, uint64_t pick) {
  const uint32_t block = BlockToLose(ticket, pick);
  if (block == kNoIndex) return false;
  DropWrite(ticket, block);
  return true;
}

bool SimDisk::MisdirectWrite(const SyncTicket& ticket, uint64_t pick, std::string* victim) {
  victim->clear();
  const uint32_t block = BlockToLose(ticket, pick);
  if (block == kNoIndex) return false;
  DropWrite(ticket, block);
  const Ref<Page> page = inodes_[ticket.inode].live->blocks[block].page;
  std::vector<std::pair<uint32_t, uint32_t>> targets;
  for (uint32_t index = 0; index < inodes_.size(); ++index) {
    const Inode& inode = inodes_[index];
    if (inode.number == 0 || inode.is_directory || inode.live_names == 0) continue;
    const uint32_t count = std::min<uint32_t>(BlocksFor(inode.durable->size),
                                              static_cast<uint32_t>(inode.durable->blocks.size()));
    for (uint32_t at = 0; at < count; ++at) {
      const Block& target = inode.durable->blocks[at];
      if (!target.page || target.unwritten || (index == ticket.inode && at == block)) continue;
      targets.emplace_back(index, at);
    }
  }
  if (targets.empty()) return true;
  const auto [index, at] = targets[CombineHashes(pick, 1) % targets.size()];
  if (SameBytes(page, inodes_[index].durable->blocks[at].page)) return true;
  MarkDamaged(index, at);
  inodes_[index].durable->blocks[at].page = page;
  inodes_[index].durable->Truncate(inodes_[index].durable->size);
  *victim = inodes_[index].path;
  return true;
}

bool SimDisk::Rot(const OpenFile& file, uint64_t offset, uint64_t n, uint64_t pick, bool cached,
                  uint64_t* where) {
  const uint32_t index = file.inode_;
  const uint64_t size = std::min(inodes_[index].durable->size, inodes_[index].live->size);
  if (offset >= size) return false;
  const uint64_t end = offset + std::min(n, size - offset);
  // The stored bytes of each block there: [first, second). A dirty page will go out over its
  // block, and what was never written is nowhere on the platter.
  std::vector<std::pair<uint64_t, uint64_t>> parts;
  uint64_t bytes = 0;
  const std::vector<Block>& blocks = inodes_[index].durable->blocks;
  for (uint64_t start = offset / kBlockSize * kBlockSize; start < end; start += kBlockSize) {
    const auto number = static_cast<uint32_t>(start / kBlockSize);
    if (number >= blocks.size() || !blocks[number].page || blocks[number].unwritten) continue;
    const uint64_t first = std::max(start, offset);
    const uint64_t last = std::min(end, start + blocks[number].page->used);
    if (first >= last || SameBlock(inodes_[index], number) != kNoIndex) continue;
    parts.emplace_back(first, last);
    bytes += last - first;
  }
  if (bytes == 0) return false;
  const uint64_t bit = pick % (bytes * 8);
  uint64_t byte = bit / 8;
  size_t part = 0;
  while (byte >= parts[part].second - parts[part].first) {
    byte -= parts[part].second - parts[part].first;
    ++part;
  }
  byte += parts[part].first;
  const auto block = static_cast<uint32_t>(byte / kBlockSize);
  const auto at = static_cast<uint32_t>(byte % kBlockSize);
  *where = byte;
  MarkDamaged(index, block);
  Inode& inode = inodes_[index];
  char& damaged = inode.durable->MutablePage(block, at + 1)->bytes[at];
  damaged = static_cast<char>(damaged ^ 1 << bit % 8);
  if (cached) return true;
  MutableLive(index)->blocks[block] = inode.durable->blocks[block];
  std::erase(inode.lost_blocks, block);
  return true;
}

size_t SimDisk::ReadStale(const OpenFile& file, uint64_t offset, size_t n, uint64_t pick, char* to,
                          bool* stale) const {
  const Inode& inode = inodes_[file.inode_];
  const size_t count = inode.live->Read(offset, n, to);
  const std::string truth(to, count);
  for (size_t done = 0; done < count;) {
    const auto block = static_cast<uint32_t>((offset + done) / kBlockSize);
    const auto from = static_cast<uint32_t>((offset + done) % kBlockSize);
    const size_t length = std::min<size_t>(count - done, kBlockSize - from);
    const std::vector<Block>& durable = inode.durable->blocks;
    const Page* old = block < durable.size() ? durable[block].page.get() : nullptr;
    const bool is_dirty = SameBlock(inode, block) != kNoIndex;
    if (!is_dirty) old = recycled_.empty() ? nullptr : recycled_[pick % recycled_.size()].get();
    size_t stored = 0;
    if (old != nullptr && old->used > from) {
      stored = std::min<size_t>(length, old->used - from);
      std::memcpy(to + done, old->bytes + from, stored);
    }
    std::memset(to + done + stored, 0, length - stored);
    done += length;
  }
  *stale = truth != std::string_view(to, count);
  return count;
}

bool SimDisk::IsDamaged(const OpenFile& file, uint64_t offset, uint64_t n) const {
  const FileContent& live = *inodes_[file.inode_].live;
  if (offset >= live.size || n == 0) return false;
  const uint64_t end = offset + std::min(n, live.size - offset);
  for (uint64_t block = offset / kBlockSize; block * kBlockSize < end; ++block) {
    if (block < live.blocks.size() && live.blocks[block].damaged) return true;
  }
  return false;
}

std::vector<std::string> SimDisk::DamagedFiles() const {
  std::vector<std::string> paths;
  for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
    const uint32_t index = slots_[slot].live;
    if (index == kNoIndex || inodes_[index].is_directory) continue;
    const FileContent& live = *inodes_[index].live;
    const uint32_t count =
        std::min<uint32_t>(BlocksFor(live.size), static_cast<uint32_t>(live.blocks.size()));
    for (uint32_t block = 0; block < count; ++block) {
      if (!live.blocks[block].damaged) continue;
      paths.push_back(PathOf(slot));
      break;
    }
  }
  return paths;
}

}  // namespace shearpin::faultfs
