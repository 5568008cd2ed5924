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
using model::CrashKind;

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
      breaks_promises_(BreaksPromises(plan)),
      check_(plan, profile_, factory, fibers, ImageRecovery::Turns::kReaderFirst, 0),
      recheck_(plan, profile_, factory, fibers, ImageRecovery::Turns::kReaderFirst, 1),
      may_vanish_(MayVanishOf(plan)),
      tried_(options.tried_before) {
  const auto levels = static_cast<size_t>(options.depth) + 1;
  report_.checked_by_depth.resize(levels);
  for (size_t level = 0; level < levels; ++level) {
    descents_.push_back(std::make_unique<ImageRecovery>(plan, profile_, factory, fibers,
                                                        ImageRecovery::Turns::kPlan, level));
  }
}

void Exploration::Run() {
  report_.run = Simulator(factory_, fibers_).Run(plan_, {}, this);
  if (options_.depth == 0) return;
  if (Stopped() || report_.run.abandoned) {
    report_.all = false;
  } else {
    pass_ = Pass::kRecoveries;
    places_ = 0;
    static_cast<void>(Simulator(factory_, fibers_).Run(plan_, {}, this));
  }
  while (!queue_.empty() && !Stopped()) {
    const Node node = std::move(queue_.front());
    queue_.pop_front();
    Descend(node);
  }
  if (!queue_.empty()) report_.all = false;
}

ExploreReport Exploration::TakeReport() {
  report_.distinct = memo_.size();
  report_.tried = tried_;
  return std::move(report_);
}

// A number that is known as deadly means the same recovery again only if time ends nothing before.
bool Exploration::Stopped() {
  if (stopped_) return true;
  stopped_ = report_.checked >= options_.budget;
  const bool deadly_ahead = !options_.deadly.empty() && tried_ < options_.deadly.rbegin()->first;
  if (options_.ends_at_deadly && !deadly_ahead) stopped_ = true;
  if (!stopped_ && ++asked_ % 64 == 0 && options_.out_of_time && !deadly_ahead) {
    stopped_ = options_.out_of_time();
  }
  return stopped_;
}

uint64_t Exploration::StateHash(const ImageRecovery& recovery) const {
  uint64_t hash = 1;
  for (const model::KeyValue& pair : recovery.pairs()) {
    if (may_vanish_ && may_vanish_(pair.key, pair.value)) continue;
    hash += model::PairHash(pair.key, pair.value);
  }
  return hash;
}

// The run. ---------------------------------------------------------------------------------------

void Exploration::AtCrashPoint(const CrashPoint& point) {
  if (only_ != nullptr &&
      (point.before.size() != only_->crashes_before || point.calls != only_->calls)) {
    return;
  }
  if (point.operations < options_.first_operation) return;
  ++places_;
  crashes_.assign(point.before.begin(), point.before.end());
  if (keys_.empty()) keys_ = *point.keys;
  for (size_t i = copies_.size(); i < point.checkpoints.size(); ++i) {
    copies_.push_back(point.checkpoints[i]);
  }
  const bool faults = !plan_.faults.empty() || plan_.capacity != 0;
  const Judge judge = {.state = {},
                       .point = &point,
                       .after_process_death = point.after_process_death,
                       .after_power_loss = point.after_power_loss,
                       .checkpoints = point.checkpoints.size(),
                       .with_faults = faults && options_.with_faults && !point.faults_over};
  seen_.clear();
  if (pass_ == Pass::kStates) {
    ++report_.points;
    ShowStates(point, judge);
  } else if (!Stopped()) {
    ShowRecoveries(point, judge);
  } else {
    report_.all = false;
  }
}

void Exploration::ShowStates(const CrashPoint& point, const Judge& judge) {
  CrashStates states(*point.disk, options_.states,
                     Rng::Stream(plan_.crash_seed, "explored", places_));
  for (CrashPlan plan; states.Next(&plan);) {
    ++report_.legal;
    if (Stopped()) {
      report_.all = false;
      continue;
    }
    if (!IsNewHere(*point.disk, plan, &seen_)) continue;
    const DiskImage image = point.disk->Materialise(plan);
    const bool process = plan.kind == faultfs::CrashKind::kProcess;
    ImageMemo::Known* known = nullptr;
    Defect defect = Check(image, judge, process, 0, &known);
    if (!defect.ok()) {
      TakeDefect(std::move(defect), OriginAt(point, plan), 0);
      continue;
    }
    if (options_.depth == 0 || known->wrong || known->queued || NeedsModel(judge, process)) {
      continue;
    }
    known->queued = true;
    Enqueue({.image = image, .disk = {}, .judge = judge.ByState(known->state)},
            OriginAt(point, plan));
  }
}

// The places and states are those of the pass before, whose wrong ones are left alone.
void Exploration::ShowRecoveries(const CrashPoint& point, const Judge& judge) {
  CrashStates states(*point.disk, options_.states,
                     Rng::Stream(plan_.crash_seed, "explored", places_));
  for (CrashPlan plan; states.Next(&plan);) {
    const bool process = plan.kind == faultfs::CrashKind::kProcess;
    if (!NeedsModel(judge, process) || !IsNewHere(*point.disk, plan, &seen_)) continue;
    if (Stopped()) {
      report_.all = false;
      return;
    }
    const DiskImage image = point.disk->Materialise(plan);
    ImageMemo::Known* const known = Remembered(image, judge, process);
    if (known->wrong || (!process && known->queued)) continue;
    Node node = {.image = {}, .disk = {}, .judge = judge};
    if (process) {
      if (!IsNewDisk(*point.disk, judge)) continue;
      node.disk = point.disk->Fork();
    } else {
      known->queued = true;
      node.image = image;
      node.judge.after_process_death = judge.after_power_loss;  // it stays as bad as that
    }
    node.origin = Keep(OriginAt(point, plan));
    Descend(node);
  }
}

// A state alone does not say what may become of it: something is pending besides, or promises are
// broken or may be yet.
bool Exploration::NeedsModel(const Judge& judge, bool process) const {
  return process || judge.after_power_loss.may_refuse || breaks_promises_;
}

Exploration::Origin Exploration::OriginAt(const CrashPoint& point, const CrashPlan& plan) const {
  const bool process = plan.kind == faultfs::CrashKind::kProcess;
  return {.parent = Origin::kRun,
          .start = point.start,
          .crashes_before = point.before.size(),
          .calls = point.calls,
          .image = process ? std::string() : plan.ToString(),
          .after_recovery = false,
          .next_steps = {point.next_steps.begin(), point.next_steps.end()}};
}

// False if an earlier plan at this place keeps the same operations, and neither tears or fills: its
// image is the same, and finding that out is cheaper than making it.
bool Exploration::IsNewHere(const SimDisk& disk, const CrashPlan& plan,
                            std::vector<uint64_t>* seen) {
  if (plan.kind == faultfs::CrashKind::kProcess || !plan.tears.empty() || !plan.fills.empty()) {
    return true;
  }
  const uint64_t hash = disk.KeptHash(plan);
  if (std::find(seen->begin(), seen->end(), hash) != seen->end()) return false;
  seen->push_back(hash);
  return true;
}

// One recovery, and what it is held against. -----------------------------------------------------

Defect Exploration::Try(ImageRecovery* recovery, std::unique_ptr<SimDisk> disk,
                        const ImageRecovery::Terms& terms,
                        const ImageRecovery::BeforeChange& before_change) {
  const uint64_t number = ++tried_;
  if (!options_.deadly.empty()) {
    const auto known = options_.deadly.find(number);
    if (known != options_.deadly.end()) return known->second;
  }
  if (options_.trying == nullptr) {
    return recovery->Run(std::move(disk), keys_, terms, before_change);
  }
  // Recoveries are tried inside others.
  const uint64_t outer = options_.trying->load(std::memory_order_relaxed);
  options_.trying->store(number, std::memory_order_relaxed);
  Defect defect = recovery->Run(std::move(disk), keys_, terms, before_change);
  options_.trying->store(outer, std::memory_order_relaxed);
  return defect;
}

Defect Exploration::Check(const DiskImage& image, const Judge& judge, bool process, int depth,
                          ImageMemo::Known** known) {
  *known = Remembered(image, judge, process);
  if ((*known)->wrong) return {};
  return judge.state ? CheckByState(image, judge, process, depth, *known)
                     : CheckByModel(image, judge, process, depth, *known);
}

// Where promises were broken, what an image leads to says little about what it owes next time.
ImageMemo::Known* Exploration::Remembered(const DiskImage& image, const Judge& judge,
                                          bool process) {
  const CrashPoint::Owed& owed = judge.OwedAfter(process);
  ImageMemo::Known* const known = memo_.Find(image.ContentHash());
  if (judge.state || (!owed.may_refuse && owed.kind <= CrashKind::kPowerLoss)) return known;
  return owed_.Find(CombineHashes(known->image, ObligationHash(judge, owed)));
}

uint64_t Exploration::ObligationHash(const Judge& judge, const CrashPoint::Owed& owed) {
  const model::KvModel& model = *judge.point->model;
  const model::CrashOracle::Floor floor = judge.point->oracle->FloorNow(owed.kind);
  uint64_t hash = judge.checkpoints;
  for (const uint64_t number :
       {static_cast<uint64_t>(owed.kind), uint64_t{owed.may_refuse}, floor.durable, floor.flushed,
        uint64_t{model.log().rebuilds()}, uint64_t{model.past().size()}}) {
    hash = CombineHashes(hash, number);
  }
  return hash;
}

// Whether a disk with something pending has not been here yet, owing as much.
bool Exploration::IsNewDisk(const SimDisk& disk, const Judge& judge) {
  uint64_t hash = disk.StateHash();
  if (judge.state) {
    hash = CombineHashes(hash, *judge.state);
  } else {
    hash = CombineHashes(hash, ObligationHash(judge, judge.after_process_death));
    hash = CombineHashes(hash, ObligationHash(judge, judge.after_power_loss));
  }
  ImageMemo::Known* const known = disks_.Find(hash);
  return !std::exchange(known->queued, true);
}

ImageRecovery::Terms Exploration::TermsOf(const Judge& judge, bool process) const {
  return {.checkpoints = std::span(copies_).first(judge.checkpoints),
          .may_refuse = judge.OwedAfter(process).may_refuse};
}

Defect Exploration::Recover(const DiskImage& image, const Judge& judge, bool process, int depth) {
  ++report_.checked;
  ++report_.checked_by_depth[static_cast<size_t>(depth)];
  Defect defect =
      Try(Leaf(depth), std::make_unique<SimDisk>(image, profile_), TermsOf(judge, process), {});
  if (defect.ok() && Leaf(depth)->refused()) ++report_.refused;
  return defect;
}

// A state owed at least what is owed now if the pair that explained it is not below today's floors
// and the log it was explained by is still the same.
Defect Exploration::CheckByModel(const DiskImage& image, const Judge& judge, bool process,
                                 int depth, ImageMemo::Known* known) {
  const model::KvModel& model = *judge.point->model;
  const CrashKind kind = judge.OwedAfter(process).kind;
  const uint64_t floor =
      kind == CrashKind::kPowerLoss ? model.synced_sequence() : model.logged_sequence();
  // What is owed on broken storage is part of what the image is remembered by.
  const bool same = kind > CrashKind::kPowerLoss || judge.OwedAfter(process).may_refuse;
  if (known->judged && known->checkpoints >= judge.checkpoints &&
      (same ||
       (known->rebuilds == model.log().rebuilds() && known->n >= floor &&
        known->n >= model.flushed_sequence() && known->flushed >= model.flushed_sequence()))) {
    return {};
  }
  Defect defect = Recover(image, judge, process, depth);
  if (defect.ok()) {
    known->judged = true;
    known->checkpoints = judge.checkpoints;
    known->rebuilds = model.log().rebuilds();
    if (!Leaf(depth)->refused()) {
      const model::Verdict verdict = judge.point->oracle->CheckRecovery(Leaf(depth)->pairs(), kind);
      known->n = verdict.n;
      known->flushed = verdict.flushed;
      if (options_.depth > 0) known->state = StateHash(*Leaf(depth));
      if (!verdict.ok()) defect = {ClassOf(verdict.failure_class), verdict.message};
    }
  }
  known->wrong = !defect.ok();
  report_.digest = CombineHashes(CombineHashes(report_.digest, known->image), known->n);
  return defect;
}

Defect Exploration::CheckByState(const DiskImage& image, const Judge& judge, bool process,
                                 int depth, ImageMemo::Known* known) {
  if (known->state == 0 || known->checkpoints < judge.checkpoints) {
    Defect defect = Recover(image, judge, process, depth);
    known->wrong = !defect.ok();
    if (known->wrong || Leaf(depth)->refused()) return defect;
    known->state = StateHash(*Leaf(depth));
    known->checkpoints = judge.checkpoints;
    report_.digest = CombineHashes(CombineHashes(report_.digest, known->image), known->state);
  }
  if (known->state == *judge.state) return {};
  known->wrong = true;
  return {FailureClass::kWrongData,
          "a recovery that crashed leads to another state than one that did not"};
}

// Inside recoveries. -----------------------------------------------------------------------------

uint32_t Exploration::Keep(Origin origin) {
  origins_.push_back(std::move(origin));
  return static_cast<uint32_t>(origins_.size() - 1);
}

void Exploration::Enqueue(Node node, Origin origin) {
  if (queue_.size() >= kMostQueued) {
    report_.all = false;
    return;
  }
  node.origin = Keep(std::move(origin));
  queue_.push_back(std::move(node));
}

// One recovery, at every place of which it could crash.
class Exploration::Descent {
 public:
  Descent(Exploration* search, const Node& node)
      : search_(search),
        node_(node),
        recovery_(search->descents_[static_cast<size_t>(node.depth)].get()) {}

  // What is wrong with the recovery itself; what is wrong with crashes inside it has been taken.
  Defect Run() {
    const bool process = node_.disk != nullptr;
    ImageRecovery::Terms terms = search_->TermsOf(node_.judge, process);
    terms.with_faults = node_.judge.with_faults;
    terms.must_progress = true;
    auto disk =
        process ? node_.disk->Fork() : std::make_unique<SimDisk>(*node_.image, search_->profile_);
    Defect defect = search_->Try(recovery_, std::move(disk), terms,
                                 [this](const ImageRecovery::Place& place) { At(place); });
    if (!defect.ok()) return defect;
    if (!recovery_->refused() && !settled_) Settle(node_.judge);
    return std::move(defect_);
  }

 private:
  void At(const ImageRecovery::Place& place) {
    const Judge now = Aggravated(place);
    if (place.settled && !settled_) Settle(now);
    if (!defect_.ok()) return;
    ++search_->report_.points;
    const Judge judge = place.settled && Holds(place) ? now.ByState(*settled_) : now;
    std::vector<uint64_t> seen;
    CrashStates states(
        place.disk, search_->options_.states,
        Rng::Stream(search_->plan_.crash_seed, "explored inside", ++search_->inner_places_));
    for (CrashPlan plan; states.Next(&plan);) {
      ++search_->report_.legal;
      if (search_->Stopped()) {
        search_->report_.all = false;
      } else if (IsNewHere(place.disk, plan, &seen)) {
        Show(place, judge, plan);
      }
    }
  }

  // What is owed after a crash now, with what the disk did in this recovery.
  Judge Aggravated(const ImageRecovery::Place& place) const {
    Judge judge = node_.judge;
    CrashPoint::Owed& power = judge.after_power_loss;
    CrashPoint::Owed& process = judge.after_process_death;
    power.kind = model::Together(power.kind, place.harm);
    power.may_refuse |= place.damaged;
    process.may_refuse |= place.damaged;
    if (place.sync_failed || place.harm_shows) process.kind = std::max(process.kind, power.kind);
    return judge;
  }

  // Whether what a recovery has brought back is there for good.
  bool Holds(const ImageRecovery::Place& place) const {
    const bool harmed =
        node_.disk != nullptr && node_.judge.after_power_loss.kind > CrashKind::kPowerLoss;
    return search_->profile_.honours_flush && !place.damaged && !harmed;
  }

  void Settle(const Judge& judge) {
    settled_ = search_->StateHash(*recovery_);
    if (judge.state) {
      if (*settled_ == *judge.state) return;
      // Its own threads had other turns this time, or there were faults.
      defect_ = {FailureClass::kWrongData, "two recoveries of one image lead to two states"};
      return;
    }
    const model::Verdict verdict = judge.point->oracle->CheckRecovery(
        recovery_->pairs(), judge.OwedAfter(node_.disk != nullptr).kind);
    if (!verdict.ok()) defect_ = {ClassOf(verdict.failure_class), verdict.message};
  }

  void Show(const ImageRecovery::Place& place, const Judge& judge, const CrashPlan& plan) {
    const int depth = node_.depth + 1;
    const bool process = plan.kind == faultfs::CrashKind::kProcess;
    const DiskImage image = place.disk.Materialise(plan);
    ImageMemo::Known* known = nullptr;
    Defect defect = search_->Check(image, judge, process, depth, &known);
    const bool leaf = depth == search_->options_.depth || known->wrong;
    if (defect.ok() && leaf) return;
    Origin origin = {.parent = node_.origin,
                     .start = {},
                     .crashes_before = 0,
                     .calls = place.calls,
                     .image = process ? std::string() : plan.ToString(),
                     .after_recovery = place.settled,
                     .next_steps = {}};
    if (!defect.ok()) return search_->TakeDefect(std::move(defect), origin, depth);
    Node next = {.image = {}, .disk = {}, .judge = judge, .origin = 0, .depth = depth};
    if (process) {
      if (!search_->IsNewDisk(place.disk, judge)) return;
      next.disk = place.disk.Fork();
    } else {
      if (std::exchange(known->queued, true)) return;
      next.image = image;
      next.judge.after_process_death = judge.after_power_loss;
      if (!judge.state && !search_->NeedsModel(judge, false)) {
        next.judge = judge.ByState(known->state);
      }
    }
    if (next.judge.state) return search_->Enqueue(std::move(next), std::move(origin));
    next.origin = search_->Keep(std::move(origin));
    search_->Descend(next);
  }

  Exploration* const search_;
  const Node& node_;
  ImageRecovery* const recovery_;
  std::optional<uint64_t> settled_;
  Defect defect_;
};

void Exploration::Descend(const Node& node) {
  Defect defect = Descent(this, node).Run();
  if (!defect.ok()) TakeDefect(std::move(defect), origins_[node.origin], node.depth);
}

// Findings. --------------------------------------------------------------------------------------

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
  // A store that makes no progress must not be asked to by the plan's own steps.
  Plan plan = PlanOf(origin, defect.failure_class == FailureClass::kNoProgress);
  wrong_.push_back({.defect = std::move(defect),
                    .plan = std::move(plan),
                    .place = {root->crashes_before, root->calls},
                    .depth = depth});
}

// The plan that crashes where the origin says, and nowhere after that. What follows a recovery has
// to follow at once: the clients have no further steps then.
Plan Exploration::PlanOf(const Origin& origin, bool ends_there) const {
  std::vector<const Origin*> chain = {&origin};
  while (chain.back()->parent != Origin::kRun) chain.push_back(&origins_[chain.back()->parent]);
  std::reverse(chain.begin(), chain.end());
  Plan plan = plan_;
  plan.crashes.assign(crashes_.begin(),
                      crashes_.begin() + static_cast<ptrdiff_t>(chain.front()->crashes_before));
  for (const Origin* from : chain) {
    CrashChoice choice;
    choice.process = from->image.empty();
    choice.image = from->image;
    if (from->parent != Origin::kRun && !from->after_recovery) {
      NestedCrash& nested = plan.crashes.back().nested.emplace_back();
      nested.strike.calls = from->calls;
      nested.choice = std::move(choice);
      continue;
    }
    CrashSpec& crash = plan.crashes.emplace_back();
    crash.start = from->start;
    crash.strike.calls = from->calls;
    crash.choice = std::move(choice);
    ends_there |= from->after_recovery;
  }
  for (size_t i = 0; ends_there && i < plan.clients.size(); ++i) {
    plan.clients[i].resize(chain.front()->next_steps[i]);
  }
  return plan;
}

}  // namespace shearpin::sim
