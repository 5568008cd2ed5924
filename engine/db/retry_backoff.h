// RetryBackoff: when background work that failed is tried again: after 10 ms, then each time after
// twice as long, at most 10 s.
//
// Thread safety: guarded by the database mutex. Ownership: a value.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/status.h"

namespace shearpin {

class RetryBackoff {
 public:
  static constexpr uint64_t kFirstMicros = 10 * 1000;
  static constexpr uint64_t kMostMicros = 10 * 1000 * 1000;

  void Failed(const Status& error, uint64_t now_micros) {
    pause_ = error_.ok() ? kFirstMicros : std::min(2 * pause_, kMostMicros);
    not_before_ = now_micros + pause_;
    error_ = error;
    ++failures_;
  }
  void Succeeded() {
    error_ = Status();
    not_before_ = 0;
  }
  // Somebody waits: the next try is now. The pause after it is not shorter for that.
  void Hurry() { not_before_ = 0; }

  // The error of the last try, until one succeeds.
  const Status& error() const { return error_; }
  // When the next try may begin.
  uint64_t not_before() const { return not_before_; }
  // How many tries failed, ever.
  uint64_t failures() const { return failures_; }

 private:
  Status error_;
  uint64_t pause_ = 0;
  uint64_t not_before_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace shearpin
