#include "engine/base/arena.h"

#include <algorithm>
#include <new>

namespace shearpin {
namespace {

// Block sizes as taken from malloc, header included.
constexpr size_t kFirstBlockSize = 2048;
constexpr size_t kLargestBlockSize = size_t{1} << 20;

constexpr size_t RoundUp(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

}  // namespace

struct Arena::Block {
  Block* previous;
  size_t capacity;
  // Bytes handed out by all older blocks.
  size_t bytes_before;
  // May run past the capacity: what did not fit was refused.
  std::atomic<size_t> used;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  size_t Used() const { return std::min(used.load(std::memory_order_relaxed), capacity); }
};

Arena::Arena() { current_.store(NewBlock(kFirstBlockSize - sizeof(Block), nullptr)); }

Arena::~Arena() {
  for (Block* list : {current_.load(), large_.load()}) {
    while (list != nullptr) {
      Block* previous = list->previous;
      list->~Block();
      ::operator delete(list);
      list = previous;
    }
  }
}

char* Arena::Allocate(size_t bytes) {
  bytes = RoundUp(bytes);
  // A quarter: what the end of a full block wastes is never more than that.
  if (bytes > kLargestBlockSize / 4) [[unlikely]]
    return AllocateLarge(bytes);
  for (;;) {
    Block* block = current_.load(std::memory_order_acquire);
    const size_t offset = block->used.fetch_add(bytes, std::memory_order_relaxed);
    if (offset + bytes <= block->capacity) [[likely]]
      return block->bytes() + offset;
    if (char* memory = AllocateInNewBlock(block, bytes)) return memory;
  }
}

char* Arena::AllocateInNewBlock(Block* full, size_t bytes) {
  size_t size = full->capacity + sizeof(Block);
  do {
    size = std::min(size * 2, kLargestBlockSize);
  } while (size - sizeof(Block) < bytes);
  Block* block = NewBlock(size - sizeof(Block), full);
  // Claimed before others can see the block, so that whoever pays for it gets its memory.
  block->used.store(bytes, std::memory_order_relaxed);
  if (current_.compare_exchange_strong(full, block, std::memory_order_acq_rel)) {
    return block->bytes();
  }
  memory_usage_.fetch_sub(size, std::memory_order_relaxed);
  block->~Block();
  ::operator delete(block);
  return nullptr;
}

char* Arena::AllocateLarge(size_t bytes) {
  Block* block = NewBlock(bytes, nullptr);
  block->previous = large_.load(std::memory_order_relaxed);
  while (!large_.compare_exchange_weak(block->previous, block, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
  large_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return block->bytes();
}

Arena::Block* Arena::NewBlock(size_t capacity, Block* previous) {
  void* memory = ::operator new(sizeof(Block) + capacity);
  memory_usage_.fetch_add(sizeof(Block) + capacity, std::memory_order_relaxed);
  const size_t before = previous == nullptr ? 0 : previous->bytes_before + previous->capacity;
  return new (memory) Block{previous, capacity, before, 0};
}

size_t Arena::AllocatedBytes() const {
  const Block* block = current_.load(std::memory_order_acquire);
  return block->bytes_before + block->Used() + large_bytes_.load(std::memory_order_relaxed);
}

}  // namespace shearpin
