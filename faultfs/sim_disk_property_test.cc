// Goal: the laws of crashes hold for every history, profile and plan. Method: random histories of
// namespace and file operations on a few colliding names; plans drawn at random, or, where the
// pending list is short enough, every legal choice.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "faultfs/standard_plans.h"
#include "faultfs/test_disk.h"

namespace shearpin::faultfs {
namespace {

enum class Verb {
  kAppend,
  kOverwrite,
  kPreallocate,
  kSync,
  kSyncDir,
  kRename,
  kLink,
  kUnlink,
  kTruncate,
  kMakeDir,
  kWriteBack,
  kClose,
};
constexpr int kVerbs = 12;

struct Step {
  Verb verb;
  int a;
  int b;
  int size;
};

std::ostream& operator<<(std::ostream& os, const Step& step) {
  return os << "{" << static_cast<int>(step.verb) << ", " << step.a << ", " << step.b << ", "
            << step.size << "}";
}

using History = std::vector<Step>;

rc::Gen<Step> AnyStep() {
  const auto size = rc::gen::weightedOneOf<int>({{4, rc::gen::inRange(0, 40)},
                                                 {1, rc::gen::inRange(480, 1100)},
                                                 {1, rc::gen::inRange(4000, 9000)}});
  const auto verb = rc::gen::weightedOneOf<int>(
      {{2, rc::gen::inRange(0, kVerbs)}, {1, rc::gen::just(static_cast<int>(Verb::kAppend))}});
  return rc::gen::construct<Step>(rc::gen::map(verb, [](int v) { return static_cast<Verb>(v); }),
                                  rc::gen::inRange(0, 5), rc::gen::inRange(0, 5), size);
}

const char* NameOf(int i) {
  static const char* const kNames[] = {"a", "b", "c", "d", "d/x"};
  return kNames[i];
}

bool IsDirectory(TestDisk* disk, const std::string& name) {
  return disk->disk()->ListDir("/" + name).ok();
}

// Does the step, if it can be done. Contents tell when they were written.
void Do(const Step& step, int serial, TestDisk* disk) {
  const std::string a = NameOf(step.a);
  const std::string b = NameOf(step.b);
  const auto size = static_cast<uint64_t>(step.size);
  const std::string data(size, static_cast<char>('A' + serial % 26));
  const bool usable = !IsDirectory(disk, a) && (step.a != 4 || IsDirectory(disk, "d"));
  switch (step.verb) {
    case Verb::kAppend:
      if (usable || disk->IsOpen(a)) disk->Append(a, data);
      break;
    case Verb::kOverwrite:
      if (disk->IsOpen(a)) {
        const uint64_t old_size = disk->disk()->Size(*disk->File(a));
        const uint64_t offset = static_cast<uint64_t>(step.b) * 1000;
        if (offset < old_size) disk->Write(a, offset, data.substr(0, old_size - offset));
      }
      break;
    case Verb::kPreallocate:
      if (disk->IsOpen(a)) disk->Preallocate(a, size);
      break;
    case Verb::kSync:
      if (disk->IsOpen(a)) disk->Sync(a);
      break;
    case Verb::kSyncDir:
      disk->SyncDir(step.b < 2 && IsDirectory(disk, "d") ? "d" : "/");
      break;
    case Verb::kRename:
      static_cast<void>(disk->Rename(a, b).ok());
      break;
    case Verb::kLink:
      static_cast<void>(disk->Link(a, b).ok());
      break;
    case Verb::kUnlink:
      static_cast<void>(disk->Unlink(a).ok());
      break;
    case Verb::kTruncate:
      if (usable) static_cast<void>(disk->Truncate(a, size).ok());
      break;
    case Verb::kMakeDir:
      static_cast<void>(disk->MakeDir("d").ok());
      break;
    case Verb::kWriteBack:
      disk->disk()->WriteBack(static_cast<size_t>(step.b));
      break;
    case Verb::kClose:
      disk->Close(a);
      break;
  }
}

void Play(const History& history, TestDisk* disk) {
  int serial = 0;
  for (const Step& step : history) Do(step, serial++, disk);
}

// One whose syncs sync: what a disk does that lies is stated in sim_disk_test.cc.
rc::Gen<std::string> AnyProfile() {
  const std::vector<std::string_view> names = HonestProfileNames();
  return rc::gen::elementOf(std::vector<std::string>(names.begin(), names.end()));
}

rc::Gen<CrashPlan> AnyPlan(uint32_t pending) {
  return rc::gen::exec([pending] {
    CrashPlan plan;
    plan.keep = static_cast<KeepRule>(*rc::gen::inRange(0, 7));
    const auto ordinal = rc::gen::inRange<uint32_t>(0, pending + 1);
    plan.prefix = *ordinal;
    plan.ops = *rc::gen::container<std::vector<uint32_t>>(ordinal);
    plan.bits = *rc::gen::container<std::string>(pending, rc::gen::element('0', '1'));
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      plan.tears.push_back({.op = *ordinal,
                            .new_sectors = *rc::gen::arbitrary<uint8_t>(),
                            .garbage_sectors = *rc::gen::arbitrary<uint8_t>(),
                            .old_op = *rc::gen::inRange(0, 2) != 0 ? *ordinal : Tear::kOnPlatter});
    }
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      plan.fills.push_back({.op = *ordinal,
                            .kind = static_cast<Fill::Kind>(*rc::gen::inRange(0, 2)),
                            .recycled = *rc::gen::inRange<uint32_t>(0, 4)});
    }
    return plan;
  });
}

CrashPlan AnyPlanFor(const TestDisk& disk) {
  return *AnyPlan(static_cast<uint32_t>(disk.disk()->pending_count()));
}

const CrashPlan kProcess = {.kind = CrashKind::kProcess};
const CrashPlan kAllKept = {};

// Plays as much of a history as leaves few enough operations pending to enumerate them.
void PlayShort(const History& history, size_t most_pending, TestDisk* disk) {
  int serial = 0;
  for (const Step& step : history) {
    if (disk->disk()->pending_count() + 6 > most_pending) break;
    Do(step, serial++, disk);
  }
}

void Check(const char* law, const std::function<void()>& property) {
  EXPECT_TRUE(rc::check(law, property));
}

TEST(CrashLaws, AllKeptIsTheLiveView) {
  Check("all kept is the live view", [] {
    TestDisk disk(*AnyProfile());
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    const DiskImage kept = disk.disk()->Materialise(kAllKept);
    const DiskImage live = disk.disk()->Materialise(kProcess);
    RC_ASSERT(Show(kept) == Show(live));
    RC_ASSERT(kept.ContentHash() == live.ContentHash());
    for (const char* name : {"a", "b"}) {
      if (!disk.IsOpen(name)) continue;
      std::string text(disk.disk()->Size(*disk.File(name)), '?');
      RC_ASSERT(disk.disk()->Read(*disk.File(name), 0, text.size(), text.data()) == text.size());
    }
  });
}

TEST(CrashLaws, NothingPendingMeansOneOutcome) {
  Check("after everything is synced no plan loses anything", [] {
    TestDisk disk(*AnyProfile());
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    disk.SyncAll();
    RC_ASSERT(disk.disk()->pending_count() == 0u);
    RC_ASSERT(Show(disk.disk()->Materialise(AnyPlanFor(disk))) ==
              Show(disk.disk()->Materialise(kProcess)));
  });
}

TEST(CrashLaws, SyncedDataUnderSyncedNamesIsNeverLost) {
  Check("synced data under synced names is never lost", [] {
    Profile profile = *FindProfile(*AnyProfile());
    profile.powersafe_overwrite = true;  // off, it may damage what was synced: that is its point
    TestDisk disk(profile);
    std::map<std::string, std::string> synced;  // by name: a prefix that must be there
    std::map<std::string, std::string> written;
    std::set<std::string> durable_names;
    int serial = 0;
    for (const Step& step : *rc::gen::container<History>(AnyStep())) {
      // Files that are only appended to, synced, and never lose or share their name.
      const std::string name = NameOf(step.a % 3);
      const std::string data(static_cast<size_t>(step.size),
                             static_cast<char>('A' + serial++ % 26));
      switch (step.verb) {
        case Verb::kSync:
          if (!disk.IsOpen(name)) break;
          disk.Sync(name);
          synced[name] = written[name];
          break;
        case Verb::kSyncDir:
          disk.SyncDir();
          for (const auto& [known, contents] : written) durable_names.insert(known);
          break;
        case Verb::kPreallocate:
          if (disk.IsOpen(name)) disk.Preallocate(name, static_cast<uint64_t>(step.size));
          break;
        case Verb::kRename:
          static_cast<void>(disk.Rename("other", "another").ok());
          break;
        case Verb::kUnlink:
          disk.Append("other", data);
          break;
        default:
          disk.Append(name, data);
          written[name] += data;
          break;
      }
    }
    for (int i = 0; i < 5; ++i) {
      const DiskImage image = disk.disk()->Materialise(AnyPlanFor(disk));
      for (const std::string& name : durable_names) {
        const auto contents = image.ReadFile("/" + name);
        RC_ASSERT(contents.ok());
        RC_ASSERT(contents->substr(0, synced[name].size()) == synced[name]);
      }
    }
  });
}

TEST(CrashLaws, ClosureIsDownwardAndIdempotent) {
  Check("what a plan keeps is within what it asked for, and is itself closed", [] {
    TestDisk disk(*AnyProfile());
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    CrashPlan plan = AnyPlanFor(disk);
    plan.keep = KeepRule::kList;
    plan.bits.resize(disk.disk()->pending_count(), '0');
    const std::vector<bool> kept = disk.disk()->KeptOps(plan);
    CrashPlan again = plan;
    for (size_t i = 0; i < kept.size(); ++i) {
      RC_ASSERT(!kept[i] || plan.bits[i] == '1');
      again.bits[i] = kept[i] ? '1' : '0';
    }
    RC_ASSERT(disk.disk()->KeptOps(again) == kept);
  });
}

TEST(CrashLaws, BothReadingsOfTheEdgesAgree) {
  Check("i falls with j exactly if i needs j", [] {
    TestDisk disk(*AnyProfile());
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    const auto count = static_cast<uint32_t>(disk.disk()->pending_count());
    RC_PRE(count > 0u && count < 60u);
    for (uint32_t i = 0; i < count; ++i) {
      const std::vector<uint32_t> needed = disk.disk()->NeededBy({i});
      const std::vector<bool> alone =
          disk.disk()->KeptOps({.keep = KeepRule::kOnly, .ops = needed});
      RC_ASSERT(std::count(alone.begin(), alone.end(), true) ==
                static_cast<ptrdiff_t>(needed.size()));
      for (uint32_t j = 0; j < count; ++j) {
        const bool needs = std::binary_search(needed.begin(), needed.end(), j);
        const std::vector<bool> kept =
            disk.disk()->KeptOps({.keep = KeepRule::kExcept, .ops = {j}});
        RC_ASSERT(kept[i] == !needs);
      }
    }
  });
}

TEST(CrashLaws, ImagesAreIndependent) {
  Check("neither the disk it came from nor one it was given to changes an image", [] {
    const std::string profile = *AnyProfile();
    TestDisk disk(profile);
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    const DiskImage image = disk.disk()->Materialise(AnyPlanFor(disk));
    const std::string before = Show(image);
    const std::string live = Show(disk.disk()->Materialise(kProcess));
    {
      SimDisk next(image, *FindProfile(profile));
      RC_ASSERT(Show(next.Materialise({.keep = KeepRule::kNone})) == before);
      RC_ASSERT(next.Materialise(kProcess).ContentHash() == image.ContentHash());
      for (const char* path : {"/a", "/b", "/c"}) {
        auto file = next.Open(path, OpenHow::kAppend);
        if (!file.ok()) continue;
        next.Write(*file, next.Size(*file) / 2, "scribble");
        RC_ASSERT(next.FinishSync(&*file, next.StartSync(*file)).ok());
      }
    }
    RC_ASSERT(Show(disk.disk()->Materialise(kProcess)) == live);
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    disk.SyncAll();
    RC_ASSERT(Show(image) == before);
  });
}

TEST(CrashLaws, SameHistorySamePlanSameImage) {
  Check("two runs agree, and so does a fork", [] {
    const std::string profile = *AnyProfile();
    const History history = *rc::gen::container<History>(AnyStep());
    TestDisk one(profile);
    TestDisk two(profile);
    Play(history, &one);
    Play(history, &two);
    const CrashPlan plan = AnyPlanFor(one);
    RC_ASSERT(one.disk()->Materialise(plan).ContentHash() ==
              two.disk()->Materialise(plan).ContentHash());
    for (const char* name : {"a", "b", "c", "d", "d/x"}) one.Close(name);
    RC_ASSERT(one.disk()->Fork()->Materialise(plan).ContentHash() ==
              one.disk()->Materialise(plan).ContentHash());
  });
}

// Everything that a reader can tell: names, contents, and which names are links of one file.
std::string Identity(const DiskImage& image) {
  std::string text = Show(image);
  for (const ImageTree::Entry& entry : image.tree().entries) {
    text += " " + std::to_string(entry.node);
  }
  return text;
}

TEST(CrashLaws, EqualHashesAreEqualImages) {
  Check("hash and content agree", [] {
    TestDisk disk(*AnyProfile());
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    const DiskImage one = disk.disk()->Materialise(AnyPlanFor(disk));
    const DiskImage two = disk.disk()->Materialise(AnyPlanFor(disk));
    RC_ASSERT((one.ContentHash() == two.ContentHash()) == (Identity(one) == Identity(two)));
  });
}

TEST(CrashLaws, NothingHidesBehindTheEndOfAFile) {
  Check("files of a fresh machine grow with zeros", [] {
    const std::string profile = *AnyProfile();
    TestDisk disk(profile);
    Play(*rc::gen::container<History>(AnyStep()), &disk);
    SimDisk next(disk.disk()->Materialise(AnyPlanFor(disk)), *FindProfile(profile));
    for (const char* path : {"/a", "/b", "/c"}) {
      auto file = next.Open(path, OpenHow::kRead);
      if (!file.ok()) continue;
      const uint64_t size = next.Size(*file);
      next.Resize(*file, size + 9000);
      std::string grown(9000, '?');
      RC_ASSERT(next.Read(*file, size, grown.size(), grown.data()) == grown.size());
      RC_ASSERT(grown == std::string(9000, '\0'));
    }
  });
}

// The outcomes of plans that keep all of `durable`.
std::set<std::string> OutcomesWith(const TestDisk& disk, const std::vector<uint32_t>& durable) {
  std::set<std::string> outcomes;
  for (const CrashPlan& plan : AllLegalChoices(*disk.disk())) {
    const auto keeps = [&plan](uint32_t op) { return plan.bits[op] == '1'; };
    if (std::all_of(durable.begin(), durable.end(), keeps)) {
      outcomes.insert(Show(disk.disk()->Materialise(plan)));
    }
  }
  return outcomes;
}

// What a sync of the root directory is to make durable, told from outside.
std::vector<uint32_t> EntriesOfRoot(const TestDisk& disk) {
  const auto in_root = [](const std::string& path) { return path.rfind('/') == 0; };
  std::vector<uint32_t> ops;
  for (const PendingOp& op : disk.disk()->PendingOps()) {
    const bool is_entry = op.kind == OpKind::kEntryAdd || op.kind == OpKind::kEntryRemove ||
                          op.kind == OpKind::kRename;
    if (!is_entry) continue;
    if (in_root(op.path) || (op.kind == OpKind::kRename && in_root(op.second_path))) {
      ops.push_back(op.ordinal);
    }
  }
  return ops;
}

TEST(CrashLaws, DurableIsKeptAndNothingElseChanges) {
  Check("the outcomes after a sync are those before that keep what it covers", [] {
    TestDisk disk(*AnyProfile());
    PlayShort(*rc::gen::container<History>(AnyStep()), 14, &disk);
    RC_PRE(disk.disk()->pending_count() <= 14u);
    std::vector<uint32_t> covered;
    const bool sync_directory = *rc::gen::inRange(0, 2) == 0;
    const size_t count = std::min(*rc::gen::inRange<size_t>(0, 6), disk.disk()->pending_count());
    if (sync_directory) {
      covered = EntriesOfRoot(disk);
    } else {
      for (uint32_t i = 0; i < count; ++i) covered.push_back(i);
    }
    const std::set<std::string> expected = OutcomesWith(disk, covered);
    if (sync_directory) {
      disk.SyncDir();
    } else {
      disk.disk()->WriteBack(count);
    }
    RC_ASSERT(disk.Outcomes() == expected);
  });
}

// Each pair: whatever the first may leave, torn and stale blocks apart, the second may leave.
constexpr std::pair<const char*, const char*> kLattice[] = {
    {"ext4-journal", "ext4-ordered"},
    {"ext4-ordered", "ext4-noauto-da-alloc"},
    {"ext4-ordered", "ext4-writeback"},
    {"ext4-noauto-da-alloc", "xfs"},
    {"ext4-writeback", "btrfs"},
    {"xfs", "btrfs"},
    {"btrfs", "posix-min"},
    {"posix-min", "adversarial"},
    {"adversarial", "posix-min"},
    {"adversarial", "lying-disk"},
};

TEST(CrashLaws, StrongerProfilesLeaveSubsets) {
  for (const auto& [stronger, weaker] : kLattice) {
    Check((std::string("whatever ") + stronger + " may leave, " + weaker + " may leave").c_str(),
          [stronger = stronger, weaker = weaker] {
            const History history = *rc::gen::container<History>(AnyStep());
            TestDisk weak(weaker);
            TestDisk strong(stronger);
            int serial = 0;
            for (const Step& step : history) {
              // How much a write-back takes depends on how a profile cuts calls into operations.
              if (step.verb == Verb::kWriteBack) continue;
              if (weak.disk()->pending_count() + 6 > 14) break;
              Do(step, serial, &weak);
              Do(step, serial++, &strong);
            }
            RC_PRE(weak.disk()->pending_count() <= 16u && strong.disk()->pending_count() <= 16u);
            const std::set<std::string> outcomes = weak.Outcomes();
            for (const std::string& outcome : strong.Outcomes()) {
              RC_LOG() << outcome << "\n";
              RC_ASSERT(outcomes.count(outcome) == 1u);
            }
          });
  }
}

TEST(CrashLaws, StandardPlansAreLegalOutcomes) {
  Check("untorn standard plans are among all outcomes; all stages run", [] {
    TestDisk disk(*AnyProfile());
    PlayShort(*rc::gen::container<History>(AnyStep()), 12, &disk);
    RC_PRE(disk.disk()->pending_count() <= 14u);
    const std::set<std::string> outcomes = disk.Outcomes();
    StandardPlans plans(*disk.disk());
    CrashPlan plan;
    size_t count = 0;
    while (plans.Next(&plan)) {
      ++count;
      const DiskImage image = disk.disk()->Materialise(plan);
      if (plan.tears.empty() && plan.fills.empty()) RC_ASSERT(outcomes.count(Show(image)) == 1u);
      RC_ASSERT(*CrashPlan::Parse(plan.ToString()) == plan);
    }
    RC_ASSERT(count >= 2 + 2 * disk.disk()->pending_count());
  });
}

}  // namespace
}  // namespace shearpin::faultfs
