// The command line of the simulator, as far as tests/mutants/kill.py uses it, over a Ledger.
#pragma once

namespace shearpin::mutants {

int RunLedgerCheck(int argc, char** argv);

}  // namespace shearpin::mutants
