// The text of plans: refused with a reason, or a plan whose text parses to the same plan.
#include "engine/base/check.h"
#include "sim/generator.h"
#include "sim/plan.h"
#include "tests/fuzz/fuzz_input.h"

namespace shearpin::fuzz {

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    std::string text = sim::FormatPlan(sim::GeneratePlan(seed, {}));
    // Short ones: a mutation of a long text is mostly the same text.
    if (text.size() < 8000) seeds.push_back(std::move(text));
  }
  SHEARPIN_CHECK(!seeds.empty());
  return seeds;
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shearpin;
  auto plan = sim::ParsePlan({reinterpret_cast<const char*>(data), size}, "fuzz.plan");
  if (!plan.ok()) {
    SHEARPIN_CHECK(plan.status().IsInvalidArgument());
    return 0;
  }
  const std::string text = sim::FormatPlan(*plan);
  auto again = sim::ParsePlan(text, "again.plan");
  SHEARPIN_CHECK(again.ok(), "a plan's own text does not parse");
  SHEARPIN_CHECK(*again == *plan);
  return 0;
}
