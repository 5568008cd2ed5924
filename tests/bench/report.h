// The results as a table for people and as JSON for programs. Pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/contest.h"

namespace shearpin::bench {

// Time and operations a second of each engine, and how fast the first engine is against the best of
// the others (RatioToBest); "-" where it has no others. Ends with a line break.
std::string Table(const std::vector<RowResult>& rows, const std::vector<Engine>& engines);

// {"rows": [{"name", ENGINE: micros per operation..., "cpu": {ENGINE: micros...},
//  "ratio_to_best": by time, "cpu_ratio_to_best": likewise by the thread's processor time}]}; no
// ratios without a peer.
nlohmann::ordered_json ToJson(const std::vector<RowResult>& rows,
                              const std::vector<Engine>& engines);

}  // namespace shearpin::bench
