#include "sim/damage_check.h"

#include <utility>

#include "sim/store_paths.h"

namespace shearpin::sim {

namespace {

// Names in lines, with a line's end before each; nothing from a subject that does not tell.
std::string LiveFiles(Subject* subject) {
  const StatusOr<std::string> live = subject->Property("live-files");
  return live.ok() ? "\n" + *live + "\n" : std::string();
}

bool Holds(const std::string& lines, const std::string& name) {
  return lines.find("\n" + name + "\n") != std::string::npos;
}

}  // namespace

DamageCheck::DamageCheck(bool storage_broken, const faultfs::SimDisk& disk, Subject* subject) {
  if (!storage_broken) return;
  std::string live;
  for (const std::string& path : disk.DamagedFiles()) {
    if (faultfs::PurposeOf(path) != faultfs::Purpose::kTable) continue;
    const std::string directory = std::string(kStoreDirectory) + "/";
    if (!path.starts_with(directory)) continue;
    if (subject != nullptr && live.empty()) live = LiveFiles(subject);
    std::string name = path.substr(directory.size());
    if (subject == nullptr || Holds(live, name)) damaged_.push_back(std::move(name));
  }
}

std::string DamageCheck::Missed(Subject* subject) const {
  if (damaged_.empty()) return {};
  const std::string live = LiveFiles(subject);
  for (const std::string& name : damaged_) {
    if (Holds(live, name)) return name + " has a damaged block, and every checksum was found right";
  }
  return {};
}

}  // namespace shearpin::sim
