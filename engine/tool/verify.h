// Verify: whether a database is whole and in order; reads only.
//
// Checks CURRENT and MANIFEST, that every file they need is there, every block and the whole of
// every table against its checksums and against what the MANIFEST says of it, the order of keys in
// tables and of versions between tables (engine/manifest/version_order.h), that logs hold what was
// promised durable, and that a scan finds as many keys forward as backward. Names files that no
// MANIFEST names: they are no damage, and the next open for writing removes them.
//
// Beside a process that has the database open too; then what that process has not finished is not
// taken for an orphan.
#pragma once

#include <ostream>
#include <string>

#include "engine/env/file_system.h"
#include "engine/status.h"

namespace shearpin::tool {

// The first thing wrong is returned; what is found goes to `out`.
Status Verify(FileSystem* fs, const std::string& directory, std::ostream& out);

}  // namespace shearpin::tool
