// The terms of a plan in the engine's words, in the model's, and in those of a report.
#pragma once

#include <string>
#include <string_view>

#include "engine/options.h"
#include "model/batch.h"
#include "sim/plan.h"

namespace shearpin::sim {

shearpin::Durability EngineDurability(Durability durability);

// The key stays in `bound` or in `*scratch`.
shearpin::Bound EngineBound(const KeyBound& bound, std::string* scratch);
model::Bound ModelBound(const KeyBound& bound);

// Pairs that the plan's compaction_filter drops. 0: none; 1: keys that begin with "prefix/a";
// 2: those with "k00"; 3: values whose length is 3 modulo 5.
model::MayVanish MayVanishOf(const Plan& plan);

// Whether the plan's disk may break promises without telling.
bool BreaksPromises(const Plan& plan);

// How often an opening may fail on the plan's faults before they are lifted for good.
inline constexpr int kFaultyAttempts = 3;

// False for a range that is empty: a batch adds nothing for it.
bool ToOperation(const Mutation& mutation, model::Operation* operation);

// "key = value", or "the end".
std::string ShowPair(bool valid, std::string_view key, std::string_view value);
std::string WrongRead(std::string_view what, std::string_view found, std::string_view expected);

}  // namespace shearpin::sim
