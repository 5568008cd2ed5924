// Profile: which orders and atomicities a simulated disk keeps, as data.
//
// One Profile is one row of the table in README.md (source: the reference's fault model, itself
// from fsync(2), the kernel's ext4 and vfs documents, ALICE (OSDI'14) and CrashMonkey (OSDI'18)).
// SimDisk reads these fields where it lays edges between micro-operations; nothing else there
// depends on which profile it is, so a new row is new data plus, at most, one new enumerator.
//
// A Profile is a value and may be altered before it is given to a disk, say to turn
// `powersafe_overwrite` back on for an engine that does not claim to survive without.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace shearpin::faultfs {

// In which order entries, truncations and allocations reach the disk.
enum class MetadataOrder : uint8_t {
  kOnlySynced,  // none but what a sync orders
  kTotal,       // one journal: a later one implies every earlier one
};

// What a grown file may hold where its data did not arrive.
enum class ExtensionRule : uint8_t {
  kDataFirst,   // the size follows the data: the file is shorter instead
  kZeros,       // size and data are independent: zeros
  kStaleBytes,  // ... or what a freed block held before
};

// What a rename over an existing name may leave.
enum class RenameRule : uint8_t {
  kAtomicDataForced,  // old or new, and the source's data was forced out first
  kAtomic,            // old or new; new may be empty
  kThreeSteps,        // both names, neither, or new-and-empty
};

struct Profile {
  std::string_view name;  // static storage
  MetadataOrder metadata_order = MetadataOrder::kOnlySynced;
  ExtensionRule extension = ExtensionRule::kZeros;
  RenameRule rename = RenameRule::kThreeSteps;
  // A successful fsync of a file also commits its directory entry (and, with kTotal, all metadata
  // before it).
  bool fsync_persists_entry = false;
  // A block in flight may hold some sectors of the new and some of the old version.
  bool sectors_tear = true;
  // A sector in flight may hold neither: garbage.
  bool sector_garbage = false;
  // Garbage stays within the bytes being written. Off: it may reach bytes of the same sector that
  // were durable before ("powersafe overwrite" in SQLite's terms).
  bool powersafe_overwrite = true;
};

// The named profile, or null. Pointers are to static storage.
const Profile* FindProfile(std::string_view name);

// Every name, from the strongest promises to the weakest.
std::vector<std::string_view> ProfileNames();

}  // namespace shearpin::faultfs
