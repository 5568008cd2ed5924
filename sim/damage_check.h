// DamageCheck: a table in use that holds a damaged block must not pass a verification.
//
// Taken before the verification, asked after it: what was damaged and in use before it began, and
// is still in use now, it has seen. Logs are left out: where one ends is for the recovery to say,
// and the oracle judges that.
//
// Thread safety: one fiber. Ownership: borrows nothing beyond a call.
#pragma once

#include <string>
#include <vector>

#include "sim/machine.h"
#include "sim/run_context.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

class DamageCheck {
 public:
  // A null subject is about to be opened: what it has in use is asked afterwards only.
  DamageCheck(const RunContext& context, Machine* machine, Subject* subject);

  // Every checksum of `subject` was found right: true unless one should have been wrong, which is
  // the failure then.
  bool NothingWasMissed(RunContext* context, Subject* subject) const;

 private:
  std::vector<std::string> damaged_;  // names in the store's directory
};

}  // namespace shearpin::sim
