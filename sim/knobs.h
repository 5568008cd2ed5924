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
    {"compaction_style", 0, 3},  // as CompactionStyle
    {"level0_compaction_trigger", 1, 20},
    {"target_table_size", 1024, uint64_t{1} << 30},
    {"base_level_size", 1024, uint64_t{1} << 30},
    {"level_size_multiplier", 2, 100},
    {"transaction_history_bytes", 1024, uint64_t{1} << 30},
};

// Null if there is no such knob.
const Knob* FindKnob(std::string_view name);

}  // namespace shearpin::sim
