// Goal: faults and crashes strike the call they were told to and no other, are marked, counted and
// announced, and a dying engine can still close everything. Method: a FaultFs with an observer that
// writes down what it hears.
#include "faultfs/fault_fs.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "faultfs/test_disk.h"

namespace shearpin::faultfs {
namespace {

class Recorder final : public FsObserver {
 public:
  void Before(const FsCall& call) override { Note("before", call); }
  void InFlight(const FsCall& call) override {
    Note("in flight", call);
    if (in_flight) in_flight();
  }
  void Delay(const FsCall& call, uint64_t micros) override { Note("delay", call, micros); }
  void After(const FsCall& call, const Status& result) override {
    Note(result.ok() ? "after" : "failed", call);
    last_hash = call.DataHash();
  }
  void Damaged(const FsCall& call, EffectKind effect, std::string_view path,
               uint64_t offset) override {
    damage += std::string(EffectKindName(effect)) + " in " + std::string(CallKindName(call.kind)) +
              " of " + std::string(path) + " at " + std::to_string(offset) + "\n";
  }
  void Crashed(const FsCall& call) override { Note("crashed", call); }

  std::string Take() { return std::exchange(notes_, ""); }

  std::function<void()> in_flight;
  std::string damage;
  uint64_t last_hash = 0;

 private:
  void Note(const std::string& what, const FsCall& call, uint64_t micros = 0) {
    notes_ += what + " " + std::to_string(call.ordinal) + " ";
    if (micros != 0) notes_ += std::to_string(micros) + " ";
    notes_.append(CallKindName(call.kind)).append(" ").append(call.path);
    if (!call.second_path.empty()) notes_.append(" ").append(call.second_path);
    if (call.size != 0) {
      notes_ += " " + std::to_string(call.offset) + "+" + std::to_string(call.size);
    }
    notes_ += "\n";
  }

  std::string notes_;
};

class FaultFsTest : public testing::Test {
 protected:
  std::unique_ptr<WritableFile> Create(const std::string& path) {
    auto file = fs_.OpenWritable(path, OpenMode::kTruncate);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return *std::move(file);
  }
  void Rule(std::string_view text) {
    const StatusOr<FaultRule> rule = FaultRule::Parse(text);
    ASSERT_TRUE(rule.ok()) << rule.status().ToString();
    fs_.AddRule(*rule);
  }
  std::string Image(const CrashPlan& plan = {}) { return Show(disk_.Materialise(plan)); }
  uint64_t Fired(EffectKind kind) { return fs_.fired()[static_cast<size_t>(kind)]; }

  SimDisk disk_{*FindProfile("posix-min")};
  Recorder seen_;
  FaultFs fs_{&disk_, &seen_};
};

TEST_F(FaultFsTest, ObserversHearEveryCallBeforeAndAfter) {
  {
    auto file = Create("/a");
    ASSERT_TRUE(file->Append("hello").ok());
    const uint64_t hash = seen_.last_hash;
    ASSERT_TRUE(file->Append("hello").ok());
    EXPECT_EQ(seen_.last_hash, hash);
    ASSERT_TRUE(file->Sync().ok());
  }
  ASSERT_TRUE(fs_.Rename("/a", "/b").ok());
  EXPECT_TRUE(fs_.Exists("/a").IsNotFound());
  EXPECT_EQ(seen_.Take(),
            "before 0 open_write /a 0+1\nafter 0 open_write /a 0+1\n"
            "before 1 append /a 0+5\nafter 1 append /a 0+5\n"
            "before 2 append /a 5+5\nafter 2 append /a 5+5\n"
            "before 3 sync /a\nin flight 3 sync /a\nafter 3 sync /a\n"
            "before 4 close /a 0+10\nafter 4 close /a 0+10\n"
            "before 5 rename /a /b\nafter 5 rename /a /b\n"
            "before 6 exists /a\nfailed 6 exists /a\n");
  EXPECT_EQ(fs_.calls(), 7u);
}

TEST_F(FaultFsTest, RulesSkipCountAndMatch) {
  Rule("ops=append path=*.log skip=1 times=2 effect=eio");
  auto log = Create("/1.log");
  auto table = Create("/1.sst");
  EXPECT_TRUE(log->Append("a").ok());
  EXPECT_TRUE(table->Append("x").ok());
  for (int i = 0; i < 2; ++i) {
    const Status status = log->Append("b");
    EXPECT_EQ(status.ToString(), "IO error: pwrite /1.log: Input/output error [injected]");
  }
  EXPECT_TRUE(table->Append("y").ok());
  EXPECT_TRUE(log->Append("c").ok());
  EXPECT_EQ(log->Size(), 2u);
  EXPECT_EQ(Image(), "/1.log=ac /1.sst=xy");
  EXPECT_EQ(Fired(EffectKind::kIoError), 2u);
}

TEST_F(FaultFsTest, StickyRulesLastUntilCleared) {
  Rule("ops=any path=* skip=0 times=always effect=enospc");
  for (int i = 0; i < 3; ++i) {
    const Status status = fs_.CreateDir("/d");
    EXPECT_TRUE(status.IsNoSpace() && status.injected()) << status.ToString();
  }
  fs_.ClearRules();
  EXPECT_TRUE(fs_.CreateDir("/d").ok());
  EXPECT_EQ(Fired(EffectKind::kNoSpace), 3u);
}

TEST_F(FaultFsTest, ShortWritesLeaveAPrefix) {
  Rule("ops=append effect=short_write:2");
  Rule("ops=append effect=short_write:100");
  auto file = Create("/a");
  EXPECT_TRUE(file->Append("hello").injected());
  EXPECT_EQ(file->Size(), 2u);
  EXPECT_TRUE(file->Append("xyz").injected()) << "all but one byte at most";
  EXPECT_EQ(Image(), "/a=hexy");
}

TEST_F(FaultFsTest, BrokenPromisesReturnOkAndAreTold) {
  {
    auto file = Create("/a");
    ASSERT_TRUE(file->Append("@@@@").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(fs_.SyncDir("/").ok());
    Rule("ops=sync skip=0 effect=lying_flush");
    ASSERT_TRUE(file->Append("1").ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=@@@@");
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=@@@@1") << "the next one did it";
    fs_.ClearRules();
    Rule("ops=sync effect=lost_write:0");
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_EQ(seen_.damage, "lying_flush in sync of /a at 0\n") << "there was nothing to lose";
    Rule("ops=sync effect=sync_fail:report_next");
    ASSERT_TRUE(file->Append("2").ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_TRUE(file->Sync().injected());
    fs_.ClearRules();
    Rule("ops=close effect=bit_rot:8");
  }
  EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=@A@@1.");
  auto file = *fs_.OpenRandomAccess("/a");
  char bytes[8];
  std::string_view read;
  ASSERT_TRUE(file->Read(0, 8, bytes, &read).ok());
  EXPECT_EQ(read, "@@@@12") << "cached";
  Rule("ops=read effect=short_read:3");
  ASSERT_TRUE(file->Read(0, 8, bytes, &read).ok());
  EXPECT_EQ(read, "@@@");
  Rule("ops=read effect=bit_rot:0");
  ASSERT_TRUE(file->Read(4, 1, bytes, &read).ok());
  EXPECT_EQ(read, "0") << "and the whole block comes from the platter now";
  ASSERT_TRUE(file->Read(0, 8, bytes, &read).ok());
  EXPECT_EQ(read, std::string_view("@A@@0\0", 6));
  Rule("ops=read effect=stale_read:0");
  ASSERT_TRUE(file->Read(0, 4, bytes, &read).ok());
  EXPECT_EQ(read, std::string_view("\0\0\0\0", 4));
  EXPECT_EQ(seen_.damage,
            "lying_flush in sync of /a at 0\nsync_fail in sync of /a at 0\n"
            "bit_rot in close of /a at 1\nshort_read in read of /a at 3\n"
            "bit_rot in read of /a at 4\nstale_read in read of /a at 0\n");
  EXPECT_EQ(Fired(EffectKind::kBitRot), 2u);
  EXPECT_EQ(Fired(EffectKind::kLostWrite), 0u) << "counted where it was broken";
}

TEST_F(FaultFsTest, MisdirectedWritesNameBothEnds) {
  auto a = Create("/a");
  auto b = Create("/b");
  ASSERT_TRUE(a->Append("aaaa").ok());
  ASSERT_TRUE(a->Sync().ok());
  ASSERT_TRUE(fs_.SyncDir("/").ok());
  Rule("ops=sync path=/b effect=misdirected_write:0");
  ASSERT_TRUE(b->Append("bb").ok());
  ASSERT_TRUE(b->Sync().ok());
  EXPECT_EQ(seen_.damage,
            "misdirected_write in sync of /b at 0\nmisdirected_write in sync of /a at 0\n");
  EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=bb.. /b=..");
}

TEST(ChecksummingFileSystem, DamageIsAnErrorAndNotGarbage) {
  SimDisk disk(*FindProfile("btrfs"));
  FaultFs fs(&disk, nullptr);
  auto file = *fs.OpenWritable("/a", OpenMode::kTruncate);
  ASSERT_TRUE(file->Append(std::string(5000, 'x')).ok());
  ASSERT_TRUE(file->Sync().ok());
  fs.AddRule(*FaultRule::Parse("ops=read effect=bit_rot:0"));
  auto reader = *fs.OpenRandomAccess("/a");
  char bytes[8];
  std::string_view read;
  for (int i = 0; i < 2; ++i) {
    const Status status = reader->Read(0, 8, bytes, &read);
    EXPECT_TRUE(status.IsIoError() && status.injected()) << status.ToString();
  }
  EXPECT_TRUE(reader->Read(4096, 8, bytes, &read).ok()) << "another block";
}

TEST_F(FaultFsTest, LatencyIsToldAndTheCallGoesOn) {
  Rule("ops=append effect=latency:250");
  Rule("ops=append times=always effect=latency:30");
  auto file = Create("/a");
  seen_.Take();
  EXPECT_TRUE(file->Append("x").ok());
  EXPECT_TRUE(file->Append("y").ok());
  EXPECT_EQ(seen_.Take(),
            "before 1 append /a 0+1\ndelay 1 280 append /a 0+1\nafter 1 append /a 0+1\n"
            "before 2 append /a 1+1\ndelay 2 30 append /a 1+1\nafter 2 append /a 1+1\n");
}

TEST_F(FaultFsTest, ACrashIsCancelledWhileItsCallWaits) {
  auto file = Create("/a");
  ASSERT_TRUE(file->Append("hello").ok());
  for (const CrashMoment moment : {CrashMoment::kMidway, CrashMoment::kAfter}) {
    seen_.in_flight = [&] { fs_.CancelCrash(); };
    fs_.CrashAtCall({.calls = 0, .kinds = SetOf(CallKind::kSync), .moment = moment});
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_FALSE(fs_.frozen());
  }
  seen_.in_flight = nullptr;
  fs_.CrashAtCall({.calls = 0, .kinds = SetOf(CallKind::kSync), .moment = CrashMoment::kAfter});
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_TRUE(fs_.frozen());
}

TEST_F(FaultFsTest, FailedSyncsInEachMode) {
  Rule("ops=sync path=/keep effect=sync_fail:keep_new_clean");
  Rule("ops=sync path=/revert effect=sync_fail:revert_old");
  Rule("ops=sync path=/next effect=sync_fail:report_next");
  Rule("ops=sync path=/stop effect=sync_fail:shutdown");
  for (const char* path : {"/keep", "/revert", "/next"}) {
    auto file = Create(path);
    ASSERT_TRUE(file->Append("x").ok());
    const bool late = std::string_view(path) == "/next";
    EXPECT_EQ(file->Sync().ok(), late) << path;
    const Status second = file->Sync();
    EXPECT_EQ(second.ok(), !late) << path;
    EXPECT_EQ(second.injected(), late) << path;
    EXPECT_TRUE(file->Sync().ok()) << path;
  }
  ASSERT_TRUE(fs_.SyncDir("/").ok());
  EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/keep=. /next=. /revert=");
  auto file = Create("/stop");
  EXPECT_TRUE(file->Sync().injected());
  EXPECT_TRUE(file->Append("x").injected());
  EXPECT_TRUE(fs_.ListDir("/").status().injected());
  EXPECT_FALSE(fs_.frozen());
  for (const uint64_t count : fs_.sync_failures()) EXPECT_EQ(count, 1u);
}

TEST_F(FaultFsTest, FullDiskIsInjectedAndRelieved) {
  disk_.SetCapacity(10);
  auto file = Create("/a");
  const Status full = file->Append("0123456789abc");
  EXPECT_TRUE(full.IsNoSpace() && full.injected());
  EXPECT_EQ(full.ToString(), "No space: pwrite /a: No space left on device [injected]");
  EXPECT_EQ(file->Size(), 10u) << "what fitted was written";
  EXPECT_TRUE(file->Preallocate(20).IsNoSpace());
  EXPECT_EQ(fs_.disk_full(), 2u);
  disk_.SetCapacity(100);
  EXPECT_TRUE(file->Append("abc").ok());
}

TEST_F(FaultFsTest, AWriteDuringASyncIsNotCovered) {
  auto file = Create("/a");
  ASSERT_TRUE(fs_.SyncDir("/").ok());
  ASSERT_TRUE(file->Append("covered").ok());
  seen_.in_flight = [&] { ASSERT_TRUE(file->Append(" late").ok()); };
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=covered");
  EXPECT_EQ(Image(), "/a=covered late");
}

TEST_F(FaultFsTest, ACrashBeforeACallPreventsIt) {
  auto file = Create("/a");
  fs_.CrashAtCall({.calls = 1, .kinds = SetOf(CallKind::kAppend)});
  ASSERT_TRUE(file->Append("one").ok());
  ASSERT_TRUE(fs_.Exists("/a").ok());
  seen_.Take();
  const Status status = file->Append("two");
  EXPECT_EQ(status.ToString(), "IO error: pwrite /a: the simulated machine has crashed [injected]");
  EXPECT_EQ(seen_.Take(),
            "before 3 append /a 3+3\ncrashed 3 append /a 3+3\nfailed 3 append /a 3+3\n");
  EXPECT_TRUE(fs_.frozen());
  EXPECT_EQ(Image(), "/a=one");
}

TEST_F(FaultFsTest, ACrashMidwayLeavesPartOfAWrite) {
  auto file = Create("/a");
  fs_.CrashAtCall({.calls = 0, .moment = CrashMoment::kMidway, .bytes = 3});
  EXPECT_TRUE(file->Append("hello").injected());
  EXPECT_EQ(Image(), "/a=hel");
}

TEST_F(FaultFsTest, ACrashMidwayThroughASyncPromisesNothing) {
  auto file = Create("/a");
  ASSERT_TRUE(fs_.SyncDir("/").ok());
  ASSERT_TRUE(file->Append("x").ok());
  fs_.CrashAtCall({.calls = 0, .moment = CrashMoment::kMidway});
  EXPECT_TRUE(file->Sync().injected());
  EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=");
}

TEST_F(FaultFsTest, ACrashAfterACallTakesOnlyTheAnswer) {
  auto file = Create("/a");
  ASSERT_TRUE(fs_.SyncDir("/").ok());
  ASSERT_TRUE(file->Append("x").ok());
  fs_.CrashAtCall({.calls = 0, .moment = CrashMoment::kAfter});
  EXPECT_TRUE(file->Sync().injected());
  EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=x") << "durable, and nobody heard of it";
}

TEST_F(FaultFsTest, AnotherFiberCrashingTheMachineStopsASyncInFlight) {
  auto file = Create("/a");
  ASSERT_TRUE(fs_.SyncDir("/").ok());
  ASSERT_TRUE(file->Append("x").ok());
  seen_.in_flight = [&] { fs_.Freeze(); };
  EXPECT_TRUE(file->Sync().injected());
  EXPECT_EQ(Image({.keep = KeepRule::kNone}), "/a=");
}

TEST_F(FaultFsTest, AFrozenMachineRefusesEverythingAndClosesCleanly) {
  auto file = Create("/a");
  ASSERT_TRUE(file->Append("x").ok());
  ASSERT_TRUE(file->Preallocate(100).ok());
  auto reader = fs_.OpenRandomAccess("/a");
  auto lock = fs_.LockFile("/LOCK");
  ASSERT_TRUE(reader.ok() && lock.ok());
  const std::string before = Image();
  fs_.Freeze();
  char scratch[8];
  std::string_view result;
  EXPECT_TRUE(file->Append("y").injected());
  EXPECT_TRUE(file->Sync().injected());
  EXPECT_TRUE(file->Preallocate(200).injected());
  EXPECT_TRUE((*reader)->Read(0, 8, scratch, &result).injected());
  EXPECT_TRUE((*reader)->Size().status().injected());
  EXPECT_TRUE(fs_.OpenRandomAccess("/a").status().injected());
  EXPECT_TRUE(fs_.OpenWritable("/b", OpenMode::kTruncate).status().injected());
  EXPECT_TRUE(fs_.CreateDir("/d").injected());
  EXPECT_TRUE(fs_.RemoveDir("/d").injected());
  EXPECT_TRUE(fs_.ListDir("/").status().injected());
  EXPECT_TRUE(fs_.SyncDir("/").injected());
  EXPECT_TRUE(fs_.Rename("/a", "/b").injected());
  EXPECT_TRUE(fs_.Link("/a", "/b").injected());
  EXPECT_TRUE(fs_.Unlink("/a").injected());
  EXPECT_TRUE(fs_.Truncate("/a", 0).injected());
  EXPECT_TRUE(fs_.FileSize("/a").status().injected());
  EXPECT_TRUE(fs_.Exists("/a").injected());
  EXPECT_TRUE(fs_.LockFile("/LOCK").status().injected());
  EXPECT_TRUE(file->Close().injected());
  EXPECT_TRUE(file->Close().ok()) << "it is closed";
  file.reset();
  EXPECT_EQ(Image(), before) << "the disk holds what it held";
}

TEST_F(FaultFsTest, AnotherMachineStartsFromTheImageWhileTheFirstDies) {
  auto file = Create("/a");
  ASSERT_TRUE(file->Append("x").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(fs_.SyncDir("/").ok());
  auto lock = fs_.LockFile("/LOCK");
  ASSERT_TRUE(lock.ok());
  fs_.Freeze();
  SimDisk next_disk(disk_.Materialise({}), disk_.profile());
  FaultFs next(&next_disk, nullptr);
  EXPECT_TRUE(next.LockFile("/LOCK").ok()) << "locks die with their process";
  auto again = next.OpenWritable("/a", OpenMode::kAppend);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE((*again)->Append("y").ok());
  EXPECT_EQ(Show(next_disk.Materialise({})), "/LOCK= /a=xy");
  EXPECT_EQ(Image(), "/LOCK= /a=x");
}

}  // namespace
}  // namespace shearpin::faultfs
