#include "faultfs/system_error.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace shearpin::faultfs {

Status SystemError(std::string_view call, std::string_view path, int error) {
  char buffer[128];
  std::string message(call);
  message.append(" ").append(path).append(": ").append(strerror_r(error, buffer, sizeof buffer));
  switch (error) {
    case ENOENT:
      return Status::NotFound(message);
    case ENOSPC:
      return Status::NoSpace(message);
    case EEXIST:
      return Status::AlreadyExists(message);
    default:
      return Status::IoError(message);
  }
}

Status SystemError(std::string_view call, std::string_view from, std::string_view to, int error) {
  std::string both(from);
  both.append(" to ").append(to);
  return SystemError(call, both, error);
}

Status LockBusy(std::string_view path) {
  std::string message("lock ");
  message.append(path).append(": locked by another process, or by another holder in this one");
  return Status::Busy(message);
}

}  // namespace shearpin::faultfs
