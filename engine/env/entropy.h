// Entropy: where database ids and log salts come from. In simulation, one stream of the seed.
//
// Thread safety: may be called from any thread.
#pragma once

#include <cstdint>

namespace shearpin {

class Entropy {
 public:
  virtual ~Entropy() = default;

  // 64 bits that nobody can foretell.
  virtual uint64_t Next() = 0;
};

// The kernel's generator. One object for the process; never destroyed by the caller.
Entropy* RealEntropy();

}  // namespace shearpin
