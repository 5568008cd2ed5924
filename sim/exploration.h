// Exploration: the search behind Explorer: one plan under one profile. Finds states that are wrong;
// what to make of them is the Explorer's.
//
// Thread safety: one OS thread. Ownership: borrows what it is given.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "faultfs/disk_image.h"
#include "sim/crash_probe.h"
#include "sim/explorer.h"
#include "sim/image_memo.h"
#include "sim/image_recovery.h"

namespace shearpin::sim {

class Exploration : public CrashProbe {
 public:
  // Only this place of the run, if set.
  struct Place {
    size_t crashes_before = 0;
    uint64_t calls = 0;
  };

  Exploration(const Plan& plan, SubjectFactory* factory, ExecutionBackend* fibers,
              const ExploreOptions& options, const Place* only);

  // Runs the plan with this as its probe, then the recoveries.
  void Run();

  // One wrong state, the first of its class.
  struct Wrong {
    Defect defect;
    Plan plan;
    Place place;
    int depth = 0;
    uint64_t states = 1;
  };

  // After Run.
  std::vector<Wrong> TakeWrong() { return std::move(wrong_); }
  ExploreReport TakeReport();

  void AtCrashPoint(const CrashPoint& point) override;

 private:
  enum class Pass : uint8_t {
    kStates,      // of the run: each is recovered and judged
    kRecoveries,  // those that the model has to judge, while it is there
  };

  // Where a state came from; the chain of parents ends at the run.
  struct Origin {
    static constexpr uint32_t kRun = UINT32_MAX;
    uint32_t parent = kRun;
    CrashStart start;
    size_t crashes_before = 0;
    uint64_t calls = 0;
    std::string image;                 // empty: the process died
    bool after_recovery = false;       // not inside it: that was settled
    std::vector<uint32_t> next_steps;  // of the run's own places
  };

  // What recoveries from one crash are held against: one state, or the model.
  struct Judge {
    std::optional<uint64_t> state;      // its hash
    const CrashPoint* point = nullptr;  // where there is no state
    CrashPoint::Owed after_process_death;
    CrashPoint::Owed after_power_loss;
    size_t checkpoints = 0;  // the first so many of copies_
    bool with_faults = false;

    const CrashPoint::Owed& OwedAfter(bool process) const {
      return process ? after_process_death : after_power_loss;
    }
    Judge ByState(uint64_t hash) const {
      Judge judge = *this;
      judge.state = hash;
      judge.point = nullptr;
      return judge;
    }
  };

  // A state whose recovery is to be explored: an image, or a disk with something pending.
  struct Node {
    std::optional<faultfs::DiskImage> image;
    std::unique_ptr<faultfs::SimDisk> disk;
    Judge judge;
    uint32_t origin = 0;
    int depth = 0;
  };

  class Descent;

  bool Stopped();
  uint64_t StateHash(const ImageRecovery& recovery) const;

  void ShowStates(const CrashPoint& point, const Judge& judge);
  void ShowRecoveries(const CrashPoint& point, const Judge& judge);
  bool NeedsModel(const Judge& judge, bool process) const;
  Origin OriginAt(const CrashPoint& point, const faultfs::CrashPlan& plan) const;
  static bool IsNewHere(const faultfs::SimDisk& disk, const faultfs::CrashPlan& plan,
                        std::vector<uint64_t>* seen);

  Defect Try(ImageRecovery* recovery, std::unique_ptr<faultfs::SimDisk> disk,
             const ImageRecovery::Terms& terms, const ImageRecovery::BeforeChange& before_change);
  Defect Recover(const faultfs::DiskImage& image, const Judge& judge, bool process, int depth);
  // `*known` is set to what is known of the image, until the next one.
  Defect Check(const faultfs::DiskImage& image, const Judge& judge, bool process, int depth,
               ImageMemo::Known** known);
  Defect CheckByModel(const faultfs::DiskImage& image, const Judge& judge, bool process, int depth,
                      ImageMemo::Known* known);
  Defect CheckByState(const faultfs::DiskImage& image, const Judge& judge, bool process, int depth,
                      ImageMemo::Known* known);
  ImageMemo::Known* Remembered(const faultfs::DiskImage& image, const Judge& judge, bool process);
  static uint64_t ObligationHash(const Judge& judge, const CrashPoint::Owed& owed);
  bool IsNewDisk(const faultfs::SimDisk& disk, const Judge& judge);
  ImageRecovery::Terms TermsOf(const Judge& judge, bool process) const;
  ImageRecovery* Leaf(int depth) { return depth == 0 ? &check_ : &recheck_; }

  uint32_t Keep(Origin origin);
  void Enqueue(Node node, Origin origin);
  void Descend(const Node& node);

  void TakeDefect(Defect defect, const Origin& origin, int depth);
  Plan PlanOf(const Origin& origin, bool ends_there) const;

  const Plan& plan_;
  const faultfs::Profile profile_;
  SubjectFactory* const factory_;
  ExecutionBackend* const fibers_;
  const ExploreOptions options_;
  const Place* const only_;
  const bool breaks_promises_;                            // the plan's disk, perhaps
  ImageRecovery check_;                                   // of an image of the run
  ImageRecovery recheck_;                                 // of an image of a recovery
  std::vector<std::unique_ptr<ImageRecovery>> descents_;  // those explored, one in the other
  const model::MayVanish may_vanish_;
  std::vector<std::string> keys_;
  ImageMemo memo_;
  ImageMemo owed_;   // where promises were broken: images by what was owed of them
  ImageMemo disks_;  // after the death of a process: what is pending too, and what was owed
  std::vector<CheckpointCopy> copies_;
  Pass pass_ = Pass::kStates;
  uint64_t places_ = 0;        // of this pass
  uint64_t inner_places_ = 0;  // inside recoveries
  uint64_t tried_;
  std::vector<uint64_t> seen_;      // at one place: hashes of the sets of operations that were kept
  std::vector<CrashSpec> crashes_;  // of the run, as far as it came
  std::vector<Origin> origins_;
  std::deque<Node> queue_;
  std::vector<Wrong> wrong_;
  ExploreReport report_;
  bool stopped_ = false;
  uint64_t asked_ = 0;  // how often, whether to stop
};

}  // namespace shearpin::sim
