// Dataset: keys and values from a file of tab-separated pairs, for workloads of real data.
//
// One pair a line: key, a tab, value; in both \t, \n and \\ stand for tab, newline and backslash
// (ci/make_dataset writes such a file from a Debian package index).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/status.h"

namespace shearpin::sim {

using Dataset = std::vector<std::pair<std::string, std::string>>;

// `file` is only named in messages. InvalidArgument "FILE:LINE: reason" for a malformed line or a
// file without pairs.
StatusOr<Dataset> ParseDataset(std::string_view text, std::string_view file);

}  // namespace shearpin::sim
