#include "sim/rarest_recovery.h"

namespace shearpin::sim {

void RarestRecovery::Begin() {
  for (size_t i = 0; i < kKinds; ++i) before_[i] = events_->count(static_cast<EventKind>(i));
}

void RarestRecovery::End(const std::string& image) {
  auto& [text, did] = seen_.emplace_back();
  text = image;
  for (size_t i = 0; i < kKinds; ++i) {
    did[i] = events_->count(static_cast<EventKind>(i)) != before_[i];
  }
}

std::string RarestRecovery::Image() const {
  size_t fewest = seen_.size();
  std::string rarest;
  for (size_t i = 0; i < kKinds; ++i) {
    size_t count = 0;
    const std::string* first = nullptr;
    for (const auto& [text, did] : seen_) {
      if (!did[i]) continue;
      ++count;
      if (first == nullptr) first = &text;
    }
    if (count == 0 || count >= fewest) continue;
    fewest = count;
    rarest = *first;
  }
  return rarest;
}

}  // namespace shearpin::sim
