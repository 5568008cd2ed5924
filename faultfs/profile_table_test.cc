// Goal: each cell of the profile table does what the reference says. Method: small histories, all
// legal power losses enumerated (torn and stale blocks apart) and compared with the exact set of
// states that each profile allows; a disk that lies, with one that was never asked to sync.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "faultfs/test_disk.h"

namespace shearpin::faultfs {
namespace {

using States = std::set<std::string>;

// "posix-min" stands for "adversarial" too, and "" for all.
struct Expected {
  std::string_view profiles;
  States states;  // exactly
};

struct Cell {
  const char* name;
  std::function<void(TestDisk*)> history;
  std::vector<Expected> expected;
};

constexpr std::string_view kEvery;

void SettledFile(TestDisk* disk, const std::string& name, std::string_view contents) {
  disk->Append(name, contents);
  disk->SyncAll();
}

const Cell kCells[] = {
    {"AppendToSyncedFile",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "old");
       disk->Append("a", "new");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc xfs", {"/a=old", "/a=oldnew"}},
      {"ext4-writeback btrfs posix-min", {"/a=old", "/a=old...", "/a=oldnew"}}}},
    {"NewFile",
     [](TestDisk* disk) { disk->Append("a", "new"); },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc xfs", {"", "/a=", "/a=new"}},
      {"ext4-writeback btrfs posix-min", {"", "/a=", "/a=...", "/a=new"}}}},
    {"TwoAppends",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "");
       disk->Append("a", "one");
       disk->Append("a", "two");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc xfs", {"/a=", "/a=one", "/a=onetwo"}},
      {"ext4-writeback btrfs posix-min",
       {"/a=", "/a=...", "/a=......", "/a=one", "/a=one...", "/a=onetwo"}}}},
    {"OverwritesOfTwoBlocks",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "x" + std::string(4095, '-') + "y");
       disk->Write("a", 0, "X");
       disk->Write("a", 4096, "Y");
     },
     {{"ext4-journal", {"/a=X-*4095 Y", "/a=X-*4095 y", "/a=x-*4095 y"}},
      {"ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs posix-min",
       {"/a=X-*4095 Y", "/a=X-*4095 y", "/a=x-*4095 Y", "/a=x-*4095 y"}}}},
    {"OverwritesOfOneBlockFollowEachOther",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "xy");
       disk->Write("a", 0, "X");
       disk->Write("a", 1, "Y");
     },
     {{kEvery, {"/a=XY", "/a=Xy", "/a=xy"}}}},
    {"MetadataOrder",
     [](TestDisk* disk) {
       disk->Append("a", "");
       disk->Append("b", "");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs", {"", "/a=", "/a= /b="}},
      {"btrfs posix-min", {"", "/a=", "/a= /b=", "/b="}}}},
    {"DelayedAllocationOutlivesLaterMetadata",
     [](TestDisk* disk) {
       disk->Append("a", "new");
       disk->Append("b", "");
     },
     {{"ext4-journal", {"", "/a=", "/a=new", "/a=new /b="}},
      {"ext4-ordered ext4-noauto-da-alloc xfs", {"", "/a=", "/a= /b=", "/a=new", "/a=new /b="}},
      {"ext4-writeback", {"", "/a=", "/a= /b=", "/a=...", "/a=... /b=", "/a=new", "/a=new /b="}},
      {"btrfs posix-min",
       {"", "/a=", "/a= /b=", "/a=...", "/a=... /b=", "/a=new", "/a=new /b=", "/b="}}}},
    {"FsyncPersistsTheEntry",
     [](TestDisk* disk) {
       disk->Append("a", "new");
       disk->Sync("a");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs", {"/a=new"}},
      {"posix-min", {"", "/a=new"}}}},
    {"FsyncCommitsEarlierMetadata",
     [](TestDisk* disk) {
       disk->Append("b", "");
       disk->Append("a", "new");
       disk->Sync("a");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs", {"/a=new /b="}},
      {"btrfs", {"/a=new", "/a=new /b="}},
      {"posix-min", {"", "/a=new", "/a=new /b=", "/b="}}}},
    {"SyncDirPersistsNoData",
     [](TestDisk* disk) {
       disk->Append("a", "new");
       disk->SyncDir();
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc xfs", {"/a=", "/a=new"}},
      {"ext4-writeback btrfs posix-min", {"/a=", "/a=...", "/a=new"}}}},
    {"RenameOverExisting",
     [](TestDisk* disk) {
       SettledFile(disk, "b", "old");
       SettledFile(disk, "a", "new");
       EXPECT_TRUE(disk->Rename("a", "b").ok());
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs",
       {"/a=new /b=old", "/b=new"}},
      {"posix-min", {"", "/a=new", "/a=new /b=new", "/a=new /b=old", "/b=new", "/b=old"}}}},
    {"RenameOverExistingOfUnsyncedData",
     [](TestDisk* disk) {
       SettledFile(disk, "b", "old");
       SettledFile(disk, "a", "");
       disk->Append("a", "new");
       EXPECT_TRUE(disk->Rename("a", "b").ok());
     },
     {{"ext4-journal ext4-ordered", {"/a= /b=old", "/a=new /b=old", "/b=new"}},
      {"ext4-noauto-da-alloc xfs", {"/a= /b=old", "/a=new /b=old", "/b=", "/b=new"}},
      {"ext4-writeback", {"/a= /b=old", "/a=... /b=old", "/a=new /b=old", "/b=new"}},
      {"btrfs", {"/a= /b=old", "/a=... /b=old", "/a=new /b=old", "/b=", "/b=...", "/b=new"}},
      {"posix-min",
       {"", "/a=", "/a= /b=", "/a= /b=old", "/a=...", "/a=... /b=...", "/a=... /b=old", "/a=new",
        "/a=new /b=new", "/a=new /b=old", "/b=", "/b=...", "/b=new", "/b=old"}}}},
    {"RenameToNewNameForcesNothing",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "");
       disk->Append("a", "new");
       EXPECT_TRUE(disk->Rename("a", "b").ok());
     },
     {{"ext4-journal", {"/a=", "/a=new", "/b=new"}},
      {"ext4-ordered ext4-noauto-da-alloc xfs", {"/a=", "/a=new", "/b=", "/b=new"}},
      {"ext4-writeback btrfs", {"/a=", "/a=...", "/a=new", "/b=", "/b=...", "/b=new"}},
      {"posix-min",
       {"", "/a=", "/a= /b=", "/a=...", "/a=... /b=...", "/a=new", "/a=new /b=new", "/b=", "/b=...",
        "/b=new"}}}},
    {"RenameSyncedByItsDirectory",
     [](TestDisk* disk) {
       SettledFile(disk, "b", "old");
       SettledFile(disk, "a", "new");
       EXPECT_TRUE(disk->Rename("a", "b").ok());
       disk->SyncDir();
     },
     {{kEvery, {"/b=new"}}}},
    {"UnlinkMayComeBack",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "x");
       SettledFile(disk, "b", "y");
       EXPECT_TRUE(disk->Unlink("a").ok());
       EXPECT_TRUE(disk->Unlink("b").ok());
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs",
       {"", "/a=x /b=y", "/b=y"}},
      {"btrfs posix-min", {"", "/a=x", "/a=x /b=y", "/b=y"}}}},
    {"UnlinkAndNewFileOfTheSameName",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "x");
       disk->Close("a");
       EXPECT_TRUE(disk->Unlink("a").ok());
       disk->Append("a", "");
     },
     {{kEvery, {"", "/a=", "/a=x"}}}},
    {"HardLinks",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "x");
       EXPECT_TRUE(disk->Link("a", "b").ok());
       EXPECT_TRUE(disk->Unlink("a").ok());
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs",
       {"/a=x", "/a=x /b=x", "/b=x"}},
      {"posix-min", {"", "/a=x", "/a=x /b=x", "/b=x"}}}},
    {"LostTruncateTakesLaterWritesAlong",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "abcdef");
       EXPECT_TRUE(disk->Truncate("a", 2).ok());
       disk->Append("a", "XY");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc xfs", {"/a=ab", "/a=abXY", "/a=abcdef"}},
      {"ext4-writeback btrfs posix-min", {"/a=ab", "/a=ab..", "/a=abXY", "/a=abcdef"}}}},
    {"UnwrittenExtentsReadAsZeros",
     [](TestDisk* disk) {
       disk->Preallocate("a", 8);
       disk->SyncAll();
       disk->Append("a", "new");
     },
     {{kEvery, {"/a=........", "/a=new....."}}}},
    {"UnwrittenExtentsAreConvertedOnce",
     [](TestDisk* disk) {
       disk->Preallocate("a", 8);
       disk->SyncAll();
       disk->Append("a", "new");
       disk->Append("a", "er");
     },
     {{kEvery, {"/a=........", "/a=new.....", "/a=newer..."}}}},
    {"SyncedUnwrittenExtents",
     [](TestDisk* disk) {
       disk->Preallocate("a", 8);
       disk->SyncDir();
       disk->Append("a", "new");
       disk->Sync("a");
       disk->Append("a", "er");
     },
     {{kEvery, {"/a=new.....", "/a=newer..."}}}},
    {"NewDirectoryNeedsItsParent",
     [](TestDisk* disk) {
       EXPECT_TRUE(disk->MakeDir("d").ok());
       disk->Append("d/f", "x");
       disk->Sync("d/f");
       disk->SyncDir("d");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs", {"/d/ /d/f=x"}},
      {"posix-min", {"", "/d/ /d/f=x"}}}},
    {"RenameBetweenDirectories",
     [](TestDisk* disk) {
       EXPECT_TRUE(disk->MakeDir("d").ok());
       SettledFile(disk, "a", "x");
       EXPECT_TRUE(disk->Rename("a", "d/a").ok());
       disk->SyncDir("d");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs", {"/d/ /d/a=x"}},
      {"posix-min", {"/a=x /d/ /d/a=x", "/d/ /d/a=x"}}}},
    {"AppendOfTwoBlocks",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "");
       disk->Append("a", std::string(4096, 'x') + "y");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc", {"/a=", "/a=x*4096 y"}},
      {"ext4-writeback btrfs posix-min",
       {"/a=", "/a=.*4096 y", "/a=.*4097 ", "/a=x*4096 .", "/a=x*4096 y"}},
      {"xfs", {"/a=", "/a=.*4096 y", "/a=x*4096 y"}}}},
    {"AppendsToTwoBlocks",
     [](TestDisk* disk) {
       SettledFile(disk, "a", std::string(4095, 'o'));
       disk->Append("a", "x");
       disk->Append("a", "y");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc",
       {"/a=o*4095 ", "/a=o*4095 x", "/a=o*4095 xy"}},
      {"ext4-writeback btrfs posix-min",
       {"/a=o*4095 ", "/a=o*4095 .", "/a=o*4095 ..", "/a=o*4095 .y", "/a=o*4095 x", "/a=o*4095 x.",
        "/a=o*4095 xy"}},
      {"xfs", {"/a=o*4095 ", "/a=o*4095 .y", "/a=o*4095 x", "/a=o*4095 xy"}}}},
    {"MetadataOfTwoDirectories",
     [](TestDisk* disk) {
       EXPECT_TRUE(disk->MakeDir("d").ok());
       EXPECT_TRUE(disk->MakeDir("e").ok());
       disk->SyncAll();
       disk->Append("d/a", "");
       disk->Append("e/b", "");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback",
       {"/d/ /d/a= /e/", "/d/ /d/a= /e/ /e/b=", "/d/ /e/"}},
      {"xfs btrfs posix-min",
       {"/d/ /d/a= /e/", "/d/ /d/a= /e/ /e/b=", "/d/ /e/", "/d/ /e/ /e/b="}}}},
    {"FsyncReachesIntoOtherDirectories",
     [](TestDisk* disk) {
       EXPECT_TRUE(disk->MakeDir("d").ok());
       disk->SyncAll();
       disk->Append("d/a", "");
       disk->Append("b", "");
       disk->Append("c", "");
       disk->Sync("c");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback", {"/b= /c= /d/ /d/a="}},
      {"xfs", {"/b= /c= /d/", "/b= /c= /d/ /d/a="}},
      {"btrfs", {"/b= /c= /d/", "/b= /c= /d/ /d/a=", "/c= /d/", "/c= /d/ /d/a="}},
      {"posix-min",
       {"/b= /c= /d/", "/b= /c= /d/ /d/a=", "/b= /d/", "/b= /d/ /d/a=", "/c= /d/",
        "/c= /d/ /d/a=", "/d/", "/d/ /d/a="}}}},
    {"MetadataOfOneFile",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "abc");
       EXPECT_TRUE(disk->Truncate("a", 1).ok());
       EXPECT_TRUE(disk->Rename("a", "b").ok());
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs",
       {"/a=a", "/a=abc", "/b=a"}},
      {"posix-min", {"", "/a=a", "/a=a /b=a", "/a=abc", "/a=abc /b=abc", "/b=a", "/b=abc"}}}},
    {"NewFileInNewDirectory",
     [](TestDisk* disk) {
       EXPECT_TRUE(disk->MakeDir("d").ok());
       disk->Append("d/f", "");
       disk->Sync("d/f");
     },
     {{"ext4-journal ext4-ordered ext4-noauto-da-alloc ext4-writeback xfs btrfs", {"/d/ /d/f="}},
      {"posix-min", {"", "/d/", "/d/ /d/f="}}}},
    {"AppendAfterOverwrite",
     [](TestDisk* disk) {
       SettledFile(disk, "a", "old");
       SettledFile(disk, "b", "");
       disk->Write("a", 0, "OLD");
       disk->Append("b", "new");
     },
     {{"ext4-journal", {"/a=OLD /b=", "/a=OLD /b=new", "/a=old /b="}},
      {"ext4-ordered ext4-noauto-da-alloc xfs",
       {"/a=OLD /b=", "/a=OLD /b=new", "/a=old /b=", "/a=old /b=new"}},
      {"ext4-writeback btrfs posix-min",
       {"/a=OLD /b=", "/a=OLD /b=...", "/a=OLD /b=new", "/a=old /b=", "/a=old /b=...",
        "/a=old /b=new"}}}},
};

bool Names(std::string_view list, std::string_view profile) {
  if (list == kEvery) return true;
  if (profile == "adversarial") profile = "posix-min";
  return (" " + std::string(list) + " ").find(" " + std::string(profile) + " ") !=
         std::string::npos;
}

TEST(ProfileTable, EveryCellIsExact) {
  for (const Cell& cell : kCells) {
    for (const std::string_view profile : HonestProfileNames()) {
      TestDisk disk(profile);
      cell.history(&disk);
      int stated = 0;
      for (const Expected& expected : cell.expected) {
        if (!Names(expected.profiles, profile)) continue;
        ++stated;
        EXPECT_EQ(disk.Outcomes(), expected.states) << cell.name << " on " << profile;
      }
      EXPECT_EQ(stated, 1) << cell.name << " on " << profile;
    }
  }
}

TEST(ProfileTable, ALyingDiskLeavesWhatOneLeavesThatNobodyAskedToSync) {
  for (const Cell& cell : kCells) {
    TestDisk lying("lying-disk");
    TestDisk unasked("adversarial");
    unasked.IgnoreSyncs();
    cell.history(&lying);
    cell.history(&unasked);
    EXPECT_EQ(lying.Outcomes(), unasked.Outcomes()) << cell.name;
  }
}

TEST(ProfileTable, ALyingDiskHoldsBackOnlySoMuch) {
  TestDisk disk("lying-disk");
  SettledFile(&disk, "a", "");
  for (int i = 0; i < 1000; ++i) {
    disk.Append("a", "x");
    disk.Sync("a");
  }
  EXPECT_EQ(disk.disk()->pending_count(), 256u);
  EXPECT_EQ(disk.Crash("power keep=none").substr(0, 4), "/a=x") << "the oldest reached the platter";
  EXPECT_EQ(disk.Crash("process"), "/a=x*1000 ");
}

TEST(ProfileTable, NamesAreKnownAndOnlyTheLastLies) {
  const std::vector<std::string_view> names = ProfileNames();
  const std::vector<std::string_view> honest = HonestProfileNames();
  ASSERT_EQ(names.size(), 9u);
  EXPECT_EQ(std::vector<std::string_view>(names.begin(), names.end() - 1), honest);
  EXPECT_EQ(names.back(), "lying-disk");
  for (const std::string_view name : names) EXPECT_EQ(FindProfile(name)->name, name);
  EXPECT_EQ(FindProfile("ext5"), nullptr);
}

TEST(ProfileTable, TornBlocksWhereWholeOnesAreNotPromised) {
  for (const std::string_view profile : ProfileNames()) {
    TestDisk disk(profile);
    SettledFile(&disk, "a", std::string(4096, 'o'));
    disk.Write("a", 0, std::string(4096, 'n'));
    const bool tears = profile != "ext4-journal" && profile != "btrfs";
    EXPECT_EQ(disk.Crash("power keep=all tears=0:0x0f"), tears ? "/a=n*2048 o*2048 " : "/a=n*4096 ")
        << profile;
  }
}

TEST(ProfileTable, StaleBytesWhereMetadataMayPrecedeData) {
  for (const std::string_view profile : ProfileNames()) {
    TestDisk disk(profile);
    SettledFile(&disk, "old", "secret ...");
    disk.Close("old");
    EXPECT_TRUE(disk.Unlink("old").ok());
    SettledFile(&disk, "a", "");
    disk.Append("a", "new record");
    const bool stale =
        profile == "ext4-writeback" || profile == "adversarial" || profile == "lying-disk";
    const bool zeros = profile == "btrfs" || profile == "posix-min";
    EXPECT_EQ(disk.Crash("power keep=only:1 fills=0:stale:0"), stale   ? "/a=secret ..."
                                                               : zeros ? "/a=.........."
                                                                       : "/a=")
        << profile;
  }
}

}  // namespace
}  // namespace shearpin::faultfs
