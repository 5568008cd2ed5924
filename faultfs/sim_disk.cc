// Names and the live view: what running processes see. The log is in sim_disk_log.cc.
#include "faultfs/sim_disk.h"

#include <algorithm>
#include <cerrno>

#include "engine/base/check.h"
#include "faultfs/system_error.h"

namespace shearpin::faultfs {

OpenFile::~OpenFile() {
  if (disk_ != nullptr) disk_->CloseInode(inode_);
}

SimDisk::SimDisk(const Profile& profile) : SimDisk(DiskImage(), profile) {}

SimDisk::SimDisk(const DiskImage& image, const Profile& profile) : profile_(profile) {
  const ImageTree& tree = image.tree();
  inodes_.resize(tree.nodes.size());
  slots_.resize(tree.entries.size());
  for (size_t i = 0; i < inodes_.size(); ++i) {
    inodes_[i].number = next_inode_++;
    inodes_[i].is_directory = tree.nodes[i].is_directory;
    inodes_[i].live = inodes_[i].durable = tree.nodes[i].content;
    if (!inodes_[i].is_directory) used_bytes_ += inodes_[i].live->size;
  }
  inodes_[kRoot].refs = 1;  // it needs no name
  inodes_[kRoot].path = "/";
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    const ImageTree::Entry& entry = tree.entries[i];
    Inode& directory = inodes_[entry.directory];
    Inode& inode = inodes_[entry.node];
    slots_[i].directory = entry.directory;
    slots_[i].live = slots_[i].durable = entry.node;
    slots_[i].name = entry.name;
    directory.slots.push_back(i);  // the image's entries are sorted
    ++directory.refs;
    inode.refs += 2;
    ++inode.live_names;
    inode.path.reserve(directory.path.size() + 1 + entry.name.size());
    inode.path.append(directory.path);
    if (entry.directory != kRoot) inode.path += '/';
    inode.path.append(entry.name);
  }
  recycled_ = tree.recycled;
}

SimDisk::~SimDisk() {
  for (const Inode& inode : inodes_) SHEARPIN_CHECK(inode.opens == 0, "a file outlives its disk");
}

std::unique_ptr<SimDisk> SimDisk::Fork() const {
  auto fork = std::make_unique<SimDisk>(profile_);
  fork->inodes_ = inodes_;
  fork->free_inodes_ = free_inodes_;
  fork->slots_ = slots_;
  fork->free_slots_ = free_slots_;
  fork->pending_ = pending_;
  fork->arena_ = arena_;
  fork->recycled_ = recycled_;
  fork->next_recycled_ = next_recycled_;
  fork->keep_recycled_ = keep_recycled_;
  fork->next_inode_ = next_inode_;
  fork->next_seq_ = next_seq_;
  fork->call_ = call_;
  fork->used_bytes_ = used_bytes_;
  fork->capacity_ = capacity_;
  for (uint32_t i = 0; i < fork->inodes_.size(); ++i) {
    while (fork->inodes_[i].opens > 0) fork->CloseInode(i);
  }
  return fork;
}

// Names. -----------------------------------------------------------------------------------------

uint32_t SimDisk::FindSlot(uint32_t directory, std::string_view name, size_t* position) const {
  const std::vector<uint32_t>& slots = inodes_[directory].slots;
  const auto at = std::lower_bound(
      slots.begin(), slots.end(), name,
      [this](uint32_t slot, std::string_view wanted) { return slots_[slot].name < wanted; });
  *position = static_cast<size_t>(at - slots.begin());
  return at != slots.end() && slots_[*at].name == name ? *at : kNoIndex;
}

// The place that `path` names: its directory, and the slot and inode there if they exist. Returns
// 0, or the errno of a directory on the way that is not there.
int SimDisk::Resolve(std::string_view path, Place* place) const {
  if (path.empty()) return ENOENT;
  *place = Place();
  place->inode = kRoot;
  while (!path.empty()) {
    const size_t end = path.find('/');
    const std::string_view name = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
    if (name.empty() || name == ".") continue;
    if (place->inode == kNoIndex) return ENOENT;
    if (!inodes_[place->inode].is_directory) return ENOTDIR;
    place->directory = place->inode;
    place->name = name;
    size_t position;
    place->slot = FindSlot(place->directory, name, &position);
    place->inode = place->slot == kNoIndex ? kNoIndex : slots_[place->slot].live;
  }
  return 0;
}

int SimDisk::ResolveDirectory(std::string_view path, uint32_t* inode) const {
  Place place;
  const int error = Resolve(path, &place);
  if (error != 0) return error;
  if (place.inode == kNoIndex) return ENOENT;
  if (!inodes_[place.inode].is_directory) return ENOTDIR;
  *inode = place.inode;
  return 0;
}

uint32_t SimDisk::SlotFor(const Place& place) {
  if (place.slot != kNoIndex) return place.slot;
  size_t position;
  SHEARPIN_CHECK(FindSlot(place.directory, place.name, &position) == kNoIndex);
  uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].directory = place.directory;
  slots_[slot].name = place.name;
  std::vector<uint32_t>& slots = inodes_[place.directory].slots;
  slots.insert(slots.begin() + static_cast<ptrdiff_t>(position), slot);
  Retain(place.directory);
  return slot;
}

void SimDisk::FreeSlotIfUnused(uint32_t slot) {
  const Slot& unused = slots_[slot];
  if (unused.live != kNoIndex || unused.durable != kNoIndex || unused.pending != 0) return;
  const uint32_t directory = unused.directory;
  size_t position;
  SHEARPIN_CHECK(FindSlot(directory, unused.name, &position) == slot);
  std::vector<uint32_t>& slots = inodes_[directory].slots;
  slots.erase(slots.begin() + static_cast<ptrdiff_t>(position));
  slots_[slot] = Slot();
  free_slots_.push_back(slot);
  Release(directory);
}

uint32_t SimDisk::NewInode(bool is_directory, std::string path) {
  uint32_t index;
  if (free_inodes_.empty()) {
    index = static_cast<uint32_t>(inodes_.size());
    inodes_.emplace_back();
  } else {
    index = free_inodes_.back();
    free_inodes_.pop_back();
  }
  Inode& inode = inodes_[index];
  inode.number = next_inode_++;
  inode.is_directory = is_directory;
  inode.path = std::move(path);
  if (!is_directory) inode.live = inode.durable = Ref<FileContent>(new FileContent);
  return index;
}

void SimDisk::SetLive(uint32_t slot, uint32_t inode) {
  const uint32_t before = slots_[slot].live;
  slots_[slot].live = inode;
  if (inode != kNoIndex) {
    Retain(inode);
    ++inodes_[inode].live_names;
  }
  if (before != kNoIndex) {
    --inodes_[before].live_names;
    DropUsageIfGone(before);
    Release(before);
  }
}

void SimDisk::SetDurable(uint32_t slot, uint32_t inode) {
  const uint32_t before = slots_[slot].durable;
  slots_[slot].durable = inode;
  if (inode != kNoIndex) Retain(inode);
  if (before != kNoIndex) Release(before);
}

void SimDisk::Release(uint32_t inode) {
  if (--inodes_[inode].refs == 0 && inodes_[inode].pending_content == 0) FreeInode(inode);
}

void SimDisk::FreeInode(uint32_t index) {
  Inode& inode = inodes_[index];
  SHEARPIN_CHECK(inode.refs == 0 && inode.slots.empty() && inode.pending_content == 0);
  const bool recycles = keep_recycled_ || profile_.extension == ExtensionRule::kStaleBytes;
  if (recycles && inode.durable) {
    // What was on the platter may turn up again in a new block. A few blocks of each file and a
    // few files are enough to be found in.
    constexpr size_t kPerFile = 4;
    constexpr size_t kInAll = 16;
    for (size_t i = 0; i < std::min(kPerFile, inode.durable->blocks.size()); ++i) {
      const Ref<Page>& page = inode.durable->blocks[i].page;
      if (!page) continue;
      if (recycled_.size() < kInAll) {
        recycled_.push_back(page);
      } else {
        recycled_[next_recycled_++ % kInAll] = page;
      }
    }
  }
  inode = Inode();
  free_inodes_.push_back(index);
}

void SimDisk::CloseInode(uint32_t index) {
  --inodes_[index].opens;
  DropUsageIfGone(index);
  Release(index);
  if (inodes_[index].refs == 0 && inodes_[index].pending_content != 0) {
    RemoveOps(std::vector<uint8_t>(pending_.size(), 0));
  }
}

void SimDisk::DropUsageIfGone(uint32_t index) {
  const Inode& inode = inodes_[index];
  if (inode.live_names == 0 && inode.opens == 0 && !inode.is_directory) {
    used_bytes_ -= inode.live->size;
  }
}

bool SimDisk::IsBelow(uint32_t directory, uint32_t ancestor) const {
  if (directory == ancestor) return true;
  for (const uint32_t slot : inodes_[ancestor].slots) {
    const uint32_t child = slots_[slot].live;
    if (child != kNoIndex && inodes_[child].is_directory && IsBelow(directory, child)) return true;
  }
  return false;
}

// Files. -----------------------------------------------------------------------------------------

StatusOr<OpenFile> SimDisk::Open(const std::string& path, OpenHow how) {
  Place place;
  const int error = Resolve(path, &place);
  if (error != 0) return SystemError("open", path, error);
  if (place.inode == kNoIndex) {
    if (how == OpenHow::kRead) return SystemError("open", path, ENOENT);
    ++call_;
    const uint32_t slot = SlotFor(place);
    place.inode = NewInode(false, path);
    SetLive(slot, place.inode);
    LogEntry(OpKind::kEntryAdd, slot, place.inode);
  } else if (how == OpenHow::kCreateNew) {
    return SystemError("open", path, EEXIST);
  }
  if (inodes_[place.inode].is_directory) return SystemError("open", path, EISDIR);
  Retain(place.inode);
  ++inodes_[place.inode].opens;
  OpenFile file(this, place.inode, inodes_[place.inode].write_errors);
  if (how == OpenHow::kTruncate) Resize(file, 0);
  return file;
}

FileContent* SimDisk::MutableLive(uint32_t inode) {
  Ref<FileContent>& live = inodes_[inode].live;
  if (!live.exclusive()) live = live->Clone();
  return live.get();
}

uint64_t SimDisk::Size(const OpenFile& file) const { return inodes_[file.inode_].live->size; }

size_t SimDisk::Read(const OpenFile& file, uint64_t offset, size_t n, char* to) const {
  return inodes_[file.inode_].live->Read(offset, n, to);
}

size_t SimDisk::Write(const OpenFile& file, uint64_t offset, std::string_view data) {
  const uint32_t index = file.inode_;
  const uint64_t old_size = inodes_[index].live->size;
  uint64_t end = offset + data.size();
  if (end > old_size && end - old_size > FreeBytes()) {
    end = std::max(offset, old_size + FreeBytes());
    data = data.substr(0, end - offset);
  }
  if (data.empty()) return 0;
  ++call_;
  FileContent* content = MutableLive(index);
  uint32_t first_unwritten = kNoIndex;
  uint32_t last_unwritten = 0;
  for (size_t done = 0; done < data.size();) {
    const auto block = static_cast<uint32_t>((offset + done) / kBlockSize);
    const auto from = static_cast<uint32_t>((offset + done) % kBlockSize);
    const std::string_view part = data.substr(done, kBlockSize - from);
    done += part.size();
    bool unwritten = block < content->blocks.size() && content->blocks[block].unwritten;
    content->Convert(block);
    content->Write(block, from, part);
    const bool extends = offset + done - part.size() >= old_size;
    std::vector<uint32_t>& lost = inodes_[index].lost_blocks;
    const auto was_lost = std::find(lost.begin(), lost.end(), block);
    if (was_lost == lost.end()) {
      LogData(index, block, from, part, extends);
    } else {
      // The page is dirty again as a whole: what a failed sync had lost of it goes out too.
      lost.erase(was_lost);
      const std::vector<Block>& durable = inodes_[index].durable->blocks;
      unwritten |= block < durable.size() && durable[block].unwritten;
      LogData(index, block, 0, content->blocks[block].page->stored(), false);
    }
    if (unwritten) {
      first_unwritten = std::min(first_unwritten, block);
      last_unwritten = block;
    }
  }
  if (first_unwritten != kNoIndex) {
    MicroOp& op = LogOp(OpKind::kConvert, index);
    op.block = first_unwritten;
    op.length = last_unwritten - first_unwritten + 1;
  }
  if (end > old_size) {
    content->size = end;
    used_bytes_ += end - old_size;
    LogOp(OpKind::kSize, index).size = end;
  }
  return data.size();
}

bool SimDisk::Allocate(const OpenFile& file, uint64_t size) {
  const uint64_t old_size = inodes_[file.inode_].live->size;
  if (size <= old_size) return true;
  if (size - old_size > FreeBytes()) return false;
  ++call_;
  FileContent* content = MutableLive(file.inode_);
  // Only blocks that never held anything become unwritten extents: behind the last page.
  auto first = static_cast<uint32_t>(content->blocks.size());
  while (first > 0 && !content->blocks[first - 1].page) --first;
  MicroOp& op = LogOp(OpKind::kAllocate, file.inode_);
  op.size = size;
  op.block = first;
  op.length = BlocksFor(size) > first ? BlocksFor(size) - first : 0;
  ApplyContent(op, &inodes_[file.inode_].live);
  used_bytes_ += size - old_size;
  return true;
}

void SimDisk::Resize(const OpenFile& file, uint64_t size) {
  const uint64_t old_size = inodes_[file.inode_].live->size;
  if (size == old_size) return;
  ++call_;
  MutableLive(file.inode_)->Truncate(size);
  used_bytes_ += size - old_size;  // modulo 2^64
  LogOp(OpKind::kTruncate, file.inode_).size = size;
  const uint32_t blocks = BlocksFor(size);
  std::erase_if(inodes_[file.inode_].lost_blocks,
                [blocks](uint32_t block) { return block >= blocks; });
}

// Directories. -----------------------------------------------------------------------------------

Status SimDisk::CreateDir(const std::string& path) {
  Place place;
  const int error = Resolve(path, &place);
  if (error != 0) return SystemError("mkdir", path, error);
  if (place.inode != kNoIndex) {
    return inodes_[place.inode].is_directory ? Status::Ok() : SystemError("mkdir", path, EEXIST);
  }
  ++call_;
  const uint32_t slot = SlotFor(place);
  const uint32_t inode = NewInode(true, path);
  SetLive(slot, inode);
  LogEntry(OpKind::kEntryAdd, slot, inode);
  return Status::Ok();
}

Status SimDisk::RemoveDir(const std::string& path) {
  Place place;
  int error = Resolve(path, &place);
  if (error == 0 && place.inode == kNoIndex) error = ENOENT;
  if (error == 0 && place.inode == kRoot) error = EBUSY;
  if (error == 0 && !inodes_[place.inode].is_directory) error = ENOTDIR;
  if (error != 0) return SystemError("rmdir", path, error);
  for (const uint32_t slot : inodes_[place.inode].slots) {
    if (slots_[slot].live != kNoIndex) return SystemError("rmdir", path, ENOTEMPTY);
  }
  ++call_;
  LogEntry(OpKind::kEntryRemove, place.slot, place.inode);
  SetLive(place.slot, kNoIndex);
  return Status::Ok();
}

StatusOr<std::vector<std::string>> SimDisk::ListDir(const std::string& path) const {
  uint32_t directory;
  const int error = ResolveDirectory(path, &directory);
  if (error != 0) return SystemError("opendir", path, error);
  std::vector<std::string> names;
  for (const uint32_t slot : inodes_[directory].slots) {
    if (slots_[slot].live != kNoIndex) names.push_back(slots_[slot].name);
  }
  return names;
}

Status SimDisk::Rename(const std::string& from_path, const std::string& to_path) {
  Place from;
  Place to;
  int error = Resolve(from_path, &from);
  if (error == 0) error = Resolve(to_path, &to);
  if (error == 0 && from.inode == kNoIndex) error = ENOENT;
  if (error == 0 && (from.inode == kRoot || to.inode == kRoot)) error = EBUSY;
  if (error != 0) return SystemError("rename", from_path, to_path, error);
  if (from.inode == to.inode) return Status::Ok();
  const bool moves_directory = inodes_[from.inode].is_directory;
  if (moves_directory && IsBelow(to.directory, from.inode)) error = EINVAL;
  if (error == 0 && to.inode != kNoIndex) {
    if (inodes_[to.inode].is_directory) {
      error = moves_directory ? 0 : EISDIR;
      for (const uint32_t slot : inodes_[to.inode].slots) {
        if (moves_directory && slots_[slot].live != kNoIndex) error = ENOTEMPTY;
      }
    } else if (moves_directory) {
      error = ENOTDIR;
    }
  }
  if (error != 0) return SystemError("rename", from_path, to_path, error);
  ++call_;
  const uint32_t inode = from.inode;
  const bool replaces = to.inode != kNoIndex;
  to.slot = SlotFor(to);
  LogRename(from, to, replaces);
  SetLive(to.slot, inode);
  SetLive(from.slot, kNoIndex);
  inodes_[inode].path = to_path;
  return Status::Ok();
}

Status SimDisk::Link(const std::string& from_path, const std::string& to_path) {
  Place from;
  Place to;
  int error = Resolve(from_path, &from);
  if (error == 0 && from.inode == kNoIndex) error = ENOENT;
  if (error == 0) error = Resolve(to_path, &to);
  if (error == 0 && to.inode != kNoIndex) error = EEXIST;
  if (error == 0 && inodes_[from.inode].is_directory) error = EPERM;
  if (error != 0) return SystemError("link", from_path, to_path, error);
  ++call_;
  const uint32_t slot = SlotFor(to);
  SetLive(slot, from.inode);
  LogEntry(OpKind::kEntryAdd, slot, from.inode);
  return Status::Ok();
}

Status SimDisk::Unlink(const std::string& path) {
  Place place;
  int error = Resolve(path, &place);
  if (error == 0 && place.inode == kNoIndex) error = ENOENT;
  if (error == 0 && inodes_[place.inode].is_directory) error = EISDIR;
  if (error != 0) return SystemError("unlink", path, error);
  ++call_;
  LogEntry(OpKind::kEntryRemove, place.slot, place.inode);
  SetLive(place.slot, kNoIndex);
  return Status::Ok();
}

Status SimDisk::Truncate(const std::string& path, uint64_t size) {
  Place place;
  int error = Resolve(path, &place);
  if (error == 0 && place.inode == kNoIndex) error = ENOENT;
  if (error == 0 && inodes_[place.inode].is_directory) error = EISDIR;
  if (error != 0) return SystemError("truncate", path, error);
  Retain(place.inode);
  ++inodes_[place.inode].opens;
  Resize(OpenFile(this, place.inode, 0), size);
  return Status::Ok();
}

StatusOr<uint64_t> SimDisk::FileSize(const std::string& path) const {
  Place place;
  int error = Resolve(path, &place);
  if (error == 0 && place.inode == kNoIndex) error = ENOENT;
  if (error == 0 && inodes_[place.inode].is_directory) error = EISDIR;
  if (error != 0) return SystemError("stat", path, error);
  return inodes_[place.inode].live->size;
}

Status SimDisk::Exists(const std::string& path) const {
  Place place;
  const int error = Resolve(path, &place);
  if (error != 0 || place.inode == kNoIndex) {
    return SystemError("stat", path, error != 0 ? error : ENOENT);
  }
  return Status::Ok();
}

}  // namespace shearpin::faultfs
