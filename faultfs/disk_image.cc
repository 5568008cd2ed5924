#include "faultfs/disk_image.h"

#include <xxhash.h>

#include <cstdio>

namespace shearpin::faultfs {
namespace {

Status NoSuchPath(std::string_view path) {
  std::string message("image ");
  return Status::NotFound(message.append(path).append(": no such file or directory"));
}

Status WrongType(std::string_view path, std::string_view what) {
  std::string message("image ");
  return Status::IoError(message.append(path).append(": ").append(what));
}

}  // namespace

DiskImage::DiskImage() : tree_(new ImageTree) {
  tree_->nodes.push_back({.is_directory = true, .content = {}});
}

uint64_t DiskImage::ContentHash() const {
  // Nodes are numbered by first visit, so equal numbers mean equal hard links.
  uint64_t hash = 0;
  for (const ImageTree::Entry& entry : tree_->entries) {
    hash = CombineHashes(hash, uint64_t{entry.directory} << 32 | entry.node);
    hash = CombineHashes(hash, XXH3_64bits(entry.name.data(), entry.name.size()));
  }
  for (const ImageTree::Node& node : tree_->nodes) {
    hash = CombineHashes(hash, node.is_directory ? 1 : node.content->Hash());
  }
  return hash;
}

std::vector<std::string> DiskImage::ListAll() const {
  std::vector<std::string> prefixes(tree_->nodes.size());
  prefixes[0] += '/';
  std::vector<std::string> paths;
  for (const ImageTree::Entry& entry : tree_->entries) {
    std::string path = prefixes[entry.directory] + entry.name;
    if (tree_->nodes[entry.node].is_directory) {
      path += '/';
      prefixes[entry.node] = path;
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

const ImageTree::Node* DiskImage::Find(std::string_view path) const {
  uint32_t node = 0;
  while (!path.empty()) {
    const size_t end = path.find('/');
    const std::string_view name = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
    if (name.empty()) continue;
    bool found = false;
    for (const ImageTree::Entry& entry : tree_->entries) {
      if (entry.directory != node || entry.name != name) continue;
      node = entry.node;
      found = true;
      break;
    }
    if (!found) return nullptr;
  }
  return &tree_->nodes[node];
}

StatusOr<std::vector<std::string>> DiskImage::ListDir(std::string_view path) const {
  const ImageTree::Node* node = Find(path);
  if (node == nullptr) return NoSuchPath(path);
  if (!node->is_directory) return WrongType(path, "not a directory");
  std::vector<std::string> names;
  for (const ImageTree::Entry& entry : tree_->entries) {
    if (&tree_->nodes[entry.directory] == node) names.push_back(entry.name);
  }
  return names;
}

StatusOr<std::string> DiskImage::ReadFile(std::string_view path) const {
  const ImageTree::Node* node = Find(path);
  if (node == nullptr) return NoSuchPath(path);
  if (node->is_directory) return WrongType(path, "is a directory");
  std::string contents(node->content->size, '\0');
  node->content->Read(0, contents.size(), contents.data());
  return contents;
}

StatusOr<uint64_t> DiskImage::FileSize(std::string_view path) const {
  const ImageTree::Node* node = Find(path);
  if (node == nullptr) return NoSuchPath(path);
  if (node->is_directory) return WrongType(path, "is a directory");
  return node->content->size;
}

std::string DiskImage::Describe() const {
  std::string text;
  for (const std::string& path : ListAll()) {
    const ImageTree::Node* node = Find(path);
    text += path;
    if (!node->is_directory) {
      char line[64];
      std::snprintf(line, sizeof line, " %llu bytes, %016llx",
                    static_cast<unsigned long long>(node->content->size),
                    static_cast<unsigned long long>(node->content->Hash()));
      text += line;
    }
    text += '\n';
  }
  return text;
}

size_t DiskImage::file_count() const {
  size_t count = 0;
  for (const ImageTree::Node& node : tree_->nodes) count += node.is_directory ? 0 : 1;
  return count;
}

}  // namespace shearpin::faultfs
