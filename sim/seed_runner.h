// SeedRunner: a seed or a plan from beginning to end on the real subject, once or twice.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "sim/fiber_pool.h"
#include "sim/generator.h"
#include "sim/phased_strategy.h"
#include "sim/seed_report.h"
#include "sim/subject/subject.h"
#include "sim/trace.h"

namespace shearpin::sim {

enum class Repeat : uint8_t {
  kOnce,
  kTwice,  // a second run with another digest is a finding
};

class SeedRunner {
 public:
  // The factory is not owned.
  explicit SeedRunner(SubjectFactory* factory) : factory_(factory) {}

  // With Recording::kOn the report has the plan with all of its decisions.
  SeedReport Run(const Plan& plan, Repeat repeat, const Trace::Sink& sink = {},
                 Recording recording = Recording::kOff);

 private:
  SubjectFactory* const factory_;
  FiberPool fibers_;
  const std::vector<Expectation> expectations_ = StandardExpectations();
};

}  // namespace shearpin::sim
