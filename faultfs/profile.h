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
  kOnlySynced,   // none but what a sync orders
  kSameFile,     // the changes of one file keep their order, and need its directory to be there
  kSharedInode,  // changes that touch a common inode (a file, a directory) keep their order
  kTotal,        // one journal: a later one implies every earlier one
  kWithData,     // likewise, and the data goes through it: everything in the order it was done
};

// What a grown file may hold where its data did not arrive.
enum class ExtensionRule : uint8_t {
  kDataFirst,      // the size follows the data: the file is shorter instead
  kLastDataFirst,  // the size follows the block it ends in: earlier ones may be holes of zeros
  kZeros,          // size and data are independent: zeros
  kStaleBytes,     // ... or what a freed block held before
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
  // A damaged block is an error to whoever reads it, and never other bytes.
  bool checksums_data = false;
  // A sync that returned 0 made durable what it covers. Off: it made nothing durable.
  bool honours_flush = true;
  // Garbage stays within the bytes being written. Off: it may reach bytes of the same sector that
  // were durable before ("powersafe overwrite" in SQLite's terms).
  bool powersafe_overwrite = true;
};

// The named profile, or null. Pointers are to static storage.
const Profile* FindProfile(std::string_view name);

// Every name, from the strongest promises to the weakest (not every two can be compared).
std::vector<std::string_view> ProfileNames();
// Those that keep what a sync promises: all but the last.
std::vector<std::string_view> HonestProfileNames();

}  // namespace shearpin::faultfs
