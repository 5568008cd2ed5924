// Dump: what stands in a database's files, as text; for people who want to know what happened.
//
// Reads only: no lock is taken and nothing is recovered, so a damaged directory, or one that is
// open elsewhere, can be looked at too. What is whole is printed before an error is returned.
#pragma once

#include <ostream>
#include <string>

#include "engine/status.h"

namespace shearpin::tool {

struct DumpRequest {
  std::string path;   // a directory, or one of its files
  bool full = false;  // print values whole, however long
};

Status Dump(const DumpRequest& request, std::ostream& out);

}  // namespace shearpin::tool
