#include "engine/tool/repair_command.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/db.h"
#include "engine/repair.h"
#include "engine/tool/quoted.h"

namespace shearpin::tool {
namespace {

using Lost = RepairFinding::Lost;

std::string KeysText(const RepairFinding& finding) {
  if (!finding.first_key && !finding.last_key) return "any key";
  const std::string first = finding.first_key ? QuotedKey(*finding.first_key) : "the first key";
  const std::string last = finding.last_key ? QuotedKey(*finding.last_key) : "the last key";
  return "keys from " + first + " to " + last;
}

void PrintText(const RepairRequest& request, const RepairReport& report, std::ostream& out) {
  for (const RepairFinding& finding : report.findings) {
    out << finding.file;
    if (finding.offset) out << " at offset " << *finding.offset;
    if (finding.size != 0) out << ", " << finding.size << " bytes";
    out << ": " << finding.reason << '\n';
    out << (finding.lost == Lost::kNothing
                ? "    nothing is lost with it\n"
                : "    " + KeysText(finding) +
                      ": may be missing, or show an older or a deleted value\n");
  }
  out << request.repaired << ": " << report.keys_written << " keys in " << report.tables_written
      << " tables, " << report.bytes_written << " bytes; last sequence " << report.last_sequence
      << '\n'
      << "read " << report.blocks_read << " blocks of " << report.tables_read << " tables and "
      << report.records_read << " records of " << report.logs_read << " logs, "
      << (report.by_manifest ? "as the MANIFEST says" : "all that are there, without the MANIFEST")
      << '\n'
      << (report.complete() ? "everything was salvaged\n" : "not everything was salvaged\n");
}

// JSON knows no bytes: keys are given with the escapes of dump.
nlohmann::json KeyJson(const std::optional<std::string>& key) {
  return key ? nlohmann::json(QuotedKey(*key)) : nlohmann::json(nullptr);
}

void PrintJson(const RepairReport& report, std::ostream& out) {
  nlohmann::json findings = nlohmann::json::array();
  for (const RepairFinding& finding : report.findings) {
    nlohmann::json entry = {{"file", finding.file}, {"reason", finding.reason}};
    entry["offset"] = finding.offset ? nlohmann::json(*finding.offset) : nlohmann::json(nullptr);
    entry["size"] = finding.size;
    entry["lost"] = finding.lost == Lost::kNothing ? "nothing"
                    : finding.lost == Lost::kKeys  ? "keys"
                                                   : "unknown";
    entry["first_key"] = KeyJson(finding.first_key);
    entry["last_key"] = KeyJson(finding.last_key);
    findings.push_back(std::move(entry));
  }
  const nlohmann::json object = {
      {"complete", report.complete()},         {"by_manifest", report.by_manifest},
      {"tables_read", report.tables_read},     {"blocks_read", report.blocks_read},
      {"logs_read", report.logs_read},         {"records_read", report.records_read},
      {"keys_written", report.keys_written},   {"tables_written", report.tables_written},
      {"bytes_written", report.bytes_written}, {"last_sequence", report.last_sequence},
      {"findings", std::move(findings)}};
  out << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

}  // namespace

StatusOr<bool> RepairDatabase(const Options& options, const RepairRequest& request,
                              std::ostream& out) {
  SHEARPIN_ASSIGN_OR_RETURN(const RepairReport report,
                            Repair(options, request.damaged, request.repaired));
  SHEARPIN_ASSIGN_OR_RETURN(const auto db, DB::OpenReadOnly(options, request.repaired));
  SHEARPIN_RETURN_IF_ERROR(db->VerifyChecksums());
  SHEARPIN_RETURN_IF_ERROR(db->Close());
  if (request.json) {
    PrintJson(report, out);
  } else {
    PrintText(request, report, out);
  }
  return report.complete();
}

}  // namespace shearpin::tool
