// DiskImage: what a crash left on the platter: directories, names, and file contents.
//
// Independent of the SimDisk it came from: pages are shared by reference count and immutable once
// shared, so a copy costs one reference and the live disk writes on without disturbing it.
//
// Thread safety: none, and the reference counts are not atomic: an image, its copies and every
// disk it came from or was given to stay on one OS thread (fibers of one thread are fine).
// Errors: NotFound and IoError, as a file system would answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/status.h"
#include "faultfs/file_content.h"
#include "faultfs/ref.h"

namespace shearpin::faultfs {

// The immutable insides of a DiskImage; SimDisk makes and reads it. Node 0 is the root.
struct ImageTree {
  struct Node {
    bool is_directory = false;
    Ref<FileContent> content;  // files; trimmed to its size
  };
  struct Entry {
    uint32_t directory = 0;  // node
    uint32_t node = 0;
    std::string name;
  };
  uint32_t refs = 0;
  std::vector<Node> nodes;
  std::vector<Entry> entries;       // directory by directory, parents first, each sorted by name
  std::vector<Ref<Page>> recycled;  // freed blocks that new ones may be found to hold
};

class DiskImage {
 public:
  // An empty root directory.
  DiskImage();
  explicit DiskImage(Ref<ImageTree> tree) : tree_(std::move(tree)) {}

  // Equal for images that no reader could tell apart. Collisions: 64 bits of XXH3.
  uint64_t ContentHash() const;

  // Every path below the root, parents first, sorted within each directory; directories end
  // with '/'.
  std::vector<std::string> ListAll() const;
  StatusOr<std::vector<std::string>> ListDir(std::string_view path) const;
  StatusOr<std::string> ReadFile(std::string_view path) const;
  StatusOr<uint64_t> FileSize(std::string_view path) const;

  // One line a file: path, size, hash; for reports.
  std::string Describe() const;

  size_t file_count() const;
  const ImageTree& tree() const { return *tree_; }

 private:
  // The node at `path`, or a null pointer.
  const ImageTree::Node* Find(std::string_view path) const;

  Ref<ImageTree> tree_;
};

}  // namespace shearpin::faultfs
