#include "faultfs/profile.h"

namespace shearpin::faultfs {
namespace {

constexpr Profile kProfiles[] = {
    {.name = "ext4-ordered",
     .metadata_order = MetadataOrder::kTotal,
     .extension = ExtensionRule::kDataFirst,
     .rename = RenameRule::kAtomicDataForced,
     .fsync_persists_entry = true},
    {.name = "posix-min"},
    {.name = "adversarial",
     .extension = ExtensionRule::kStaleBytes,
     .sector_garbage = true,
     .powersafe_overwrite = false},
};

}  // namespace

const Profile* FindProfile(std::string_view name) {
  for (const Profile& profile : kProfiles) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

std::vector<std::string_view> ProfileNames() {
  std::vector<std::string_view> names;
  for (const Profile& profile : kProfiles) names.push_back(profile.name);
  return names;
}

}  // namespace shearpin::faultfs
