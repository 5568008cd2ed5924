// Tally: the sum of many runs, as text for people and as one JSON object for programs.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/coverage.h"
#include "sim/seed_report.h"

namespace shearpin::sim {

struct Artefact {
  uint64_t seed = 0;
  FailureClass failure_class = FailureClass::kProcessCrashed;
  std::string message;
  std::string plan_file;  // absolute; empty if there was none to write
  std::string command;    // what replays it
};

class Tally {
 public:
  // Judges coverage by `expectations`, those that the reports' marks refer to.
  explicit Tally(std::vector<Expectation> expectations = StandardExpectations())
      : coverage_(std::move(expectations)) {}

  // The digest does not depend on the order of the reports.
  void Add(const SeedReport& report);
  void AddArtefact(Artefact artefact) { artefacts_.push_back(std::move(artefact)); }

  uint64_t seeds() const { return seeds_; }
  // Runs that failed, and what never happened in all of them.
  uint64_t failures() const { return failures_ + coverage_.Missing().size(); }
  const Coverage& coverage() const { return coverage_; }
  uint64_t digest() const { return digest_; }
  uint64_t figure(const std::string& name) const;

  // `seconds` of wall clock on `jobs` cores.
  std::string Summary(double seconds, int jobs) const;
  // One line.
  std::string ToJson(double seconds, int jobs, uint64_t next_seed) const;

 private:
  std::string MatrixText() const;
  std::string OperationsText() const;
  std::string CoverageText() const;

  Coverage coverage_;
  uint64_t seeds_ = 0;
  uint64_t failures_ = 0;
  uint64_t digest_ = 0;
  Figures figures_;
  Figures faults_;
  Figures events_;
  Figures matrix_;
  Figures calls_;
  Figures probes_;
  std::map<std::string, Figures> operations_;  // by profile, then by policy
  std::vector<Artefact> artefacts_;
};

std::string HexDigest(uint64_t digest);

}  // namespace shearpin::sim
