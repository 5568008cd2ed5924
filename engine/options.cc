#include "engine/options.h"

#include <string>

namespace shearpin {
namespace {

Status OutOfRange(const char* option, uint64_t value, const char* range) {
  return Status::InvalidArgument("option " + std::string(option) + " is " + std::to_string(value) +
                                 ": it must be " + range);
}

}  // namespace

Status ValidateOptions(const Options& o) {
  if (o.env.file_system == nullptr || o.env.clock == nullptr || o.env.scheduler == nullptr ||
      o.env.entropy == nullptr) {
    return Status::InvalidArgument("option env: a member is null");
  }
  if (o.write_buffer_size < 1024 || o.write_buffer_size > (size_t{1} << 40)) {
    return OutOfRange("write_buffer_size", o.write_buffer_size, "1 KiB to 1 TiB");
  }
  if (o.max_write_buffers < 2 || o.max_write_buffers > 1024) {
    return OutOfRange("max_write_buffers", static_cast<uint64_t>(o.max_write_buffers), "2 to 1024");
  }
  if (o.wal_preallocate_size > (size_t{1} << 40)) {
    return OutOfRange("wal_preallocate_size", o.wal_preallocate_size, "at most 1 TiB");
  }
  if (o.block_size < 64 || o.block_size > (size_t{64} << 20)) {
    return OutOfRange("block_size", o.block_size, "64 B to 64 MiB");
  }
  if (o.block_restart_interval < 1 || o.block_restart_interval > 4096) {
    return OutOfRange("block_restart_interval", static_cast<uint64_t>(o.block_restart_interval),
                      "1 to 4096");
  }
  if (o.manifest_rotate_size < 256) {
    return OutOfRange("manifest_rotate_size", o.manifest_rotate_size, "at least 256 B");
  }
  if (o.error_if_exists && !o.create_if_missing) {
    return Status::InvalidArgument(
        "options error_if_exists and create_if_missing=false contradict each other: no directory "
        "satisfies both");
  }
  return Status::Ok();
}

}  // namespace shearpin
