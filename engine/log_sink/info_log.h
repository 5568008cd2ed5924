// InfoLog: what happens in a database, in words, for whoever operates it: the file LOG.
//
// A line is UTC time, level and text:
//   2026-03-01 12:00:00.000123Z I flush-done table=12 bytes=40960 took-micros=1800
// Each opening begins a new LOG and keeps the one before as LOG.old; so does a LOG that has reached
// its size. Nothing is synced, and no error of the file hurts the database: lines that cannot be
// written are counted, and the first that can says how many were lost, and why.
//
// Lines are put together by spdlog, with time from the Clock, and written by a thread of the
// Scheduler, so that whoever reports an event, perhaps with locks held, never waits for a disk. A
// kind of event that may come many times a second is written once a second at most.
//
// Thread safety: all methods from many threads at once, except the destructor. Ownership: borrows
// what `env` names. Its lock is taken after every other lock of the engine.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/env/env.h"
#include "engine/event_listener.h"

namespace spdlog {
class logger;
}  // namespace spdlog

namespace shearpin {

class InfoLog : public EventListener {
 public:
  enum class Level : uint8_t { kInfo, kWarning, kError };

  // `rotate_size`: bytes at which LOG becomes LOG.old.
  InfoLog(const Env& env, std::string directory, uint64_t rotate_size);
  // Tries to write what was said.
  ~InfoLog() override;

  void OnEvent(const Event& event) override;
  // Control characters are shown as '?'.
  void Say(Level level, std::string_view text);

 private:
  void WriteLoop();
  Status Write(const std::string& text);
  Status Begin();

  const Env env_;
  const std::string directory_;
  const uint64_t rotate_size_;

  Mutex mutex_;
  CondVar work_;                                  // there are lines, or stopping_
  std::string lines_;                             // whole ones, not written yet; guarded by mutex_
  const std::unique_ptr<spdlog::logger> logger_;  // appends to lines_; guarded by mutex_
  bool stopping_ = false;                         // guarded by mutex_
  uint64_t lost_ = 0;                             // lines; guarded by mutex_
  Status lost_to_;                                // the last error; guarded by mutex_
  // When a line about such an event was written last; 0: never. Guarded by mutex_.
  std::array<uint64_t, static_cast<size_t>(EventKind::kNumEventKinds)> last_said_{};

  // The writing thread's.
  std::unique_ptr<WritableFile> file_;
  bool half_line_ = false;  // an append failed and may have left part of a line
  std::unique_ptr<Scheduler::ThreadHandle> writer_;
};

}  // namespace shearpin
