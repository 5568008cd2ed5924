// What the operating system would have said: errors with the codes and messages of
// PosixFileSystem, "call path: reason".
#pragma once

#include <string_view>

#include "engine/status.h"

namespace shearpin::faultfs {

// `error` is an errno value.
Status SystemError(std::string_view call, std::string_view path, int error);

// For rename and link: the path is "from to to".
Status SystemError(std::string_view call, std::string_view from, std::string_view to, int error);

// A lock that somebody holds.
Status LockBusy(std::string_view path);

}  // namespace shearpin::faultfs
