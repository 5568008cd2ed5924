#include "sim/progress.h"

#include <unistd.h>

#include <algorithm>

namespace shearpin::sim {
namespace {

constexpr int kBarWidth = 30;

}  // namespace

Progress::Progress(FILE* out, double seconds)
    : out_(out), seconds_(seconds), terminal_(isatty(fileno(out)) != 0) {}

std::string Progress::Bar(double elapsed) const {
  const double share = seconds_ > 0 ? std::min(1.0, elapsed / seconds_) : 1.0;
  const int full = static_cast<int>(share * kBarWidth);
  return "[" + std::string(static_cast<size_t>(full), '#') +
         std::string(static_cast<size_t>(kBarWidth - full), '-') + "]";
}

void Progress::Update(double elapsed, const Tally& tally, int jobs) {
  if (elapsed < next_line_) return;
  next_line_ = elapsed + (terminal_ ? 0.2 : seconds_ > 300 ? 10 : 5);
  const uint64_t states = tally.figure("crash_states");
  const double per_core = elapsed > 0 ? static_cast<double>(states) / elapsed / jobs : 0;
  if (terminal_) {
    std::fprintf(out_, "\r\x1b[K%s ", Bar(elapsed).c_str());
    shown_ = true;
  }
  std::fprintf(out_,
               "%.0f/%.0f s  seeds %llu  crashes %llu  images %llu (%.0f/s/core)  failures %llu%s",
               elapsed, seconds_, static_cast<unsigned long long>(tally.seeds()),
               static_cast<unsigned long long>(tally.figure("crashes")),
               static_cast<unsigned long long>(states), per_core,
               static_cast<unsigned long long>(tally.failures()), terminal_ ? "" : "\n");
  std::fflush(out_);
}

void Progress::Clear() {
  if (!shown_) return;
  std::fprintf(out_, "\r\x1b[K");
  std::fflush(out_);
  shown_ = false;
}

}  // namespace shearpin::sim
