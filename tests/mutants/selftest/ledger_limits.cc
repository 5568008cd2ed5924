#include "tests/mutants/selftest/ledger.h"

namespace shearpin::mutants {

int Ledger::Limit() { return 100; }

}  // namespace shearpin::mutants
