// Where on a simulated machine things stand.
#pragma once

#include <string_view>

namespace shearpin::sim {

// The store under test.
inline constexpr std::string_view kStoreDirectory = "/db";

// Of the directories that hold copies of the store.
inline constexpr std::string_view kCheckpointPrefix = "/checkpoint-";

}  // namespace shearpin::sim
