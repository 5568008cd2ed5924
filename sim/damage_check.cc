#include "sim/damage_check.h"

namespace shearpin::sim {

DamageCheck::DamageCheck(const RunContext& context, Machine* machine) {
  if (!context.storage_broken()) return;
  for (const std::string& path : machine->disk().DamagedFiles()) {
    if (faultfs::PurposeOf(path) != faultfs::Purpose::kTable) continue;
    const std::string directory = std::string(kStoreDirectory) + "/";
    if (path.starts_with(directory)) damaged_.push_back(path.substr(directory.size()));
  }
}

bool DamageCheck::NothingWasMissed(RunContext* context, Subject* subject) const {
  if (damaged_.empty()) return true;
  const StatusOr<std::string> live = subject->Property("live-files");
  if (!live.ok()) return true;  // a subject that does not tell
  const std::string names = "\n" + *live + "\n";
  for (const std::string& name : damaged_) {
    if (names.find("\n" + name + "\n") == std::string::npos) continue;
    context->Fail(FailureClass::kUndetectedDamage,
                  name + " has a damaged block, and every checksum was found right");
    return false;
  }
  return true;
}

}  // namespace shearpin::sim
