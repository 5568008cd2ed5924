#include "sim/exploration.h"

#include <algorithm>
#include <utility>

#include "faultfs/file_content.h"
#include "model/state_hash.h"
#include "sim/plan_terms.h"
#include "sim/simulator.h"

namespace shearpin::sim {
namespace {

using faultfs::CombineHashes;
using faultfs::CrashPlan;
using faultfs::DiskImage;
using faultfs::SimDisk;

// An image in the queue keeps some kilobytes. What finds no room is not explored further, and the
// report says so.
constexpr size_t kMostQueued = 50'000;

// Classes of failure beyond this many are not kept apart.
constexpr size_t kMostWrong = 20;

faultfs::Profile ProfileOf(const Plan& plan) {
  faultfs::Profile profile = *faultfs::FindProfile(plan.profile);
  profile.powersafe_overwrite = plan.powersafe_overwrite;
  return profile;
}

}  // namespace

Exploration::Exploration(const Plan& plan, SubjectFactory* factory, ExecutionBackend* fibers,
                         const ExploreOptions& options, const Place* only)
    : plan_(plan),
      profile_(ProfileOf(plan)),
      factory_(factory),
      fibers_(fibers),
      options_(options),
      only_(only),
      check_(plan, profile_, factory, fibers, ImageRecovery::Turns::kReaderFirst, 0),
      crashing_(plan, profile_, factory, fibers, ImageRecovery::Turns::kPlan, 0),
      recrash_(plan, profile_, factory, fibers, ImageRecovery::Turns::kReaderFirst, 1),
      may_vanish_(MayVanishOf(plan)) {
  report_.checked_by_depth.resize(static_cast<size_t>(options.depth) + 1);
}

void Exploration::Run() {
  report_.run = Simulator(factory_, fibers_).Run(plan_, {}, this);
  for (; !queue_.empty() && !Stopped(); queue_.pop_front()) Expand(queue_.front());
  if (!queue_.empty()) report_.all = false;
}

ExploreReport Exploration::TakeReport() {
  report_.distinct = memo_.size();
  return std::move(report_);
}

bool Exploration::Stopped() {
  if (stopped_) return true;
  stopped_ = report_.checked >= options_.budget;
  if (!stopped_ && ++asked_ % 64 == 0 && options_.out_of_time) {
    stopped_ = options_.out_of_time();
  }
  return stopped_;
}

Rng Exploration::RandomStates() const {
  return Rng::Stream(plan_.crash_seed, "explored", report_.points);
}

uint64_t Exploration::StateHash(const ImageRecovery& recovery) const {
  uint64_t hash = 1;
  for (const model::KeyValue& pair : recovery.pairs()) {
    if (may_vanish_ && may_vanish_(pair.key, pair.value)) continue;
    hash += model::PairHash(pair.key, pair.value);
  }
  return hash;
}

void Exploration::AtCrashPoint(const CrashPoint& point) {
  if (only_ != nullptr &&
      (point.before.size() != only_->crashes_before || point.calls != only_->calls)) {
    return;
  }
  if (point.operations < options_.first_operation) return;
  ++report_.points;
  crashes_.assign(point.before.begin(), point.before.end());
  if (keys_.empty()) keys_ = *point.keys;
  seen_.clear();
  CrashStates states(*point.disk, options_.states, RandomStates());
  for (CrashPlan plan; states.Next(&plan);) {
    ++report_.legal;
    if (Stopped()) {
      report_.all = false;
      continue;
    }
    if (!IsNewHere(*point.disk, plan)) continue;
    const DiskImage image = point.disk->Materialise(plan);
    const bool process = plan.kind == faultfs::CrashKind::kProcess;
    ImageMemo::Known* const known = memo_.Find(image.ContentHash());
    Defect defect = CheckByModel(
        image, point, process ? point.process_death : model::CrashKind::kPowerLoss, known);
    if (defect.ok() && (known->wrong || known->queued || process || options_.depth == 0)) continue;
    Origin origin = {.parent = Origin::kRun,
                     .start = point.start,
                     .crashes_before = point.before.size(),
                     .calls = point.calls,
                     .image = process ? std::string() : plan.ToString()};
    if (!defect.ok()) {
      TakeDefect(std::move(defect), origin, 0);
    } else {
      known->queued = true;
      Enqueue(image, known->state, std::move(origin), 0);
    }
  }
}

// False if an earlier plan at this place keeps the same operations, and neither tears or fills: its
// image is the same, and finding that out is cheaper than making it.
bool Exploration::IsNewHere(const SimDisk& disk, const CrashPlan& plan) {
  if (plan.kind == faultfs::CrashKind::kProcess || !plan.tears.empty() || !plan.fills.empty()) {
    return true;
  }
  const uint64_t hash = disk.KeptHash(plan);
  if (std::find(seen_.begin(), seen_.end(), hash) != seen_.end()) return false;
  seen_.push_back(hash);
  return true;
}

// A state owed at least what is owed now if the pair that explained it is not below today's floors
// and the log it was explained by is still the same.
Defect Exploration::CheckByModel(const DiskImage& image, const CrashPoint& point,
                                 model::CrashKind kind, ImageMemo::Known* known) {
  const model::KvModel& model = *point.model;
  const uint64_t floor =
      kind == model::CrashKind::kPowerLoss ? model.synced_sequence() : model.logged_sequence();
  if (known->wrong) return {};
  if (known->judged && known->rebuilds == model.log().rebuilds() && known->n >= floor &&
      known->n >= model.flushed_sequence() && known->flushed >= model.flushed_sequence()) {
    return {};
  }
  ++report_.checked;
  ++report_.checked_by_depth[0];
  Defect defect = check_.Run(image, keys_);
  if (defect.ok()) {
    const model::Verdict verdict = point.oracle->CheckRecovery(check_.pairs(), kind);
    known->judged = true;
    known->n = verdict.n;
    known->flushed = verdict.flushed;
    known->rebuilds = model.log().rebuilds();
    if (options_.depth > 0) known->state = StateHash(check_);
    if (!verdict.ok()) {
      defect = {ClassOf(verdict.failure_class), verdict.message};
    }
  }
  known->wrong = !defect.ok();
  report_.digest = CombineHashes(CombineHashes(report_.digest, known->image), known->n);
  return defect;
}

Defect Exploration::CheckByState(const DiskImage& image, uint64_t state, ImageMemo::Known* known) {
  if (known->wrong) return {};
  if (known->state == 0) {
    ++report_.checked;
    Defect defect = recrash_.Run(image, keys_);
    known->wrong = !defect.ok();
    if (known->wrong) return defect;
    known->state = StateHash(recrash_);
    report_.digest = CombineHashes(CombineHashes(report_.digest, known->image), known->state);
  }
  if (known->state == state) return {};
  known->wrong = true;
  return {FailureClass::kWrongData,
          "a recovery that crashed leads to another state than one that did not"};
}

void Exploration::Enqueue(const DiskImage& image, uint64_t state, Origin origin, int depth) {
  if (queue_.size() >= kMostQueued) {
    report_.all = false;
    return;
  }
  origins_.push_back(std::move(origin));
  queue_.push_back({image, state, static_cast<uint32_t>(origins_.size() - 1), depth});
}

// Recovers the image once more, and looks at every place where that recovery could crash.
void Exploration::Expand(const Node& node) {
  const int depth = node.depth + 1;
  Defect again = crashing_.Run(node.image, keys_, [&](const SimDisk& disk, uint64_t calls) {
    ++report_.points;
    seen_.clear();
    CrashStates states(disk, options_.states, RandomStates());
    for (CrashPlan plan; states.Next(&plan);) {
      ++report_.legal;
      if (Stopped()) {
        report_.all = false;
        continue;
      }
      if (!IsNewHere(disk, plan)) continue;
      const DiskImage image = disk.Materialise(plan);
      ImageMemo::Known* const known = memo_.Find(image.ContentHash());
      const uint64_t checked = report_.checked;
      Defect defect = CheckByState(image, node.state, known);
      report_.checked_by_depth[static_cast<size_t>(depth)] += report_.checked - checked;
      const bool process = plan.kind == faultfs::CrashKind::kProcess;
      if (defect.ok() && (known->wrong || known->queued || process || depth == options_.depth)) {
        continue;
      }
      Origin origin = {.parent = node.origin,
                       .start = {},
                       .crashes_before = 0,
                       .calls = calls,
                       .image = process ? std::string() : plan.ToString()};
      if (!defect.ok()) {
        TakeDefect(std::move(defect), origin, depth);
      } else {
        known->queued = true;
        Enqueue(image, known->state, std::move(origin), depth);
      }
    }
  });
  // Its own threads had other turns this time.
  if (again.ok() && StateHash(crashing_) != node.state) {
    again = {FailureClass::kWrongData, "two recoveries of one image lead to two states"};
  }
  if (!again.ok()) TakeDefect(std::move(again), origins_[node.origin], node.depth);
}

void Exploration::TakeDefect(Defect defect, const Origin& origin, int depth) {
  ++report_.failures;
  for (Wrong& wrong : wrong_) {
    if (wrong.defect.failure_class != defect.failure_class || wrong.depth != depth) continue;
    ++wrong.states;
    return;
  }
  if (wrong_.size() == kMostWrong) return;
  const Origin* root = &origin;
  while (root->parent != Origin::kRun) root = &origins_[root->parent];
  wrong_.push_back({.defect = std::move(defect),
                    .plan = PlanOf(origin),
                    .place = {root->crashes_before, root->calls},
                    .depth = depth});
}

// The plan that crashes where the origin says, and nowhere after that.
Plan Exploration::PlanOf(const Origin& origin) const {
  std::vector<const Origin*> chain = {&origin};
  while (chain.back()->parent != Origin::kRun) chain.push_back(&origins_[chain.back()->parent]);
  std::reverse(chain.begin(), chain.end());
  Plan plan = plan_;
  plan.crashes.assign(crashes_.begin(),
                      crashes_.begin() + static_cast<ptrdiff_t>(chain.front()->crashes_before));
  CrashSpec& crash = plan.crashes.emplace_back();
  crash.start = chain.front()->start;
  crash.strike.calls = chain.front()->calls;
  const auto choice_of = [](const Origin& from) {
    CrashChoice choice;
    choice.process = from.image.empty();
    choice.image = from.image;
    return choice;
  };
  crash.choice = choice_of(*chain.front());
  for (size_t i = 1; i < chain.size(); ++i) {
    NestedCrash& nested = crash.nested.emplace_back();
    nested.strike.calls = chain[i]->calls;
    nested.choice = choice_of(*chain[i]);
  }
  return plan;
}

}  // namespace shearpin::sim
