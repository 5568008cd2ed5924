// The tool's repair: engine/repair.h, its report as text or JSON, and a check of the result.
#pragma once

#include <ostream>
#include <string>

#include "engine/options.h"
#include "engine/status.h"

namespace shearpin::tool {

struct RepairRequest {
  std::string damaged;   // directory; only read
  std::string repaired;  // a new one
  bool json = false;     // one object: the report's fields, and "findings": a list
};

// True if everything was salvaged. What is written to `repaired` has been opened again and verified
// then. Errors as Repair gives them.
StatusOr<bool> RepairDatabase(const Options& options, const RepairRequest& request,
                              std::ostream& out);

}  // namespace shearpin::tool
