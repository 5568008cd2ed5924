// CheckVersionOrder: the order that reads rely on, between the tables of a Version.
//
// Within one table it is TableVerifier's to check.
//   V1  Below level 0 tables ascend and share no user key.
//   V2  Of one user key, no source has a version older than one in a source behind it. Sources are
//       the tables of level 0, newest first, and then the levels.
//   V3  A range tombstone counts as a version of every key it covers: those in sources before it
//       are newer, those in sources behind it older.
#pragma once

#include "engine/manifest/version.h"
#include "engine/status.h"

namespace shearpin {

// Reads every key of every table. Corruption names what is out of order.
Status CheckVersionOrder(const Version& version);

}  // namespace shearpin
