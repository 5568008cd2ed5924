// The rows: what each does to a store, the same for every engine.
//
// Keys are 16 decimal digits. Those that are stored are even, those that are missing odd, so that a
// missing key lies between two that are there. Values are 100 bytes, cut from a text of which half
// can be compressed away, as db_bench's are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/rng.h"
#include "tests/bench/store.h"

namespace shearpin::bench {

constexpr size_t kKeySize = 16;
constexpr size_t kValueSize = 100;

class Values {
 public:
  explicit Values(uint64_t seed);
  // Good as long as this object.
  std::string_view Next();

 private:
  std::string text_;
  size_t at_ = 0;
};

// The key of entry `i`; `missing`: one beside it that is never stored.
class Key {
 public:
  explicit Key(uint64_t i, bool missing = false);
  std::string_view view() const { return {digits_, kKeySize}; }

 private:
  char digits_[kKeySize];
};

struct Job {
  uint64_t entries = 0;  // in the store, or to be
  uint64_t operations = 0;
  uint64_t seed = 0;
};

// Which database a row works on: an empty one, or the one that fillrandom filled, as overwrite left
// it, or that one opened anew, compacted, with all that the caches can hold of it in them.
enum class Base : uint8_t { kEmpty, kFilled, kWarm };

struct Row {
  std::string name;
  Base base;
  Promise promise;
  bool only_reads;
  // Operations for each entry of --num, in thousandths.
  unsigned operations_per_mille;
  // Returns how many operations it did.
  uint64_t (*run)(Store* store, const Job& job);
};

// In the order in which they run: those that want an empty database, fillrandom, and those that go
// on with what it wrote.
const std::vector<Row>& AllRows();

// What a row cost.
struct Cost {
  double micros = 0;      // of wall time per operation
  double cpu_micros = 0;  // of the measured thread's processor time per operation
};
Cost Measure(const Row& row, Store* store, const Job& job);

// Reads everything once, so that the caches hold what they can.
void WarmUp(Store* store);

}  // namespace shearpin::bench
