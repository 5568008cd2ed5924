#include "sim/plan_edits.h"

#include <algorithm>
#include <map>
#include <set>

#include "faultfs/crash_plan.h"
#include "faultfs/fault_rule.h"
#include "sim/plan_parts.h"
#include "sim/plan_size.h"

namespace shearpin::sim {
namespace {

using faultfs::CrashPlan;
using faultfs::FaultRule;
using faultfs::KeepRule;

// "a", "b", ... "z", "za", "zb", ...: rising, and short.
std::string ShortName(size_t number) {
  std::string name;
  for (; number >= 25; number -= 25) name += 'z';
  return name + static_cast<char>('a' + number);
}

Plan WithShortKeys(const Plan& plan) {
  Plan next = plan;
  std::map<std::string, std::string> names;
  ForEachKey(&next, [&](const Bytes* key) { names[key->Materialise()]; });
  size_t number = 0;
  for (auto& [key, name] : names) name = ShortName(number++);
  ForEachKey(&next, [&](Bytes* key) { *key = Bytes(names.at(key->Materialise())); });
  return next;
}

// The same value gets the same short one.
Plan WithShortValues(const Plan& plan) {
  Plan next = plan;
  std::map<std::string, std::string> names;
  ForEachValue(&next, [&](Bytes* value) {
    const auto [at, is_new] = names.try_emplace(value->Materialise());
    if (is_new) at->second = std::to_string(names.size());
    *value = Bytes(at->second);
  });
  return next;
}

Bytes Halved(const Bytes& bytes) {
  if (bytes.filled()) return Bytes::Fill(bytes.fill_length() / 2, bytes.fill_seed());
  return Bytes(std::string_view(bytes.literal()).substr(0, bytes.literal().size() / 2));
}

// Instead of a phase's few switches a single one, anywhere: each of several that a run happened to
// make may need the others, where one at another place needs none.
void AddSingleSwitches(const Schedule& schedule, std::vector<PlanEdit>* simpler) {
  constexpr uint64_t kLastPlace = 24;
  for (size_t phase = 0; phase < schedule.size(); ++phase) {
    const std::vector<Decision>& decisions = schedule[phase].decisions;
    if (decisions.size() < 2 || decisions.back().at > kLastPlace) continue;
    std::set<std::string> fibers;
    for (const Decision& decision : decisions) {
      if (decision.kind == DecisionKind::kRun) fibers.insert(decision.fiber);
    }
    for (uint64_t at = 0; at <= decisions.back().at + 1; ++at) {
      for (const std::string& fiber : fibers) {
        simpler->push_back([phase, at, fiber](Plan* next) {
          next->scheduler.schedule[phase].decisions = {
              {.kind = DecisionKind::kRun, .at = at, .fiber = fiber}};
        });
      }
    }
  }
}

}  // namespace

// No switch that is not forced comes first: where that still fails, nothing about threads matters,
// and no later edit can shift them.
std::vector<PlanEdit> SimplerSchedules(const Plan& plan) {
  std::vector<PlanEdit> simpler;
  const auto add = [&](const auto& edit) {
    simpler.push_back([edit](Plan* next) { edit(&next->scheduler); });
  };
  add([](SchedulerSpec* spec) {
    *spec = {};
    spec->strategy = kRecordedStrategy;
  });
  add([](SchedulerSpec* spec) { spec->micros_per_point = 0; });
  if (plan.scheduler.strategy == kRecordedStrategy) {
    AddSingleSwitches(plan.scheduler.schedule, &simpler);
    return simpler;
  }
  add([](SchedulerSpec* spec) { spec->spurious_per_1024 = 0; });
  for (uint32_t depth = 1; depth <= 3; ++depth) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      add([depth, seed](SchedulerSpec* spec) {
        *spec = {.strategy = std::string(kPctStrategy),
                 .seed = seed,
                 .depth = depth,
                 .micros_per_point = spec->micros_per_point,
                 .schedule = {}};
      });
    }
  }
  return simpler;
}

// The steps of the last client go to one of the others, after its own or before them.
std::vector<PlanEdit> FewerClients(const Plan& plan) {
  std::vector<PlanEdit> fewer;
  for (uint32_t from = 1; from < plan.clients.size(); ++from) {
    for (uint32_t to = 0; to < from; ++to) {
      for (const bool behind : {true, false}) {
        fewer.push_back([from, to, behind](Plan* next) {
          std::vector<Step> moved = std::move(next->clients[from]);
          next->clients.erase(next->clients.begin() + from);
          std::vector<Step>& target = next->clients[to];
          const auto count = static_cast<uint32_t>(moved.size());
          const auto before = static_cast<uint32_t>(target.size());
          target.insert(behind ? target.end() : target.begin(), moved.begin(), moved.end());
          for (CrashSpec& crash : next->crashes) {
            CrashStart& start = crash.start;
            if (start.after != CrashStart::After::kStep) continue;
            if (start.client == from) {
              start.client = to;
              if (behind) start.step += before;
            } else if (start.client == to && !behind) {
              start.step += count;
            } else if (start.client > from) {
              --start.client;
            }
          }
        });
      }
    }
  }
  return fewer;
}

std::vector<PlanEdit> SimplerImages(const Plan& plan) {
  std::vector<PlanEdit> simpler;
  Plan copy = plan;
  size_t images = 0;
  ForEachImage(&copy, [&](std::string*) { ++images; });
  for (size_t image = 0; image < images; ++image) {
    const auto add = [&](const auto& edit) {
      simpler.push_back([image, edit](Plan* next) {
        size_t at = 0;
        ForEachImage(next, [&](std::string* text) {
          if (at++ != image) return;
          CrashPlan parsed = ParseImage(*text);
          edit(&parsed);
          *text = parsed.ToString();
        });
      });
    };
    add([](CrashPlan* p) { *p = {}; });
    add([](CrashPlan* p) { *p = {.keep = KeepRule::kNone}; });
    add([](CrashPlan* p) { p->tears.clear(), p->fills.clear(); });
    for (uint32_t op = 0; op < 24; ++op) {
      add([op](CrashPlan* p) { *p = {.keep = KeepRule::kPrefix, .prefix = op}; });
    }
    for (uint32_t op = 0; op < 24; ++op) {
      add([op](CrashPlan* p) { *p = {.keep = KeepRule::kExcept, .ops = {op}}; });
      add([op](CrashPlan* p) { *p = {.keep = KeepRule::kNeed, .ops = {op}}; });
    }
    // A list drops few or keeps few: the rule that names those is shorter.
    for (const bool drops : {true, false}) {
      add([drops](CrashPlan* p) {
        if (p->keep != KeepRule::kList) return;
        p->keep = drops ? KeepRule::kExcept : KeepRule::kNeed;
        for (size_t op = 0; op < p->bits.size(); ++op) {
          if ((p->bits[op] == '0') == drops) p->ops.push_back(static_cast<uint32_t>(op));
        }
        p->bits.clear();
      });
    }
  }
  return simpler;
}

// A sibling is a state of its own crash: taken for its image, it needs nothing that comes after.
std::vector<PlanEdit> PromotedSiblings(const Plan& plan) {
  std::vector<PlanEdit> promoted;
  for (size_t crash = 0; crash < plan.crashes.size(); ++crash) {
    for (const std::string& sibling : plan.crashes[crash].choice.siblings) {
      promoted.push_back([crash, sibling](Plan* next) {
        *next = WithOnlySibling(*next, "");
        next->crashes.resize(crash + 1);
        CrashSpec& last = next->crashes.back();
        last.nested.clear();
        last.choice = {};
        last.choice.process = ParseImage(sibling).kind == faultfs::CrashKind::kProcess;
        if (!last.choice.process) last.choice.image = sibling;
      });
    }
  }
  return promoted;
}

std::vector<PlanEdit> SimplerStrikes(const Plan& plan) {
  constexpr uint32_t kMostSteps = 20;  // of a client, from its end
  std::vector<PlanEdit> simpler;
  for (size_t crash = 0; crash < plan.crashes.size(); ++crash) {
    const auto add = [&](const auto& edit) {
      simpler.push_back([crash, edit](Plan* next) { edit(&next->crashes[crash]); });
    };
    add([](CrashSpec* c) { c->strike = {}; });
    // At the end of a step: what a plan that loses steps keeps its place by.
    for (uint32_t client = 0; client < plan.clients.size(); ++client) {
      const auto steps = static_cast<uint32_t>(plan.clients[client].size());
      for (uint32_t step = 0; step < std::min(steps, kMostSteps); ++step) {
        add([client, last = steps - 1 - step](CrashSpec* c) {
          c->start = {CrashStart::After::kStep, client, last};
          c->strike = {};
        });
      }
    }
    add([](CrashSpec* c) { c->start = {}, c->strike = {.calls = kAfterWorkload}; });
    add([](CrashSpec* c) { c->strike = {.calls = kAfterWorkload}; });
    add([](CrashSpec* c) { c->start = {}; });
    add([](CrashSpec* c) { c->choice.process = true, c->choice.image.clear(); });
    add([](CrashSpec* c) {
      c->strike.moment = faultfs::CrashMoment::kBefore, c->strike.bytes = 0;
    });
    add([](CrashSpec* c) { c->strike.bytes = 0; });
    add([](CrashSpec* c) { c->strike.of.reset(); });
    add([](CrashSpec* c) { c->strike.path.clear(); });
    add([](CrashSpec* c) { c->strike.calls /= 2; });
    add([](CrashSpec* c) { c->strike.calls -= c->strike.calls > 0; });
    for (size_t i = 0; i < plan.crashes[crash].nested.size(); ++i) {
      add([i](CrashSpec* c) { c->nested[i].strike = {.calls = 1}; });
      add([i](CrashSpec* c) {
        c->nested[i].strike.calls = std::max<uint64_t>(1, c->nested[i].strike.calls / 2);
      });
      add([i](CrashSpec* c) { c->nested[i].strike.calls -= c->nested[i].strike.calls > 1; });
      add([i](CrashSpec* c) { c->nested[i].strike.of.reset(); });
      add([i](CrashSpec* c) { c->nested[i].strike.path.clear(); });
      add([i](CrashSpec* c) {
        c->nested[i].choice = {};
        c->nested[i].choice.process = true;
      });
    }
  }
  return simpler;
}

std::vector<PlanEdit> SimplerFaults(const Plan& plan) {
  std::vector<PlanEdit> simpler;
  for (size_t fault = 0; fault < plan.faults.size(); ++fault) {
    const auto add = [&](const auto& edit) {
      simpler.push_back([fault, edit](Plan* next) {
        FaultRule rule = ParseFault(next->faults[fault]);
        edit(&rule);
        next->faults[fault] = rule.ToString();
      });
    };
    add([](FaultRule* rule) { rule->skip = 0, rule->times = 1; });
    add([](FaultRule* rule) { rule->times = 1; });
    add([](FaultRule* rule) { rule->skip = 0; });
    add([](FaultRule* rule) { rule->skip /= 2; });
    add([](FaultRule* rule) { rule->skip -= rule->skip > 0; });
    // It picks a place, modulo how many there are; or it is bytes or microseconds.
    for (uint64_t amount = 0; amount < 8; ++amount) {
      add([amount](FaultRule* rule) { rule->amount = std::min(rule->amount, amount); });
    }
    add([](FaultRule* rule) { rule->amount /= 2; });
  }
  return simpler;
}

std::vector<PlanEdit> SimplerSteps(const Plan& plan) {
  std::vector<PlanEdit> simpler;
  for (size_t client = 0; client < plan.clients.size(); ++client) {
    for (size_t index = 0; index < plan.clients[client].size(); ++index) {
      const auto add = [&](const auto& edit) {
        Step step = plan.clients[client][index];
        edit(&step);
        if (step == plan.clients[client][index]) return;
        simpler.push_back(
            [client, index, step](Plan* next) { next->clients[client][index] = step; });
      };
      // A batch of one change is that change.
      add([](Step* step) {
        if (step->kind != StepKind::kBatch || step->mutations.size() != 1) return;
        constexpr StepKind kKinds[] = {StepKind::kPut, StepKind::kDelete, StepKind::kDeleteRange};
        step->kind = kKinds[static_cast<size_t>(step->mutations[0].kind)];
      });
      add([](Step* step) {
        step->lower = {};
        step->upper = {};
        step->snapshot = -1;
      });
      add([](Step* step) { step->snapshot = -1; });
      add([](Step* step) { step->lower = {}; });
      add([](Step* step) { step->upper = {}; });
    }
  }
  return simpler;
}

std::vector<PlanEdit> ShorterBytes(const Plan& plan) {
  std::vector<PlanEdit> shorter;
  shorter.push_back([](Plan* next) { *next = WithShortValues(WithShortKeys(*next)); });
  shorter.push_back([](Plan* next) { *next = WithShortKeys(*next); });
  shorter.push_back([](Plan* next) { *next = WithShortValues(*next); });
  shorter.push_back(
      [](Plan* next) { ForEachValue(next, [](Bytes* value) { *value = Halved(*value); }); });
  size_t count = 0;
  Plan copy = plan;
  ForEachValue(&copy, [&](Bytes*) { ++count; });
  for (size_t i = 0; i < count; ++i) {
    for (const bool empty : {true, false}) {
      shorter.push_back([i, empty](Plan* next) {
        size_t at = 0;
        ForEachValue(next, [&](Bytes* value) {
          if (at++ == i) *value = empty ? Bytes() : Halved(*value);
        });
      });
    }
  }
  return shorter;
}

std::vector<PlanEdit> SimplerHeaders(const Plan&) {
  std::vector<PlanEdit> simpler;
  const auto add = [&](PlanEdit edit) { simpler.push_back(std::move(edit)); };
  add([](Plan* p) { p->capacity = 0; });
  add([](Plan* p) { p->powersafe_overwrite = true; });
  add([](Plan* p) { p->kernel = {}; });
  add([](Plan* p) { p->kernel.evict = 0; });
  add([](Plan* p) { p->kernel.expiry = 0; });
  add([](Plan* p) { p->kernel.commit = 0, p->kernel.expiry = 0; });
  // The disk that promises what a file system has to: a failure there needs nothing peculiar.
  add([](Plan* p) { p->profile = Plan().profile; });
  add([](Plan* p) { p->entropy_seed = 0, p->crash_seed = 0; });
  add([](Plan* p) { p->entropy_seed = 0; });
  add([](Plan* p) { p->crash_seed = 0; });
  return simpler;
}

Plan WithOnlySibling(const Plan& plan, const std::string& image) {
  Plan next = plan;
  ForEachChoice(&next, [&](CrashChoice* choice) {
    choice->draw_siblings = 0;
    std::erase_if(choice->siblings, [&](const std::string& each) { return each != image; });
  });
  return next;
}

}  // namespace shearpin::sim
