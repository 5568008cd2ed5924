// FiberPool: fibers on one OS thread, by Boost.Context, with their stacks kept for the next run.
//
// Mapping a stack and faulting in its pages costs more than all else in a fiber's life, so a pool
// outlives the schedulers that use it: one pool for each OS thread that simulates.
//
// Under each stack lies a page that cannot be touched: an overflow is a fault there and not a
// silent write into a neighbour. AddressSanitizer and ThreadSanitizer are told of every switch.
//
// Thread safety: none. Everything made here runs on the thread that uses the pool.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "sim/execution_backend.h"

namespace shearpin::sim {

class FiberPool final : public ExecutionBackend {
 public:
  // Address space for a stack; memory is used only where it was touched. Instrumented frames are
  // several times as large.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr size_t kDefaultStackBytes = 1024 * 1024;
#else
  static constexpr size_t kDefaultStackBytes = 256 * 1024;
#endif

  // Whole pages.
  explicit FiberPool(size_t stack_bytes = kDefaultStackBytes);
  // Everything was recycled or abandoned before.
  ~FiberPool() override;
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  Context* Adopt() override;
  Context* Create(Entry entry, void* argument) override;
  void Switch(Context* from, Context* to) override;
  void Finish(Context* from, Context* to) override;
  void Recycle(Context* context) override;
  void Abandon(Context* context) override;

  // Stacks mapped so far, abandoned ones included.
  size_t stacks() const { return stacks_; }

 private:
  class Fiber;
  struct Handover;

  Fiber* NewFiber();

  const size_t stack_bytes_;
  size_t stacks_ = 0;
  size_t in_use_ = 0;
  std::vector<std::unique_ptr<Fiber>> idle_;
};

}  // namespace shearpin::sim
