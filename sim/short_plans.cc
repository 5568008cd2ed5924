#include "sim/short_plans.h"

#include <iterator>
#include <utility>

#include "faultfs/profile.h"

namespace shearpin::sim {
namespace {

using Kind = StepKind;

struct Letter {
  StepKind kind;
  Durability durability = Durability::kProcess;
  const char* key = "";
};

constexpr Letter kAlphabet[] = {
    {Kind::kPut, Durability::kNone, "a"},
    {Kind::kPut, Durability::kProcess, "a"},
    {Kind::kPut, Durability::kSync, "a"},
    {Kind::kPut, Durability::kProcess, "b"},
    {Kind::kPut, Durability::kSync, "b"},
    {Kind::kDelete, Durability::kProcess, "a"},
    {Kind::kDelete, Durability::kSync, "a"},
    {Kind::kBatch, Durability::kProcess},
    {Kind::kBatch, Durability::kSync},
    {Kind::kDeleteRange, Durability::kProcess},
    {Kind::kDeleteRange, Durability::kSync},
    {Kind::kFlush},
    {Kind::kSync},
    {Kind::kReopen},
    {Kind::kCompactRange},
};

Step StepOf(const Letter& letter, uint64_t position) {
  Step step;
  step.kind = letter.kind;
  step.durability = letter.durability;
  const Bytes value("value" + std::to_string(position));
  switch (letter.kind) {
    case Kind::kPut:
      step.mutations = {{MutationKind::kPut, Bytes(letter.key), value}};
      break;
    case Kind::kDelete:
      step.mutations = {{MutationKind::kDelete, Bytes(letter.key), {}}};
      break;
    case Kind::kBatch:
      step.mutations = {{MutationKind::kPut, Bytes("a"), value},
                        {MutationKind::kPut, Bytes("b"), value}};
      break;
    case Kind::kDeleteRange:
      step.mutations = {{MutationKind::kDeleteRange, Bytes("a"), Bytes("c")}};
      break;
    default:
      break;
  }
  return step;
}

}  // namespace

ShortPlans::ShortPlans(uint64_t operations, std::string profile)
    : profile_(std::move(profile)), letters_(operations, 0) {}

uint64_t ShortPlans::AlphabetSize() { return std::size(kAlphabet); }

bool ShortPlans::Next(Plan* plan) {
  if (done_) return false;
  *plan = Plan();
  plan->profile = profile_;
  plan->powersafe_overwrite = faultfs::FindProfile(profile_)->powersafe_overwrite;
  plan->scheduler.seed = plan->entropy_seed = plan->crash_seed = 1;
  std::vector<Step>& steps = plan->clients.emplace_back();
  for (size_t i = 0; i < letters_.size(); ++i) {
    steps.push_back(StepOf(kAlphabet[letters_[i]], i));
  }
  size_t digit = letters_.size();
  while (digit > 0 && ++letters_[digit - 1] == AlphabetSize()) letters_[--digit] = 0;
  done_ = digit == 0;
  return true;
}

}  // namespace shearpin::sim
