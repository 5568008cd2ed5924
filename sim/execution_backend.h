// ExecutionBackend: stacks and the hand-over of the processor between them, and nothing else. Who
// runs when is the scheduler's business.
//
// FiberPool is the one for simulations. A second one, in the scheduler's test, gives each context
// an OS thread and passes a baton: the scheduler has to make the same history over both.
//
// Thread safety: exactly one context of a backend runs at a time.
#pragma once

namespace shearpin::sim {

class ExecutionBackend {
 public:
  // Opaque; owned by the backend.
  class Context {};
  using Entry = void (*)(void* argument);

  virtual ~ExecutionBackend() = default;

  // The caller's own stack as a context, to come back to. Given back by Recycle.
  virtual Context* Adopt() = 0;

  // A suspended context that calls `entry(argument)` when first switched to. Before entry returns
  // it must have called Finish.
  virtual Context* Create(Entry entry, void* argument) = 0;

  // Suspends `from`, which is the caller, and goes on with `to`. Returns when something switches
  // to `from`.
  virtual void Switch(Context* from, Context* to) = 0;

  // The last act of `from`, which is the caller: goes on with `to` for good. May return, to let
  // the entry return.
  virtual void Finish(Context* from, Context* to) = 0;

  // Gives back a finished or an adopted context, from another one or outside all.
  virtual void Recycle(Context* context) = 0;

  // Lets go of a suspended context that will never go on. What lives on its stack is not
  // destroyed, and since others may hold pointers to it, its memory is not reused either.
  virtual void Abandon(Context* context) = 0;
};

}  // namespace shearpin::sim
