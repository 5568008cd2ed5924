#include "sim/nearby_plans.h"

#include <algorithm>
#include <utility>
namespace shearpin::sim {

namespace {

// Many images of each crash cost less than one run each.
constexpr uint32_t kImages = 24;

// The plan with its last crash struck at many places, and many images of each crash.
void AddStruck(const Plan& plan, std::vector<Plan>* nearby) {
  const auto add = [&](const auto& edit) {
    Plan next = plan;
    next.crash_seed = nearby->size();
    edit(&next.crashes.back());
    for (CrashSpec& crash : next.crashes) {
      if (!crash.choice.process) crash.choice.draw_siblings = kImages;
    }
    nearby->push_back(std::move(next));
  };
  add([](CrashSpec*) {});
  add([](CrashSpec* c) { c->start = {}, c->strike = {.calls = kAfterWorkload}; });
  for (uint32_t client = 0; client < plan.clients.size(); ++client) {
    const auto last = static_cast<uint32_t>(plan.clients[client].size() - 1);
    add([&](CrashSpec* c) {
      c->start = {CrashStart::After::kStep, client, last};
      c->strike = {};
    });
    for (uint64_t calls = 1; calls <= 6; ++calls) {
      add([&](CrashSpec* c) {
        c->start = {};
        if (last > 0) c->start = {CrashStart::After::kStep, client, last - 1};
        c->strike = {.calls = calls};
      });
    }
  }
}

// The last value of each client is longer than a block. What is torn has to cross the end of a
// sector, and steps may only have been needed to bring it there.
Plan WithLongValues(const Plan& plan) {
  constexpr uint32_t kLength = 5000;
  Plan next = plan;
  for (auto& steps : next.clients) {
    const auto put = std::find_if(steps.rbegin(), steps.rend(), [](const Step& step) {
      return !step.mutations.empty() && step.mutations.back().kind == MutationKind::kPut;
    });
    if (put != steps.rend()) put->mutations.back().value = Bytes::Fill(kLength, 1);
  }
  return next;
}

}  // namespace

std::vector<Plan> Nearby(const Plan& plan) {
  std::vector<Plan> nearby;
  if (!plan.crashes.empty()) {
    AddStruck(plan, &nearby);
    AddStruck(WithLongValues(plan), &nearby);
  }
  // Where the failure does not need a switch that is not forced, none is drawn.
  const SchedulerSpec& now = plan.scheduler;
  if (now.strategy == kRecordedStrategy && now.schedule.empty()) return nearby;
  const auto add = [&](SchedulerSpec spec) {
    spec.micros_per_point = now.micros_per_point;
    Plan next = plan;
    next.scheduler = std::move(spec);
    nearby.push_back(std::move(next));
  };
  for (uint64_t seed = 0; seed < 6; ++seed) {
    add({.seed = seed, .schedule = {}});
    add({.strategy = std::string(kPctStrategy),
         .seed = seed,
         .depth = 2,
         .steps = 64,
         .schedule = {}});
    add({.strategy = std::string(kPctStrategy),
         .seed = seed,
         .depth = 4,
         .steps = 64,
         .schedule = {}});
  }
  return nearby;
}

}  // namespace shearpin::sim
