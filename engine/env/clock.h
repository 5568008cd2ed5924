// Clock: where the engine's notion of time comes from.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>

namespace shearpin {

class Clock {
 public:
  virtual ~Clock() = default;

  // Monotonic time in microseconds since an arbitrary origin. Never goes back.
  virtual uint64_t NowMicros() = 0;

  // Wall time in microseconds since the Unix epoch. May jump either way: no decision about
  // durability or deletion may rest on it.
  virtual uint64_t WallMicros() = 0;
};

// The machine's own clocks. One object for the process; never destroyed by the caller.
Clock* RealClock();

}  // namespace shearpin
