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

#include "faultfs/sim_disk.h"
#include "sim/subject/subject.h"

namespace shearpin::sim {

class DamageCheck {
 public:
  // While the disk has kept its promises there is nothing to look for. A null subject is about to
  // be opened: what it has in use is asked afterwards only.
  DamageCheck(bool storage_broken, const faultfs::SimDisk& disk, Subject* subject);

  // Every checksum of `subject` was found right: empty unless one should have been wrong, which is
  // a failure of class kUndetectedDamage with this message.
  std::string Missed(Subject* subject) const;

 private:
  std::vector<std::string> damaged_;  // names in the store's directory
};

}  // namespace shearpin::sim
