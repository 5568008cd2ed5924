#include "sim/fixed_workload.h"

#include <algorithm>
#include <string>

#include "sim/rng.h"

namespace shearpin::sim {
namespace {

Bytes KeyNumber(uint64_t number) {
  const std::string digits = std::to_string(number);
  return Bytes("key" + std::string(5 - digits.size(), '0') + digits);
}

}  // namespace

Plan FixedWorkload(uint64_t operations, uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.scheduler.strategy = "random-walk";
  plan.scheduler.seed = seed;
  plan.entropy_seed = seed;
  plan.crash_seed = seed;
  plan.options = {
      {"write_buffer_size", 4096}, {"target_table_size", 8192}, {"base_level_size", 16384}};
  Rng rng = Rng::Stream(seed, "fixed-workload");
  const uint64_t keys = std::clamp<uint64_t>(operations / 2, 1, 200);
  const auto put = [&](Step* step) {
    step->mutations.push_back({MutationKind::kPut, KeyNumber(rng.Uniform(keys)),
                               Bytes::Fill(static_cast<uint32_t>(rng.Range(1, 100)), rng.Next())});
  };
  std::vector<Step>& steps = plan.clients.emplace_back();
  for (uint64_t i = 0; i < operations; ++i) {
    Step& step = steps.emplace_back();
    const uint64_t kind = rng.Uniform(20);
    if (kind < 13) {
      step.kind = StepKind::kPut;
      if (kind < 2) step.durability = Durability::kSync;
      put(&step);
    } else if (kind < 16) {
      step.kind = StepKind::kDelete;
      step.mutations.push_back({MutationKind::kDelete, KeyNumber(rng.Uniform(keys)), {}});
    } else if (kind < 18) {
      step.kind = StepKind::kBatch;
      for (int j = 0; j < 3; ++j) put(&step);
    } else if (kind < 19) {
      const uint64_t first = rng.Uniform(keys);
      step.kind = StepKind::kDeleteRange;
      step.mutations.push_back(
          {MutationKind::kDeleteRange, KeyNumber(first), KeyNumber(first + 10)});
    } else {
      step.kind = StepKind::kSync;
    }
  }
  return plan;
}

}  // namespace shearpin::sim
