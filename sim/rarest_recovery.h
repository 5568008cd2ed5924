// RarestRecovery: of several images of one crash, the one whose recovery did what the fewest of the
// others' did, by the engine's own events: fell back to an older MANIFEST, dropped a log.
//
// A run goes on from one image only, and most recoveries are alike. What comes after a rare one, a
// second crash inside it above all, is seen often enough only if the run prefers it.
//
// Thread safety: none. Ownership: borrows the counter.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/event_listener.h"
#include "sim/run_context.h"

namespace shearpin::sim {

class RarestRecovery {
 public:
  explicit RarestRecovery(const EventCounter* events) : events_(events) {}

  void Clear() { seen_.clear(); }
  void Begin();
  // The recovery of `image` is over.
  void End(const std::string& image);
  // Empty if all did the same, or there were none.
  std::string Image() const;

 private:
  static constexpr size_t kKinds = static_cast<size_t>(EventKind::kNumEventKinds);

  const EventCounter* const events_;
  std::array<uint64_t, kKinds> before_{};
  std::vector<std::pair<std::string, std::bitset<kKinds>>> seen_;
};

}  // namespace shearpin::sim
