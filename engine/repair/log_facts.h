// LogFacts: the changes that a damaged database's logs still hold.
//
// Thread safety: a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/env/file_system.h"
#include "engine/memtable/memtable.h"
#include "engine/repair.h"
#include "engine/repair/manifest_facts.h"

namespace shearpin {

struct LogFacts {
  uint64_t logs = 0;
  uint64_t records = 0;
  SequenceNumber last_sequence = 0;
};

// Rules S3 and S4 of engine/repair.h. Inserts the changes into `*memtable` and adds what is wrong
// to `*findings`. `names`: the directory's.
LogFacts ReadLogFacts(FileSystem* fs, const std::string& directory,
                      const std::vector<std::string>& names, const ManifestFacts& manifest,
                      MemTable* memtable, std::vector<RepairFinding>* findings);

}  // namespace shearpin
