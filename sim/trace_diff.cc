#include "sim/trace_diff.h"

#include <algorithm>
#include <array>
#include <utility>

namespace shearpin::sim {
namespace {

constexpr size_t kContext = 8;

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kStreams = {{
    {"run", "schedule"},
    {"spawn", "schedule"},
    {"time", "schedule"},
    {"spurious-wakeup", "schedule"},
    {"stop", "schedule"},
    {"step:", "client step"},
    {"answer:", "answer"},
    {"file:", "file call"},
    {"fault:", "fault"},
    {"event:", "engine event"},
    {"crash:", "crash"},
    {"check:", "recovery"},
    {"phase:", "phase"},
}};

std::string_view TakeField(std::string_view* line) {
  const size_t begin = line->find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  const size_t end = std::min(line->find(' ', begin), line->size());
  const std::string_view field = line->substr(begin, end - begin);
  line->remove_prefix(end);
  return field;
}

// After the time and the fiber. Empty if the line is none of a trace.
std::string_view StreamOf(std::string_view line) {
  const std::string_view time = TakeField(&line);
  const bool number = !time.empty() && std::all_of(time.begin(), time.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!number || TakeField(&line).empty()) return {};
  const std::string_view word = TakeField(&line);
  for (const auto& [begin, stream] : kStreams) {
    if (word == begin) return stream;
  }
  return word == "FAILURE" ? "failure" : "";
}

void AppendSide(char mark, std::span<const std::string> lines, size_t from, std::string* text) {
  for (size_t i = from; i < std::min(lines.size(), from + kContext); ++i) {
    *text += mark + (" " + lines[i]) + "\n";
  }
  if (from >= lines.size()) *text += mark + std::string(" (the trace ends here)\n");
}

}  // namespace

std::vector<std::string> TraceLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!StreamOf(line).empty()) lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<TraceDivergence> CompareTraces(std::span<const std::string> first,
                                             std::span<const std::string> second) {
  const size_t both = std::min(first.size(), second.size());
  size_t at = 0;
  while (at < both && first[at] == second[at]) ++at;
  if (at == first.size() && at == second.size()) return std::nullopt;
  TraceDivergence divergence;
  divergence.line = at;
  divergence.stream = StreamOf(at < first.size() ? first[at] : second[at]);
  // What another fiber does next is the doing of whoever chose it.
  if (at < both) {
    const std::string_view other = StreamOf(second[at]);
    if (other == "schedule") divergence.stream = other;
  }
  divergence.text =
      "the traces part at line " + std::to_string(at + 1) + ", in the " + divergence.stream + "\n";
  for (size_t i = at > kContext ? at - kContext : 0; i < at; ++i) {
    divergence.text += "  " + first[i] + "\n";
  }
  AppendSide('-', first, at, &divergence.text);
  AppendSide('+', second, at, &divergence.text);
  return divergence;
}

}  // namespace shearpin::sim
