// Knobs: the engine options that a plan may set, by name, with the range in which a simulation
// draws them. Sizes are small so that flushes and rotations happen within a few writes.
#pragma once

#include <cstdint>
#include <string_view>

namespace shearpin::sim {

struct Knob {
  std::string_view name;
  uint64_t lowest;  // what a plan may say; the engine's own range
  uint64_t highest;
};

inline constexpr Knob kKnobs[] = {
    {"write_buffer_size", 1024, uint64_t{1} << 30},
    {"max_write_buffers", 2, 64},
    {"wal_preallocate_size", 0, uint64_t{1} << 30},
    {"block_size", 64, uint64_t{64} << 20},
    {"block_restart_interval", 1, 4096},
    {"manifest_rotate_size", 256, uint64_t{1} << 30},
    {"flush_on_close", 0, 1},
    {"compaction_style", 0, 3},  // by CompactionStyle: leveled, tiered, simple, none
    {"max_compactions", 1, 64},
    {"level0_compaction_trigger", 1, 10000},
    {"level0_slowdown_trigger", 1, 10000},
    {"level0_stop_trigger", 1, 10000},
    {"soft_pending_compaction_bytes", 0, uint64_t{1} << 50},
    {"hard_pending_compaction_bytes", 1, uint64_t{1} << 50},
    {"delayed_write_rate", 1024, uint64_t{1} << 40},
    {"target_table_size", 1024, uint64_t{1} << 40},
    {"base_level_size", 1024, uint64_t{1} << 50},
    {"level_size_multiplier", 2, 100},
    {"tiered_size_ratio_percent", 0, 10000},
    {"tiered_min_merge_width", 2, 1000},
    {"tiered_max_space_amplification_percent", 1, 100000},
    {"simple_size_ratio_percent", 1, 100000},
    {"simple_levels", 1, 6},
    {"transaction_history_bytes", 1024, uint64_t{1} << 30},
    {"background_write_rate", 0, uint64_t{1} << 40},
    {"compression", 0, 3},  // 0 none, 1 lz4, 2 zstd, 3 another one each level
    {"filter_bits_per_key", 0, 100},
    {"block_cache_size", 0, uint64_t{1} << 30},
    {"memory_budget", 4096, uint64_t{1} << 30},
    {"max_open_files", 0, 10000},
    {"verify_on_open", 0, 1},
    {"max_file_opening_threads", 1, 64},
    {"info_log", 0, 1},
    {"info_log_rotate_size", 1024, uint64_t{1} << 30},
    {"enable_latency_histograms", 0, 1},
    {"bottommost_compression", 0, 2},  // as compression
    {"compaction_filter", 0, 3},       // what it drops: MayVanish in plan_terms.h
};

// Null if there is no such knob.
const Knob* FindKnob(std::string_view name);

}  // namespace shearpin::sim
