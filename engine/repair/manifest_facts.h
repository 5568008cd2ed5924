// ManifestFacts: what a damaged database's MANIFEST and CURRENT still tell, and whether that is
// all.
//
// Thread safety: a value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/env/file_system.h"
#include "engine/manifest/version_edit.h"
#include "engine/repair.h"

namespace shearpin {

struct ManifestFacts {
  // The tables named are the database's tables: nothing suggests that edits are missing.
  bool complete = false;
  std::optional<uint64_t> database_id;
  std::map<uint64_t, FileMeta> named;
  std::set<uint64_t> removed;  // by an edit that could be read; never named again
  uint64_t log_floor = 0;
  SequenceNumber flushed_sequence = 0;
  std::map<uint64_t, uint64_t> sealed_logs;
};

// `names`: the directory's. Adds what is wrong to `*findings`.
ManifestFacts ReadManifestFacts(FileSystem* fs, const std::string& directory,
                                const std::vector<std::string>& names,
                                std::vector<RepairFinding>* findings);

}  // namespace shearpin
