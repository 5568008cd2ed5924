// Arena: memory that is handed out piece by piece and given back all at once.
//
// Blocks begin small, because a simulation opens databases by the thousand, and double up to
// 1 MiB, because production should not call malloc per key.
// Thread safety: Allocate and both counters may be called from any thread, without locks; a
// thread that loses the race for a new block frees the one it made and tries again.
// Memory is not zeroed and lives until the arena is destroyed.
#pragma once

#include <atomic>
#include <cstddef>

namespace shearpin {

class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `bytes` of memory, aligned to 8. Never null.
  char* Allocate(size_t bytes);

  // Bytes handed out, alignment included, and the unused ends of full blocks.
  size_t AllocatedBytes() const;

  // Bytes taken from the system.
  size_t MemoryUsage() const { return memory_usage_.load(std::memory_order_relaxed); }

 private:
  struct Block;

  Block* NewBlock(size_t capacity, Block* previous);
  char* AllocateInNewBlock(Block* full, size_t bytes);
  char* AllocateLarge(size_t bytes);

  // The block that allocations come from; older ones hang on Block::previous.
  std::atomic<Block*> current_;
  // Blocks of a single allocation too large to share one.
  std::atomic<Block*> large_{nullptr};
  std::atomic<size_t> large_bytes_{0};
  std::atomic<size_t> memory_usage_{0};
};

}  // namespace shearpin
