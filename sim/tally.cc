#include "sim/tally.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/rng.h"

namespace shearpin::sim {
namespace {

using Json = nlohmann::json;

void AddAll(const Figures& from, Figures* to) {
  for (const auto& [name, value] : from) (*to)[name] += value;
}

std::string JoinFigures(const Figures& figures) {
  std::string text;
  for (const auto& [name, value] : figures) {
    text += (text.empty() ? "" : "  ") + name + " " + std::to_string(value);
  }
  return text.empty() ? "none" : text;
}

double PerSecond(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string Line(const char* label, const std::string& text) {
  std::string line = "  ";
  line += label;
  line.resize(26, ' ');
  return line + text + "\n";
}

std::string Rounded(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

std::string HexDigest(uint64_t digest) {
  char text[20];
  std::snprintf(text, sizeof text, "%016" PRIx64, digest);
  return text;
}

void Tally::Add(const SeedReport& report) {
  ++seeds_;
  digest_ += Rng(report.digest ^ Rng(report.seed).Next()).Next();
  AddAll(report.figures, &figures_);
  AddAll(report.faults, &faults_);
  AddAll(report.events, &events_);
  AddAll(report.matrix, &matrix_);
  AddAll(report.calls, &calls_);
  AddAll(report.probes, &probes_);
  coverage_.Add(report.coverage);
  if (const auto found = report.figures.find("operations"); found != report.figures.end()) {
    operations_[report.profile][report.policy] += found->second;
  }
  if (report.finding) ++failures_;
}

uint64_t Tally::figure(const std::string& name) const {
  const auto found = figures_.find(name);
  return found == figures_.end() ? 0 : found->second;
}

// Rows are calls, columns faults; only those of which there is any.
std::string Tally::MatrixText() const {
  std::vector<std::string> columns;
  for (const auto& [cell, count] : matrix_) {
    const std::string effect = cell.substr(cell.find(' ') + 1);
    if (std::find(columns.begin(), columns.end(), effect) == columns.end()) {
      columns.push_back(effect);
    }
  }
  if (columns.empty()) return {};
  std::sort(columns.begin(), columns.end());
  const auto padded = [](const std::string& word, size_t width) {
    return std::string(width > word.size() ? width - word.size() : 0, ' ') + word;
  };
  std::string text = "  faults by call\n    " + padded("", 12) + padded("calls", 12);
  for (const std::string& column : columns) text += "  " + padded(column, 9);
  for (const auto& [call, calls] : calls_) {
    text += "\n    " + call + padded("", call.size() < 12 ? 12 - call.size() : 0) +
            padded(std::to_string(calls), 12);
    for (const std::string& column : columns) {
      const auto found = matrix_.find(call + " " + column);
      text += "  " + padded(found == matrix_.end() ? "." : std::to_string(found->second),
                            std::max<size_t>(9, column.size()));
    }
  }
  return text + "\n";
}

std::string Tally::OperationsText() const {
  std::string text;
  for (const auto& [profile, policies] : operations_) {
    text += Line(text.empty() ? "operations by disk" : "", profile + ": " + JoinFigures(policies));
  }
  return text;
}

// The expectations met, and those that were not though runs of theirs were made.
std::string Tally::CoverageText() const {
  uint64_t due = 0, met = 0;
  std::string open;
  for (const Coverage::Line& line : coverage_.Lines()) {
    if (line.due == 0) continue;
    ++due;
    if (line.met != 0) ++met;
    if (line.met != 0 || line.missing()) continue;
    open += Line("", line.expectation->probe + " not yet, in " + std::to_string(line.due) + " of " +
                         std::to_string(line.expectation->least_seeds) +
                         " runs of: " + line.expectation->configuration);
  }
  return Line("coverage",
              std::to_string(met) + " of " + std::to_string(due) + " expectations met") +
         open;
}

std::string Tally::Summary(double seconds, int jobs) const {
  const uint64_t states = figure("crash_states");
  const auto count = [this](const char* name) { return std::to_string(figure(name)); };
  std::string text;
  text += Line("seeds", std::to_string(seeds_));
  text += Line("crashes",
               count("crashes") + ", " + count("nested_crashes") + " of them inside a recovery");
  text += Line("crash images", std::to_string(states) + " recovered and checked, " +
                                   Rounded(PerSecond(states, seconds * jobs), 0) +
                                   " per second per core");
  text += Line("operations", count("operations") + ", " + count("reopenings") + " reopenings, " +
                                 count("file_system_calls") + " file-system calls, " +
                                 count("scheduling_points") + " scheduling points");
  text += Line("faults fired", JoinFigures(faults_));
  text += Line("events", JoinFigures(events_));
  text += Line("steps and answers", JoinFigures(probes_));
  text += MatrixText() + OperationsText() + CoverageText();
  text += Line("simulated time",
               Rounded(static_cast<double>(figure("simulated_micros")) / 1e6, 1) + " s");
  text += Line("wall time", Rounded(seconds, 1) + " s on " + std::to_string(jobs) +
                                (jobs == 1 ? " core" : " cores"));
  text += Line("digest", HexDigest(digest_));
  text += Line("failures", std::to_string(failures()));
  for (const std::string& missing : coverage_.Missing()) {
    text += "    " + std::string(FailureClassName(FailureClass::kNeverHappened)) + ": " + missing +
            "\n";
  }
  for (const Artefact& artefact : artefacts_) {
    text += "    seed " + std::to_string(artefact.seed) + ": " +
            std::string(FailureClassName(artefact.failure_class)) + "\n" + "      " +
            artefact.command + "\n";
  }
  return text;
}

std::string Tally::ToJson(double seconds, int jobs, uint64_t next_seed) const {
  const uint64_t states = figure("crash_states");
  Json json(figures_);
  json.erase("simulated_micros");
  json["seeds"] = seeds_;
  json["crashes"] = figure("crashes");
  json["crash_states"] = states;
  json["crash_states_per_second"] = PerSecond(states, seconds);
  json["crash_states_per_second_per_core"] = PerSecond(states, seconds * jobs);
  json["operations"] = figure("operations");
  json["simulated_seconds"] = static_cast<double>(figure("simulated_micros")) / 1e6;
  json["seconds"] = seconds;
  json["jobs"] = jobs;
  json["next_seed"] = next_seed;
  json["digest"] = HexDigest(digest_);
  json["faults"] = faults_;
  json["events"] = events_;
  json["failures"] = failures();
  json["steps"] = probes_;
  json["matrix"] = Json::object();
  for (const auto& [cell, count] : matrix_) {
    const size_t space = cell.find(' ');
    json["matrix"][cell.substr(0, space)][cell.substr(space + 1)] = count;
  }
  for (const auto& [call, count] : calls_) json["matrix"][call]["calls"] = count;
  json["operations_by_profile"] = operations_;
  json["coverage"] = Json::array();
  for (const Coverage::Line& line : coverage_.Lines()) {
    json["coverage"].push_back({{"probe", line.expectation->probe},
                                {"configuration", line.expectation->configuration},
                                {"least_seeds", line.expectation->least_seeds},
                                {"seeds", line.due},
                                {"happened_in", line.met}});
  }
  json["findings"] = Json::array();
  for (const Artefact& artefact : artefacts_) {
    json["findings"].push_back({{"seed", artefact.seed},
                                {"class", FailureClassName(artefact.failure_class)},
                                {"message", artefact.message},
                                {"plan", artefact.plan_file},
                                {"command", artefact.command}});
  }
  for (const std::string& missing : coverage_.Missing()) {
    json["findings"].push_back({{"seed", 0},
                                {"class", FailureClassName(FailureClass::kNeverHappened)},
                                {"message", missing},
                                {"plan", ""},
                                {"command", ""}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace shearpin::sim
