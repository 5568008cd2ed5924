// The vocabulary of the model: what a client asks of a store, and what a store holds.
//
// Values; thread-compatible. Independent of the engine's own types on purpose: the simulator
// translates, so that a mistake in the engine's types cannot hide itself in the specification.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace shearpin::model {

// What an acknowledged write survives.
enum class Durability : uint8_t {
  kNone,     // not logged: nothing, until a flush
  kProcess,  // logged: the death of the process
  kSync,     // logged and synced: a loss of power too
};

struct Operation {
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  Kind kind = Kind::kPut;
  std::string key;    // of kDeleteRange the first key of the range
  std::string value;  // empty for kDelete; of kDeleteRange the end, which is excluded

  static Operation Put(std::string key, std::string value) {
    return {Kind::kPut, std::move(key), std::move(value)};
  }
  static Operation Delete(std::string key) { return {Kind::kDelete, std::move(key), {}}; }
  // Everything in [begin, end); begin is less than end.
  static Operation DeleteRange(std::string begin, std::string end) {
    return {Kind::kDeleteRange, std::move(begin), std::move(end)};
  }

  // True if it changes this key.
  bool Touches(std::string_view other) const {
    return kind == Kind::kDeleteRange ? other >= key && other < value : other == key;
  }
  friend bool operator==(const Operation&, const Operation&) = default;
};

// Applied in order, all or nothing. Operation i has the batch's first sequence number + i.
using Batch = std::vector<Operation>;

// The contents of a store.
using State = std::map<std::string, std::string, std::less<>>;

// Which pairs a store may drop by itself, at any time while they are the newest of their key (by a
// compaction filter): then the key is gone, and no older value comes back. Null: none.
using MayVanish = std::function<bool(std::string_view key, std::string_view value)>;

// One pair as a scan returned it; the bytes belong to the caller.
struct KeyValue {
  std::string_view key;
  std::string_view value;
  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

// One end of a range of keys.
struct Bound {
  enum class Kind : uint8_t { kUnbounded, kInclusive, kExclusive };
  Kind kind = Kind::kUnbounded;
  std::string key;

  static Bound Unbounded() { return {}; }
  static Bound Inclusive(std::string_view key) { return {Kind::kInclusive, std::string(key)}; }
  static Bound Exclusive(std::string_view key) { return {Kind::kExclusive, std::string(key)}; }
};

// May be empty or upside down: then no key is in it.
struct Range {
  Bound lower;
  Bound upper;
};

// True if `key` is not below `bound` taken as a lower end, or not above it taken as an upper end.
bool IsAboveLower(std::string_view key, const Bound& bound);
bool IsBelowUpper(std::string_view key, const Bound& bound);

}  // namespace shearpin::model
