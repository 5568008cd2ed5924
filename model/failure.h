// What can be wrong with a store, in classes: a shrinker keeps the class of a failure while it
// makes the plan smaller, and a mutant's patch names the class it is expected to show.
//
// Values; thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shearpin::model {

enum class FailureClass : uint8_t {
  kNone,               // nothing is wrong
  kDurableWriteLost,   // a write acknowledged as durable is not there
  kHoleBeforeDurable,  // an earlier write is missing although a later durable one is there
  kHoleAfterDurable,   // the same among the writes after the last durable one
  kBatchTorn,          // a batch is there in part
  kResurrectedDelete,  // a deleted key is back although later writes are there
  kWrongData,          // a value never committed for its key, or keys out of order
  kWillNotOpen,        // recovery failed although the storage kept its promises
  kNoProgress,         // deadlock, or no work done once the faults have stopped
  kWrongRead,          // a read of the running store that no legal order of its writes explains
  kOrderBroken,        // acknowledgements or sequence numbers contradict each other or real time
};

// "durable write lost", ... Stable: artefacts and command lines spell classes so.
std::string_view FailureClassName(FailureClass failure_class);

struct [[nodiscard]] Violation {
  FailureClass failure_class = FailureClass::kNone;
  std::string message;  // for people: keys, sequence numbers, expected and found

  bool ok() const { return failure_class == FailureClass::kNone; }
};

// `bytes` quoted and escaped for a message; long ones are cut and their length is told.
std::string Quoted(std::string_view bytes);

}  // namespace shearpin::model
