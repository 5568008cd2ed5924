#include "engine/db/stored_options.h"

namespace shearpin {

Status CheckStoredOptions(const Options& options, const std::string& directory,
                          const ManifestState& state) {
  if (options.error_if_exists) {
    return Status::AlreadyExists(
        directory +
        ": option error_if_exists is true, but the directory holds a database already: "
        "open it without that option, or name another directory");
  }
  // The other styles merge whatever level holds data.
  if (options.compaction_style != CompactionStyle::kSimple) return Status::Ok();
  int deepest = 0;
  for (int level = 0; level < kNumLevels; ++level) {
    if (!state.levels[level].empty()) deepest = level;
  }
  if (deepest > options.simple_levels) {
    return Status::InvalidArgument(
        directory + ": option simple_levels is " + std::to_string(options.simple_levels) +
        ", but the database has tables in level " + std::to_string(deepest) +
        ", which would never be merged again: set simple_levels to at least " +
        std::to_string(deepest) + ", or another compaction_style");
  }
  return Status::Ok();
}

}  // namespace shearpin
