// Repair: what can be read of a damaged database, as a new database beside it.
//
//   auto report = shearpin::Repair(options, "/var/lib/app/db", "/var/lib/app/db.repaired");
//
// The damaged directory is only read: its files stay as they are, byte for byte. The new one holds
// every key whose newest readable version is a value, and is flat: one sorted run.
//
// What is taken
//   S1  Tables: those that the MANIFEST names. Where it cannot be trusted to be complete, all
//       that are there but those that a readable edit removed.
//   S2  Of a table, every data block that its own checksum proves (engine/sst/table_salvage.h).
//   S3  Logs: those from the floor on that the MANIFEST states; all where it states none.
//   S4  Of a log, every record that proves itself: its checksum, seeded with the log's salt and the
//       record's offset, is right, it ends within what the next log's header accepted, and its
//       sequence number is above those before it. So reading goes on behind damage.
//   S5  Of several versions of a key the one with the highest sequence number; deletes and range
//       deletes count. So no older value wins over a newer one that could be read.
//
// A version that could not be read may uncover an older one, or one that it had deleted. This
// cannot be seen from what is left; so each finding says which keys may be concerned.
//
// Thread safety: any. Nobody may write to either directory meanwhile; Busy if the database is open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/options.h"
#include "engine/status.h"

namespace shearpin {

// One thing that is damaged or missing.
struct RepairFinding {
  enum class Lost : uint8_t {
    kNothing,  // all it said was salvaged from elsewhere, or is not needed
    kKeys,     // of keys in a range: they may be missing, or show an older or a deleted value
    kUnknown,  // the same, of any key
  };
  std::string file;                               // its name in the damaged directory
  std::optional<uint64_t> offset = std::nullopt;  // none: the whole file
  uint64_t size = 0;                              // bytes from there on; 0: not known
  Lost lost = Lost::kNothing;
  // kKeys: user keys, both included; none: unbounded.
  std::optional<std::string> first_key = std::nullopt;
  std::optional<std::string> last_key = std::nullopt;
  std::string reason = {};
};

struct RepairReport {
  std::vector<RepairFinding> findings;  // by file, in the order of its bytes
  bool by_manifest = false;             // S1: the MANIFEST said what to read
  uint64_t tables_read = 0;             // of which anything was readable
  uint64_t blocks_read = 0;
  uint64_t logs_read = 0;
  uint64_t records_read = 0;
  uint64_t keys_written = 0;
  uint64_t tables_written = 0;
  uint64_t bytes_written = 0;  // of tables
  uint64_t last_sequence = 0;

  // True if nothing is known to be lost, and nothing damaged that could have hidden a loss.
  bool complete() const;
};

// Of `options`: the environment, and how tables are written. `repaired` must not exist, its parent
// must. Durable when OK. InvalidArgument: no directory, or nothing of a database in it.
// AlreadyExists: `repaired` is there. Busy: the database is open. Other errors are of the writing,
// or of reading twice with different results; what was made is then removed as far as possible.
StatusOr<RepairReport> Repair(const Options& options, const std::string& damaged,
                              const std::string& repaired);

}  // namespace shearpin
