#include "sim/campaign.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <memory>
#include <vector>

#include "engine/base/check.h"
#include "sim/stopwatch.h"
#include "sim/worker.h"

namespace shearpin::sim {
namespace {

constexpr int kTickMillis = 200;

// SIGINT and SIGTERM as a file to read from, while alive. Workers inherit the blocked mask: a
// Ctrl-C, which the terminal sends to all, is the parent's to handle.
class StopSignals {
 public:
  StopSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before_);
    fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    SHEARPIN_CHECK(fd_ >= 0, "signalfd");
  }
  ~StopSignals() {
    static_cast<void>(Take());
    close(fd_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int fd() const { return fd_; }
  // How many came since.
  int Take() {
    int count = 0;
    signalfd_siginfo info;
    while (read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) ++count;
    return count;
  }

 private:
  sigset_t before_;
  int fd_ = -1;
};

}  // namespace

class Campaign::Loop {
 public:
  explicit Loop(const Campaign& campaign)
      : campaign_(campaign),
        options_(campaign.options_),
        seeds_ahead_(options_.most_failures == 1 ? 1 : 2),
        next_seed_(options_.start_seed) {}

  CampaignOutcome Run() {
    workers_.resize(static_cast<size_t>(std::max(1, options_.jobs)));
    for (;;) {
      HandOut();
      if (Idle()) break;
      Wait();
      if (interrupts_ > 1) break;
      for (auto& worker : workers_) {
        if (worker != nullptr) Serve(&worker);
      }
      campaign_.on_tick_(watch_.seconds());
    }
    CampaignOutcome outcome = {FirstUndone(), watch_.seconds(), interrupts_ > 0};
    if (interrupts_ > 1) return outcome;  // the workers are killed with this loop
    for (auto& worker : workers_) {
      if (worker == nullptr) continue;
      worker->Finish();
      const std::string death = worker->Reap();
      if (!death.empty()) ReportDeath(last_seed_, FailureClass::kProcessCrashed, death);
    }
    return outcome;
  }

 private:
  bool Stopped() const {
    return interrupts_ > 0 || failures_ >= options_.most_failures ||
           watch_.seconds() >= options_.seconds || operations_ >= options_.most_operations ||
           next_seed_ - options_.start_seed >= options_.most_seeds;
  }

  void HandOut() {
    for (auto& worker : workers_) {
      while (worker == nullptr || worker->seeds().size() < seeds_ahead_) {
        uint64_t seed = 0;
        if (!again_.empty()) {
          seed = again_.front();
          again_.pop_front();
        } else if (!Stopped()) {
          seed = next_seed_++;
        } else {
          break;
        }
        if (worker == nullptr) worker = std::make_unique<Worker>(campaign_.run_seed_);
        worker->HandOver(seed, watch_.seconds());
      }
    }
  }

  bool Idle() const {
    return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) {
      return worker == nullptr || worker->seeds().empty();
    });
  }

  void Wait() {
    std::vector<pollfd> files = {{signals_.fd(), POLLIN, 0}};
    for (const auto& worker : workers_) {
      if (worker != nullptr) files.push_back({worker->socket(), POLLIN, 0});
    }
    poll(files.data(), files.size(), kTickMillis);
    interrupts_ += signals_.Take();
  }

  void Serve(std::unique_ptr<Worker>* worker) {
    const bool alive = (*worker)->Receive();
    while (const auto report = (*worker)->TakeReport(watch_.seconds())) {
      last_seed_ = report->seed;
      if (report->finding) ++failures_;
      if (const auto found = report->figures.find("operations"); found != report->figures.end()) {
        operations_ += found->second;
      }
      campaign_.on_report_(*report);
    }
    if (alive) {
      const bool hangs = !(*worker)->seeds().empty() &&
                         watch_.seconds() - (*worker)->begun() > options_.hang_seconds;
      if (hangs) (*worker)->Kill();
      return;
    }
    const FailureClass failure_class =
        (*worker)->killed() ? FailureClass::kProcessHung : FailureClass::kProcessCrashed;
    const std::string death = (*worker)->Reap();
    std::deque<uint64_t> left = (*worker)->seeds();
    worker->reset();
    if (!death.empty()) {
      uint64_t seed = last_seed_;
      if (!left.empty()) {
        seed = left.front();
        left.pop_front();
      }
      ReportDeath(seed, failure_class, death);
    }
    again_.insert(again_.end(), left.begin(), left.end());
  }

  void ReportDeath(uint64_t seed, FailureClass failure_class, const std::string& death) {
    SeedReport report;
    report.seed = seed;
    report.finding = Finding{seed, failure_class, death, {}, {}, {}};
    ++failures_;
    campaign_.on_report_(report);
  }

  uint64_t FirstUndone() const {
    uint64_t first = next_seed_;
    for (const uint64_t seed : again_) first = std::min(first, seed);
    for (const auto& worker : workers_) {
      if (worker == nullptr) continue;
      for (const uint64_t seed : worker->seeds()) first = std::min(first, seed);
    }
    return first;
  }

  const Campaign& campaign_;
  const CampaignOptions& options_;
  // One in work and one waiting, so that a worker never waits for its parent; but none waits where
  // the first failure ends it all.
  const size_t seeds_ahead_;
  const Stopwatch watch_;
  StopSignals signals_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::deque<uint64_t> again_;  // seeds that a worker left behind when it ended
  uint64_t next_seed_;
  uint64_t last_seed_ = 0;
  uint64_t failures_ = 0;
  uint64_t operations_ = 0;
  int interrupts_ = 0;
};

CampaignOutcome Campaign::Run() { return Loop(*this).Run(); }

}  // namespace shearpin::sim
