#include <sys/random.h>

#include <cerrno>

#include "engine/base/check.h"
#include "engine/env/entropy.h"

namespace shearpin {
namespace {

class RealEntropyImpl final : public Entropy {
 public:
  uint64_t Next() override {
    uint64_t value = 0;
    ssize_t n;
    // Up to 256 bytes come whole or not at all; only the wait for the pool at boot can be
    // interrupted.
    do {
      n = getrandom(&value, sizeof(value), 0);
    } while (n < 0 && errno == EINTR);
    SHEARPIN_CHECK(n == static_cast<ssize_t>(sizeof(value)), "getrandom");
    return value;
  }
};

}  // namespace

Entropy* RealEntropy() {
  static Entropy* const entropy = new RealEntropyImpl;
  return entropy;
}

}  // namespace shearpin
