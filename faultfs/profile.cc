#include "faultfs/profile.h"

namespace shearpin::faultfs {
namespace {

constexpr Profile kProfiles[] = {
    // The journal takes whole blocks, so that none of them tears.
    {.name = "ext4-journal",
     .metadata_order = MetadataOrder::kWithData,
     .extension = ExtensionRule::kDataFirst,
     .rename = RenameRule::kAtomic,
     .fsync_persists_entry = true,
     .sectors_tear = false},
    {.name = "ext4-ordered",
     .metadata_order = MetadataOrder::kTotal,
     .extension = ExtensionRule::kDataFirst,
     .rename = RenameRule::kAtomicDataForced,
     .fsync_persists_entry = true},
    {.name = "ext4-noauto-da-alloc",
     .metadata_order = MetadataOrder::kTotal,
     .extension = ExtensionRule::kDataFirst,
     .rename = RenameRule::kAtomic,
     .fsync_persists_entry = true},
    {.name = "ext4-writeback",
     .metadata_order = MetadataOrder::kTotal,
     .extension = ExtensionRule::kStaleBytes,
     .rename = RenameRule::kAtomicDataForced,
     .fsync_persists_entry = true},
    {.name = "xfs",
     .metadata_order = MetadataOrder::kSharedInode,
     .extension = ExtensionRule::kLastDataFirst,
     .rename = RenameRule::kAtomic,
     .fsync_persists_entry = true},
    {.name = "btrfs",
     .metadata_order = MetadataOrder::kSameFile,
     .extension = ExtensionRule::kZeros,
     .rename = RenameRule::kAtomic,
     .fsync_persists_entry = true,
     .sectors_tear = false,
     .checksums_data = true},
    {.name = "posix-min"},
    {.name = "adversarial",
     .extension = ExtensionRule::kStaleBytes,
     .sector_garbage = true,
     .powersafe_overwrite = false},
    {.name = "lying-disk",
     .extension = ExtensionRule::kStaleBytes,
     .sector_garbage = true,
     .honours_flush = false,
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

std::vector<std::string_view> HonestProfileNames() {
  std::vector<std::string_view> names;
  for (const Profile& profile : kProfiles) {
    if (profile.honours_flush) names.push_back(profile.name);
  }
  return names;
}

}  // namespace shearpin::faultfs
