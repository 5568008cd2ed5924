#include "sim/fiber_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstdint>
#include <utility>

#include "engine/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace shearpin::sim {

namespace fcontext = boost::context::detail;

// A stack and where on it to go on. The sanitizers' part of the state is always there, so that
// the code reads the same in every build; without a sanitizer nobody looks at it.
class FiberPool::Fiber : public Context {
 public:
  // No stack: the caller's own.
  Fiber() = default;
  explicit Fiber(size_t stack_bytes) {
    const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    SHEARPIN_CHECK(stack_bytes % page == 0 && stack_bytes > 0, "stacks are whole pages");
    mapped_bytes_ = page + stack_bytes;
    mapping_ = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    SHEARPIN_CHECK(mapping_ != MAP_FAILED, "mmap of a fiber's stack");
    SHEARPIN_CHECK(::mprotect(mapping_, page, PROT_NONE) == 0, "mprotect of a guard page");
    bottom = static_cast<std::byte*>(mapping_) + page;
    bytes = stack_bytes;
  }
  ~Fiber() {
    if (mapping_ != nullptr) ::munmap(mapping_, mapped_bytes_);
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  bool adopted() const { return mapping_ == nullptr; }

  void Start(Entry body, void* its_argument);

  // Tells the sanitizers that `this` is about to be left for `to`, for good if `last`.
  void BeforeLeaving(Fiber* to, bool last) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(last ? nullptr : &fake_stack, to->bottom, to->bytes);
#endif
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
    static_cast<void>(to);
    static_cast<void>(last);
  }
  // And that it was reached from `from`, whose stack (if adopted) only they know.
  void AfterArriving(Fiber* from) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, &from->bottom, &from->bytes);
#endif
    static_cast<void>(from);
  }

  fcontext::fcontext_t point = nullptr;
  const void* bottom = nullptr;
  size_t bytes = 0;
  Entry entry = nullptr;
  void* argument = nullptr;
  void* fake_stack = nullptr;
  void* tsan_fiber = nullptr;

 private:
  void* mapping_ = nullptr;
  size_t mapped_bytes_ = 0;
};

// What one context tells the next. It lies on the stack that is left, and is read at once.
struct FiberPool::Handover {
  Fiber* from;
  Fiber* to;

  static void Run(fcontext::transfer_t transfer) noexcept {
    const Handover handover = *static_cast<Handover*>(transfer.data);
    Fiber* const self = handover.to;
    handover.from->point = transfer.fctx;
    self->AfterArriving(handover.from);
    self->entry(self->argument);
    SHEARPIN_CHECK(false, "a fiber returned without Finish");
  }
};

void FiberPool::Fiber::Start(Entry body, void* its_argument) {
  entry = body;
  argument = its_argument;
  fake_stack = nullptr;
  // The fiber before left for good from within its frames, so their red zones are still set.
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(bottom, bytes);
#endif
#if defined(__SANITIZE_THREAD__)
  tsan_fiber = __tsan_create_fiber(0);
#endif
  void* const top = static_cast<std::byte*>(const_cast<void*>(bottom)) + bytes;
  point = fcontext::make_fcontext(top, bytes, &Handover::Run);
}

FiberPool::FiberPool(size_t stack_bytes) : stack_bytes_(stack_bytes) {}

FiberPool::~FiberPool() {
  SHEARPIN_CHECK(in_use_ == 0, "a pool was destroyed while its fibers were in use");
}

FiberPool::Context* FiberPool::Adopt() {
  ++in_use_;
  auto* const fiber = new Fiber;
#if defined(__SANITIZE_THREAD__)
  fiber->tsan_fiber = __tsan_get_current_fiber();
#endif
  return fiber;
}

FiberPool::Context* FiberPool::Create(Entry entry, void* argument) {
  if (idle_.empty()) {
    idle_.push_back(std::make_unique<Fiber>(stack_bytes_));
    ++stacks_;
  }
  Fiber* const fiber = idle_.back().release();
  idle_.pop_back();
  ++in_use_;
  fiber->Start(entry, argument);
  return fiber;
}

void FiberPool::Switch(Context* from, Context* to) {
  Handover handover{static_cast<Fiber*>(from), static_cast<Fiber*>(to)};
  handover.from->BeforeLeaving(handover.to, false);
  const fcontext::transfer_t transfer = fcontext::jump_fcontext(handover.to->point, &handover);
  Fiber* const came_from = static_cast<Handover*>(transfer.data)->from;
  came_from->point = transfer.fctx;
  handover.from->AfterArriving(came_from);
}

void FiberPool::Finish(Context* from, Context* to) {
  Handover handover{static_cast<Fiber*>(from), static_cast<Fiber*>(to)};
  handover.from->BeforeLeaving(handover.to, true);
  fcontext::jump_fcontext(handover.to->point, &handover);
  SHEARPIN_CHECK(false, "a finished fiber went on");
}

void FiberPool::Recycle(Context* context) {
  --in_use_;
  std::unique_ptr<Fiber> fiber(static_cast<Fiber*>(context));
  if (fiber->adopted()) return;
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(fiber->tsan_fiber);
#endif
  idle_.push_back(std::move(fiber));
}

void FiberPool::Abandon(Context* context) {
  --in_use_;
  auto* const fiber = static_cast<Fiber*>(context);
  // The leak is meant, with all that the stack points to.
#if defined(__SANITIZE_ADDRESS__)
  __lsan_ignore_object(fiber);
  const auto* const top = static_cast<const char*>(fiber->bottom) + fiber->bytes;
  const auto* const used = static_cast<const char*>(fiber->point);
  __lsan_register_root_region(used, static_cast<size_t>(top - used));
#endif
  static_cast<void>(fiber);
}

}  // namespace shearpin::sim
