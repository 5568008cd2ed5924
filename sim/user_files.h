// Files that a user names on the command line, and those that are left for him.
//
// A path is relative to where the user typed it: under `bazel run` that is
// BUILD_WORKING_DIRECTORY, not the directory the process starts in.
//
// Thread safety: pure functions over the file system. Errors name the file.
#pragma once

#include <string>
#include <string_view>

#include "engine/status.h"
#include "sim/dataset.h"
#include "sim/plan.h"

namespace shearpin::sim {

std::string AbsoluteUserPath(std::string_view path);

StatusOr<std::string> ReadUserFile(const std::string& path);
StatusOr<Plan> ReadPlan(const std::string& path);
StatusOr<Dataset> ReadDataset(const std::string& path);
// Creates `directory` if need be.
Status WriteUserFile(const std::string& directory, const std::string& name,
                     std::string_view contents);

}  // namespace shearpin::sim
