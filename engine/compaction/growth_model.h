// GrowthModel: how a compaction policy shapes a tree that grows, by arithmetic alone.
//
// The policies are pure functions of a TreeShape, so the very ones that the database runs are asked
// here; what they ask for is not merged but counted. The load: every write is, in a given share,
// an overwrite of a key drawn evenly from those there are, else a new key drawn evenly from the
// key space. So every table is an even sample of its range of keys, and two numbers describe it:
// its entries, and how many of them shadow an older entry somewhere below. A merge of a newer run
// on an older one meets, of the newer one's shadowing entries, the share that the older run holds
// of all keys of that age; each meeting leaves one entry of the two. Entries that shadow nothing
// are the live keys: no merge changes their number.
//
// Left out: the log (one write more), compression, filters, tombstones, snapshots, overwrites that
// meet within one memtable only by chance, and the cut of outputs at grandparents. Merges take no
// time: each flush is followed by all that is due.
//
// Thread safety: a pure function.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/manifest/version_edit.h"
#include "engine/options.h"

namespace shearpin {

struct GrowthLoad {
  uint64_t bytes = uint64_t{10} << 30;  // keys and values that the user writes in all
  uint64_t entry_size = 116;            // of one key and value
  double update_fraction = 0.5;         // writes that overwrite, in [0, 1]
};

struct LevelShape {
  uint64_t tables = 0;
  uint64_t bytes = 0;
};

// The tree when so much was written. All bytes are since the beginning.
struct GrowthPoint {
  uint64_t user_bytes = 0;
  uint64_t flushed_bytes = 0;
  uint64_t merged_bytes = 0;  // written by merges
  uint64_t merges = 0;
  uint64_t moves = 0;
  uint64_t live_bytes = 0;    // what one entry a key would take
  uint64_t stored_bytes = 0;  // what the tables take
  uint64_t peak_bytes = 0;    // the most they took so far, with a merge's inputs beside its output
  double mean_runs = 0;       // sorted runs that a read looks at, on average so far
  uint64_t most_runs = 0;
  LevelShape levels[kNumLevels];

  // Bytes written to tables for each byte that the user wrote.
  double WriteAmplification() const;
  double SpaceAmplification() const;
  // Tables that a read of a key that is nowhere looks into, without filters.
  double ReadAmplification() const { return mean_runs; }
};

// The tree at 1/16, 1/8, 1/4, 1/2 and all of the load. `options` say the policy and its sizes;
// nothing else of them is used.
std::vector<GrowthPoint> Grow(const Options& options, const GrowthLoad& load);

}  // namespace shearpin
