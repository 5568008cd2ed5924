#include "engine/tool/shape.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace shearpin::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Policy {
  std::string_view name;
  CompactionStyle style;
};
constexpr Policy kPolicies[] = {{"leveled", CompactionStyle::kLeveled},
                                {"tiered", CompactionStyle::kTiered},
                                {"simple", CompactionStyle::kSimple}};

struct Grown {
  std::string_view policy;
  std::vector<GrowthPoint> points;
};

std::string Bytes(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto number = static_cast<double>(bytes);
  size_t unit = 0;
  for (; number >= 1024 && unit + 1 < std::size(kUnits); ++unit) number /= 1024;
  std::ostringstream text;
  text << std::fixed << std::setprecision(unit == 0 ? 0 : 1) << number << ' ' << kUnits[unit];
  return text.str();
}

void PrintText(const ShapeRequest& request, const std::vector<Grown>& all, std::ostream& out) {
  out << "load: " << Bytes(request.load.bytes) << " in entries of " << request.load.entry_size
      << " B, " << request.load.update_fraction * 100 << "% of them overwrites; memtables of "
      << Bytes(request.options.write_buffer_size) << "\n"
      << "write: bytes written to tables for each byte the user wrote (the log adds 1)\n"
      << "space: bytes stored for each byte that is live; peak: while a merge runs\n"
      << "read: sorted runs that a read looks at without filters, mean and most\n\n";
  const auto column = [&](auto value, int width) { out << std::setw(width) << value; };
  for (const Grown& grown : all) {
    out << grown.policy << "\n";
    column("written", 12);
    for (const char* title : {"write", "space", "peak", "read", "most"}) column(title, 8);
    out << "  tree (tables, bytes)\n";
    for (const GrowthPoint& point : grown.points) {
      const double live = std::max<double>(1, static_cast<double>(point.live_bytes));
      column(Bytes(point.user_bytes), 12);
      out << std::fixed << std::setprecision(2);
      column(point.WriteAmplification(), 8);
      column(point.SpaceAmplification(), 8);
      column(static_cast<double>(point.peak_bytes) / live, 8);
      column(point.ReadAmplification(), 8);
      column(point.most_runs, 8);
      out << std::defaultfloat << " ";
      for (int level = 0; level < kNumLevels; ++level) {
        const LevelShape& shape = point.levels[level];
        if (shape.tables == 0) continue;
        out << " L" << level << ": " << shape.tables << ", " << Bytes(shape.bytes) << ";";
      }
      out << "\n";
    }
    out << "\n";
  }
}

Json PointJson(const GrowthPoint& point) {
  Json levels = Json::array();
  for (int level = 0; level < kNumLevels; ++level) {
    const LevelShape& shape = point.levels[level];
    if (shape.tables == 0) continue;
    levels.push_back({{"level", level}, {"tables", shape.tables}, {"bytes", shape.bytes}});
  }
  return {{"user_bytes", point.user_bytes},
          {"flushed_bytes", point.flushed_bytes},
          {"merged_bytes", point.merged_bytes},
          {"merges", point.merges},
          {"moves", point.moves},
          {"live_bytes", point.live_bytes},
          {"stored_bytes", point.stored_bytes},
          {"peak_bytes", point.peak_bytes},
          {"write_amplification", point.WriteAmplification()},
          {"space_amplification", point.SpaceAmplification()},
          {"read_amplification", point.ReadAmplification()},
          {"most_runs", point.most_runs},
          {"levels", std::move(levels)}};
}

void PrintJson(const ShapeRequest& request, const std::vector<Grown>& all, std::ostream& out) {
  Json policies = Json::array();
  for (const Grown& grown : all) {
    Json points = Json::array();
    for (const GrowthPoint& point : grown.points) points.push_back(PointJson(point));
    policies.push_back({{"policy", grown.policy}, {"points", std::move(points)}});
  }
  const Json report = {{"load",
                        {{"bytes", request.load.bytes},
                         {"entry_size", request.load.entry_size},
                         {"update_fraction", request.load.update_fraction}}},
                       {"policies", std::move(policies)}};
  out << report.dump() << "\n";
}

}  // namespace

Status Shape(const ShapeRequest& request, std::ostream& out) {
  Options options = request.options;
  SHEARPIN_RETURN_IF_ERROR(ValidateOptions(options));
  std::vector<Grown> all;
  for (const Policy& policy : kPolicies) {
    if (request.policy != "all" && request.policy != policy.name) continue;
    options.compaction_style = policy.style;
    all.push_back({policy.name, Grow(options, request.load)});
  }
  if (request.json) {
    PrintJson(request, all, out);
  } else {
    PrintText(request, all, out);
  }
  return Status::Ok();
}

}  // namespace shearpin::tool
