#include <chrono>

#include "engine/env/clock.h"

namespace shearpin {
namespace {

template <typename SourceClock>
uint64_t MicrosOf() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(SourceClock::now().time_since_epoch())
          .count());
}

class RealClockImpl final : public Clock {
 public:
  uint64_t NowMicros() override { return MicrosOf<std::chrono::steady_clock>(); }
  uint64_t WallMicros() override { return MicrosOf<std::chrono::system_clock>(); }
};

}  // namespace

Clock* RealClock() {
  static Clock* const clock = new RealClockImpl;
  return clock;
}

}  // namespace shearpin
