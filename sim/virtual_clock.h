// VirtualClock: time that passes only when the scheduler says so.
//
// The deterministic scheduler owns the passing of time; everybody else reads. Wall time runs
// along with it and can be set off on its own, forward or back, as an administrator or NTP would.
//
// Thread safety: none of its own; the scheduler lets one fiber run at a time.
#pragma once

#include <cstdint>

#include "engine/base/check.h"
#include "engine/env/clock.h"

namespace shearpin::sim {

class VirtualClock final : public Clock {
 public:
  // Monotonic time starts above zero so that a deadline of 0 is always past. Wall time starts at
  // 2020-01-01T00:00:00Z.
  static constexpr uint64_t kStartMicros = 1'000'000;
  static constexpr uint64_t kWallStartMicros = 1'577'836'800'000'000;

  uint64_t NowMicros() override { return now_; }
  uint64_t WallMicros() override { return now_ + wall_offset_; }

  // Never back.
  void AdvanceTo(uint64_t micros) {
    SHEARPIN_CHECK(micros >= now_, "virtual time would run backwards");
    now_ = micros;
  }

  // Moves wall time alone, by so many microseconds.
  void JumpWall(int64_t micros) { wall_offset_ += static_cast<uint64_t>(micros); }

 private:
  uint64_t now_ = kStartMicros;
  uint64_t wall_offset_ = kWallStartMicros - kStartMicros;
};

}  // namespace shearpin::sim
