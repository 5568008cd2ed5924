// Exploration: the search behind Explorer: one plan under one profile. Finds states that are wrong;
// what to make of them is the Explorer's.
//
// Thread safety: one OS thread. Ownership: borrows what it is given.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
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
  // Where an image came from; the chain of parents ends at the run.
  struct Origin {
    static constexpr uint32_t kRun = UINT32_MAX;
    uint32_t parent = kRun;
    CrashStart start;
    size_t crashes_before = 0;
    uint64_t calls = 0;
    std::string image;
  };
  // An image whose recovery is to be explored, and what it leads to.
  struct Node {
    faultfs::DiskImage image;
    uint64_t state;
    uint32_t origin;
    int depth;
  };

  bool Stopped();
  uint64_t StateHash(const ImageRecovery& recovery) const;
  Defect CheckByModel(const faultfs::DiskImage& image, const CrashPoint& point,
                      model::CrashKind kind, ImageMemo::Known* known);
  Defect CheckByState(const faultfs::DiskImage& image, uint64_t state, ImageMemo::Known* known);
  void Enqueue(const faultfs::DiskImage& image, uint64_t state, Origin origin, int depth);
  void Expand(const Node& node);
  bool IsNewHere(const faultfs::SimDisk& disk, const faultfs::CrashPlan& plan);
  void TakeDefect(Defect defect, const Origin& origin, int depth);
  Plan PlanOf(const Origin& origin) const;
  Rng RandomStates() const;

  const Plan& plan_;
  const faultfs::Profile profile_;
  SubjectFactory* const factory_;
  ExecutionBackend* const fibers_;
  const ExploreOptions options_;
  const Place* const only_;
  ImageRecovery check_;         // of an image of the run
  ImageRecovery crashing_;      // of one whose recovery is explored
  ImageRecovery recrash_;       // of an image of that recovery
  std::vector<uint64_t> seen_;  // at one place: hashes of the sets of operations that were kept
  const model::MayVanish may_vanish_;
  std::vector<std::string> keys_;
  ImageMemo memo_;
  std::vector<CrashSpec> crashes_;  // of the run, as far as it came
  std::vector<Origin> origins_;
  std::deque<Node> queue_;
  std::vector<Wrong> wrong_;
  ExploreReport report_;
  bool stopped_ = false;
};

}  // namespace shearpin::sim
