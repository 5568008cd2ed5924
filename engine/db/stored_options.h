// CheckStoredOptions: whether options contradict what a database holds already.
//
// Nearly every option may change between two opens (options.h): tables and logs say themselves how
// they were written. What remains is checked here, when the MANIFEST was read and nothing was
// changed yet.
//
// Thread safety: a function of its arguments.
#pragma once

#include <string>

#include "engine/manifest/manifest.h"
#include "engine/options.h"
#include "engine/status.h"

namespace shearpin {

// `state` is that of a database which exists, in `directory`. AlreadyExists or InvalidArgument: the
// message names the option, its value, what is stored, and what to do.
Status CheckStoredOptions(const Options& options, const std::string& directory,
                          const ManifestState& state);

}  // namespace shearpin
