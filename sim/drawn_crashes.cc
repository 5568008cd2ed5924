#include "sim/drawn_crashes.h"

#include <algorithm>
#include <array>
#include <vector>

#include "faultfs/fault_fs.h"

namespace shearpin::sim {
namespace {

using faultfs::CallKind;

constexpr size_t kMostNested = 3;

// What decides what a recovery finds. Of any file, as many weights as that kind has calls...
constexpr CallKind kDecisive[] = {CallKind::kRename, CallKind::kSyncDir, CallKind::kUnlink,
                                  CallKind::kOpenWrite, CallKind::kSync};
constexpr std::array<uint32_t, std::size(kDecisive)> kDecisiveWeights = {4, 2, 2, 1, 1};

// ...and of the one file that each step of an opening or of a rotation is about.
struct Target {
  CallKind of;
  std::string_view path;
};
constexpr size_t kManifestTargets = 3;
constexpr Target kTargets[] = {
    {CallKind::kOpenWrite, "*MANIFEST*"}, {CallKind::kAppend, "*MANIFEST*"},
    {CallKind::kSync, "*MANIFEST*"},      {CallKind::kUnlink, "*MANIFEST*"},
    {CallKind::kOpenWrite, "*CURRENT*"},  {CallKind::kSync, "*CURRENT*"},
    {CallKind::kRename, "*CURRENT*"},     {CallKind::kRename, "*CURRENT*"},
    {CallKind::kSyncDir, "/db"},          {CallKind::kSyncDir, "/db"},
    {CallKind::kOpenWrite, "*.wal"},      {CallKind::kSync, "*.wal"},
    {CallKind::kUnlink, "*.wal"},         {CallKind::kOpenWrite, "/db/*.sst"},
    {CallKind::kSync, "/db/*.sst"},       {CallKind::kUnlink, "/db/*.sst"},
};

void Aim(const Target& target, Strike* strike) {
  strike->of = target.of;
  strike->path = target.path;
}

CrashChoice DrawChoice(const CrashSwarm& swarm, Rng* rng) {
  CrashChoice choice;
  choice.process = swarm.process_odds != 0 && rng->OneIn(swarm.process_odds);
  // The death of a process has one outcome only.
  if (!choice.process)
    choice.draw_siblings = static_cast<uint32_t>(rng->Uniform(swarm.most_siblings));
  return choice;
}

void DrawMoment(Rng* rng, Strike* strike) {
  strike->moment = static_cast<faultfs::CrashMoment>(rng->Uniform(3));
  if (strike->moment == faultfs::CrashMoment::kMidway) strike->bytes = rng->Skewed(12);
}

Strike DrawStrike(Rng* rng) {
  Strike strike;
  strike.calls = rng->Skewed(6);
  if (rng->OneIn(5)) {
    if (rng->OneIn(2)) {
      Aim(kTargets[rng->Uniform(std::size(kTargets))], &strike);
    } else {
      strike.of = kDecisive[rng->Weighted(kDecisiveWeights)];
    }
    // Mostly the next one: an opening has few of each, and its closing the last.
    strike.calls = rng->OneIn(2) ? 1 : 1 + rng->Skewed(3);
  }
  if (strike.calls != 0) DrawMoment(rng, &strike);
  return strike;
}

Strike DrawNestedStrike(Rng* rng) {
  Strike strike;
  if (!rng->OneIn(3)) {
    // The first few are what makes or breaks a MANIFEST.
    const size_t among = rng->OneIn(2) ? kManifestTargets : std::size(kTargets);
    Aim(kTargets[rng->Uniform(among)], &strike);
    strike.calls = 1 + rng->Skewed(1);
  } else {
    strike.calls = rng->OneIn(2) ? rng->Range(1, 12) : 1 + rng->Skewed(6);
  }
  DrawMoment(rng, &strike);
  return strike;
}

}  // namespace

void AddCrashes(const CrashSwarm& swarm, Rng rng, Plan* plan) {
  std::vector<uint64_t> progress;  // in thousandths of a client's steps
  for (uint64_t i = 0; i < swarm.crashes; ++i) progress.push_back(rng.Uniform(1000));
  std::sort(progress.begin(), progress.end());
  for (const uint64_t point : progress) {
    CrashSpec& crash = plan->crashes.emplace_back();
    if (!rng.OneIn(5)) {
      crash.start.after = CrashStart::After::kStep;
      crash.start.client = static_cast<uint32_t>(rng.Uniform(plan->clients.size()));
      const uint64_t steps = plan->clients[crash.start.client].size();
      crash.start.step = static_cast<uint32_t>(steps * point / 1000);
    }
    crash.strike = DrawStrike(&rng);
    crash.choice = DrawChoice(swarm, &rng);
    // The rarer the state, the more a second crash on top of it is worth.
    const bool aimed = !crash.strike.path.empty();
    while (crash.nested.size() < kMostNested &&
           ((aimed && crash.nested.empty()) || rng.OneIn(swarm.nested_odds))) {
      NestedCrash& nested = crash.nested.emplace_back();
      nested.strike = DrawNestedStrike(&rng);
      nested.choice = DrawChoice(swarm, &rng);
    }
  }
}

}  // namespace shearpin::sim
