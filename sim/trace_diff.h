// TraceDiff: where two traces part, for people: the first line that differs, what stands before
// and behind it in both, and which stream parted: who ran (the schedule), what was asked of the
// file system, what a client was answered.
//
// Thread safety: values, pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shearpin::sim {

struct TraceDivergence {
  size_t line = 0;     // the first that differs, from 0; it may be behind the end of one of them
  std::string stream;  // "schedule", "file call", ...
  std::string text;    // several lines, with context
};

// Nothing if they are equal. Only lines of a trace's own form count; others (a seed's line, a
// summary) are passed over.
std::optional<TraceDivergence> CompareTraces(std::span<const std::string> first,
                                             std::span<const std::string> second);

std::vector<std::string> TraceLines(std::string_view text);

}  // namespace shearpin::sim
