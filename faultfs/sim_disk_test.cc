// Goal: syncs, failed syncs, torn and stale blocks, damage and capacity do what the reference says
// (the profile table is in profile_table_test.cc). Method: small histories, all legal power losses
// enumerated and compared with the exact set of states that the reference allows; single plans for
// torn and stale blocks.
#include "faultfs/sim_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "faultfs/test_disk.h"

namespace shearpin::faultfs {
namespace {

using States = std::set<std::string>;

constexpr std::string_view kExt4 = "ext4-ordered";
constexpr std::string_view kPosix = "posix-min";
constexpr std::string_view kAdversarial = "adversarial";

void SettledFile(TestDisk* disk, const std::string& name, std::string_view contents) {
  disk->Append(name, contents);
  disk->SyncAll();
}

TEST(SimDiskTest, SyncCoversOnlyWhatWasLoggedBeforeItStarted) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "");
  disk.Append("a", "one");
  OpenFile* const file = disk.File("a");
  const SyncTicket ticket = disk.disk()->StartSync(*file);
  disk.Append("a", "two");
  EXPECT_EQ(disk.Outcomes().count("/a="), 1u) << "nothing is durable before the sync ends";
  ASSERT_TRUE(disk.disk()->FinishSync(file, ticket).ok());
  EXPECT_EQ(disk.Outcomes(), (States{"/a=one", "/a=one...", "/a=onetwo"}));
}

TEST(SimDiskTest, ProcessDeathKeepsThePageCacheAndWhatIsPending) {
  TestDisk disk(kPosix);
  disk.Append("a", "unsynced");
  EXPECT_EQ(disk.Crash("process"), "/a=unsynced");
  const std::unique_ptr<SimDisk> survivor = disk.disk()->Fork();
  disk.Append("a", " and later");
  disk.SyncAll();
  EXPECT_EQ(Show(survivor->Materialise({.kind = CrashKind::kProcess})), "/a=unsynced");
  EXPECT_EQ(Show(survivor->Materialise({.keep = KeepRule::kNone})), "")
      << "the power may still go before it is written back";
}

TEST(SimDiskTest, UnlinkedOpenFilesAreGoneAfterAFork) {
  TestDisk disk(kPosix);
  disk.Append("a", "x");
  disk.SyncAll();
  ASSERT_TRUE(disk.Unlink("a").ok());
  disk.SyncAll();
  EXPECT_EQ(disk.Read("a"), "x");
  disk.Append("a", "y");
  EXPECT_EQ(disk.disk()->pending_count(), 2u);
  EXPECT_EQ(disk.disk()->Fork()->pending_count(), 0u) << "writes nobody can read are moot";
  EXPECT_EQ(disk.disk()->used_bytes(), 2u);
  EXPECT_EQ(disk.disk()->Fork()->used_bytes(), 0u);
}

// A journal may commit a truncation or an allocation before older data of the file.
TEST(SimDiskTest, CommittedMetadataOvertakesDelayedData) {
  TestDisk disk(kExt4);
  SettledFile(&disk, "a", "");
  disk.Append("a", "abcdef");
  ASSERT_TRUE(disk.Truncate("a", 2).ok());
  disk.Append("b", "");
  disk.SyncDir();
  EXPECT_EQ(disk.Outcomes(), (States{"/a=.. /b=", "/a=ab /b="}))
      << "what was cut off stays cut off";
  TestDisk grown(kExt4);
  SettledFile(&grown, "a", "");
  grown.Append("a", "abc");
  grown.Append("a", "def");
  grown.Preallocate("a", 8);
  grown.Append("b", "");
  grown.SyncDir();
  EXPECT_EQ(grown.Outcomes(), (States{"/a=........ /b=", "/a=abc..... /b=", "/a=abcdef.. /b="}));
  grown.Sync("a");
  EXPECT_EQ(grown.Outcomes(), (States{"/a=abcdef.. /b="}));
}

TEST(SimDiskTest, WritesOfABlockStayAChainWhenOthersLeaveTheLog) {
  TestDisk disk(kExt4);
  SettledFile(&disk, "a", std::string(4096, 'x'));
  disk.Write("a", 0, "1");
  disk.Append("a", "cut off");
  ASSERT_TRUE(disk.Truncate("a", 4096).ok());
  disk.Append("a", "again");
  disk.Append("b", "");
  disk.SyncDir();  // commits the truncation
  disk.Write("a", 1, "2");
  EXPECT_EQ(disk.Outcomes(),
            (States{"/a=x*4096  /b=", "/a=1x*4095  /b=", "/a=12x*4094  /b=", "/a=x*4096 again /b=",
                    "/a=1x*4095 again /b=", "/a=12x*4094 again /b="}));
}

// Failed syncs. ----------------------------------------------------------------------------------

TEST(FailedSync, KeepNewCleanLosesThePagesForGood) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "old");
  disk.Write("a", 0, "NEW");
  const Status status = disk.FailSync("a", SyncFailure::kKeepNewClean);
  EXPECT_EQ(status.ToString(), "IO error: fdatasync /a: Input/output error");
  EXPECT_EQ(disk.Read("a"), "NEW") << "memory keeps the new content";
  disk.Sync("a");  // succeeds
  EXPECT_EQ(disk.Outcomes(), (States{"/a=old"})) << "and wrote nothing";
  EXPECT_EQ(disk.Crash("process"), "/a=NEW");
  EXPECT_EQ(disk.disk()->Evict(), 1u);
  EXPECT_EQ(disk.Read("a"), "old") << "the durable content shows again";
  EXPECT_EQ(disk.disk()->Evict(), 0u);
}

TEST(FailedSync, ALostBlockIsWrittenWholeWhenItIsDirtiedAgain) {
  for (const std::string_view profile : HonestProfileNames()) {
    TestDisk disk(profile);
    SettledFile(&disk, "a", "old-old");
    disk.Write("a", 0, "NEW");
    EXPECT_FALSE(disk.FailSync("a", SyncFailure::kKeepNewClean).ok());
    disk.Write("a", 4, "AGAIN");
    disk.Sync("a");
    EXPECT_EQ(disk.Outcomes(), (States{"/a=NEW-AGAIN"})) << profile;
  }
}

TEST(FailedSync, AnAppendIsAHoleAfterwards) {
  TestDisk disk(kExt4);
  SettledFile(&disk, "a", "old");
  disk.Append("a", "new");
  EXPECT_FALSE(disk.FailSync("a", SyncFailure::kKeepNewClean).ok());
  disk.Sync("a");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=old..."})) << "the size went out, the data never will";
}

TEST(FailedSync, LostConversionsAreRepeated) {
  TestDisk disk(kExt4);
  disk.Preallocate("a", 8);
  disk.SyncAll();
  disk.Append("a", "x");
  EXPECT_FALSE(disk.FailSync("a", SyncFailure::kKeepNewClean).ok());
  EXPECT_EQ(disk.Outcomes(), (States{"/a=........"}));
  disk.Append("a", "y");
  disk.Sync("a");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=xy......"}));
}

TEST(FailedSync, EvictionBringsBackUnwrittenExtents) {
  TestDisk disk(kPosix);
  disk.Preallocate("a", 8);
  disk.SyncAll();
  disk.Append("a", "x");
  EXPECT_FALSE(disk.FailSync("a", SyncFailure::kKeepNewClean).ok());
  EXPECT_EQ(disk.disk()->Evict(), 1u);
  EXPECT_EQ(disk.Read("a"), "........");
  disk.Append("a", "y");
  disk.Sync("a");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=.y......"}));
}

TEST(FailedSync, RevertOldTakesTheContentBack) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "old");
  disk.Append("a", "new");
  EXPECT_FALSE(disk.FailSync("a", SyncFailure::kRevertOld).ok());
  EXPECT_EQ(disk.Read("a"), "old");
  disk.Sync("a");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=old"}));
  EXPECT_EQ(disk.disk()->used_bytes(), 3u);
}

TEST(FailedSync, ReportNextTellsAtTheNextSync) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "old");
  disk.Append("a", "new");
  EXPECT_TRUE(disk.FailSync("a", SyncFailure::kReportNext).ok());
  OpenFile* const file = disk.File("a");
  EXPECT_TRUE(disk.disk()->FinishSync(file, disk.disk()->StartSync(*file)).IsIoError());
  EXPECT_TRUE(disk.disk()->FinishSync(file, disk.disk()->StartSync(*file)).ok()) << "once";
  EXPECT_EQ(disk.Outcomes(), (States{"/a=old..."}));
}

TEST(FailedSync, EachDescriptorOpenAtTheTimeHearsOfItOnce) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "old");
  OpenFile other = *disk.disk()->Open("/a", OpenHow::kAppend);
  disk.Append("a", "new");
  EXPECT_FALSE(disk.FailSync("a", SyncFailure::kKeepNewClean).ok());
  OpenFile later = *disk.disk()->Open("/a", OpenHow::kAppend);
  disk.Sync("a");
  EXPECT_TRUE(disk.disk()->FinishSync(&other, disk.disk()->StartSync(other)).IsIoError());
  EXPECT_TRUE(disk.disk()->FinishSync(&other, disk.disk()->StartSync(other)).ok());
  EXPECT_TRUE(disk.disk()->FinishSync(&later, disk.disk()->StartSync(later)).ok());
}

TEST(FailedSync, ABlockDirtiedDuringTheSyncStaysDirty) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "old");
  disk.Write("a", 0, "N");
  OpenFile* const file = disk.File("a");
  const SyncTicket ticket = disk.disk()->StartSync(*file);
  disk.Write("a", 1, "EW");
  EXPECT_FALSE(disk.disk()->FailSync(file, ticket, SyncFailure::kKeepNewClean).ok());
  disk.Sync("a");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=NEW"}));
}

// Eviction after each way in which a sync can fail: what the platter holds shows, and what a
// later write makes of it.
TEST(FailedSync, EvictionAfterEachMode) {
  struct Case {
    SyncFailure mode;
    size_t evicted;
    std::string_view before;
    std::string_view after;
  };
  for (const Case& each : {Case{SyncFailure::kKeepNewClean, 1, "NEW", "old"},
                           Case{SyncFailure::kReportNext, 1, "NEW", "old"},
                           Case{SyncFailure::kRevertOld, 0, "old", "old"}}) {
    TestDisk disk(kPosix);
    SettledFile(&disk, "a", "old");
    disk.Write("a", 0, "NEW");
    static_cast<void>(disk.FailSync("a", each.mode).ok());
    EXPECT_EQ(disk.Read("a"), each.before) << SyncFailureName(each.mode);
    EXPECT_EQ(disk.disk()->Evict(), each.evicted) << SyncFailureName(each.mode);
    EXPECT_EQ(disk.Read("a"), each.after) << SyncFailureName(each.mode);
    disk.Write("a", 1, "x");
    disk.SyncAll();
    EXPECT_EQ(disk.Outcomes(), States{"/a=oxd"}) << SyncFailureName(each.mode);
  }
}

// Broken promises. -------------------------------------------------------------------------------

TEST(LostWrite, StaysInTheCacheAndIsNotOnThePlatter) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", std::string(4096, 'x') + "y");
  disk.Write("a", 0, "X");
  disk.Write("a", 4096, "Y");
  OpenFile* const file = disk.File("a");
  const SyncTicket ticket = disk.disk()->StartSync(*file);
  ASSERT_TRUE(disk.disk()->LoseWrite(ticket, 3));
  ASSERT_TRUE(disk.disk()->FinishSync(file, ticket).ok());
  EXPECT_EQ(disk.Outcomes(), (States{"/a=Xx*4095 y"})) << "the second block of two";
  EXPECT_EQ(disk.Crash("process"), "/a=Xx*4095 Y");
  EXPECT_TRUE(disk.disk()->DamagedFiles().empty()) << "nobody can see it yet";
  EXPECT_FALSE(disk.disk()->LoseWrite(disk.disk()->StartSync(*file), 0)) << "nothing to write";
  EXPECT_EQ(disk.disk()->Evict(), 1u);
  EXPECT_EQ(disk.disk()->DamagedFiles(), std::vector<std::string>{"/a"});
  EXPECT_FALSE(disk.disk()->IsDamaged(*file, 0, 4096));
  EXPECT_TRUE(disk.disk()->IsDamaged(*file, 4000, 97));
  const SimDisk next(disk.disk()->Materialise({}), *FindProfile(kPosix));
  EXPECT_EQ(next.DamagedFiles(), std::vector<std::string>{"/a"}) << "over a crash";
}

TEST(LostWrite, ABlockWrittenAgainGoesOutWhole) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "old");
  disk.Append("a", "new");
  OpenFile* const file = disk.File("a");
  ASSERT_TRUE(disk.disk()->LoseWrite(disk.disk()->StartSync(*file), 0));
  disk.Sync("a");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=old..."}));
  disk.Append("a", "er");
  disk.Sync("a");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=oldnewer"}));
  disk.disk()->Evict();
  EXPECT_TRUE(disk.disk()->DamagedFiles().empty());
}

TEST(MisdirectedWrite, LandsOnAnotherDurableBlock) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "aaa");
  SettledFile(&disk, "b", "bbbbb");
  disk.Write("a", 0, "AAA");
  OpenFile* const file = disk.File("a");
  std::string victim;
  ASSERT_TRUE(disk.disk()->MisdirectWrite(disk.disk()->StartSync(*file), 0, &victim));
  disk.Sync("a");
  EXPECT_EQ(victim, "/b");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=aaa /b=AAA.."}));
  EXPECT_EQ(disk.Crash("process"), "/a=AAA /b=bbbbb");
  disk.disk()->Evict();
  EXPECT_EQ(disk.disk()->DamagedFiles(), (std::vector<std::string>{"/a", "/b"}));
}

TEST(BitRot, ShowsWhenTheBlockIsReadFromThePlatter) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "@@@@");
  uint64_t where = 0;
  ASSERT_TRUE(disk.disk()->Rot(*disk.File("a"), 0, UINT64_MAX, 8, true, &where));
  EXPECT_EQ(where, 1u);
  EXPECT_EQ(disk.Read("a"), "@@@@");
  EXPECT_EQ(disk.Outcomes(), (States{"/a=@A@@"}));
  EXPECT_EQ(disk.disk()->Evict(), 1u);
  EXPECT_EQ(disk.Read("a"), "@A@@");
  ASSERT_TRUE(disk.disk()->Rot(*disk.File("a"), 2, 1, 8 + 1, false, &where));
  EXPECT_EQ(where, 2u);
  EXPECT_EQ(disk.Read("a"), "@AB@") << "read from the platter just now";
}

TEST(BitRot, SparesWhatIsDirtyOrWasNeverWritten) {
  TestDisk disk(kPosix);
  uint64_t where = 0;
  disk.Preallocate("a", 8192);
  disk.SyncAll();
  EXPECT_FALSE(disk.disk()->Rot(*disk.File("a"), 0, UINT64_MAX, 0, true, &where));
  disk.Append("a", "@");
  EXPECT_FALSE(disk.disk()->Rot(*disk.File("a"), 0, UINT64_MAX, 0, true, &where));
  disk.SyncAll();
  EXPECT_FALSE(disk.disk()->Rot(*disk.File("a"), 1, UINT64_MAX, 0, true, &where));
  EXPECT_TRUE(disk.disk()->Rot(*disk.File("a"), 0, UINT64_MAX, 0, true, &where));
}

TEST(StaleRead, GivesTheFormerBlock) {
  TestDisk disk(kPosix);
  disk.disk()->KeepRecycled();
  SettledFile(&disk, "old", "former");
  disk.Close("old");
  ASSERT_TRUE(disk.Unlink("old").ok());
  disk.SyncAll();
  SettledFile(&disk, "a", "settled");
  char bytes[16] = {};
  bool stale = false;
  OpenFile* const file = disk.File("a");
  EXPECT_EQ(disk.disk()->ReadStale(*file, 0, 16, 5, bytes, &stale), 7u);
  EXPECT_EQ(std::string_view(bytes, 7), std::string_view("former\0", 7));
  EXPECT_TRUE(stale);
  disk.Write("a", 0, "SET");
  EXPECT_EQ(disk.disk()->ReadStale(*file, 2, 16, 5, bytes, &stale), 5u);
  EXPECT_EQ(std::string_view(bytes, 5), "ttled") << "what the dirty page will go over";
  EXPECT_EQ(disk.disk()->ReadStale(*file, 3, 16, 5, bytes, &stale), 4u);
  EXPECT_FALSE(stale);
}

// Background write-back. -------------------------------------------------------------------------

TEST(WriteBackTest, TheJournalCommitsNamesAndTheFlusherData) {
  TestDisk disk(kPosix);
  disk.Append("a", "one");
  const uint64_t before = disk.disk()->LogPosition();
  disk.Append("b", "two");
  EXPECT_EQ(disk.disk()->CommitBefore(before), 1u);
  EXPECT_EQ(disk.Crash("power keep=none"), "/a=");
  EXPECT_EQ(disk.disk()->WriteBackBefore(before), 2u);
  EXPECT_EQ(disk.Crash("power keep=none"), "/a=one");
  EXPECT_EQ(disk.disk()->WriteBackBefore(before), 0u);
  EXPECT_EQ(disk.disk()->pending_count(), 3u);
  TestDisk journal("ext4-journal");
  journal.Append("a", "one");
  EXPECT_EQ(journal.disk()->CommitBefore(journal.disk()->LogPosition()), 3u) << "data goes along";
}

TEST(CrashTraitsTest, TellWhatIsPeculiar) {
  TestDisk disk(kAdversarial);
  SettledFile(&disk, "gone", "x");
  SettledFile(&disk, "a", std::string(4096, 'o'));
  disk.Close("gone");
  ASSERT_TRUE(disk.Unlink("gone").ok());
  disk.Write("a", 0, std::string(4096, 'n'));
  disk.Append("a", "grown");
  CrashTraits traits;
  const auto look = [&](std::string_view text) {
    traits = CrashTraits();
    static_cast<void>(disk.disk()->Materialise(*CrashPlan::Parse(text), &traits));
  };
  look("power keep=all");
  EXPECT_EQ(traits.resurrected_names + traits.torn_blocks + traits.garbage_blocks, 0u);
  look("power keep=except:0 tears=1:0x0f!0x10");
  EXPECT_EQ(traits.resurrected_names, 1u);
  EXPECT_EQ(traits.torn_blocks, 1u);
  EXPECT_EQ(traits.garbage_blocks, 1u);
  look("power keep=except:2 fills=2:stale:0");
  EXPECT_EQ(traits.stale_blocks, 1u);
}

// Torn and stale blocks. -------------------------------------------------------------------------

// A file of eight sectors 'o', durable, overwritten whole with 'n': operation 0.
void OverwrittenBlock(TestDisk* disk) {
  SettledFile(disk, "a", std::string(4096, 'o'));
  disk->Write("a", 0, std::string(4096, 'n'));
}

TEST(TornBlocks, EachSectorIsOldOrNew) {
  TestDisk disk(kExt4);
  OverwrittenBlock(&disk);
  EXPECT_EQ(disk.Crash("power keep=all tears=0:0x0f"), "/a=n*2048 o*2048 ");
  EXPECT_EQ(disk.Crash("power keep=all tears=0:0x80"), "/a=o*3584 n*512 ");
  EXPECT_EQ(disk.Crash("power keep=all tears=0:0x00"), disk.Crash("power keep=none"));
  EXPECT_EQ(disk.Crash("power keep=none tears=0:0xff"), disk.Crash("power keep=none"))
      << "a dropped write does not tear";
}

TEST(TornBlocks, OldSectorsMayHoldAnyEarlierVersion) {
  TestDisk disk(kPosix);
  OverwrittenBlock(&disk);
  disk.Write("a", 0, std::string(4096, 'x'));
  EXPECT_EQ(disk.Crash("power keep=all tears=1:0x0f"), "/a=x*2048 o*2048 ");
  EXPECT_EQ(disk.Crash("power keep=all tears=1:0x0f@0"), "/a=x*2048 n*2048 ");
  EXPECT_EQ(disk.Crash("power keep=all tears=0:0x0f"), disk.Crash("power keep=all"))
      << "only the last write of a block is in flight";
  EXPECT_EQ(disk.Crash("power keep=prefix:1 tears=0:0x0f"), "/a=n*2048 o*2048 ");
}

TEST(TornBlocks, NothingUndoesAWriteThatTheSizeWaitedFor) {
  TestDisk disk(kExt4);
  SettledFile(&disk, "a", "");
  disk.Append("a", std::string(4096, 'n'));
  EXPECT_EQ(disk.Crash("power keep=all tears=0:0x0f"), "/a=n*4096 ");
  TestDisk weaker(kPosix);
  SettledFile(&weaker, "a", "");
  weaker.Append("a", std::string(4096, 'n'));
  EXPECT_EQ(weaker.Crash("power keep=all tears=0:0x0f"), "/a=n*2048 .*2048 ");
}

TEST(TornBlocks, OldSectorsNeverReachBehindATruncation) {
  TestDisk disk(kPosix);
  SettledFile(&disk, "a", "o" + std::string(4095, 'o'));
  disk.Write("a", 0, std::string(4096, 'n'));
  ASSERT_TRUE(disk.Truncate("a", 512).ok());
  disk.Append("a", std::string(1024, 'x'));
  EXPECT_EQ(disk.Crash("power keep=all tears=2:0x00"), "/a=n*512 .*1024 ");
}

TEST(TornBlocks, GarbageOnlyWhereTheProfileHasIt) {
  TestDisk honest(kPosix);
  OverwrittenBlock(&honest);
  EXPECT_EQ(honest.Crash("power keep=all tears=0:0xff!0x01"), "/a=n*4096 ");
  TestDisk adversarial(kAdversarial);
  OverwrittenBlock(&adversarial);
  const std::string torn = adversarial.Crash("power keep=all tears=0:0x7e!0x01");
  EXPECT_THAT(torn, testing::EndsWith("n*3072 o*512 "));
  EXPECT_THAT(torn, testing::HasSubstr("#"));
}

TEST(TornBlocks, PowersafeOverwriteSavesTheSyncedBytesOfASector) {
  for (const bool powersafe : {true, false}) {
    Profile profile = *FindProfile(kAdversarial);
    profile.powersafe_overwrite = powersafe;
    TestDisk disk(profile);
    SettledFile(&disk, "a", std::string(600, 's'));
    disk.Append("a", std::string(100, 'n'));
    const std::string torn = disk.Crash("power keep=all tears=0:0x02!0x02");
    EXPECT_THAT(torn, testing::StartsWith(powersafe ? "/a=s*600 " : "/a=s*512 "));
    EXPECT_EQ(torn.find("n*"), std::string::npos);
    EXPECT_EQ(disk.Crash("power keep=all tears=0:0x02!0x01"), disk.Crash("power keep=all"))
        << "no sector is damaged that nothing was written to";
  }
}

TEST(StaleBlocks, RecycledBlocksShowOldRecords) {
  TestDisk disk(kAdversarial);
  SettledFile(&disk, "old", "old record ...");
  disk.Close("old");
  ASSERT_TRUE(disk.Unlink("old").ok());
  disk.SyncAll();
  ASSERT_EQ(disk.disk()->recycled_count(), 1u);
  SettledFile(&disk, "a", "");
  disk.Append("a", "new record");
  EXPECT_EQ(disk.Crash("power keep=only:1"), "/a=..........");
  EXPECT_EQ(disk.Crash("power keep=only:1 fills=0:stale:0"), "/a=old record");
  EXPECT_EQ(disk.Crash("power keep=only:1 fills=0:stale:7"), "/a=old record") << "modulo";
  EXPECT_EQ(disk.Crash("power keep=all fills=0:stale:0"), "/a=new record");
  EXPECT_EQ(disk.Crash("power keep=none fills=0:stale:0"), "/a=");
  EXPECT_NE(disk.Crash("power keep=only:1 fills=0:garbage"), "/a=..........");
  const SimDisk next(disk.disk()->Materialise({}), *FindProfile(kAdversarial));
  EXPECT_EQ(next.recycled_count(), 1u) << "blocks stay stale over a crash";
}

TEST(StaleBlocks, NeverInUnwrittenExtentsOrOtherProfiles) {
  TestDisk disk(kAdversarial);
  disk.Preallocate("a", 100);
  disk.SyncAll();
  disk.Append("a", "new");
  EXPECT_THAT(disk.Crash("power keep=none fills=0:garbage"), "/a=.*100 ");
  EXPECT_THAT(disk.Crash("power keep=only:1 fills=0:garbage"), "/a=.*100 ");
  TestDisk honest(kPosix);
  SettledFile(&honest, "a", "");
  honest.Append("a", "new");
  EXPECT_EQ(honest.Crash("power keep=only:1 fills=0:garbage"), "/a=...");
}

// The rest. --------------------------------------------------------------------------------------

TEST(Capacity, IsCountedInBytesAndFreedOnLastUnlinkAndClose) {
  TestDisk disk(kPosix);
  disk.disk()->SetCapacity(100);
  disk.Append("a", std::string(60, 'x'));
  EXPECT_EQ(disk.disk()->Write(*disk.File("b"), 0, std::string(60, 'y')), 40u) << "what fits";
  EXPECT_EQ(disk.disk()->used_bytes(), 100u);
  EXPECT_EQ(disk.disk()->Write(*disk.File("b"), 40, "z"), 0u);
  disk.Write("a", 0, "overwriting needs no space");
  EXPECT_FALSE(disk.disk()->Allocate(*disk.File("b"), 41));
  ASSERT_TRUE(disk.Unlink("a").ok());
  EXPECT_EQ(disk.disk()->used_bytes(), 100u) << "still open";
  disk.Close("a");
  EXPECT_EQ(disk.disk()->used_bytes(), 40u);
  EXPECT_TRUE(disk.disk()->Allocate(*disk.File("b"), 100));
  ASSERT_TRUE(disk.Truncate("b", 10).ok());
  EXPECT_EQ(disk.disk()->used_bytes(), 10u);
  disk.disk()->SetCapacity(5);
  EXPECT_EQ(disk.disk()->Write(*disk.File("b"), 10, "z"), 0u) << "already over";
}

TEST(DiskImageTest, CarriesEverythingIntoANewDisk) {
  TestDisk disk(kPosix);
  ASSERT_TRUE(disk.MakeDir("d").ok());
  ASSERT_TRUE(disk.MakeDir("d/e").ok());
  disk.Append("d/e/f", "deep");
  ASSERT_TRUE(disk.Link("d/e/f", "g").ok());
  const DiskImage image = disk.disk()->Materialise({});
  EXPECT_EQ(Show(image), "/d/ /d/e/ /d/e/f=deep /g=deep");
  EXPECT_EQ(image.file_count(), 1u) << "a hard link is not a copy";
  SimDisk next(image, *FindProfile(kExt4));
  EXPECT_EQ(next.pending_count(), 0u);
  EXPECT_EQ(next.used_bytes(), 4u);
  EXPECT_EQ(next.Materialise({.keep = KeepRule::kNone}).ContentHash(), image.ContentHash());
  OpenFile file = *next.Open("/g", OpenHow::kAppend);
  ASSERT_EQ(next.Write(file, 4, "er"), 2u);
  EXPECT_EQ(Show(next.Materialise({})), "/d/ /d/e/ /d/e/f=deeper /g=deeper");
  EXPECT_EQ(Show(image), "/d/ /d/e/ /d/e/f=deep /g=deep") << "the image stays as it was";
}

TEST(DiskImageTest, HashIsOfWhatCanBeRead) {
  TestDisk zeros(kPosix);
  zeros.Append("a", std::string(5000, '\0'));
  TestDisk hole(kPosix);
  hole.Preallocate("a", 5000);
  EXPECT_EQ(zeros.disk()->Materialise({}).ContentHash(),
            hole.disk()->Materialise({}).ContentHash());
  TestDisk longer(kPosix);
  longer.Preallocate("a", 5001);
  EXPECT_NE(zeros.disk()->Materialise({}).ContentHash(),
            longer.disk()->Materialise({}).ContentHash());
  TestDisk copies(kPosix);
  copies.Append("a", "x");
  copies.Append("b", "x");
  TestDisk links(kPosix);
  links.Append("a", "x");
  ASSERT_TRUE(links.Link("a", "b").ok());
  EXPECT_NE(copies.disk()->Materialise({}).ContentHash(),
            links.disk()->Materialise({}).ContentHash());
}

TEST(PendingOpsTest, TellTheStory) {
  TestDisk disk(kExt4);
  ASSERT_TRUE(disk.MakeDir("db").ok());
  disk.SyncAll();
  disk.Append("db/000001.log", std::string(600, 'x'));
  disk.Append("db/CURRENT.tmp", "");
  ASSERT_TRUE(disk.Rename("db/CURRENT.tmp", "db/CURRENT").ok());
  std::string story;
  for (const PendingOp& op : disk.disk()->PendingOps()) {
    story += op.ToString() + " (" + std::string(PurposeName(op.purpose)) + ")\n";
  }
  EXPECT_EQ(story,
            "entry_add #0 /db/000001.log (wal)\n"
            "data #1 /db/000001.log block 0 [0,600) (wal)\n"
            "size #2 /db/000001.log to 600 bytes (wal)\n"
            "entry_add #3 /db/CURRENT.tmp (current)\n"
            "rename #4 /db/CURRENT.tmp to /db/CURRENT (current)\n");
  EXPECT_EQ(disk.disk()->PendingOps()[1].sectors, 0x03);
  EXPECT_EQ(disk.disk()->NeededBy({2}), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(disk.disk()->NeededBy({4}), (std::vector<uint32_t>{0, 3, 4}));
}

}  // namespace
}  // namespace shearpin::faultfs
