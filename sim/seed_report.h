// SeedReport: one finished run in figures and, if it failed, with what is needed to see it again;
// and its form as one line of JSON, in which a worker process hands it to its parent.
//
// Thread safety: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/coverage.h"
#include "sim/run_result.h"

namespace shearpin::sim {

struct Finding {
  uint64_t seed = 0;
  FailureClass failure_class = FailureClass::kProcessCrashed;
  std::string message;
  std::vector<std::string> last_operations;
  std::string plan;     // its text, crash choices written down
  std::string sibling;  // the sibling image it was found in, if it was found in one
};

// The figures by name: "crashes", "crash_states", "operations", ... All of them add up.
using Figures = std::map<std::string, uint64_t>;

struct SeedReport {
  uint64_t seed = 0;
  uint64_t digest = 0;
  Figures figures;
  Figures faults;
  Figures events;
  Figures matrix;  // faults that fired, by call: "append eio"
  Figures calls;   // of the file system, by kind
  Figures probes;  // all of sim/coverage.h but events and faults
  CoverageMarks coverage;
  std::string profile;
  std::string policy;
  std::optional<Finding> finding;
  std::string recorded_plan;  // its text with every decision written down, if that was asked for
  std::string note;           // about the run, for people; empty if there is nothing to say
  bool abandoned = false;     // the process that ran it had better end
};

// `plan` is what was run; `expectations` are what the coverage marks refer to.
SeedReport MakeSeedReport(const RunResult& result, const Plan& plan,
                          const std::vector<Expectation>& expectations);

std::string SeedReportToJson(const SeedReport& report);
// Nothing if the line is not one that SeedReportToJson made.
std::optional<SeedReport> SeedReportFromJson(std::string_view line);

}  // namespace shearpin::sim
