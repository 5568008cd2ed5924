#include "sim/harm.h"

#include "sim/store_paths.h"

namespace shearpin::sim {

using faultfs::EffectKind;
using model::CrashKind;

CrashKind HarmOf(const faultfs::FsCall& call, EffectKind effect, std::string_view path,
                 uint64_t offset) {
  const faultfs::Purpose purpose = faultfs::PurposeOf(path);
  // Whoever names a table knows what is in it; and a copy of the store is not the store.
  if (purpose == faultfs::Purpose::kTable || path.starts_with(kCheckpointPrefix)) {
    return CrashKind::kClean;
  }
  const bool is_log = purpose == faultfs::Purpose::kWal || purpose == faultfs::Purpose::kManifest;
  switch (effect) {
    case EffectKind::kBitRot:
      // What stands at the beginning is what the rest of the log is read by.
      if (purpose == faultfs::Purpose::kWal && offset >= faultfs::kSectorSize) {
        return CrashKind::kRottenLog;
      }
      break;
    case EffectKind::kSyncFail:
    case EffectKind::kLyingFlush:
    case EffectKind::kLostWrite:
    case EffectKind::kMisdirectedWrite:
      if (is_log && path == call.path) return CrashKind::kForgottenSync;
      break;
    default:
      break;
  }
  return CrashKind::kBrokenStorage;
}

}  // namespace shearpin::sim
