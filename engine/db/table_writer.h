// WriteTable: turns sorted entries into a durable table.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/compaction/compaction_iterator.h"
#include "engine/compaction/output_cutter.h"
#include "engine/compaction/range_tombstone_cutter.h"
#include "engine/env/file_system.h"
#include "engine/manifest/version_edit.h"
#include "engine/sst/table_builder.h"
#include "engine/status.h"

namespace shearpin {

// Writes what `entries` yields from where it stands up to its end or to where `cutter` (may be
// null) ends the table, and the range tombstones up to there, into table `number` of `directory`.
// At least one of the two must have something left. When OK, the table's bytes and its directory
// entry are durable and the MANIFEST may name it.
// `pace` may be null; it is called before so many bytes are written, and may wait.
// options.file_id is overwritten: it is derived from database id and number.
StatusOr<FileMeta> WriteTable(FileSystem* fs, const std::string& directory, uint64_t database_id,
                              uint64_t number, TableBuilderOptions options,
                              CompactionIterator* entries, RangeTombstoneCutter* ranges,
                              OutputCutter* cutter,
                              const std::function<void(uint64_t bytes)>& pace = nullptr);

}  // namespace shearpin
