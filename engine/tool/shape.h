// The tool's policy laboratory: how each compaction policy shapes a growing tree
// (engine/compaction/growth_model.h). Touches no disk.
#pragma once

#include <ostream>
#include <string>

#include "engine/compaction/growth_model.h"
#include "engine/options.h"
#include "engine/status.h"

namespace shearpin::tool {

struct ShapeRequest {
  std::string policy = "all";  // "leveled", "tiered", "simple" or "all"
  Options options;             // the sizes and triggers; its compaction_style is not used
  GrowthLoad load;
  bool json = false;  // one object: "load", and "policies": a list with "points" each
};

// InvalidArgument for options out of range.
Status Shape(const ShapeRequest& request, std::ostream& out);

}  // namespace shearpin::tool
