// HarmOf: what a recovery owes after the disk broke a promise, by which promise and of which file.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "faultfs/fault_fs.h"
#include "model/crash_oracle.h"

namespace shearpin::sim {

// kClean: everything, as on an honest disk.
model::CrashKind HarmOf(const faultfs::FsCall& call, faultfs::EffectKind effect,
                        std::string_view path, uint64_t offset);

}  // namespace shearpin::sim
