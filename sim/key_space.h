// KeySpace: the few keys that one run writes, chosen to collide and to sit at awkward places of
// the order, and the sizes of its values.
//
// Thread safety: one thread at a time. Ownership: borrows the dataset.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/bytes.h"
#include "sim/dataset.h"
#include "sim/rng.h"

namespace shearpin::sim {

enum class KeyCount : uint8_t {
  kFew,    // 2 to 6: everybody meets everybody
  kUsual,  // 5 to 200
  kMany,   // 500 to 3,000
};

class KeySpace {
 public:
  // Draws its shape from `rng`. `dataset` may be null.
  KeySpace(const Dataset* dataset, KeyCount count, Rng* rng);

  const Bytes& Key(Rng* rng) const;
  // Divides the keys, in their order, into neighbourhoods of so many; before any of the next two.
  void Partition(uint64_t neighbours);
  // A key of a neighbourhood, or the first of the one behind it: neighbourhoods meet at a key.
  const Bytes& KeyWithin(uint64_t neighbourhood, Rng* rng) const;
  // The last neighbourhood is followed by the first.
  const Bytes& FirstOf(uint64_t neighbourhood) const;
  Bytes Value(Rng* rng) const;
  // Mostly a key of the space; sometimes one next to it, which is not there.
  Bytes Target(Rng* rng) const;

 private:
  void AddMadeUpKeys(size_t count, Rng* rng);

  const Dataset* const dataset_;
  std::vector<Bytes> keys_;
  uint64_t neighbours_ = 1;
  uint64_t hot_ = 1;  // the first `hot_` keys get half of the traffic
  uint32_t longest_value_ = 0;
  bool empty_values_ = true;
};

}  // namespace shearpin::sim
