// FailureClass: what can be wrong with a run, in classes: what the model's oracle says of answers
// and recoveries, and what only the simulator sees. A shrinker keeps the class of a failure, a
// mutant's patch names the one it expects, and every finding is printed with its own.
//
// Values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/failure.h"

namespace shearpin::sim {

enum class FailureClass : uint8_t {
  // What a recovery brought back: model/diagnosis.h says how they are told apart.
  kDurableWriteLost,   // a write acknowledged as durable is not there
  kHoleBeforeDurable,  // an earlier write is missing although a later durable one is there
  kHoleAfterDurable,   // the same among the writes after the last durable one
  kBatchTorn,          // a batch is there in part
  kResurrectedDelete,  // a deleted key is back although later writes are there
  kWrongData,          // a value never committed for its key, or two ways of reading that differ
  kWillNotOpen,        // recovery failed although the storage kept its promises
  kUndetectedDamage,   // a damaged block of a table in use, and every checksum was right
  // The running store.
  kWrongRead,        // a read that no legal order of its writes explains
  kOrderBroken,      // acknowledgements or sequence numbers contradict each other or real time
  kUnexpectedError,  // an error that no injected fault stands behind, or a conflict with nobody
  kNoProgress,       // the faults have stopped, and yet it does not work
  // Its threads and what it leaves.
  kDeadlock,    // nobody can run and no deadline is to come
  kLivelock,    // the budget of scheduling points or of virtual time is used up
  kLeak,        // threads that nobody joined
  kOrphanFile,  // a file that nothing needs, after all is quiet
  // The process that runs it.
  kProcessCrashed,  // a signal, a failed CHECK, a sanitizer's report
  kProcessHung,     // it was killed for taking too long by the wall clock
  kDigestDiffers,   // two runs of one plan are not the same run
  // Of many runs together.
  kNeverHappened,  // what was due in enough of them (sim/coverage.h)
};
inline constexpr int kFailureClasses = 20;

// "durable write lost", ... Stable: artefacts and command lines spell classes so.
std::string_view FailureClassName(FailureClass failure_class);
// Nothing if no class is spelled so.
std::optional<FailureClass> FindFailureClass(std::string_view name);

// The model's own class, which is not kNone.
FailureClass ClassOf(model::FailureClass failure_class);

}  // namespace shearpin::sim
