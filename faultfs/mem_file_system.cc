#include "faultfs/mem_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "engine/base/check.h"
#include "faultfs/system_error.h"

namespace shearpin::faultfs {
namespace {

// The bytes of one file, in chunks that never move.
class Contents {
 public:
  uint64_t Size() const {
    const std::shared_lock lock(mutex_);
    return size_;
  }

  size_t Read(uint64_t offset, size_t n, char* to) const {
    const std::shared_lock lock(mutex_);
    if (offset >= size_) return 0;
    n = static_cast<size_t>(std::min<uint64_t>(n, size_ - offset));
    ForEachPart(offset, n, [&to](char* chunk, size_t length) {
      std::memcpy(to, chunk, length);
      to += length;
    });
    return n;
  }

  void Write(uint64_t offset, std::string_view data) {
    const std::unique_lock lock(mutex_);
    Grow(std::max<uint64_t>(size_, offset + data.size()));
    ForEachPart(offset, data.size(), [&data](char* chunk, size_t length) {
      std::memcpy(chunk, data.data(), length);
      data.remove_prefix(length);
    });
  }

  void Extend(uint64_t size) {
    const std::unique_lock lock(mutex_);
    Grow(std::max(size_, size));
  }

  void Truncate(uint64_t size) {
    const std::unique_lock lock(mutex_);
    if (size < size_) {
      // Bytes beyond the size are kept zero, so that growing needs no care.
      const uint64_t end = std::min<uint64_t>(size_, (size / kChunk + 1) * kChunk);
      ForEachPart(size, end - size, [](char* chunk, size_t n) { std::memset(chunk, 0, n); });
      chunks_.resize((size + kChunk - 1) / kChunk);
      size_ = size;
    } else {
      Grow(size);
    }
  }

 private:
  static constexpr size_t kChunk = size_t{64} << 10;

  void Grow(uint64_t size) {
    while (chunks_.size() * kChunk < size) chunks_.push_back(std::make_unique<char[]>(kChunk));
    size_ = size;
  }

  template <typename Body>
  void ForEachPart(uint64_t offset, size_t n, Body body) const {
    while (n > 0) {
      const size_t from = offset % kChunk;
      const size_t length = std::min(n, kChunk - from);
      body(chunks_[offset / kChunk].get() + from, length);
      offset += length;
      n -= length;
    }
  }

  mutable std::shared_mutex mutex_;
  uint64_t size_ = 0;
  std::vector<std::unique_ptr<char[]>> chunks_;
};

struct Node {
  explicit Node(bool directory) : is_directory(directory) {}
  const bool is_directory;
  bool locked = false;
  std::map<std::string, std::shared_ptr<Node>, std::less<>> children;
  Contents contents;
};
using NodeRef = std::shared_ptr<Node>;

class MemRandomAccessFile final : public RandomAccessFile {
 public:
  explicit MemRandomAccessFile(NodeRef node) : node_(std::move(node)) {}

  Status Read(uint64_t offset, size_t n, char* scratch, std::string_view* result) const override {
    *result = {scratch, node_->contents.Read(offset, n, scratch)};
    return Status::Ok();
  }

  StatusOr<uint64_t> Size() const override { return node_->contents.Size(); }

 private:
  const NodeRef node_;
};

class MemWritableFile final : public WritableFile {
 public:
  MemWritableFile(NodeRef node, uint64_t size) : node_(std::move(node)), size_(size) {}
  ~MemWritableFile() override { static_cast<void>(MemWritableFile::Close()); }

  Status Append(std::string_view data) override {
    SHEARPIN_CHECK(node_ != nullptr, "Append after Close");
    node_->contents.Write(size_, data);
    size_ += data.size();
    return Status::Ok();
  }

  Status Sync() override {
    SHEARPIN_CHECK(node_ != nullptr, "Sync after Close");
    return Status::Ok();
  }

  Status Preallocate(uint64_t size) override {
    SHEARPIN_CHECK(node_ != nullptr, "Preallocate after Close");
    if (size <= size_) return Status::Ok();
    preallocated_ = true;
    node_->contents.Extend(size);
    return Status::Ok();
  }

  Status Close() override {
    if (node_ == nullptr) return Status::Ok();
    if (preallocated_) node_->contents.Truncate(size_);
    node_.reset();
    return Status::Ok();
  }

  uint64_t Size() const override { return size_; }

 private:
  NodeRef node_;
  uint64_t size_;
  bool preallocated_ = false;
};

}  // namespace

struct MemFileSystem::Tree {
  // A path's directory, and what stands there, if anything.
  struct Place {
    NodeRef directory;  // null for the root
    std::string name;
    NodeRef node;
  };

  // 0, or the errno of a directory on the way that is not there.
  int Resolve(std::string_view path, Place* place) const {
    if (path.empty()) return ENOENT;
    *place = {.directory = nullptr, .name = {}, .node = root};
    while (!path.empty()) {
      const size_t end = path.find('/');
      const std::string_view name = path.substr(0, end);
      path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
      if (name.empty() || name == ".") continue;
      if (place->node == nullptr) return ENOENT;
      if (!place->node->is_directory) return ENOTDIR;
      place->directory = std::move(place->node);
      place->name = name;
      const auto child = place->directory->children.find(name);
      place->node = child == place->directory->children.end() ? nullptr : child->second;
    }
    return 0;
  }

  int ResolveExisting(std::string_view path, Place* place) const {
    const int error = Resolve(path, place);
    return error == 0 && place->node == nullptr ? ENOENT : error;
  }

  int ResolveFile(std::string_view path, Place* place) const {
    const int error = ResolveExisting(path, place);
    return error == 0 && place->node->is_directory ? EISDIR : error;
  }

  static bool IsBelow(const Node* directory, const Node* ancestor) {
    if (directory == ancestor) return true;
    for (const auto& [name, child] : ancestor->children) {
      if (child->is_directory && IsBelow(directory, child.get())) return true;
    }
    return false;
  }

  // The file at `path` for writing, made if it was not there. 0 or an errno.
  int OpenOrCreate(const std::string& path, bool exclusive, NodeRef* node) {
    Place place;
    const int error = Resolve(path, &place);
    if (error != 0) return error;
    if (place.node == nullptr) {
      place.node = std::make_shared<Node>(false);
      place.directory->children[place.name] = place.node;
    } else if (exclusive) {
      return EEXIST;
    }
    if (place.node->is_directory) return EISDIR;
    *node = place.node;
    return 0;
  }

  std::mutex mutex;  // guards names and locks; contents have their own
  const NodeRef root = std::make_shared<Node>(true);
};

namespace {

class MemFileLock final : public FileLock {
 public:
  MemFileLock(std::mutex* mutex, NodeRef node) : mutex_(mutex), node_(std::move(node)) {}
  ~MemFileLock() override {
    const std::lock_guard guard(*mutex_);
    node_->locked = false;
  }

 private:
  std::mutex* const mutex_;
  const NodeRef node_;
};

}  // namespace

MemFileSystem::MemFileSystem() : tree_(std::make_unique<Tree>()) {}
MemFileSystem::~MemFileSystem() = default;

StatusOr<std::unique_ptr<RandomAccessFile>> MemFileSystem::OpenRandomAccess(
    const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  const int error = tree_->ResolveFile(path, &place);
  if (error != 0) return SystemError("open", path, error);
  return std::unique_ptr<RandomAccessFile>(std::make_unique<MemRandomAccessFile>(place.node));
}

StatusOr<std::unique_ptr<WritableFile>> MemFileSystem::OpenWritable(const std::string& path,
                                                                    OpenMode mode) {
  const std::lock_guard guard(tree_->mutex);
  NodeRef node;
  const int error = tree_->OpenOrCreate(path, mode == OpenMode::kCreateNew, &node);
  if (error != 0) return SystemError("open", path, error);
  if (mode == OpenMode::kTruncate) node->contents.Truncate(0);
  const uint64_t size = node->contents.Size();
  return std::unique_ptr<WritableFile>(std::make_unique<MemWritableFile>(std::move(node), size));
}

Status MemFileSystem::CreateDir(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  int error = tree_->Resolve(path, &place);
  if (error == 0 && place.node != nullptr && !place.node->is_directory) error = EEXIST;
  if (error != 0) return SystemError("mkdir", path, error);
  if (place.node == nullptr) place.directory->children[place.name] = std::make_shared<Node>(true);
  return Status::Ok();
}

Status MemFileSystem::RemoveDir(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  int error = tree_->ResolveExisting(path, &place);
  if (error == 0 && place.directory == nullptr) error = EBUSY;
  if (error == 0 && !place.node->is_directory) error = ENOTDIR;
  if (error == 0 && !place.node->children.empty()) error = ENOTEMPTY;
  if (error != 0) return SystemError("rmdir", path, error);
  place.directory->children.erase(place.name);
  return Status::Ok();
}

StatusOr<std::vector<std::string>> MemFileSystem::ListDir(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  int error = tree_->ResolveExisting(path, &place);
  if (error == 0 && !place.node->is_directory) error = ENOTDIR;
  if (error != 0) return SystemError("opendir", path, error);
  std::vector<std::string> names;
  for (const auto& [name, child] : place.node->children) names.push_back(name);
  return names;
}

Status MemFileSystem::SyncDir(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  int error = tree_->ResolveExisting(path, &place);
  if (error == 0 && !place.node->is_directory) error = ENOTDIR;
  return error == 0 ? Status::Ok() : SystemError("open", path, error);
}

Status MemFileSystem::Rename(const std::string& from_path, const std::string& to_path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place from;
  Tree::Place to;
  int error = tree_->Resolve(from_path, &from);
  if (error == 0) error = tree_->Resolve(to_path, &to);
  if (error == 0 && from.node == nullptr) error = ENOENT;
  if (error == 0 && (from.directory == nullptr || to.directory == nullptr)) error = EBUSY;
  if (error != 0) return SystemError("rename", from_path, to_path, error);
  if (from.node == to.node) return Status::Ok();
  if (from.node->is_directory && Tree::IsBelow(to.directory.get(), from.node.get())) {
    error = EINVAL;
  } else if (to.node != nullptr && to.node->is_directory) {
    error = !from.node->is_directory ? EISDIR : to.node->children.empty() ? 0 : ENOTEMPTY;
  } else if (to.node != nullptr && from.node->is_directory) {
    error = ENOTDIR;
  }
  if (error != 0) return SystemError("rename", from_path, to_path, error);
  to.directory->children[to.name] = from.node;
  from.directory->children.erase(from.name);
  return Status::Ok();
}

Status MemFileSystem::Link(const std::string& from_path, const std::string& to_path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place from;
  Tree::Place to;
  int error = tree_->ResolveExisting(from_path, &from);
  if (error == 0) error = tree_->Resolve(to_path, &to);
  if (error == 0 && to.node != nullptr) error = EEXIST;
  if (error == 0 && from.node->is_directory) error = EPERM;
  if (error != 0) return SystemError("link", from_path, to_path, error);
  to.directory->children[to.name] = from.node;
  return Status::Ok();
}

Status MemFileSystem::Unlink(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  const int error = tree_->ResolveFile(path, &place);
  if (error != 0) return SystemError("unlink", path, error);
  place.directory->children.erase(place.name);
  return Status::Ok();
}

Status MemFileSystem::Truncate(const std::string& path, uint64_t size) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  const int error = tree_->ResolveFile(path, &place);
  if (error != 0) return SystemError("truncate", path, error);
  place.node->contents.Truncate(size);
  return Status::Ok();
}

StatusOr<uint64_t> MemFileSystem::FileSize(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  const int error = tree_->ResolveFile(path, &place);
  if (error != 0) return SystemError("stat", path, error);
  return place.node->contents.Size();
}

Status MemFileSystem::Exists(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  Tree::Place place;
  const int error = tree_->ResolveExisting(path, &place);
  return error == 0 ? Status::Ok() : SystemError("stat", path, error);
}

StatusOr<std::unique_ptr<FileLock>> MemFileSystem::LockFile(const std::string& path) {
  const std::lock_guard guard(tree_->mutex);
  NodeRef node;
  const int error = tree_->OpenOrCreate(path, false, &node);
  if (error != 0) return SystemError("open", path, error);
  if (std::exchange(node->locked, true)) return LockBusy(path);
  return std::unique_ptr<FileLock>(std::make_unique<MemFileLock>(&tree_->mutex, std::move(node)));
}

}  // namespace shearpin::faultfs
