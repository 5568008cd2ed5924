#include "engine/options.h"

#include <string>

namespace shearpin {
namespace {

// `value` may be negative: it is said as the user set it.
template <typename Number>
Status OutOfRange(const char* option, Number value, const char* range) {
  return Status::InvalidArgument("option " + std::string(option) + " is " + std::to_string(value) +
                                 ": it must be " + range);
}

std::string_view CompactionStyleName(CompactionStyle style) {
  switch (style) {
    case CompactionStyle::kLeveled:
      return "leveled";
    case CompactionStyle::kTiered:
      return "tiered";
    case CompactionStyle::kSimple:
      return "simple";
    case CompactionStyle::kNone:
      return "none";
  }
  return "unknown";
}

bool Known(Compression compression) {
  return compression == Compression::kNone || compression == Compression::kLz4 ||
         compression == Compression::kZstd;
}

Status ValidateCompression(const Options& o) {
  for (const Compression compression : o.compression) {
    if (!Known(compression)) {
      return OutOfRange("compression", static_cast<int>(compression), "none, lz4 or zstd");
    }
  }
  if (o.bottommost_compression && !Known(*o.bottommost_compression)) {
    return OutOfRange("bottommost_compression", static_cast<int>(*o.bottommost_compression),
                      "none, lz4 or zstd");
  }
  return Status::Ok();
}

Status ValidateCompaction(const Options& o) {
  if (CompactionStyleName(o.compaction_style) == "unknown") {
    return OutOfRange("compaction_style", static_cast<int>(o.compaction_style),
                      "leveled, tiered, simple or none");
  }
  if (o.level0_compaction_trigger < 1 || o.level0_slowdown_trigger < o.level0_compaction_trigger ||
      o.level0_stop_trigger <= o.level0_slowdown_trigger) {
    return Status::InvalidArgument(
        "options level0_compaction_trigger, level0_slowdown_trigger and level0_stop_trigger are " +
        std::to_string(o.level0_compaction_trigger) + ", " +
        std::to_string(o.level0_slowdown_trigger) + " and " +
        std::to_string(o.level0_stop_trigger) +
        ": they must ascend from at least 1, and the stop must be above the slowdown");
  }
  if (o.hard_pending_compaction_bytes <= o.soft_pending_compaction_bytes) {
    return Status::InvalidArgument("option hard_pending_compaction_bytes is " +
                                   std::to_string(o.hard_pending_compaction_bytes) +
                                   " and soft_pending_compaction_bytes " +
                                   std::to_string(o.soft_pending_compaction_bytes) +
                                   ": the hard limit must be above the soft");
  }
  if (o.transaction_history_bytes < 1024) {
    return OutOfRange("transaction_history_bytes", o.transaction_history_bytes, "at least 1 KiB");
  }
  if (o.delayed_write_rate < 1024) {
    return OutOfRange("delayed_write_rate", o.delayed_write_rate, "at least 1 KiB/s");
  }
  if (o.background_write_rate != 0 && o.background_write_rate < 1024) {
    return OutOfRange("background_write_rate", o.background_write_rate, "0 or at least 1 KiB/s");
  }
  if (o.target_table_size < 1024) {
    return OutOfRange("target_table_size", o.target_table_size, "at least 1 KiB");
  }
  if (o.base_level_size < 1024) {
    return OutOfRange("base_level_size", o.base_level_size, "at least 1 KiB");
  }
  if (o.level_size_multiplier < 2 || o.level_size_multiplier > 100) {
    return OutOfRange("level_size_multiplier", o.level_size_multiplier, "2 to 100");
  }
  if (o.tiered_size_ratio_percent < 0 || o.tiered_min_merge_width < 2 ||
      o.tiered_max_space_amplification_percent < 1) {
    return Status::InvalidArgument(
        "options tiered_size_ratio_percent, tiered_min_merge_width and "
        "tiered_max_space_amplification_percent are " +
        std::to_string(o.tiered_size_ratio_percent) + ", " +
        std::to_string(o.tiered_min_merge_width) + " and " +
        std::to_string(o.tiered_max_space_amplification_percent) +
        ": they must be at least 0, 2 and 1");
  }
  if (o.simple_size_ratio_percent < 1 || o.simple_levels < 1 || o.simple_levels > 6) {
    return Status::InvalidArgument("options simple_size_ratio_percent and simple_levels are " +
                                   std::to_string(o.simple_size_ratio_percent) + " and " +
                                   std::to_string(o.simple_levels) +
                                   ": they must be at least 1, and 1 to 6");
  }
  return Status::Ok();
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
    return OutOfRange("max_write_buffers", o.max_write_buffers, "2 to 1024");
  }
  if (o.wal_preallocate_size > (size_t{1} << 40)) {
    return OutOfRange("wal_preallocate_size", o.wal_preallocate_size, "at most 1 TiB");
  }
  if (o.wal_mapped && o.wal_preallocate_size == 0) {
    return Status::InvalidArgument(
        "option wal_mapped needs wal_preallocate_size: only what is allocated can be mapped");
  }
  if (o.block_size < 64 || o.block_size > (size_t{64} << 20)) {
    return OutOfRange("block_size", o.block_size, "64 B to 64 MiB");
  }
  if (o.block_restart_interval < 1 || o.block_restart_interval > 4096) {
    return OutOfRange("block_restart_interval", o.block_restart_interval, "1 to 4096");
  }
  if (o.filter_bits_per_key < 0 || o.filter_bits_per_key > 100) {
    return OutOfRange("filter_bits_per_key", o.filter_bits_per_key, "0 to 100");
  }
  if (o.max_open_files < 0) {
    return OutOfRange("max_open_files", o.max_open_files, "0 or more");
  }
  if (o.max_file_opening_threads < 1 || o.max_file_opening_threads > 64) {
    return OutOfRange("max_file_opening_threads", o.max_file_opening_threads, "1 to 64");
  }
  if (o.memory_budget != 0 && o.memory_budget < 4096) {
    return OutOfRange("memory_budget", o.memory_budget, "0 or at least 4 KiB");
  }
  if (o.manifest_rotate_size < 256) {
    return OutOfRange("manifest_rotate_size", o.manifest_rotate_size, "at least 256 B");
  }
  if (o.max_compactions < 1 || o.max_compactions > 64) {
    return OutOfRange("max_compactions", o.max_compactions, "1 to 64");
  }
  if (o.info_log_rotate_size < 1024) {
    return OutOfRange("info_log_rotate_size", o.info_log_rotate_size, "at least 1 KiB");
  }
  SHEARPIN_RETURN_IF_ERROR(ValidateCompression(o));
  SHEARPIN_RETURN_IF_ERROR(ValidateCompaction(o));
  if (o.error_if_exists && !o.create_if_missing) {
    return Status::InvalidArgument(
        "options error_if_exists is true and create_if_missing false: they contradict each other, "
        "no directory satisfies both; drop one");
  }
  return Status::Ok();
}

std::string OptionsText(const Options& o) {
  std::string text = "compaction_style=";
  text.append(CompactionStyleName(o.compaction_style)).append(" compression=");
  for (size_t i = 0; i < o.compression.size(); ++i) {
    text.append(i == 0 ? "" : ",").append(CompressionName(o.compression[i]));
  }
  if (o.bottommost_compression) {
    text.append(" bottommost_compression=").append(CompressionName(*o.bottommost_compression));
  }
  const auto add = [&text](std::string_view name, auto value) {
    text.append(" ").append(name).append("=").append(std::to_string(value));
  };
  add("create_if_missing", o.create_if_missing);
  add("error_if_exists", o.error_if_exists);
  add("write_buffer_size", o.write_buffer_size);
  add("max_write_buffers", o.max_write_buffers);
  add("wal_preallocate_size", o.wal_preallocate_size);
  add("block_size", o.block_size);
  add("block_restart_interval", o.block_restart_interval);
  add("filter_bits_per_key", o.filter_bits_per_key);
  add("block_cache_size", o.block_cache_size);
  add("memory_budget", o.memory_budget);
  add("manifest_rotate_size", o.manifest_rotate_size);
  add("max_compactions", o.max_compactions);
  add("level0_compaction_trigger", o.level0_compaction_trigger);
  add("level0_slowdown_trigger", o.level0_slowdown_trigger);
  add("level0_stop_trigger", o.level0_stop_trigger);
  add("soft_pending_compaction_bytes", o.soft_pending_compaction_bytes);
  add("hard_pending_compaction_bytes", o.hard_pending_compaction_bytes);
  add("delayed_write_rate", o.delayed_write_rate);
  add("background_write_rate", o.background_write_rate);
  add("target_table_size", o.target_table_size);
  add("base_level_size", o.base_level_size);
  add("level_size_multiplier", o.level_size_multiplier);
  add("tiered_size_ratio_percent", o.tiered_size_ratio_percent);
  add("tiered_min_merge_width", o.tiered_min_merge_width);
  add("tiered_max_space_amplification_percent", o.tiered_max_space_amplification_percent);
  add("simple_size_ratio_percent", o.simple_size_ratio_percent);
  add("simple_levels", o.simple_levels);
  add("flush_on_close", o.flush_on_close);
  add("transaction_history_bytes", o.transaction_history_bytes);
  add("max_open_files", o.max_open_files);
  add("verify_on_open", o.verify_on_open);
  add("max_file_opening_threads", o.max_file_opening_threads);
  add("enable_latency_histograms", o.enable_latency_histograms);
  add("info_log_rotate_size", o.info_log_rotate_size);
  return text;
}

}  // namespace shearpin
