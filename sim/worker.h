// Worker: a forked process that runs seeds, seen from its parent.
//
// Thread safety: one thread at a time. Ownership: owns the process; destroying it kills it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "sim/seed_report.h"

namespace shearpin::sim {

class Worker {
 public:
  using RunSeed = std::function<SeedReport(uint64_t seed)>;

  // Forks. CHECKs that the system has a process and a socket to give.
  explicit Worker(const RunSeed& run_seed);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int socket() const { return socket_; }
  // Handed over and not reported yet, oldest first: the first is the one in flight.
  const std::deque<uint64_t>& seeds() const { return seeds_; }
  // When the seed in flight began, in the caller's seconds.
  double begun() const { return begun_; }

  void HandOver(uint64_t seed, double now);
  // No more seeds: it ends when it has finished those it has.
  void Finish();
  void Kill();
  bool killed() const { return killed_; }

  // Takes what has arrived. False when the worker's end is closed: then Reap.
  bool Receive();
  // The next whole report that has arrived.
  std::optional<SeedReport> TakeReport(double now);

  // Waits for the process. Empty if it ended in good order; else how it died and its last words.
  std::string Reap();

 private:
  [[noreturn]] static void Serve(int socket, const RunSeed& run_seed);
  std::string LastWords() const;

  pid_t pid_ = -1;
  int socket_ = -1;
  int stderr_ = -1;
  std::string received_;
  std::deque<uint64_t> seeds_;
  double begun_ = 0;
  bool abandoned_ = false;
  bool killed_ = false;
};

}  // namespace shearpin::sim
