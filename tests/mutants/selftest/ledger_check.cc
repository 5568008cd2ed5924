#include "tests/mutants/selftest/ledger_check.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/mutants/selftest/ledger.h"

namespace shearpin::mutants {

// Seed n adds n and then nothing; it shows a mistake from the third seed on.
int RunLedgerCheck(int argc, char** argv) {
  int runs = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--runs=", 7) == 0) runs = std::atoi(argv[i] + 7);
  }
  for (int seed = 1; seed <= runs; ++seed) {
    Ledger ledger;
    ledger.Add(seed < 3 ? 0 : seed);
    const int expected = seed < 3 ? 0 : seed;
    if (ledger.balance() == expected) continue;
    std::printf(
        "{\"seeds\": %d, \"failures\": 1, \"findings\": [{\"seed\": %d, \"class\": \"wrong data\", "
        "\"message\": \"expected %d, found %d\"}]}\n",
        seed, seed, expected, ledger.balance());
    return 1;
  }
  std::printf("{\"seeds\": %d, \"failures\": 0, \"findings\": []}\n", runs);
  return 0;
}

}  // namespace shearpin::mutants
