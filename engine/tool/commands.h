// The tool's commands on a database directory, by the engine's public interface alone.
//
// What is found goes to `out`. All but Load refuse a directory without a database, open it for
// reading only, so that they work beside a process that has it open, and change nothing there.
// Errors: NotFound for a missing key; everything else as DB::Open and the calls give it.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "engine/options.h"
#include "engine/status.h"

namespace shearpin::tool {

struct LoadRequest {
  std::string directory;
  std::string file;         // TSV, or "-"
  uint64_t skip = 0;        // records of the file to pass over: they were loaded before
  uint64_t batch = 100;     // records a WriteBatch
  uint64_t sync_every = 0;  // batches; 0: never
  Durability durability = Durability::kProcess;
  // A line "acknowledged N" for each batch and "synced N" for each sync, flushed at once; N counts
  // records from the file's beginning, those skipped included.
  bool acknowledge = false;
};

// Progress and summary go to `progress`; `live` rewrites one line, as a terminal likes it.
Status Load(const Options& options, const LoadRequest& request, std::ostream& out,
            std::ostream& progress, bool live);

// The value's bytes and a newline.
Status Get(const std::string& directory, const std::string& key, std::ostream& out);

// DB::Property of this name, as a database opened for reading only has it.
Status PrintProperty(const std::string& directory, const std::string& name, std::ostream& out);

struct ScanRequest {
  std::string directory;
  std::optional<std::string> from;
  std::optional<std::string> to;
  bool exclude_from = false;
  bool exclude_to = false;
  bool reverse = false;
  bool keys_only = false;
  std::optional<uint64_t> limit;
};

// TSV lines (tsv.h).
Status Scan(const ScanRequest& request, std::ostream& out);

}  // namespace shearpin::tool
