// Coverage: what has to happen if enough runs of a configuration are made.
//
// A probe is the name of something that can happen: "event:flush-done" (EventListener),
// "fault:enospc" (a fault that fired), "step:txn-commit" (a step that was executed), "status:Busy"
// (what a client was told), "crash:power" and the like, "tree:3" (levels that held tables at the
// end). An expectation says of a probe in which runs it is due and how many such runs it may take.
// A campaign in which it was due in that many and never happened has a gap: in the generator, in
// the disk, or in the engine; the harness that would pass it over proves nothing.
//
// Thread safety: values and functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/plan.h"
#include "sim/run_result.h"

namespace shearpin::sim {

struct Expectation {
  std::string probe;
  std::string configuration;  // in words, for reports
  uint64_t least_seeds = 0;   // of that configuration, before its absence is a failure
  std::function<bool(const Plan&)> applies;
};

// The table. Always in the same order, so that an index names an entry in any process.
std::vector<Expectation> StandardExpectations();

// Every probe of the run with its count.
std::map<std::string, uint64_t> ProbesOf(const RunResult& result);

// The name under which a plan's fault rule is counted when it fires: "eio", "sync_fail:shutdown".
std::string FaultName(const std::string& rule);

// "leveled", "tiered", "simple" or "none".
std::string PolicyOf(const Plan& plan);

// Of one run: by index, which expectations apply, and which of these were met.
struct CoverageMarks {
  std::vector<uint32_t> due;
  std::vector<uint32_t> met;
  bool operator==(const CoverageMarks&) const = default;
};
CoverageMarks MarksOf(const std::vector<Expectation>& expectations, const Plan& plan,
                      const RunResult& result);

// The sum over many runs.
class Coverage {
 public:
  explicit Coverage(std::vector<Expectation> expectations);

  void Add(const CoverageMarks& marks);

  struct Line {
    const Expectation* expectation;
    uint64_t due = 0;  // runs
    uint64_t met = 0;
    bool missing() const { return met == 0 && due >= expectation->least_seeds; }
  };
  // In the order of the table.
  std::vector<Line> Lines() const;
  // What was due in enough runs and never happened, in words.
  std::vector<std::string> Missing() const;

 private:
  std::vector<Expectation> expectations_;
  std::vector<uint64_t> due_;
  std::vector<uint64_t> met_;
};

}  // namespace shearpin::sim
