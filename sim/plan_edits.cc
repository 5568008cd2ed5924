#include "sim/plan_edits.h"

#include <algorithm>
#include <map>

#include "engine/base/check.h"
#include "faultfs/crash_plan.h"
#include "faultfs/fault_rule.h"
#include "sim/plan_size.h"

namespace shearpin::sim {
namespace {

using faultfs::CrashPlan;
using faultfs::FaultRule;
using faultfs::KeepRule;

bool Within(size_t i, size_t begin, size_t end) { return i >= begin && i < end; }

// ---- Steps and clients ----

// Drops the steps that `drops(client, step)` names, and clients that have none left. A crash after
// a step that goes comes after the one before it.
template <typename Drops>
Plan WithoutSteps(const Plan& plan, const Drops& drops) {
  Plan next = plan;
  next.clients.clear();
  constexpr uint32_t kGone = UINT32_MAX;
  std::vector<uint32_t> new_client(plan.clients.size(), kGone);
  // By client and step: how many steps of its client up to and with it stay.
  std::vector<std::vector<uint32_t>> kept(plan.clients.size());
  for (uint32_t client = 0; client < plan.clients.size(); ++client) {
    std::vector<Step> steps;
    for (uint32_t step = 0; step < plan.clients[client].size(); ++step) {
      if (!drops(client, step)) steps.push_back(plan.clients[client][step]);
      kept[client].push_back(static_cast<uint32_t>(steps.size()));
    }
    if (steps.empty()) continue;
    new_client[client] = static_cast<uint32_t>(next.clients.size());
    next.clients.push_back(std::move(steps));
  }
  for (CrashSpec& crash : next.crashes) {
    if (crash.start.after != CrashStart::After::kStep) continue;
    const uint32_t left = kept[crash.start.client][crash.start.step];
    if (left == 0) {
      crash.start = {};
    } else {
      crash.start.client = new_client[crash.start.client];
      crash.start.step = left - 1;
    }
  }
  return next;
}

template <typename Visit>
void ForEachStep(Plan* plan, const Visit& visit) {
  for (auto& steps : plan->clients) {
    for (Step& step : steps) visit(&step);
  }
}

// ---- Crashes ----

template <typename Visit>
void ForEachChoice(Plan* plan, const Visit& visit) {
  for (CrashSpec& crash : plan->crashes) {
    visit(&crash.choice);
    for (NestedCrash& nested : crash.nested) visit(&nested.choice);
  }
}

template <typename Visit>
void ForEachImage(Plan* plan, const Visit& visit) {
  ForEachChoice(plan, [&](CrashChoice* choice) {
    if (!choice->process && !choice->image.empty()) visit(&choice->image);
    for (std::string& sibling : choice->siblings) visit(&sibling);
  });
}

CrashPlan ParseImage(const std::string& text) {
  StatusOr<CrashPlan> image = CrashPlan::Parse(text);
  SHEARPIN_CHECK(image.ok(), "an image that does not parse");
  return *std::move(image);
}

FaultRule ParseFault(const std::string& text) {
  StatusOr<FaultRule> rule = FaultRule::Parse(text);
  SHEARPIN_CHECK(rule.ok(), "a fault that does not parse");
  return *std::move(rule);
}

// What ImageTermsOf counts: of a list the operations that are dropped (the others stay), of the
// rules that name operations those, and tears and fills of all.
size_t TermCount(const CrashPlan& image) {
  size_t count = image.tears.size() + image.fills.size() + image.ops.size();
  if (image.keep == KeepRule::kList) {
    count += static_cast<size_t>(std::count(image.bits.begin(), image.bits.end(), '0'));
  }
  return count;
}

template <typename T>
void EraseWithin(std::vector<T>* list, size_t* at, size_t begin, size_t end) {
  std::vector<T> kept;
  for (T& each : *list) {
    if (!Within((*at)++, begin, end)) kept.push_back(std::move(each));
  }
  *list = std::move(kept);
}

void EraseTerms(CrashPlan* image, size_t* at, size_t begin, size_t end) {
  EraseWithin(&image->tears, at, begin, end);
  EraseWithin(&image->fills, at, begin, end);
  EraseWithin(&image->ops, at, begin, end);
  if (image->keep == KeepRule::kList) {
    for (char& bit : image->bits) {
      if (bit == '0' && Within((*at)++, begin, end)) bit = '1';
    }
  }
  // What names nothing any more has a simpler name.
  if (image->keep == KeepRule::kExcept && image->ops.empty()) image->keep = KeepRule::kAll;
  if (image->keep == KeepRule::kOnly && image->ops.empty()) image->keep = KeepRule::kNone;
  if (image->keep == KeepRule::kNeed && image->ops.empty()) image->keep = KeepRule::kNone;
}

// ---- Bytes ----

// Every key that a plan names, there or in a bound.
template <typename Visit>
void ForEachKey(Plan* plan, const Visit& visit) {
  ForEachStep(plan, [&](Step* step) {
    for (Mutation& mutation : step->mutations) {
      visit(&mutation.key);
      if (mutation.kind == MutationKind::kDeleteRange) visit(&mutation.value);
    }
    const bool has_key = step->kind == StepKind::kGet || step->kind == StepKind::kTxnGet;
    if (has_key) visit(&step->key);
    if (step->lower.kind != BoundKind::kUnbounded) visit(&step->lower.key);
    if (step->upper.kind != BoundKind::kUnbounded) visit(&step->upper.key);
    for (Move& move : step->moves) {
      if (move.kind == MoveKind::kSeek || move.kind == MoveKind::kSeekForPrev) visit(&move.key);
    }
  });
}

template <typename Visit>
void ForEachValue(Plan* plan, const Visit& visit) {
  ForEachStep(plan, [&](Step* step) {
    for (Mutation& mutation : step->mutations) {
      if (mutation.kind == MutationKind::kPut) visit(&mutation.value);
    }
  });
}

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

}  // namespace

PlanList StepsOf() {
  return {"steps", [](const Plan& plan) { return plan.StepCount(); },
          [](const Plan& plan, size_t begin, size_t end) {
            std::vector<size_t> first;  // by client: the number of its first step
            size_t number = 0;
            for (const auto& steps : plan.clients) {
              first.push_back(number);
              number += steps.size();
            }
            return WithoutSteps(plan, [&](uint32_t client, uint32_t step) {
              return Within(first[client] + step, begin, end);
            });
          }};
}

PlanList ClientsOf() {
  return {"clients", [](const Plan& plan) { return plan.clients.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            return WithoutSteps(
                plan, [&](uint32_t client, uint32_t) { return Within(client, begin, end); });
          }};
}

PlanList CrashesOf() {
  return {"crashes", [](const Plan& plan) { return plan.crashes.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            EraseWithin(&next.crashes, &at, begin, end);
            return next;
          }};
}

PlanList NestedOf() {
  return {"nested crashes",
          [](const Plan& plan) {
            size_t count = 0;
            for (const CrashSpec& crash : plan.crashes) count += crash.nested.size();
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            for (CrashSpec& crash : next.crashes) EraseWithin(&crash.nested, &at, begin, end);
            return next;
          }};
}

PlanList SiblingsOf() {
  return {"siblings",
          [](const Plan& plan) {
            Plan copy = plan;
            size_t count = 0;
            ForEachChoice(&copy, [&](CrashChoice* choice) { count += choice->siblings.size(); });
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            ForEachChoice(&next, [&](CrashChoice* choice) {
              EraseWithin(&choice->siblings, &at, begin, end);
            });
            return next;
          }};
}

PlanList FaultsOf() {
  return {"faults", [](const Plan& plan) { return plan.faults.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            EraseWithin(&next.faults, &at, begin, end);
            return next;
          }};
}

PlanList OptionsOf() {
  return {"options", [](const Plan& plan) { return plan.options.size(); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            EraseWithin(&next.options, &at, begin, end);
            return next;
          }};
}

// The first of each step does not count.
PlanList ChangesOf() {
  return {"changes",
          [](const Plan& plan) {
            size_t count = 0;
            for (const auto& steps : plan.clients) {
              for (const Step& step : steps) {
                count += std::max<size_t>(step.mutations.size(), 1) - 1;
                count += std::max<size_t>(step.moves.size(), 1) - 1;
              }
            }
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            const auto erase = [&](auto* list) {
              if (list->size() < 2) return;
              // The last one counts as the first: what is left may be any of them.
              auto last = std::move(list->back());
              list->pop_back();
              EraseWithin(list, &at, begin, end);
              list->push_back(std::move(last));
            };
            ForEachStep(&next, [&](Step* step) {
              erase(&step->mutations);
              erase(&step->moves);
            });
            return next;
          }};
}

PlanList DecisionsOf() {
  return {"decisions", [](const Plan& plan) { return DecisionCount(plan.scheduler.schedule); },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            for (PhaseSchedule& phase : next.scheduler.schedule) {
              EraseWithin(&phase.decisions, &at, begin, end);
            }
            std::erase_if(next.scheduler.schedule,
                          [](const PhaseSchedule& phase) { return phase.decisions.empty(); });
            return next;
          }};
}

PlanList ImageTermsOf() {
  return {"image terms",
          [](const Plan& plan) {
            Plan copy = plan;
            size_t count = 0;
            ForEachImage(&copy, [&](std::string* text) { count += TermCount(ParseImage(*text)); });
            return count;
          },
          [](const Plan& plan, size_t begin, size_t end) {
            Plan next = plan;
            size_t at = 0;
            ForEachImage(&next, [&](std::string* text) {
              CrashPlan image = ParseImage(*text);
              EraseTerms(&image, &at, begin, end);
              *text = image.ToString();
            });
            return next;
          }};
}

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
  if (plan.scheduler.strategy == kRecordedStrategy) return simpler;
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

std::vector<Plan> Nearby(const Plan& plan) {
  std::vector<Plan> nearby;
  // Many images of each crash cost less than one run each.
  constexpr uint32_t kImages = 24;
  const auto add_struck = [&](const auto& edit) {
    if (plan.crashes.empty()) return;
    Plan next = plan;
    next.crash_seed = nearby.size();
    edit(&next.crashes.back());
    for (CrashSpec& crash : next.crashes) {
      if (!crash.choice.process) crash.choice.draw_siblings = kImages;
    }
    nearby.push_back(std::move(next));
  };
  add_struck([](CrashSpec*) {});
  add_struck([](CrashSpec* c) { c->start = {}, c->strike = {.calls = kAfterWorkload}; });
  for (uint32_t client = 0; client < plan.clients.size(); ++client) {
    const auto last = static_cast<uint32_t>(plan.clients[client].size() - 1);
    add_struck([&](CrashSpec* c) {
      c->start = {CrashStart::After::kStep, client, last};
      c->strike = {};
    });
    for (uint64_t calls = 1; calls <= 6; ++calls) {
      add_struck([&](CrashSpec* c) {
        c->start = {};
        if (last > 0) c->start = {CrashStart::After::kStep, client, last - 1};
        c->strike = {.calls = calls};
      });
    }
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
