// Env: the machine a database runs on, as four interfaces that are replaced together or apart.
//
// Ownership: nothing is owned; every pointer outlives the database. Thread safety: a value.
#pragma once

#include "engine/env/clock.h"
#include "engine/env/entropy.h"
#include "engine/env/file_system.h"
#include "engine/env/scheduler.h"

namespace shearpin {

struct Env {
  FileSystem* file_system = PosixFileSystem();
  Clock* clock = RealClock();
  Scheduler* scheduler = RealScheduler();
  Entropy* entropy = RealEntropy();
};

}  // namespace shearpin
