// The command line of the simulator: run, replay and soak.
//
// Exit status: 0 when nothing failed, 1 when a run failed, 2 when the input was bad (an unknown
// option, a malformed plan, a missing file), with a message that says what.
#pragma once

namespace shearpin::sim {

int RunCommandLine(int argc, const char* const* argv);

}  // namespace shearpin::sim
