// The contest: every row, every engine, in rotation, several rounds.
//
// In each row the engines take turns, and who begins moves on from row to row and from round to
// round: what else the machine does meanwhile hits all alike, and what one leaves behind (caches,
// dirty pages, heat) is not always the same one's loss.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/store.h"
#include "tests/bench/workload.h"

namespace shearpin::bench {

struct ContestOptions {
  std::string directory;  // made, and emptied at the end
  uint64_t entries = 500'000;
  int rounds = 5;
  uint64_t seed = 1;
  std::vector<Engine> engines;
  std::vector<Row> rows;  // in the order of AllRows
  StoreOptions store;
  bool compact = true;  // before the rows that read
};

// Medians over the rounds.
struct RowResult {
  std::string name;
  std::map<std::string, Cost> costs;  // by engine
};

// `progress` is told what runs now.
std::vector<RowResult> RunContest(const ContestOptions& options,
                                  const std::function<void(const std::string&)>& progress);

}  // namespace shearpin::bench
