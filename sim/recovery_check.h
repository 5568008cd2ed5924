// RecoveryCheck: reads everything a freshly opened subject holds, in every way it can be read, and
// asks the oracle whether a correct store may hold that.
//
// Everything that StateReader reads, and every checksum.
//
// Thread safety: one fiber at a time. Ownership: borrows the context.
#pragma once

#include <cstdint>

#include "model/crash_oracle.h"
#include "sim/run_context.h"
#include "sim/state_reader.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

class RecoveryCheck {
 public:
  enum class Outcome : uint8_t {
    kLegal,
    kFaulted,  // an injected fault kept a read from finishing; nothing is known
    kFailed,   // the context has the failure
  };

  explicit RecoveryCheck(RunContext* context);

  // On kLegal `*verdict` is what was found.
  Outcome Check(Subject* subject, model::CrashKind kind, model::Verdict* verdict);
  // The state must be exactly the one that `first` was accepted for.
  Outcome CheckSame(Subject* subject, const model::Verdict& first);

 private:
  // Error statuses are those of the subject; what contradicts itself is the context's failure.
  Status ReadAll(Subject* subject);
  Outcome Read(Subject* subject);
  Outcome Judge(const model::Verdict& verdict);

  RunContext* const context_;
  StateReader reader_;
};

}  // namespace shearpin::sim
