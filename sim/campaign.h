// Campaign: many seeds in worker processes, one for each job.
//
// A worker is forked, is handed seeds through a socket, and hands back a report for each. Its
// death by a signal is a finding of the seed it was at, and a new worker takes its place. Seeds
// are handed out in order and all that were handed out are finished, so that a campaign that was
// stopped is carried on at its next seed with nothing left out or done twice.
//
// Wall-clock time is used here, for the campaign's own duration and for hung workers, and nowhere
// below.
//
// Thread safety: the process must have one thread when Run is called. SIGINT and SIGTERM are taken
// while it runs: the first lets the seeds in flight finish, the second kills the workers.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "sim/seed_report.h"

namespace shearpin::sim {

struct CampaignOptions {
  uint64_t start_seed = 1;
  uint64_t most_seeds = std::numeric_limits<uint64_t>::max();
  double seconds = std::numeric_limits<double>::infinity();         // of wall clock
  uint64_t most_operations = std::numeric_limits<uint64_t>::max();  // no new seeds after so many
  int jobs = 1;
  uint64_t most_failures = std::numeric_limits<uint64_t>::max();  // no new seeds after so many
  double hang_seconds = 300;  // a seed that takes longer has its worker killed
};

struct CampaignOutcome {
  uint64_t next_seed = 0;
  double seconds = 0;
  bool interrupted = false;
};

class Campaign {
 public:
  // Called in a worker.
  using RunSeed = std::function<SeedReport(uint64_t seed)>;
  // Called in the parent: for each report, and several times a second.
  using OnReport = std::function<void(const SeedReport& report)>;
  using OnTick = std::function<void(double seconds)>;

  Campaign(const CampaignOptions& options, RunSeed run_seed, OnReport on_report, OnTick on_tick)
      : options_(options),
        run_seed_(std::move(run_seed)),
        on_report_(std::move(on_report)),
        on_tick_(std::move(on_tick)) {}

  CampaignOutcome Run();

 private:
  class Loop;

  const CampaignOptions options_;
  const RunSeed run_seed_;
  const OnReport on_report_;
  const OnTick on_tick_;
};

}  // namespace shearpin::sim
