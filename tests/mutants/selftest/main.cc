#include "tests/mutants/selftest/ledger_check.h"

int main(int argc, char** argv) { return shearpin::mutants::RunLedgerCheck(argc, argv); }
