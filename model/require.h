// What the caller of the model did wrong (an unknown id, a step off an invalid cursor) ends the
// process: a harness that misuses its specification has no result worth reporting.
#pragma once

#include <string_view>

namespace shearpin::model {

[[noreturn]] void FailRequirement(std::string_view what);

inline void Require(bool condition, std::string_view what) {
  if (!condition) [[unlikely]]
    FailRequirement(what);
}

}  // namespace shearpin::model
