// Plan: one whole simulation as data, and as text.
//
// The plan, not the seed it came from, is the artefact: everything that happens in a run follows
// from it, so it replays after the generator has changed, and it can be shrunk and enumerated.
// The text is line-oriented ('#' starts a comment) and described in sim/README.md; ParsePlan and
// FormatPlan are exact inverses.
//
// A plan knows no engine: options are names and numbers, writes and reads are what any ordered
// key-value store has. Thread safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/status.h"
#include "faultfs/fault_fs.h"
#include "model/batch.h"
#include "sim/bytes.h"
#include "sim/schedule.h"

namespace shearpin::sim {

using model::Durability;

enum class MutationKind : uint8_t { kPut, kDelete, kDeleteRange };

// One change of a put, delete, delete-range or batch.
struct Mutation {
  MutationKind kind = MutationKind::kPut;
  Bytes key;    // of kDeleteRange the first key of the range
  Bytes value;  // empty for kDelete; of kDeleteRange the end, which is excluded
  bool operator==(const Mutation&) const = default;
};

enum class BoundKind : uint8_t { kUnbounded, kInclusive, kExclusive };

struct KeyBound {
  BoundKind kind = BoundKind::kUnbounded;
  Bytes key;
  bool operator==(const KeyBound&) const = default;
};

enum class MoveKind : uint8_t { kFirst, kLast, kNext, kPrev, kSeek, kSeekForPrev };

// One movement of an iterator.
struct Move {
  MoveKind kind = MoveKind::kFirst;
  Bytes key;  // for the seeks
  bool operator==(const Move&) const = default;
};

enum class StepKind : uint8_t {
  kPut,              // put KEY VALUE DURABILITY
  kDelete,           // delete KEY DURABILITY
  kBatch,            // batch DURABILITY {put KEY VALUE | delete KEY | delete-range KEY END}...
  kGet,              // get KEY [snapshot=SLOT]
  kScan,             // scan forward|backward [lower=..] [upper=..] [snapshot=SLOT]
  kIteratorOpen,     // iterator-open SLOT [lower=..] [upper=..] [snapshot=SLOT]
  kIteratorWalk,     // iterator-walk SLOT {first|last|next|prev|seek KEY|seek-prev KEY}...
  kIteratorClose,    // iterator-close SLOT
  kSnapshotTake,     // snapshot-take SLOT
  kSnapshotCheck,    // snapshot-check SLOT (a full scan at it)
  kSnapshotRelease,  // snapshot-release SLOT
  kSync,             // sync
  kFlush,            // flush
  kReopen,           // reopen (close in good order, open, check everything)
  kVerify,           // verify (every checksum)
  kProperty,         // property NAME
  kSleep,            // sleep MICROSECONDS of virtual time
  kCapacity,         // capacity BYTES of the disk from now on; 0: without limit
  kEvict,            // evict: the machine drops its clean page cache
  kWriteBack,        // write-back COUNT: the oldest pending changes of the disk become durable
  kCompactRange,     // compact-range [lower=including:KEY] [upper=including:KEY]
  kCheckpoint,       // checkpoint: a copy, checked at the next recovery and at every one after it
  kResume,           // resume (a writer that a fault has stopped; clients with one ahead go on)
  kDeleteRange,      // delete-range KEY END DURABILITY
  kTxnBegin,         // txn-begin SLOT serializable|snapshot
  kTxnWrite,         // txn-write SLOT {put KEY VALUE | delete KEY | delete-range KEY END}...
  kTxnGet,           // txn-get SLOT KEY
  kTxnScan,          // txn-scan SLOT forward|backward LIMIT [lower=..] [upper=..] (0: no limit)
  kTxnCommit,        // txn-commit SLOT DURABILITY
  kTxnRollback,      // txn-rollback SLOT
  kIngest,           // ingest {put KEY VALUE | delete KEY}... (a table built outside is taken in)
  kWait,             // wait (for background work)
  kReadOnly,         // read-only: everything, by a reader that opens the store beside this one
};
inline constexpr int kNumStepKinds = 33;

// "put", "iterator-walk", ...: the first word of the step's line.
std::string_view StepKindName(StepKind kind);
std::string_view MoveKindName(MoveKind kind);
std::string_view DurabilityName(Durability durability);

inline constexpr int kMaxSlots = 8;

// What one client does next. Only the fields of its kind are used; the rest keep their defaults.
struct Step {
  StepKind kind = StepKind::kSync;
  Durability durability = Durability::kProcess;
  std::vector<Mutation> mutations;
  Bytes key;
  bool forward = true;
  bool serializable = true;
  KeyBound lower;
  KeyBound upper;
  int slot = 0;
  int snapshot = -1;  // slot of the snapshot to read at; -1: none
  std::vector<Move> moves;
  uint64_t amount = 0;
  std::string name;
  bool operator==(const Step&) const = default;
};

inline constexpr uint64_t kAfterWorkload = UINT32_MAX;  // more calls than any workload makes

// When the machine stops: at the `calls`-th call from some point on that changes the disk or makes
// it durable (1: the next one; 0: at once), and where within that call. With `of` only calls of
// that kind count, with `path` only those of files whose path matches: a crash at the next rename,
// at the next sync of a MANIFEST.
struct Strike {
  uint64_t calls = 0;
  std::optional<faultfs::CallKind> of = std::nullopt;
  std::string path = {};  // a glob, as in a fault rule; empty: any
  faultfs::CrashMoment moment = faultfs::CrashMoment::kBefore;
  uint64_t bytes = 0;  // for kMidway: of an append, how many were written
  bool operator==(const Strike&) const = default;
};

// From which point of the run on a crash counts its calls. If the workload ends before it strikes,
// it strikes then.
struct CrashStart {
  enum class After : uint8_t {
    kPrevious,  // the recovery from the crash before this one, or the end of the first opening
    kBoot,      // the first boot, before the store is made; of a later crash as kPrevious
    kStep,      // the end of step `step` of client `client`, or kPrevious if that was earlier
  };
  After after = After::kPrevious;
  uint32_t client = 0;
  uint32_t step = 0;
  bool operator==(const CrashStart&) const = default;
};

// What a crash leaves on the disk. An empty `image` is drawn at the moment of the crash from the
// plan's crash stream, and so are `draw_siblings` further images, which are recovered and checked
// too but not continued from. The plan of a result has them all written down.
struct CrashChoice {
  bool process = false;  // the process dies; else the power fails
  std::string image;     // text of a faultfs::CrashPlan
  uint32_t draw_siblings = 0;
  std::vector<std::string> siblings;
  bool operator==(const CrashChoice&) const = default;
};

// A crash during the recovery from the crash before it, which counts calls from its beginning.
struct NestedCrash {
  Strike strike = {.calls = 1};
  CrashChoice choice;
  bool operator==(const NestedCrash&) const = default;
};

struct CrashSpec {
  CrashStart start;
  Strike strike;
  CrashChoice choice;
  std::vector<NestedCrash> nested;  // the first strikes the recovery, the second its recovery, ...
  bool operator==(const CrashSpec&) const = default;
};

inline constexpr std::string_view kRandomWalkStrategy = "random-walk";  // scheduling_strategy.h
inline constexpr std::string_view kPctStrategy = "pct";                 // pct_strategy.h
inline constexpr std::string_view kLaggingStrategy = "lagging";         // lagging_strategy.h
inline constexpr std::string_view kRecordedStrategy = "recorded";       // recorded_schedule.h

// How the fibers take turns. Each strategy uses its own of these; the others keep their defaults.
struct SchedulerSpec {
  std::string strategy{kRandomWalkStrategy};
  uint64_t seed = 0;               // not of the recorded one
  uint32_t stay_per_1024 = 512;    // of the random walk, with laggards or without
  uint32_t depth = 2;              // of PCT: one more than its change points
  uint32_t every = 32;             // of laggards: one in so many steps makes one
  uint64_t steps = 256;            // of PCT: how long a phase may be; of laggards: the longest lag
  uint32_t spurious_per_1024 = 0;  // not of the recorded one
  uint64_t micros_per_point = 0;
  Schedule schedule;  // of the recorded one
  bool operator==(const SchedulerSpec&) const = default;
};

// What the machine does by itself as its clock goes on, in microseconds; 0: never.
struct KernelSpec {
  uint64_t commit = 0;  // so often the journal commits, and data that has expired is written back
  uint64_t expiry = 0;  // so old, at a commit
  uint64_t evict = 0;   // so often clean pages are dropped from the cache
  bool operator==(const KernelSpec&) const = default;
};

struct Plan {
  uint64_t seed = 0;  // where the plan came from; nothing depends on it
  std::string profile = "posix-min";
  // False: a torn append may damage bytes of its first sector that were durable before.
  bool powersafe_overwrite = true;
  SchedulerSpec scheduler;
  uint64_t entropy_seed = 0;
  uint64_t crash_seed = 0;
  KernelSpec kernel;
  uint64_t capacity = 0;                                  // bytes of the disk; 0: without limit
  std::vector<std::pair<std::string, uint64_t>> options;  // names from sim/knobs.h
  std::vector<std::string> faults;                        // texts of faultfs::FaultRules
  std::vector<std::vector<Step>> clients;
  std::vector<CrashSpec> crashes;
  bool operator==(const Plan&) const = default;

  size_t StepCount() const;
};

inline constexpr int kPlanVersion = 1;

std::string FormatPlan(const Plan& plan);
void AppendStepText(const Step& step, std::string* text);

// InvalidArgument "FILE:LINE: reason" for a malformed plan. `file` is only named in messages.
StatusOr<Plan> ParsePlan(std::string_view text, std::string_view file);

}  // namespace shearpin::sim
