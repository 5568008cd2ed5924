// The operation log: how it grows, how syncs fold it into the durable state, and what a failed
// sync does to it.
#include <algorithm>
#include <cerrno>

#include "engine/base/check.h"
#include "faultfs/sim_disk.h"
#include "faultfs/system_error.h"

namespace shearpin::faultfs {
namespace {

// What becomes of a pending operation.
constexpr uint8_t kStays = 0;
constexpr uint8_t kFolds = 1;
constexpr uint8_t kDropped = 2;

// How many operations a device that ignores flushes holds back at most: its cache has an end.
constexpr size_t kLyingCache = 256;

}  // namespace

// Logging. ---------------------------------------------------------------------------------------

MicroOp& SimDisk::LogOp(OpKind kind, uint32_t inode) {
  MicroOp& op = pending_.emplace_back();
  op.seq = next_seq_++;
  op.call = call_;
  op.kind = kind;
  op.inode = inode;
  if (op.OfContent()) {
    ++inodes_[inode].pending_content;
  } else {
    Retain(inode);
  }
  return op;
}

uint32_t SimDisk::SameBlock(const Inode& inode, uint32_t block) const {
  // Appends, which are nearly all writes, end the search before it begins.
  if (inode.last_data == kNoIndex || block > inode.highest_block) return kNoIndex;
  for (uint32_t i = inode.last_data; i != kNoIndex; i = pending_[i].same_file) {
    if (pending_[i].block == block) return i;
  }
  return kNoIndex;
}

void SimDisk::LogData(uint32_t index, uint32_t block, uint32_t offset, std::string_view data,
                      bool extends) {
  Inode& inode = inodes_[index];
  const uint32_t same_block = SameBlock(inode, block);
  inode.highest_block = inode.last_data == kNoIndex ? block : std::max(inode.highest_block, block);
  MicroOp& op = LogOp(OpKind::kData, index);
  op.block = block;
  op.offset = offset;
  op.length = static_cast<uint32_t>(data.size());
  op.extends = extends;
  op.payload = arena_.size();
  op.same_block = same_block;
  op.same_file = inode.last_data;
  arena_.append(data);
  inode.last_data = static_cast<uint32_t>(pending_.size() - 1);
}

void SimDisk::LogEntry(OpKind kind, uint32_t slot, uint32_t inode) {
  LogOp(kind, inode).slot = slot;
  ++slots_[slot].pending;
}

void SimDisk::LogRename(const Place& from, const Place& to, bool replaces) {
  if (profile_.rename == RenameRule::kThreeSteps) {
    if (replaces) LogEntry(OpKind::kEntryRemove, to.slot, to.inode);
    LogEntry(OpKind::kEntryAdd, to.slot, from.inode);
    LogEntry(OpKind::kEntryRemove, from.slot, from.inode);
    return;
  }
  MicroOp& op = LogOp(OpKind::kRename, from.inode);
  op.slot = from.slot;
  op.other_slot = to.slot;
  op.forces_data = replaces && profile_.rename == RenameRule::kAtomicDataForced;
  ++slots_[from.slot].pending;
  ++slots_[to.slot].pending;
}

// Folding. ---------------------------------------------------------------------------------------

void SimDisk::ApplyContent(const MicroOp& op, Ref<FileContent>* content) const {
  if (!content->exclusive()) *content = (*content)->Clone();
  FileContent& file = **content;
  switch (op.kind) {
    case OpKind::kData:
      file.Write(op.block, op.offset, Payload(op));
      break;
    case OpKind::kSize:
      // An allocation may have been folded before this size, and be larger.
      file.size = std::max(file.size, op.size);
      file.hash_known = false;
      break;
    case OpKind::kTruncate:
      file.Truncate(op.size);
      break;
    case OpKind::kAllocate:
      if (op.length > 0) file.Allocate(op.block, op.block + op.length);
      file.size = std::max(file.size, op.size);
      file.hash_known = false;
      break;
    case OpKind::kConvert:
      for (uint32_t i = 0; i < op.length; ++i) file.Convert(op.block + i);
      break;
    default:
      SHEARPIN_CHECK(false, "an entry operation has no content");
  }
}

// A truncation becomes durable before older writes of its file, which some journals do: what it
// cut off must not come back over it when they are folded later.
void SimDisk::DropOvertaken(uint32_t truncate, std::vector<uint8_t>* fate) {
  const MicroOp& cut = pending_[truncate];
  for (uint32_t i = 0; i < truncate; ++i) {
    MicroOp& op = pending_[i];
    if (op.inode != cut.inode || (*fate)[i] != kStays) continue;
    if (op.kind == OpKind::kSize) (*fate)[i] = kDropped;
    if (op.kind != OpKind::kData) continue;
    const uint64_t start = uint64_t{op.block} * kBlockSize + op.offset;
    if (start >= cut.size) {
      (*fate)[i] = kDropped;
    } else {
      op.length = static_cast<uint32_t>(std::min<uint64_t>(op.length, cut.size - start));
    }
  }
}

// Makes the operations marked in `fate`, and all that must precede them, durable.
void SimDisk::Fold(std::vector<uint8_t> fate) {
  if (std::find(fate.begin(), fate.end(), kFolds) == fate.end()) return;
  const bool is_all = std::find(fate.begin(), fate.end(), kStays) == fate.end();
  if (!is_all) AddNeeded(&fate);
  std::vector<uint32_t> folding(inodes_.size(), 0);
  std::vector<uint32_t> remaining(inodes_.size());
  for (uint32_t i = 0; i < inodes_.size(); ++i) remaining[i] = inodes_[i].pending_content;
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    if (fate[i] == kFolds && pending_[i].kind == OpKind::kTruncate) DropOvertaken(i, &fate);
  }
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    if (fate[i] == kStays || !pending_[i].OfContent()) continue;
    --remaining[pending_[i].inode];
    ++folding[pending_[i].inode];
  }
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    const MicroOp& op = pending_[i];
    if (fate[i] != kFolds) continue;
    if (op.OfContent()) {
      Inode& inode = inodes_[op.inode];
      // Sharing the live content makes its next writer copy the list of blocks; a long file that
      // is synced after every small write is better written twice.
      const bool all_folds = remaining[op.inode] == 0 && inode.lost_blocks.empty();
      if (all_folds && inode.live->blocks.size() < 64 * size_t{folding[op.inode]}) {
        inode.durable = inode.live;
      } else {
        ApplyContent(op, &inode.durable);
      }
    } else if (op.kind == OpKind::kRename) {
      SetDurable(op.slot, kNoIndex);
      SetDurable(op.other_slot, op.inode);
    } else {
      SetDurable(op.slot, op.kind == OpKind::kEntryAdd ? op.inode : kNoIndex);
    }
  }
  RemoveOps(std::move(fate));
}

void SimDisk::RemoveOps(std::vector<uint8_t> fate) {
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    const MicroOp op = pending_[i];
    if (op.OfContent()) inodes_[op.inode].last_data = kNoIndex;
    if (fate[i] == kStays) continue;
    if (op.OfContent()) {
      Inode& inode = inodes_[op.inode];
      if (--inode.pending_content == 0 && inode.refs == 0) FreeInode(op.inode);
      continue;
    }
    for (const uint32_t slot : {op.slot, op.other_slot}) {
      if (slot == kNoIndex) continue;
      --slots_[slot].pending;
      FreeSlotIfUnused(slot);
    }
    Release(op.inode);
  }
  // Writes to a file that no name and no descriptor leads to any more are moot.
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    const MicroOp& op = pending_[i];
    if (fate[i] != kStays || !op.OfContent() || inodes_[op.inode].refs != 0) continue;
    fate[i] = kDropped;
    if (--inodes_[op.inode].pending_content == 0) FreeInode(op.inode);
  }
  if (std::find(fate.begin(), fate.end(), kStays) == fate.end()) {
    pending_.clear();
    arena_.clear();
    return;
  }
  // A link to a removed operation passes on to what that one linked to.
  std::vector<uint32_t> block_index(pending_.size());
  std::vector<uint32_t> file_index(pending_.size());
  const auto map = [](const std::vector<uint32_t>& index, uint32_t link) {
    return link == kNoIndex ? kNoIndex : index[link];
  };
  uint32_t count = 0;
  for (uint32_t i = 0; i < pending_.size(); ++i) {
    MicroOp& op = pending_[i];
    op.same_block = map(block_index, op.same_block);
    op.same_file = map(file_index, op.same_file);
    if (fate[i] != kStays) {
      block_index[i] = op.same_block;
      file_index[i] = op.same_file;
      continue;
    }
    block_index[i] = file_index[i] = count;
    if (op.kind == OpKind::kData) inodes_[op.inode].last_data = count;
    pending_[count++] = op;
  }
  pending_.resize(count);
  CompactArena();
}

void SimDisk::CompactArena() {
  if (pending_.empty()) {
    arena_.clear();
    return;
  }
  size_t used = 0;
  for (const MicroOp& op : pending_) used += op.kind == OpKind::kData ? op.length : 0;
  if (arena_.size() < 2 * used + (size_t{64} << 10)) return;
  std::string compact;
  compact.reserve(used);
  for (MicroOp& op : pending_) {
    if (op.kind != OpKind::kData) continue;
    const size_t at = compact.size();
    compact.append(Payload(op));
    op.payload = at;
  }
  arena_ = std::move(compact);
}

// Syncs. -----------------------------------------------------------------------------------------

SyncTicket SimDisk::StartSync(const OpenFile& file) const {
  return {.inode = file.inode_, .number = inodes_[file.inode_].number, .before = next_seq_};
}

StatusOr<SyncTicket> SimDisk::StartSyncDir(const std::string& path) const {
  uint32_t directory;
  const int error = ResolveDirectory(path, &directory);
  if (error != 0) return SystemError("open", path, error);
  return SyncTicket{.inode = directory, .number = inodes_[directory].number, .before = next_seq_};
}

Status SimDisk::FinishSync(OpenFile* file, const SyncTicket& ticket) {
  std::vector<uint8_t> fate(pending_.size(), kStays);
  for (uint32_t i = 0; i < pending_.size() && pending_[i].seq < ticket.before; ++i) {
    const MicroOp& op = pending_[i];
    if (op.inode != ticket.inode) continue;
    const bool covered =
        op.OfContent() || (profile_.fsync_persists_entry && op.kind != OpKind::kEntryRemove);
    if (covered) fate[i] = kFolds;
  }
  Flush(std::move(fate));
  const Inode& inode = inodes_[ticket.inode];
  if (file->errors_seen_ == inode.write_errors) return Status::Ok();
  file->errors_seen_ = inode.write_errors;
  return SystemError("fdatasync", inode.path, EIO);
}

void SimDisk::FinishSyncDir(const SyncTicket& ticket) {
  if (inodes_[ticket.inode].number != ticket.number) return;  // removed meanwhile
  std::vector<uint8_t> fate(pending_.size(), kStays);
  for (uint32_t i = 0; i < pending_.size() && pending_[i].seq < ticket.before; ++i) {
    const MicroOp& op = pending_[i];
    for (const uint32_t slot : {op.slot, op.other_slot}) {
      if (slot != kNoIndex && slots_[slot].directory == ticket.inode) fate[i] = kFolds;
    }
  }
  Flush(std::move(fate));
}

void SimDisk::Flush(std::vector<uint8_t> fate) {
  if (profile_.honours_flush) {
    Fold(std::move(fate));
  } else if (pending_.size() > kLyingCache) {
    WriteBack(pending_.size() - kLyingCache);
  }
}

Status SimDisk::FailSync(OpenFile* file, const SyncTicket& ticket, SyncFailure mode) {
  SHEARPIN_CHECK(mode != SyncFailure::kShutdown);
  const uint32_t index = ticket.inode;
  // A block that was written to again since the sync started is still dirty, all of it.
  std::vector<uint32_t> dirty;
  for (const MicroOp& op : pending_) {
    if (op.inode == index && op.kind == OpKind::kData && op.seq >= ticket.before) {
      dirty.push_back(op.block);
    }
  }
  const auto is_dirty = [&dirty](uint32_t first, uint32_t count) {
    return std::any_of(dirty.begin(), dirty.end(),
                       [=](uint32_t block) { return block >= first && block - first < count; });
  };
  Inode& inode = inodes_[index];
  std::vector<uint8_t> fate(pending_.size(), kStays);
  for (uint32_t i = 0; i < pending_.size() && pending_[i].seq < ticket.before; ++i) {
    const MicroOp& op = pending_[i];
    if (op.inode != index) continue;
    if (op.kind == OpKind::kData && !is_dirty(op.block, 1)) {
      fate[i] = kDropped;
      if (mode == SyncFailure::kRevertOld) continue;
      std::vector<uint32_t>& lost = inode.lost_blocks;
      if (std::find(lost.begin(), lost.end(), op.block) == lost.end()) lost.push_back(op.block);
    } else if (op.kind == OpKind::kConvert && !is_dirty(op.block, op.length)) {
      fate[i] = kDropped;  // extents are converted at the end of their I/O, which failed
    } else if (op.kind == OpKind::kSize && mode == SyncFailure::kRevertOld) {
      fate[i] = kDropped;
    }
  }
  RemoveOps(std::move(fate));
  if (mode == SyncFailure::kRevertOld) RebuildLive(index);
  ++inodes_[index].write_errors;
  if (mode == SyncFailure::kReportNext) return Status::Ok();
  file->errors_seen_ = inodes_[index].write_errors;
  return SystemError("fdatasync", inodes_[index].path, EIO);
}

void SimDisk::RebuildLive(uint32_t index) {
  Inode& inode = inodes_[index];
  Ref<FileContent> live = inode.durable->Clone();
  for (const MicroOp& op : pending_) {
    if (op.inode == index && op.OfContent()) ApplyContent(op, &live);
  }
  if (live->NeedsTrim()) live->Trim();
  used_bytes_ += live->size - inode.live->size;  // modulo 2^64
  inode.live = std::move(live);
  inode.lost_blocks.clear();
}

size_t SimDisk::Evict() {
  size_t changed = 0;
  for (uint32_t index = 0; index < inodes_.size(); ++index) {
    if (inodes_[index].lost_blocks.empty()) continue;
    FileContent* live = MutableLive(index);
    Inode& inode = inodes_[index];
    for (const uint32_t block : inode.lost_blocks) {
      Block& cached = live->blocks[block];
      cached = block < inode.durable->blocks.size() ? inode.durable->blocks[block] : Block();
      if (cached.unwritten) cached.page = Ref<Page>();
      ++changed;
    }
    inode.lost_blocks.clear();
    live->Truncate(live->size);
  }
  return changed;
}

size_t SimDisk::WriteBackBefore(uint64_t position) {
  const size_t pending = pending_.size();
  size_t count = 0;
  while (count < pending && pending_[count].seq < position) ++count;
  if (count > 0) WriteBack(count);
  return pending - pending_.size();
}

size_t SimDisk::CommitBefore(uint64_t position) {
  const size_t pending = pending_.size();
  std::vector<uint8_t> fate(pending, kStays);
  for (uint32_t i = 0; i < pending && pending_[i].seq < position; ++i) {
    const OpKind kind = pending_[i].kind;
    const bool follows_data =
        kind == OpKind::kData || kind == OpKind::kSize || kind == OpKind::kConvert;
    if (!follows_data || profile_.metadata_order == MetadataOrder::kWithData) fate[i] = kFolds;
  }
  Fold(std::move(fate));
  return pending - pending_.size();
}

void SimDisk::WriteBack(size_t count) {
  std::vector<uint8_t> fate(pending_.size(), kStays);
  std::fill_n(fate.begin(), std::min(count, fate.size()), kFolds);
  Fold(std::move(fate));
}

}  // namespace shearpin::faultfs
