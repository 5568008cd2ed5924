#include "engine/memtable/skiplist.h"

#include <bit>
#include <cstring>
#include <limits>
#include <new>

#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace shearpin {
namespace {

// Two bits of the hash per level: a quarter of the nodes go on. Mix64 spreads consecutive
// sequence numbers, and the salt keeps heights apart from other users of the same hash.
int HeightOf(uint64_t trailer) {
  const uint64_t hash = Mix64(trailer ^ 0x736b'6970'6c69'7374);
  const int level = std::countr_zero(hash | uint64_t{1} << (2 * (SkipList::kMaxHeight - 1))) / 2;
  return level + 1;
}

int CompareKey(const SkipList::Node* node, std::string_view user_key, uint64_t trailer) {
  const int order = CompareBytes(node->user_key(), user_key);
  if (order != 0) return order;
  const uint64_t other = node->trailer();
  return other > trailer ? -1 : other < trailer ? 1 : 0;
}

}  // namespace

struct SkipList::Position {
  Node* before;
  Node* after;
};

SkipList::SkipList(Arena* arena) : arena_(arena), head_(NewNode({}, 0, {}, kMaxHeight)) {}

SkipList::Node* SkipList::NewNode(std::string_view user_key, uint64_t trailer,
                                  std::string_view value, int height) {
  const size_t tower = sizeof(std::atomic<Node*>) * static_cast<size_t>(height - 1);
  const size_t key_size = user_key.size() + kTrailerSize;
  SHEARPIN_CHECK(key_size <= std::numeric_limits<uint32_t>::max());
  SHEARPIN_CHECK(value.size() <= std::numeric_limits<uint32_t>::max());
  char* memory = arena_->Allocate(tower + sizeof(Node) + key_size + value.size());
  for (int i = 0; i < height - 1; ++i) {
    new (memory + sizeof(std::atomic<Node*>) * i) std::atomic<Node*>(nullptr);
  }
  auto* node = new (memory + tower)
      Node(static_cast<uint32_t>(key_size), static_cast<uint32_t>(value.size()));
  char* to = node->bytes();
  if (!user_key.empty()) std::memcpy(to, user_key.data(), user_key.size());
  StoreFixed64(to + user_key.size(), trailer);
  if (!value.empty()) std::memcpy(to + key_size, value.data(), value.size());
  return node;
}

SkipList::Position SkipList::FindOnLevel(std::string_view user_key, uint64_t trailer, Node* start,
                                         Node* limit, int level) const {
  Node* before = start;
  for (;;) {
    Node* after = before->Next(level);
    if (after == nullptr || after == limit) return {before, after};
    __builtin_prefetch(after->Next(level));
    if (CompareKey(after, user_key, trailer) >= 0) return {before, after};
    before = after;
  }
}

const SkipList::Node* SkipList::FindGreaterOrEqual(std::string_view user_key,
                                                   uint64_t trailer) const {
  Position at{head_, nullptr};
  for (int level = height_.load(std::memory_order_acquire) - 1; level >= 0; --level) {
    // The node that ended the level above ends this one too: it is not compared again.
    at = FindOnLevel(user_key, trailer, at.before, at.after, level);
  }
  return at.after;
}

const SkipList::Node* SkipList::FindLess(std::string_view user_key, uint64_t trailer) const {
  Position at{head_, nullptr};
  for (int level = height_.load(std::memory_order_acquire) - 1; level >= 0; --level) {
    at = FindOnLevel(user_key, trailer, at.before, at.after, level);
  }
  return at.before == head_ ? nullptr : at.before;
}

const SkipList::Node* SkipList::First() const { return head_->Next(0); }

const SkipList::Node* SkipList::Last() const {
  const Node* node = head_;
  for (int level = height_.load(std::memory_order_acquire) - 1; level >= 0; --level) {
    while (const Node* next = node->Next(level)) node = next;
  }
  return node == head_ ? nullptr : node;
}

bool SkipList::Encloses(const Hint& hint, int level, std::string_view user_key,
                        uint64_t trailer) const {
  const Node* before = hint.before[level];
  const Node* after = hint.after[level];
  return before->Next(level) == after &&
         (before == head_ || CompareKey(before, user_key, trailer) < 0) &&
         (after == nullptr || CompareKey(after, user_key, trailer) > 0);
}

void SkipList::FindNeighbours(std::string_view user_key, uint64_t trailer, int levels,
                              Hint* hint) const {
  // Up from the highest level that will be linked to the first that encloses the key, then down
  // again. No level of a hint is used unchecked: other writers may have inserted since.
  int level = levels - 1;
  while (level < hint->height && !Encloses(*hint, level, user_key, trailer)) ++level;
  Position at{head_, nullptr};
  if (level < hint->height) {
    at = {hint->before[level], hint->after[level]};
  } else {
    level = hint->height = height_.load(std::memory_order_acquire);
  }
  while (--level >= 0) {
    at = FindOnLevel(user_key, trailer, at.before, at.after, level);
    hint->before[level] = at.before;
    hint->after[level] = at.after;
  }
}

void SkipList::RaiseHeight(int height) {
  int current = height_.load(std::memory_order_relaxed);
  while (current < height &&
         !height_.compare_exchange_weak(current, height, std::memory_order_acq_rel)) {
  }
}

bool SkipList::Insert(std::string_view user_key, uint64_t trailer, std::string_view value,
                      Hint* hint) {
  Hint local;
  if (hint == nullptr) hint = &local;
  const int height = HeightOf(trailer);
  RaiseHeight(height);
  FindNeighbours(user_key, trailer, height, hint);
  if (hint->after[0] != nullptr && CompareKey(hint->after[0], user_key, trailer) == 0) return false;
  Node* node = NewNode(user_key, trailer, value, height);
  // Bottom first: once it is on level 0 the node exists, and the levels above only speed up
  // searches. Release makes its bytes visible to whoever follows the link.
  for (int level = 0; level < height; ++level) {
    for (;;) {
      Node* after = hint->after[level];
      node->link(level).store(after, std::memory_order_relaxed);
      if (hint->before[level]->link(level).compare_exchange_strong(
              after, node, std::memory_order_release, std::memory_order_relaxed)) {
        break;
      }
      const Position at = FindOnLevel(user_key, trailer, hint->before[level], nullptr, level);
      if (level == 0 && at.after != nullptr && CompareKey(at.after, user_key, trailer) == 0) {
        return false;  // the node stays in the arena, unreachable
      }
      hint->before[level] = at.before;
      hint->after[level] = at.after;
    }
    // The next key of this writer is probably greater.
    hint->before[level] = node;
  }
  return true;
}

}  // namespace shearpin
