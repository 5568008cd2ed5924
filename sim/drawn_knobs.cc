#include "sim/drawn_knobs.h"

#include <algorithm>
#include <string_view>

namespace shearpin::sim {
namespace {

void SetOption(std::string_view name, uint64_t value, Plan* plan) {
  for (auto& [option, current] : plan->options) {
    if (option == name) {
      current = value;
      return;
    }
  }
  plan->options.emplace_back(name, value);
}

}  // namespace

void DrawKnobs(Rng rng, Plan* plan) {
  const auto set = [&](std::string_view name, uint64_t value) {
    plan->options.emplace_back(name, value);
  };
  // Each knob stays at its default now and then: defaults are what people run.
  if (!rng.OneIn(6)) set("write_buffer_size", 1024 + rng.Skewed(15));
  if (!rng.OneIn(3)) set("max_write_buffers", rng.Range(2, 5));
  if (rng.OneIn(2)) set("wal_preallocate_size", rng.Range(0, 4) * 4096 + rng.Skewed(12));
  if (!rng.OneIn(4)) set("block_size", 64 + rng.Skewed(12));
  if (!rng.OneIn(4)) set("block_restart_interval", rng.Range(1, 20));
  if (!rng.OneIn(3)) set("manifest_rotate_size", rng.Range(256, 3000));
  if (rng.OneIn(3)) set("flush_on_close", 1);
  if (rng.OneIn(4)) set("transaction_history_bytes", rng.Range(1024, 4096));
  if (rng.OneIn(6)) set("background_write_rate", 1024 + rng.Skewed(20));
  if (!rng.OneIn(3)) set("compression", rng.Uniform(4));
  if (!rng.OneIn(3)) set("filter_bits_per_key", rng.OneIn(4) ? 0 : rng.Range(1, 20));
  if (!rng.OneIn(4)) set("block_cache_size", rng.OneIn(5) ? 0 : 1024 + rng.Skewed(16));
  if (rng.OneIn(3)) set("memory_budget", 4096 + rng.Skewed(16));
  if (rng.OneIn(4)) set("max_open_files", rng.Range(1, 4));
  if (rng.OneIn(6)) {
    set("verify_on_open", 1);
    set("max_file_opening_threads", rng.Range(1, 4));
  }
  if (rng.OneIn(4)) {
    set("info_log", 1);
    set("info_log_rotate_size", 1024 + rng.Skewed(12));
  }
  if (rng.OneIn(4)) set("enable_latency_histograms", 1);
  if (rng.OneIn(5)) set("compaction_filter", rng.Range(1, 3));
  if (rng.OneIn(4)) set("bottommost_compression", rng.Uniform(3));
}

// Levels of a few tables of a few blocks, so that a hundred writes reach the bottom.
void DrawCompactionKnobs(Rng rng, Plan* plan) {
  const auto set = [&](std::string_view name, uint64_t value) {
    plan->options.emplace_back(name, value);
  };
  const uint64_t style = rng.Weighted(std::array<uint32_t, 4>{6, 4, 3, 1});
  if (style != 0 || rng.OneIn(2)) set("compaction_style", style);
  if (!rng.OneIn(3)) set("max_compactions", rng.Range(1, 3));
  if (!rng.OneIn(8)) {
    const uint64_t trigger = rng.Range(1, 4);
    set("level0_compaction_trigger", trigger);
    if (!rng.OneIn(3)) {
      const uint64_t slowdown = trigger + rng.Range(0, 4);
      set("level0_slowdown_trigger", slowdown);
      set("level0_stop_trigger", slowdown + rng.Range(1, 6));
    }
  }
  if (rng.OneIn(4)) {
    const uint64_t soft = rng.Skewed(16);
    set("soft_pending_compaction_bytes", soft);
    set("hard_pending_compaction_bytes", soft + 1 + rng.Skewed(16));
  }
  if (rng.OneIn(3)) set("delayed_write_rate", 1024 + rng.Skewed(20));
  if (!rng.OneIn(6)) set("target_table_size", 1024 + rng.Skewed(12));
  if (!rng.OneIn(6)) set("base_level_size", 1024 + rng.Skewed(14));
  if (!rng.OneIn(3)) set("level_size_multiplier", rng.Range(2, 6));
  if (rng.OneIn(2)) set("tiered_size_ratio_percent", rng.Skewed(8));
  if (rng.OneIn(2)) set("tiered_min_merge_width", rng.Range(2, 5));
  if (rng.OneIn(2)) set("tiered_max_space_amplification_percent", 1 + rng.Skewed(9));
  if (rng.OneIn(2)) set("simple_size_ratio_percent", 1 + rng.Skewed(9));
  if (rng.OneIn(2)) set("simple_levels", rng.Range(1, 6));
}

// Half of the deep and most local runs: many small tables, levels of one or two, merges side by
// side. Tables come and go in the gaps between the inputs of merges at work.
void DrawBusyTree(Rng rng, Plan* plan) {
  SetOption("write_buffer_size", rng.Range(1024, 4096), plan);
  SetOption("max_compactions", rng.Range(2, 4), plan);
  uint64_t highest = 3;  // not above the slowdown that was drawn
  for (const auto& [option, value] : plan->options) {
    if (option == "level0_slowdown_trigger") highest = std::min(highest, value);
  }
  SetOption("level0_compaction_trigger", rng.OneIn(2) ? 1 : rng.Range(1, highest), plan);
  SetOption("target_table_size", 1024, plan);
  SetOption("base_level_size", rng.Range(1024, 3000), plan);
  SetOption("level_size_multiplier", rng.Range(2, 3), plan);
  SetOption("compaction_style", 0, plan);
}

}  // namespace shearpin::sim
