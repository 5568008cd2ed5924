#include "tests/bench/report.h"

#include <algorithm>
#include <optional>

#include "tests/bench/statistics.h"
#include "tests/bench/text.h"

namespace shearpin::bench {
namespace {

// Of the first engine, by one of the two figures.
std::optional<double> Ratio(const RowResult& row, const std::vector<Engine>& engines,
                            double Cost::*figure) {
  if (engines.size() < 2 || row.costs.size() < 2) return std::nullopt;
  std::map<std::string, double> costs;
  // A row too short for the processor clock's grain counts as one grain.
  constexpr double kLeast = 1e-6;
  for (const auto& [engine, cost] : row.costs) costs[engine] = std::max(cost.*figure, kLeast);
  return RatioToBest(costs, engines.front().name);
}

std::string Times(std::optional<double> ratio) {
  return ratio ? Format("%8.2fx", *ratio) : std::string("        -");
}

}  // namespace

std::string Table(const std::vector<RowResult>& rows, const std::vector<Engine>& engines) {
  std::string text = Format("%-17s", "us/op (ops/s)");
  for (const Engine& engine : engines) text += Format("%22s", engine.name.c_str());
  text += Format("%9s%9s\n", "ratio", "cpu");
  for (const RowResult& row : rows) {
    text += Format("%-17s", row.name.c_str());
    for (const Engine& engine : engines) {
      const double micros = row.costs.at(engine.name).micros;
      text += Format("%11.3f (%8.0f)", micros, 1e6 / micros);
    }
    text += Times(Ratio(row, engines, &Cost::micros)) +
            Times(Ratio(row, engines, &Cost::cpu_micros)) + "\n";
  }
  return text;
}

nlohmann::ordered_json ToJson(const std::vector<RowResult>& rows,
                              const std::vector<Engine>& engines) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const RowResult& row : rows) {
    nlohmann::ordered_json object = {{"name", row.name}};
    nlohmann::ordered_json cpu;
    for (const Engine& engine : engines) {
      object[engine.name] = row.costs.at(engine.name).micros;
      cpu[engine.name] = row.costs.at(engine.name).cpu_micros;
    }
    object["cpu"] = cpu;
    if (const auto ratio = Ratio(row, engines, &Cost::micros)) {
      object["ratio_to_best"] = *ratio;
      object["cpu_ratio_to_best"] = *Ratio(row, engines, &Cost::cpu_micros);
    }
    all.push_back(std::move(object));
  }
  return {{"rows", std::move(all)}};
}

}  // namespace shearpin::bench
