#include "sim/cli.h"

int main(int argc, char** argv) { return shearpin::sim::RunCommandLine(argc, argv); }
