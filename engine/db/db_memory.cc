// What memory the database takes, and what it has read.
#include <algorithm>
#include <string>

#include "engine/db/db_impl.h"

namespace shearpin {

// Requires mutex_.
uint64_t DB::Impl::FrozenMemory() const {
  uint64_t bytes = 0;
  for (const Frozen& frozen : frozen_) bytes += frozen.memtable->MemoryUsage();
  return bytes;
}

// Requires mutex_. Indexes and filters come first, since reads cannot do without; of what they
// leave, the cache has a quarter of the budget for sure, all memtables together the rest, and half
// of that the active one, so that writers need not wait while the other half is flushed. What no
// memtable uses at the moment, the cache may have too.
void DB::Impl::ApplyMemoryBudget() {
  memtable_limit_ = options_.write_buffer_size;
  const uint64_t budget = options_.memory_budget;
  if (budget == 0) return;
  const bool own_cache = cache_ != nullptr && options_.block_cache == nullptr;
  const uint64_t cache_share =
      own_cache ? std::min<uint64_t>(options_.block_cache_size, budget / 4) : 0;
  const uint64_t tables = table_context_.memory.load(std::memory_order_relaxed);
  // Tables that leave nothing must not stop writes: an eighth is what memtables get in any case.
  memtables_limit_ = std::max(budget - std::min(budget, tables + cache_share), budget / 8);
  memtable_limit_ = std::min<uint64_t>(options_.write_buffer_size, memtables_limit_ / 2);
  if (!own_cache) return;
  const uint64_t taken = tables + FrozenMemory() + memtable_limit_;
  cache_->SetCapacity(std::clamp<uint64_t>(budget - std::min(budget, taken), cache_share,
                                           options_.block_cache_size));
}

// Requires mutex_. Whether the active memtable may be frozen and another one begun. If none is
// being flushed, nothing would ever make room.
bool DB::Impl::RoomForMemtable() const {
  return options_.memory_budget == 0 || frozen_.empty() ||
         FrozenMemory() + active_->ApproximateBytes() <= memtables_limit_;
}

std::string DB::Impl::ReadStats() const {
  const ReadStateCell::Totals reads = read_state_.totals();
  std::string text = "filter-useful=" + std::to_string(reads.filter_useful) +
                     " filter-true-positive=" + std::to_string(reads.filter_true_positive) +
                     " filter-false-positive=" + std::to_string(reads.filter_false_positive);
  if (cache_ != nullptr) {
    const BlockCache::Counters cache = cache_->counters();
    text += " cache-hits=" + std::to_string(cache.hits) +
            " cache-misses=" + std::to_string(cache.misses) +
            " cache-evictions=" + std::to_string(cache.evictions) +
            " cache-bytes=" + std::to_string(cache_->Usage()) +
            " cache-capacity=" + std::to_string(cache_->capacity());
  }
  return text + " table-memory=" + std::to_string(table_context_.memory.load()) + "\n";
}

// A line for each, of this opening; those of a shared cache are of all its databases.
std::string DB::Impl::Counters() const {
  const ReadStateCell::Totals reads = read_state_.totals();
  std::string text;
  const auto add = [&text](const std::string& name, uint64_t value) {
    text += name + "=" + std::to_string(value) + "\n";
  };
  add("gets", reads.gets);
  add("gets-found", reads.found);
  add("memtable-hits", reads.memtable_hits);
  for (int level = 0; level < kNumLevels; ++level) {
    add("level-" + std::to_string(level) + "-hits", reads.level_hits[level]);
  }
  add("filter-useful", reads.filter_useful);
  add("filter-true-positive", reads.filter_true_positive);
  add("filter-false-positive", reads.filter_false_positive);
  const BlockCache::Counters cache =
      cache_ != nullptr ? cache_->counters() : BlockCache::Counters();
  add("cache-hits", cache.hits);
  add("cache-misses", cache.misses);
  add("cache-evictions", cache.evictions);
  add("limited-table-files-open", open_files_.open());
  return text + statistics_.CountersText();
}

}  // namespace shearpin
