#include "sim/progress.h"

#include <unistd.h>

#include <algorithm>

namespace shearpin::sim {
namespace {

constexpr int kBarWidth = 30;

}  // namespace

Progress::Progress(FILE* out, double seconds, uint64_t operations)
    : out_(out), seconds_(seconds), operations_(operations), terminal_(isatty(fileno(out)) != 0) {}

double Progress::Share(double elapsed, const Tally& tally) const {
  const double of_time = seconds_ > 0 ? elapsed / seconds_ : 1.0;
  const double of_work = static_cast<double>(tally.figure("operations")) /
                         static_cast<double>(std::max<uint64_t>(1, operations_));
  return std::min(1.0, std::max(of_time, of_work));
}

std::string Progress::Bar(double share) const {
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
    std::fprintf(out_, "\r\x1b[K%s ", Bar(Share(elapsed, tally)).c_str());
    shown_ = true;
  }
  std::fprintf(out_,
               "%.0f s  %.0f %%  seeds %llu  operations %llu  crashes %llu  images %llu "
               "(%.0f/s/core)  failures %llu%s",
               elapsed, 100 * Share(elapsed, tally), static_cast<unsigned long long>(tally.seeds()),
               static_cast<unsigned long long>(tally.figure("operations")),
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
