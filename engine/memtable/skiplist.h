// SkipList: the memtable's index. Entries are added and never removed or changed.
//
// Source: Pugh's skip lists; key and value inline in the node, pointers before it, as RocksDB's
// InlineSkipList does, so that a step of a search touches one cache line of the next node.
// Thread safety: Insert and all reads may run at once from many threads, without locks. An Insert
// that has returned is seen by every read that begins after it (in the happens-before sense).
// Ownership: nodes live in the arena, which outlives the list.
// Determinism: the height of a node is a hash of its sequence number; there is no generator.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "engine/base/arena.h"
#include "engine/base/internal_key.h"

namespace shearpin {

class SkipList {
 public:
  // One node in four reaches the next level: 12 levels serve 16 million entries well.
  static constexpr int kMaxHeight = 12;

  class Node;

  // Where the last Insert of one writer went. Inserts near it start from there, so ascending keys
  // cost a constant. One per writing thread; usable only with the list it was first used with.
  struct Hint {
    int height = 0;  // levels below this were filled, by this insert or an earlier one
    Node* before[kMaxHeight];
    Node* after[kMaxHeight];
  };

  explicit SkipList(Arena* arena);
  SkipList(const SkipList&) = delete;
  SkipList& operator=(const SkipList&) = delete;

  // Copies key and value. False, and nothing is changed, if this internal key is there already.
  bool Insert(std::string_view user_key, uint64_t trailer, std::string_view value, Hint* hint);

  // Null where there is none. The key is the internal key (user_key, trailer).
  const Node* FindGreaterOrEqual(std::string_view user_key, uint64_t trailer) const;
  const Node* FindLess(std::string_view user_key, uint64_t trailer) const;
  const Node* First() const;
  const Node* Last() const;

 private:
  struct Position;  // two neighbours on one level

  Node* NewNode(std::string_view user_key, uint64_t trailer, std::string_view value, int height);
  Position FindOnLevel(std::string_view user_key, uint64_t trailer, Node* start, Node* limit,
                       int level) const;
  // True if the key lies between the hint's nodes and these are still neighbours on that level.
  bool Encloses(const Hint& hint, int level, std::string_view user_key, uint64_t trailer) const;
  // Fills the hint's lower `levels` with the neighbours of the key.
  void FindNeighbours(std::string_view user_key, uint64_t trailer, int levels, Hint* hint) const;
  void RaiseHeight(int height);

  Arena* const arena_;
  Node* const head_;
  std::atomic<int> height_{1};
};

// Memory: pointers of levels height-1 .. 1, then this struct, then the internal key, the value.
class SkipList::Node {
 public:
  std::string_view key() const { return {bytes(), key_size_}; }
  std::string_view user_key() const { return {bytes(), key_size_ - kTrailerSize}; }
  uint64_t trailer() const { return LoadFixed64(bytes() + key_size_ - kTrailerSize); }
  std::string_view value() const { return {bytes() + key_size_, value_size_}; }
  const Node* Next() const { return Next(0); }

 private:
  friend class SkipList;

  Node(uint32_t key_size, uint32_t value_size) : key_size_(key_size), value_size_(value_size) {}

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::atomic<Node*>& link(int level) { return *(&next_ - level); }
  Node* Next(int level) const { return (&next_ - level)->load(std::memory_order_acquire); }

  std::atomic<Node*> next_{nullptr};
  const uint32_t key_size_;  // of the internal key
  const uint32_t value_size_;
};

}  // namespace shearpin
