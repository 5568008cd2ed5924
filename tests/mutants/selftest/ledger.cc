#include "tests/mutants/selftest/ledger.h"

namespace shearpin::mutants {

void Ledger::Add(int amount) {
  if (amount > Limit()) return;
  balance_ += amount;
}

}  // namespace shearpin::mutants
