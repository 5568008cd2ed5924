#include "sim/seed_report.h"

#include <nlohmann/json.hpp>

#include "sim/plan.h"

namespace shearpin::sim {
namespace {

using Json = nlohmann::json;

Json FindingToJson(const Finding& finding) {
  return {{"class", FailureClassName(finding.failure_class)},
          {"message", finding.message},
          {"last_operations", finding.last_operations},
          {"plan", finding.plan}};
}

}  // namespace

SeedReport MakeSeedReport(const RunResult& result, const Plan& plan,
                          const std::vector<Expectation>& expectations) {
  SeedReport report;
  report.seed = result.seed;
  report.digest = result.digest;
  report.figures = {
      {"crashes", result.crashes},
      {"nested_crashes", result.nested_crashes},
      {"crash_states", result.crash_states},
      {"equal_states", result.equal_states},
      {"reopenings", result.reopenings},
      {"operations", result.operations},
      {"file_system_calls", result.file_system_calls},
      {"scheduling_points", result.scheduling_points},
      {"simulated_micros", result.simulated_micros},
  };
  report.faults = result.faults;
  report.events = result.events;
  report.matrix = result.matrix;
  for (size_t i = 0; i < result.calls.size(); ++i) {
    if (result.calls[i] == 0) continue;
    const auto kind = static_cast<faultfs::CallKind>(i);
    report.calls[std::string(faultfs::CallKindName(kind))] = result.calls[i];
  }
  for (auto& [name, count] : ProbesOf(result)) {
    if (!name.starts_with("event:") && !name.starts_with("fault:")) report.probes[name] = count;
  }
  // What failed stopped in the middle: it owes nothing.
  if (!result.failure) report.coverage = MarksOf(expectations, plan, result);
  report.profile = plan.profile;
  report.policy = PolicyOf(plan);
  report.abandoned = result.abandoned;
  if (result.failure) {
    report.finding = Finding{result.seed, result.failure->failure_class, result.failure->message,
                             result.failure->last_operations, FormatPlan(result.plan)};
  }
  return report;
}

std::string SeedReportToJson(const SeedReport& report) {
  Json json = {
      {"seed", report.seed},        {"digest", report.digest},    {"figures", report.figures},
      {"faults", report.faults},    {"events", report.events},    {"abandoned", report.abandoned},
      {"matrix", report.matrix},    {"calls", report.calls},      {"probes", report.probes},
      {"due", report.coverage.due}, {"met", report.coverage.met}, {"profile", report.profile},
      {"policy", report.policy}};
  if (report.finding) json["finding"] = FindingToJson(*report.finding);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<SeedReport> SeedReportFromJson(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("seed")) return std::nullopt;
  SeedReport report;
  report.seed = json["seed"].get<uint64_t>();
  report.digest = json.value("digest", uint64_t{0});
  report.figures = json.value("figures", Figures());
  report.faults = json.value("faults", Figures());
  report.events = json.value("events", Figures());
  report.matrix = json.value("matrix", Figures());
  report.calls = json.value("calls", Figures());
  report.probes = json.value("probes", Figures());
  report.coverage.due = json.value("due", std::vector<uint32_t>());
  report.coverage.met = json.value("met", std::vector<uint32_t>());
  report.profile = json.value("profile", "");
  report.policy = json.value("policy", "");
  report.abandoned = json.value("abandoned", false);
  if (json.contains("finding")) {
    const Json& finding = json["finding"];
    const auto failure_class = FindFailureClass(finding.value("class", ""));
    if (!failure_class) return std::nullopt;
    report.finding = Finding{report.seed, *failure_class, finding.value("message", ""),
                             finding.value("last_operations", std::vector<std::string>()),
                             finding.value("plan", "")};
  }
  return report;
}

}  // namespace shearpin::sim
